package store

import (
	"context"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// LastLook is made between a claim and the first byte: how much of the lease of calls that this owner is sending is left, by
// the database's clock, where their campaign stands, and in which of them a member has opted out, or has a number in doubt,
// since the claim, which knew outs.
func (s *Store) LastLook(ctx context.Context, ids []int64, owner string, outs int64) (notify.LastLook, error) {
	look := notify.LastLook{Left: make(map[int64]time.Duration, len(ids))}
	changed, err := s.leases(ctx, ids, owner, outs, &look)
	if err != nil || !changed {
		return look, err
	}
	err = s.read(ctx, fmt.Sprintf("store: who of calls %v has opted out", ids), func(t *tx) error {
		look.Out, err = t.callsWithOuts(ids)
		return err
	})
	return look, err
}

// leases reads the leases of calls of one campaign, its state, and whether anybody has opted out, or any number came into doubt,
// since. One statement without a transaction: of most claims nothing else is asked.
func (s *Store) leases(ctx context.Context, ids []int64, owner string, outs int64, look *notify.LastLook) (changed bool, err error) {
	t := &tx{d: s.d}
	pool := s.reader
	if s.d == postgresDialect {
		pool = s.mass
	}
	rows, err := pool.QueryContext(ctx, `SELECT id, lease_until, (`+s.d.nowSQL()+`), (SELECT COALESCE(max(next), 0) FROM sequences WHERE name = $3),
			(SELECT k.state FROM campaigns k WHERE k.id = campaign_id)
		FROM calls WHERE `+t.among("id", 1)+` AND state = 'sending' AND owner = $2`, t.idList(ids), owner, outsVersion)
	if err != nil {
		return false, fmt.Errorf("store: lease of calls %v: %w", ids, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id, until, now, version int64
		if err := rows.Scan(&id, &until, &now, &version, &look.State); err != nil {
			return false, err
		}
		changed = changed || version != outs
		if look.Now = fromMicros(now); until > now {
			look.Left[id] = time.Duration(until-now) * time.Microsecond
		}
	}
	return changed, rows.Err()
}

// callsWithOuts are those of the calls in which somebody wants nothing of their kind by their channel, or whose number is in doubt.
func (t *tx) callsWithOuts(ids []int64) (with []int64, err error) {
	rows, err := t.query(`SELECT `+callColumns+` FROM calls WHERE `+t.among("id", 1)+` ORDER BY id`, t.idList(ids))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var calls []*heldCall
	for rows.Next() {
		c, err := scanCall(rows)
		if err != nil {
			return nil, err
		}
		calls = append(calls, c)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, c := range calls {
		campaign, err := t.campaign(c.key.id, "")
		if err != nil {
			return nil, err
		}
		out := personOut("p", campaign.Spec.Kind)
		if c.channel.Phone() {
			out += ` OR ` + phoneOut("p", campaign.Spec.Kind) + ` OR ` + phoneDoubtedFor("p", campaign, c.channel)
		}
		var some bool
		err = t.row(`SELECT EXISTS (SELECT 1 FROM people p WHERE `+t.among("p.id", 1)+` AND (`+out+`))`, t.idList(c.in())).Scan(&some)
		if err != nil {
			return nil, err
		}
		if some {
			with = append(with, c.id)
		}
	}
	return with, nil
}
