package store

import (
	"context"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
)

// PersonProxies lists who looks after the matters of somebody in a scope, or asks to.
func (s *Store) PersonProxies(ctx context.Context, scope register.Scope, personID int64, now time.Time) (list []register.Proxy, err error) {
	err = s.read(ctx, fmt.Sprintf("store: proxies of person %d", personID), func(t *tx) error {
		args := append(scopeArgs(scope), personID)
		list, err = t.proxies(`WHERE `+inScope(1)+` AND x.person_id = $3 AND `+openProxy(4)+` ORDER BY x.at, x.id`, append(args, t.openArgs(now)...)...)
		return err
	})
	for i := range list {
		list[i].OpenID = "" // no page needs it
	}
	return list, err
}

// ProxyTold notes that one side has heard of a proxy's state, unless that has changed since: of their own (mine), or of one
// over their matters.
func (s *Store) ProxyTold(ctx context.Context, proxyID int64, mine bool, state register.ProxyState, at time.Time) error {
	column := "shown_at"
	if mine {
		column = "told_at"
	}
	return s.write(ctx, fmt.Sprintf("store: note that proxy %d was told", proxyID), func(t *tx) error {
		_, err := t.exec(`UPDATE proxies SET `+column+` = $3 WHERE id = $1 AND state = $2 AND `+column+` = 0`, proxyID, string(state), toMicros(at))
		return err
	})
}

// LossTold notes that an openid has heard that it lost its person.
func (s *Store) LossTold(ctx context.Context, openID register.OpenID) error {
	return s.write(ctx, "store: note that a loss was told", func(t *tx) error { return t.lossTold(t.keys.Index(whoDomain(turn.WeChat), string(openID))) })
}

// EndProxy ends a proxy of somebody in a scope, who asked the office to. register.ErrNotFound: there is none to end.
func (s *Store) EndProxy(ctx context.Context, scope register.Scope, personID, proxyID int64, by staff.Entry) error {
	return s.write(ctx, fmt.Sprintf("store: end proxy %d", proxyID), func(t *tx) error {
		n, err := t.exec(`UPDATE proxies SET state = 'ended', settled_at = $5, told_at = 0 WHERE id = $4 AND state IN ('asked', 'given')
			AND person_id IN (SELECT p.id FROM people p WHERE `+inScope(1)+` AND p.id = $3)`, append(scopeArgs(scope), personID, proxyID, toMicros(by.At))...)
		if err != nil {
			return err
		}
		if n == 0 {
			return register.ErrNotFound
		}
		return t.audit(by)
	})
}
