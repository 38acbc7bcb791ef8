package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// begunCall is a call that has begun, with its members.
type begunCall struct {
	id       int64
	key      campaignKey
	channel  notify.Channel
	state    notify.CallState
	previous int64
	begunAt  int64
	members  []member
	people   []int64
}

const begunColumns = `id, month, campaign_id, channel, state, previous_id, begun_at, members`

func scanBegun(row scanner) (begunCall, error) {
	var c begunCall
	var raw []byte
	err := row.Scan(&c.id, &c.key.month, &c.key.id, &c.channel, &c.state, &c.previous, &c.begunAt, &raw)
	c.members = decodeMembers(raw)
	c.people = peopleOf(c.members)
	return c, err
}

// SettleCalls writes down what became of calls that had begun, in one transaction. An outcome that comes too late to
// change anything, because the call was settled otherwise, is passed over.
func (s *Store) SettleCalls(ctx context.Context, results []notify.CallResult) error {
	return s.write(ctx, "store: settle calls", func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		for _, r := range results {
			c, err := scanBegun(t.row(`SELECT `+begunColumns+` FROM calls WHERE id = $1`+t.forUpdate(), r.CallID))
			if err != nil {
				return fmt.Errorf("call %d: %w", r.CallID, err)
			}
			if err := t.settleCall(c, r, now); err != nil {
				return fmt.Errorf("call %d: %s: %w", r.CallID, r.Event, err)
			}
		}
		return nil
	})
}

func (t *tx) settleCall(c begunCall, r notify.CallResult, now time.Time) error {
	switch r.Event {
	case notify.Accept:
		return t.acceptCall(c, r, now)
	case notify.Lose:
		return t.loseCall(c, r, now)
	}
	moved, err := t.moveCall(c.id, notify.CallRefused, now, "code = $4, message = $5, wake_at = 0", r.Code, r.Message)
	if err != nil || !moved {
		return err
	}
	if r.Halt != nil {
		if err := t.haltCampaign(c.key.id, *r.Halt, now); err != nil {
			return err
		}
	}
	people, err := t.stillIn(c)
	if err != nil {
		return err
	}
	switch r.Event {
	case notify.Retry:
		return t.retryMembers(c, people, r, now)
	case notify.Refuse:
		return t.refuseMembers(c, people, r, now)
	case notify.Bisect:
		return t.bisect(c, people, now)
	}
	return errors.New("this is no outcome of a call")
}

// moveCall is the compare-and-set of a call's state; set's parameters come from $4 on.
func (t *tx) moveCall(id int64, to notify.CallState, now time.Time, set string, args ...any) (bool, error) {
	n, err := t.exec(`UPDATE calls SET state = $2, updated_at = $3, `+set+` WHERE id = $1 AND state IN (`+quoted(notify.CallFrom(to))+`)`,
		append([]any{id, to, toMicros(now)}, args...)...)
	return n == 1, err
}

// stillIn are the members whose row is still in this call and unsettled.
func (t *tx) stillIn(c begunCall) ([]int64, error) {
	return t.idsOf(`SELECT person_id FROM deliveries WHERE month = $1 AND campaign_id = $2 AND `+t.amongRows("person_id", 3)+`
		AND call_id = $4 AND state IN ('sending', 'unconfirmed') ORDER BY person_id`, c.key.month, c.key.id, t.idList(c.people), c.id)
}

func (t *tx) idsOf(query string, args ...any) ([]int64, error) {
	rows, err := t.query(query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// acceptCall: the platform took the whole call. Rows that had gone back meanwhile are settled by it too and so leave a
// newer call that has not begun.
func (t *tx) acceptCall(c begunCall, r notify.CallResult, now time.Time) error {
	moved, err := t.moveCall(c.id, notify.CallAccepted, now, "biz_id = $4, code = $5, message = $6, wake_at = 0", r.BizID, r.Code, r.Message)
	if err != nil || !moved {
		return err
	}
	// A row that had gone on to another channel, and is not on its way there, comes back: that channel is still ahead.
	if _, err := t.move(c.key, notify.Accept, c.people, `later = CASE WHEN state IN ('planned', 'queued') AND channel <> $4 THEN channel || ',' || later ELSE later END,
		channel = $4, call_id = $5, reason = '', wake_at = 0, updated_at = $6`, c.channel, c.id, toMicros(now)); err != nil {
		return err
	}
	if !c.channel.Phone() {
		return t.touchReached(c.people, now)
	}
	switch {
	case c.channel == notify.Voice:
		if err := t.waitForReport(c, r.WakeAt, now); err != nil {
			return err
		}
	case !r.WakeAt.IsZero():
		if err := t.wakeForFallback(c, r.WakeAt); err != nil {
			return err
		}
	}
	return t.settleSharedHouseholds(c.key, c.people, now)
}

// settleSharedHouseholds is settleHouseholds for those of the people who share a number, where there are any.
func (t *tx) settleSharedHouseholds(key campaignKey, people []int64, now time.Time) error {
	shared, err := t.idsOf(`SELECT person_id FROM deliveries WHERE month = $1 AND campaign_id = $2 AND `+t.amongRows("person_id", 3)+` AND shared`,
		key.month, key.id, t.idList(people))
	if err != nil {
		return err
	}
	return t.settleHouseholds(key, shared, now)
}

// wakeForFallback makes the sweeper come back to an accepted call where a member has a further channel.
func (t *tx) wakeForFallback(c begunCall, at time.Time) error {
	_, err := t.exec(`UPDATE calls SET wake_at = $2 WHERE id = $1 AND EXISTS (SELECT 1 FROM deliveries d
		WHERE d.month = $3 AND d.campaign_id = $4 AND `+t.amongRows("d.person_id", 5)+` AND d.call_id = $1 AND d.later <> '' AND d.state = 'accepted')`,
		c.id, toMicros(at), c.key.month, c.key.id, t.idList(c.people))
	return err
}

// loseCall: no answer came, or none that says anything.
func (t *tx) loseCall(c begunCall, r notify.CallResult, now time.Time) error {
	moved, err := t.moveCall(c.id, notify.CallUnconfirmed, now, "code = $4, message = $5, spent = $6, wake_at = $7",
		r.Code, r.Message, r.Spent, toMicros(r.WakeAt))
	if err != nil || !moved {
		return err
	}
	_, err = t.exec(`UPDATE deliveries SET state = 'unconfirmed', updated_at = $5 WHERE month = $1 AND campaign_id = $2
		AND `+t.amongRows("person_id", 3)+` AND call_id = $4 AND state IN (`+quoted(notify.Lose.Move().From)+`)`,
		c.key.month, c.key.id, t.idList(c.people), c.id, toMicros(now))
	return err
}

// giveBack makes a row that this call was the first to begin for count no longer for the cap: nothing was sent.
const giveBack = `sent_at = CASE WHEN sent_at = $4 THEN 0 ELSE sent_at END`

// retryMembers puts rows back: the same channel again, later.
func (t *tx) retryMembers(c begunCall, people []int64, r notify.CallResult, now time.Time) error {
	tried := 0
	if r.Tried {
		tried = 1
	}
	_, err := t.move(c.key, notify.Retry, people, giveBack+", tries = tries + $5, wake_at = $6, updated_at = $7",
		c.begunAt, tried, toMicros(r.WakeAt), toMicros(now))
	return err
}

// refuseMembers: refused for good. The next channel at once, or failed.
func (t *tx) refuseMembers(c begunCall, people []int64, r notify.CallResult, now time.Time) error {
	if r.OptOut && c.channel.Phone() {
		if err := t.optOutThere(c, now); err != nil {
			return err
		}
	}
	if err := t.endAttempts(c, people, "refused", r.Code, true, now); err != nil {
		return err
	}
	if r.OfPhone {
		followers, err := t.followers(c.key, people)
		if err != nil {
			return err
		}
		if err := t.fallOrFail(c.key, followers, notify.Refuse, r.Code, now); err != nil {
			return err
		}
	}
	return t.settleSharedHouseholds(c.key, c.people, now)
}

// endAttempts notes how the attempt ended and moves its rows on: to the next channel at once, or failed.
func (t *tx) endAttempts(c begunCall, people []int64, outcome, code string, nothingSent bool, now time.Time) error {
	list := make([]attempt, len(people))
	for i, id := range people {
		list[i] = attempt{id, c.id, c.channel, outcome, code}
	}
	if err := t.noteAttempts(c.key, list, now); err != nil {
		return err
	}
	if nothingSent && len(people) > 0 {
		_, err := t.exec(`UPDATE deliveries SET `+giveBack+` WHERE month = $1 AND campaign_id = $2 AND `+t.amongRows("person_id", 3),
			c.key.month, c.key.id, t.idList(people), c.begunAt)
		if err != nil {
			return err
		}
	}
	event := notify.Refuse
	if !nothingSent {
		event = notify.FailAfter
	}
	if ended, err := t.ended(c, now); err != nil || ended {
		if err == nil {
			_, err = t.move(c.key, event, people, "reason = $4, wake_at = 0, updated_at = $5", code, toMicros(now))
		}
		return err
	}
	return t.fallOrFail(c.key, people, event, code, now)
}

// ended says whether nothing new goes out in a call's campaign any more: its rows don't go on to another channel.
// WeChat's word on an accepted message may come as the campaign finishes: its row is held, so that it doesn't.
func (t *tx) ended(c begunCall, now time.Time) (bool, error) {
	lock := ""
	if c.channel == notify.WeChat {
		lock = t.forUpdate()
	}
	campaign, err := t.campaign(c.key.id, lock)
	return campaign.State.Final() || !campaign.ExpiresAt.IsZero() && !campaign.ExpiresAt.After(now), err
}

// fallOrFail moves rows to their next channel; those without one end by the event, which keeps the code.
func (t *tx) fallOrFail(key campaignKey, people []int64, event notify.DeliveryEvent, code string, now time.Time) error {
	if len(people) == 0 {
		return nil
	}
	last, err := t.idsOf(`SELECT person_id FROM deliveries WHERE month = $1 AND campaign_id = $2 AND `+t.amongRows("person_id", 3)+` AND later = ''`,
		key.month, key.id, t.idList(people))
	if err != nil {
		return err
	}
	if err := t.fall(key, people, now); err != nil {
		return err
	}
	_, err = t.move(key, event, last, "reason = $4, wake_at = 0, updated_at = $5", code, toMicros(now))
	return err
}

// followers are the other rows that wait for these people's numbers.
func (t *tx) followers(key campaignKey, people []int64) ([]int64, error) {
	if len(people) == 0 {
		return nil, nil
	}
	return t.idsOf(`SELECT d.person_id FROM deliveries d WHERE d.month = $1 AND d.campaign_id = $2 AND d.state = 'planned' AND NOT d.lead
		AND d.phone_idx IN (SELECT s.phone_idx FROM deliveries s WHERE s.month = $1 AND s.campaign_id = $2 AND s.shared
			AND s.phone_idx IS NOT NULL AND `+t.amongRows("s.person_id", 3)+`)`, key.month, key.id, t.idList(people))
}

// optOutThere keeps the platform's word that a number wants nothing.
func (t *tx) optOutThere(c begunCall, now time.Time) error {
	for _, m := range c.members {
		_, err := t.exec(`INSERT INTO opt_outs (phone_idx, via, at) VALUES ($1, 'platform', $2) ON CONFLICT (phone_idx) DO NOTHING`, m.phone, toMicros(now))
		if err != nil {
			return err
		}
		if err := t.refreshOptedOutPhone(m.phone); err != nil {
			return err
		}
	}
	return nil
}

// bisect puts the halves of a refused call into two new ones that name it. The others lose nothing.
func (t *tx) bisect(c begunCall, people []int64, now time.Time) error {
	left := membersAmong(c.members, people)
	half := (len(left) + 1) / 2
	calls := []newCall{{c.id, left[:half]}}
	if half < len(left) {
		calls = append(calls, newCall{c.id, left[half:]})
	}
	ids, err := t.insertCalls(c.key, c.channel, calls, now)
	if err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE deliveries SET `+giveBack+` WHERE month = $1 AND campaign_id = $2 AND `+t.amongRows("person_id", 3),
		c.key.month, c.key.id, t.idList(people), c.begunAt); err != nil {
		return err
	}
	if err := t.queueMembers(c.key, notify.Bisect, ids, calls, now); err != nil {
		return err
	}
	return t.wakeNow(ids)
}

// wakeNow makes the sweeper ring for calls at once.
func (t *tx) wakeNow(ids []int64) error {
	_, err := t.exec(`UPDATE calls SET wake_at = 1 WHERE `+t.among("id", 1), t.idList(ids))
	return err
}
