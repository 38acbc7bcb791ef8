package store

import (
	"context"
	"errors"
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

// EndProxy ends a proxy of somebody in a scope, who asked the office to, and gives it as it stands then. Whoever had it is told by
// SMS, where we know their number; notice is that text, 0: none. register.ErrNotFound: there is none to end.
func (s *Store) EndProxy(ctx context.Context, scope register.Scope, personID, proxyID int64, word register.OfficeWord, by staff.Entry) (ended register.Proxy, notice int64, err error) {
	err = s.write(ctx, fmt.Sprintf("store: end proxy %d", proxyID), func(t *tx) error {
		n, err := t.exec(`UPDATE proxies SET state = 'ended', settled_at = $5, told_at = CASE state WHEN 'given' THEN 0 ELSE CAST($5 AS BIGINT) END WHERE id = $4 AND state IN ('asked', 'given')
			AND person_id IN (SELECT p.id FROM people p WHERE `+inScope(1)+` AND p.id = $3)`, append(scopeArgs(scope), personID, proxyID, toMicros(by.At))...)
		if err == nil && n == 0 {
			err = register.ErrNotFound
		}
		if err != nil {
			return err
		}
		list, err := t.proxies(`WHERE x.id = $1`, proxyID)
		if err != nil || len(list) == 0 {
			return errors.Join(err, t.audit(by))
		}
		if ended = list[0]; ended.GivenAt.IsZero() { // whoever asked is not to learn that there was anybody to ask
			ended.OpenID = ""
			return t.audit(by)
		}
		var holder int64
		err = t.row(`SELECT COALESCE((SELECT b.person_id FROM proxies x JOIN bindings b ON b.openid_idx = x.openid_idx AND b.until = 0 AND b.relation = 'self'
			WHERE x.id = $1 ORDER BY b.since DESC LIMIT 1), 0)`, proxyID).Scan(&holder)
		if err == nil && holder != 0 {
			notice, err = t.officeNotice(holder, turn.ProxyStopped, word, by.At)
		}
		return errors.Join(err, t.audit(by))
	})
	return ended, notice, err
}

// EndBinding ends the binding of somebody in a scope, who told the office that it isn't theirs, and with it the codes that are open
// for them and what was agreed to in their name since the account was bound. It gives the account that lost it and its language; notice is the text to the person's own number, 0: none goes.
// register.ErrNotFound: there is none to end.
func (s *Store) EndBinding(ctx context.Context, scope register.Scope, personID int64, word register.OfficeWord, by staff.Entry) (lost register.OpenID, language string, notice int64, err error) {
	err = s.write(ctx, fmt.Sprintf("store: end the binding of person %d", personID), func(t *tx) error {
		if err := t.lockKey(fmt.Sprintf("bind person %d", personID)); err != nil {
			return err
		}
		var bound bool
		err := t.row(`SELECT EXISTS (SELECT 1 FROM people p JOIN bindings b ON b.person_id = p.id AND b.until = 0 AND b.relation = 'self' WHERE `+inScope(1)+` AND p.id = $3)`,
			append(scopeArgs(scope), personID)...).Scan(&bound)
		if err == nil && !bound {
			err = register.ErrNotFound
		}
		if err != nil {
			return err
		}
		if lost, language, err = t.account(personID, `b.until = 0`); err != nil {
			return err
		}
		_, err = t.exec(`UPDATE proxies SET state = 'ended', settled_at = $2, told_at = 0, shown_at = 0 WHERE consent_by = $1 AND state = 'given' AND given_at >=
			(SELECT MAX(b.since) FROM bindings b WHERE b.person_id = $1 AND b.until = 0 AND b.relation = 'self')`, personID, toMicros(by.At))
		if err != nil {
			return err
		}
		if err := t.endBindings(by.At, ending{loss: register.LossTaken}, `person_id = $1`, personID); err != nil {
			return err
		}
		if _, err := t.exec(`DELETE FROM codes WHERE person_id = $1`, personID); err != nil {
			return err
		}
		notice, err = t.officeNotice(personID, turn.BindingTaken, word, by.At)
		return errors.Join(err, t.audit(by))
	})
	return lost, language, notice, err
}

// noticeLife is how long a text about something that the office did is worth sending.
const noticeLife = 24 * time.Hour

// officeNotice queues a text to the number on file of somebody, 0: there is none that may be told.
func (t *tx) officeNotice(personID int64, template string, word register.OfficeWord, at time.Time) (int64, error) {
	var sealed []byte
	var mobile bool
	if err := t.row(`SELECT phone_sealed, phone_mobile FROM people WHERE id = $1`, personID).Scan(&sealed, &mobile); err != nil {
		return 0, fmt.Errorf("read the number of person %d: %w", personID, err)
	}
	found, err := t.reachedAt(personID, sealed, mobile)
	if err != nil || found.Phone == "" {
		return 0, err
	}
	from := at
	if word.From.After(at) {
		from = word.From
	}
	return t.queueNotice(turn.Message{
		Kind: turn.Reply, Template: template, Phone: found.Phone, PersonID: personID, Params: map[string]string{"phone": word.Phone},
		At: at, Expires: from.Add(noticeLife),
	}, from)
}
