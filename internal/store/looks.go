package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// DueCalls takes calls whose time has come by the database's clock, but accepted texts, and keeps them from others for as long
// as hold. It returns that clock too.
func (s *Store) DueCalls(ctx context.Context, limit int, hold time.Duration) (list []notify.Call, now time.Time, err error) {
	return s.takeDue(ctx, `state <> 'planned' AND (state <> 'accepted' OR channel <> 'sms')`, limit, hold)
}

// takeDue takes due calls of a condition.
func (s *Store) takeDue(ctx context.Context, which string, limit int, hold time.Duration) (list []notify.Call, now time.Time, err error) {
	due := ` FROM calls WHERE wake_at > 0 AND wake_at <= $1 AND ` + which
	var some bool
	err = s.read(ctx, "store: look for due calls", func(t *tx) error {
		if now, err = t.now(); err != nil {
			return err
		}
		return t.row(`SELECT EXISTS (SELECT 1`+due+`)`, toMicros(now)).Scan(&some)
	})
	if err != nil || !some {
		return nil, now, err
	}
	err = s.write(ctx, "store: take due calls", func(t *tx) error {
		list = nil
		if now, err = t.now(); err != nil {
			return err
		}
		ids, err := t.idsOf(`SELECT id`+due+` ORDER BY wake_at LIMIT $2`+t.skipLocked(), toMicros(now), limit)
		if err != nil || len(ids) == 0 {
			return err
		}
		if _, err := t.exec(`UPDATE calls SET wake_at = $1 WHERE `+t.among("id", 2), toMicros(now.Add(hold)), t.idList(ids)); err != nil {
			return err
		}
		list, err = t.callsOf(ids)
		return err
	})
	return list, now, err
}

func (t *tx) callsOf(ids []int64) ([]notify.Call, error) {
	rows, err := t.query(`SELECT id, campaign_id, channel, route, state, previous_id, length(replace(marks, 'o', '')), signed_at, begun_at, presented_at,
		looks, spent, lease_until, updated_at FROM calls WHERE `+t.among("id", 1)+` ORDER BY id`, t.idList(ids))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []notify.Call
	for rows.Next() {
		var c notify.Call
		var at [5]int64
		if err := rows.Scan(&c.ID, &c.CampaignID, &c.Channel, &c.Route, &c.State, &c.PreviousID, &c.Size, &at[0], &at[1], &at[2],
			&c.Looks, &c.Spent, &at[3], &at[4]); err != nil {
			return nil, err
		}
		if c.Looks > 0 {
			c.LookedAt = fromMicros(at[4])
		}
		if c.State == notify.CallQueued {
			c.QueuedAt = fromMicros(at[4])
		}
		c.SignedAt, c.BegunAt, c.PresentedAt, c.LeaseUntil = fromMicros(at[0]), fromMicros(at[1]), fromMicros(at[2]), fromMicros(at[3])
		list = append(list, c)
	}
	return list, rows.Err()
}

// QueuedCalls lists calls that wait for the bell, for a worker that has just started: what the bell knew may be lost.
func (s *Store) QueuedCalls(ctx context.Context, limit int) (list []notify.Call, err error) {
	err = s.read(ctx, "store: queued calls", func(t *tx) error {
		ids, err := t.idsOf(`SELECT id FROM calls WHERE state IN ('queued', 'sending', 'unconfirmed') AND state = 'queued' AND wake_at > 0 ORDER BY id LIMIT $1`, limit)
		if err != nil || len(ids) == 0 {
			return err
		}
		list, err = t.callsOf(ids)
		return err
	})
	return list, err
}

// StillQueued gives those of the calls that wait to be claimed.
func (s *Store) StillQueued(ctx context.Context, ids []int64) (queued []int64, err error) {
	err = s.read(ctx, "store: calls that are still queued", func(t *tx) error {
		queued, err = t.idsOf(`SELECT id FROM calls WHERE `+t.among("id", 1)+` AND state = 'queued' ORDER BY id`, t.idList(ids))
		return err
	})
	return queued, err
}

// CallNumbers gives the numbers a call went to, at most limit of them, spread over the call. Members whose number
// has changed since are left out: the old one is not on file any more.
func (s *Store) CallNumbers(ctx context.Context, callID int64, limit int) (numbers []register.Phone, err error) {
	err = s.read(ctx, fmt.Sprintf("store: numbers of call %d", callID), func(t *tx) error {
		c, err := scanCall(t.row(`SELECT `+callColumns+` FROM calls WHERE id = $1`, callID))
		if err != nil {
			return err
		}
		went := membersAmong(c.members, c.wentOut())
		numbers, err = t.numbersOf(spread(went, limit))
		return err
	})
	return numbers, err
}

// spread takes at most limit of a list, from all over it.
func spread(list []member, limit int) []member {
	step := max(1, len(list)/max(1, limit))
	var some []member
	for i := 0; i < len(list) && len(some) < limit; i += step {
		some = append(some, list[i])
	}
	return some
}

// numbersOf opens the numbers of members whose number is still the one that a call went to. One that can't be opened keeps no
// others from being asked for.
func (t *tx) numbersOf(members []member) (numbers []register.Phone, err error) {
	sealed := make(map[int64][]byte, len(members))
	called := make(map[int64][]byte, len(members))
	for _, m := range members {
		called[m.personID] = m.phone
	}
	err = t.each(`SELECT id, phone_sealed, phone_idx FROM people WHERE `+t.among("id", 1), func(rows *sql.Rows) error {
		var id int64
		var phone, idx []byte
		err := rows.Scan(&id, &phone, &idx)
		if string(idx) == string(called[id]) {
			sealed[id] = phone
		}
		return err
	}, t.idList(peopleOf(members)))
	for _, m := range members {
		if phone, ok := sealed[m.personID]; ok && err == nil {
			if plain, e := t.keys.Open(phone, "people", "phone_sealed", m.personID); e == nil {
				numbers = append(numbers, register.Phone(plain))
			}
		}
	}
	return numbers, err
}

// NextLook writes down a look that found nothing, and when to look again. looks is how many had been made before it;
// where another worker was first, nothing changes.
func (s *Store) NextLook(ctx context.Context, callID int64, looks int, counted bool, at time.Time) error {
	add := 0
	if counted {
		add = 1
	}
	return s.write(ctx, fmt.Sprintf("store: look at call %d", callID), func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		_, err = t.exec(`UPDATE calls SET looks = looks + $3, wake_at = $4, updated_at = CASE WHEN $3 > 0 THEN $5 ELSE updated_at END
			WHERE id = $1 AND looks = $2 AND state = 'unconfirmed'`, callID, looks, add, toMicros(at), toMicros(now))
		return err
	})
}

// RequeueCall comes after every look at an unconfirmed call has found nothing and its bytes can't be taken any more. Its members are
// queued anew under a new call that names it; the new call's id is returned, 0 where there was nobody left to queue.
func (s *Store) RequeueCall(ctx context.Context, callID int64) (id int64, err error) {
	err = s.write(ctx, fmt.Sprintf("store: requeue call %d", callID), func(t *tx) error {
		id = 0
		now, err := t.now()
		if err != nil {
			return err
		}
		c, err := t.holdCall(callID)
		if err != nil {
			return err
		}
		if c.state != notify.CallUnconfirmed {
			return nil
		}
		people := c.in()
		if err := t.unfold(c, people); err != nil {
			return err
		}
		if _, err := t.moveCall(c, notify.CallAbsent, now, "wake_at = 0"); err != nil || len(people) == 0 {
			return err
		}
		if err := t.noteAttempts(c.key, c.attempts(people, "unknown", ""), now); err != nil {
			return err
		}
		calls := []newCall{{previous: c.id, members: membersAmong(c.members, people), shared: c.shared}}
		ids, err := t.queueCalls(c.key, c.channel, notify.Requeue, calls, now)
		if err == nil {
			id = ids[0]
		}
		return err
	})
	return id, err
}

func membersAmong(members []member, people []int64) []member {
	in := make(map[int64]bool, len(people))
	for _, id := range people {
		in[id] = true
	}
	var left []member
	for _, m := range members {
		if in[m.personID] {
			left = append(left, m)
		}
	}
	return left
}

// FallBackCall moves on the members of an accepted or unconfirmed call for whom nothing was heard and who have a
// further channel. Of an unconfirmed call, those without one end as failed where giveUp says so.
// next is when to come back to the call.
func (s *Store) FallBackCall(ctx context.Context, callID int64, giveUp bool, next time.Time) error {
	return s.write(ctx, fmt.Sprintf("store: fall back from call %d", callID), func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		c, err := t.holdCall(callID)
		if err != nil {
			return err
		}
		if err := t.fallUnheard(c, now); err != nil {
			return err
		}
		if giveUp {
			if err := t.giveUp(c, now); err != nil {
				return err
			}
		}
		_, err = t.exec(`UPDATE calls SET wake_at = $2 WHERE id = $1 AND state IN ('accepted', 'unconfirmed', 'absent')`, c.id, toMicros(next))
		if err != nil {
			return err
		}
		return t.settleSharedHouseholds(c, c.people, now)
	})
}

// GiveUpCall ends an unconfirmed call of which no proof will come, and its members fail. Where one has a further channel the
// call is left as it is until next: their time for that one has not come, and a late proof still counts.
func (s *Store) GiveUpCall(ctx context.Context, callID int64, next time.Time) error {
	return s.write(ctx, fmt.Sprintf("store: give up call %d", callID), func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		c, err := t.holdCall(callID)
		if err != nil || c.state != notify.CallUnconfirmed {
			return err
		}
		if len(c.withFurther()) > 0 {
			_, err := t.exec(`UPDATE calls SET wake_at = $2 WHERE id = $1`, c.id, toMicros(next))
			return err
		}
		if err := t.giveUp(c, now); err != nil {
			return err
		}
		return t.settleSharedHouseholds(c, c.people, now)
	})
}

// fallUnheard moves on those for whom nothing was heard of a call: members still in it, and accepted ones who left it
// while it was unanswered.
func (t *tx) fallUnheard(c *heldCall, now time.Time) error {
	ended, err := t.ended(c, now)
	if err != nil || ended || c.state != notify.CallAccepted && c.state != notify.CallUnconfirmed {
		return err
	}
	people, err := t.idsOf(`SELECT person_id FROM deliveries WHERE month = $1 AND campaign_id = $2 AND `+t.amongRows("person_id", 3)+`
		AND call_id = $4 AND state = 'accepted' AND later <> ''`, c.key.month, c.key.id, t.idList(c.people), c.id)
	if err != nil {
		return err
	}
	further := c.withFurther()
	if err := t.unfold(c, further); err != nil {
		return err
	}
	people = append(people, further...)
	if err := t.noteAttempts(c.key, c.attempts(people, "superseded", ""), now); err != nil {
		return err
	}
	return t.fall(c.key, people, now)
}

// giveUp ends an unconfirmed call for want of any proof.
func (t *tx) giveUp(c *heldCall, now time.Time) error {
	if c.state != notify.CallUnconfirmed {
		return nil
	}
	people := c.in()
	if err := t.unfold(c, people); err != nil {
		return err
	}
	if _, err := t.moveCall(c, notify.CallAbsent, now, "wake_at = 0"); err != nil {
		return err
	}
	_, err := t.move(c.key, notify.GiveUp, people, "reason = 'unknown', wake_at = 0, updated_at = $4", toMicros(now))
	return err
}
