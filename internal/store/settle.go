package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// SettleCalls writes down what became of calls that had begun, in one transaction. An outcome that comes too late to
// change anything, because the call was settled otherwise, is passed over.
func (s *Store) SettleCalls(ctx context.Context, results []notify.CallResult) error {
	return s.writeMass(ctx, "store: settle calls", func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		ids := make([]int64, len(results))
		for i, r := range results {
			ids[i] = r.CallID
		}
		outcome := func(c *heldCall) notify.CallResult { return results[slices.Index(ids, c.id)].By(now) }
		calls, err := t.holdCalls(ids, "")
		if err != nil {
			return err
		}
		var plain []statement
		var others []*heldCall
		for _, c := range calls {
			if s, ok := c.settlePlainly(outcome(c), now); ok {
				plain = append(plain, s)
			} else {
				others = append(others, c)
			}
		}
		if err := t.execAll(plain); err != nil { // first: what was taken says something of what was refused
			return err
		}
		for _, c := range others {
			r := outcome(c)
			if err := t.settleCall(c, r, now); err != nil {
				return fmt.Errorf("call %d: %s: %w", r.CallID, r.Event, err)
			}
		}
		return nil
	})
}

// settlePlainly is the ordinary case, a call taken as a whole, of which nothing else was heard: its members stay in it,
// and nobody waits behind them.
func (c *heldCall) settlePlainly(r notify.CallResult, now time.Time) (statement, bool) {
	if r.Event != notify.Accept || c.state != notify.CallSending || c.shared || c.channel == notify.Voice {
		return statement{}, false
	}
	c.state = notify.CallAccepted
	return statement{act: fmt.Sprintf("accept call %d", c.id), query: acceptSQL, args: c.acceptArgs(r, now)}, true
}

const acceptSQL = `UPDATE calls SET state = $2, updated_at = $3, biz_id = $4, code = $5, message = $6, wake_at = $7 WHERE id = $1`

// acceptArgs are acceptSQL's. A call is woken for want of receipts: where another channel is left to somebody when that is
// due, else to ask the carrier.
func (c *heldCall) acceptArgs(r notify.CallResult, now time.Time) []any {
	wake := time.Time{}
	switch {
	case c.channel.Phone() && len(c.withFurther()) > 0: // no sooner: a process of the version before would let them go on
		wake = r.WakeAt
	case c.channel == notify.SMS:
		wake = notify.NextAsk(fromMicros(c.begunAt), now)
	}
	return []any{c.id, notify.CallAccepted, toMicros(now), r.BizID, r.Code, r.Message, toMicros(wake)}
}

func (t *tx) settleCall(c *heldCall, r notify.CallResult, now time.Time) error {
	switch r.Event {
	case notify.Accept:
		return t.acceptCall(c, r, now)
	case notify.Lose:
		_, err := t.moveCall(c, notify.CallUnconfirmed, now, `code = $4, message = $5, spent = $6, wake_at = $7,
			presented_at = CASE WHEN $8 THEN $3 ELSE presented_at END`, r.Code, r.Message, r.Spent, toMicros(r.WakeAt), r.Again)
		return err
	}
	from := c.state
	moved, err := t.moveCall(c, notify.CallRefused, now, "code = $4, message = $5, wake_at = 0", r.Code, r.Message)
	if err != nil || !moved {
		return err
	}
	if r.RefusalWeighs(len(c.members)) {
		if r, err = t.weighRefusal(c, r, now); err != nil {
			return err
		}
	}
	if r.Halt != nil {
		if err := t.haltCampaign(c.key.id, *r.Halt, now); err != nil {
			return err
		}
	}
	c.state = from // as which its members leave it
	people := c.in()
	if err := t.unfold(c, people); err != nil {
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

// moveCall is the compare-and-set of a held call's state; set's parameters come from $4 on.
func (t *tx) moveCall(c *heldCall, to notify.CallState, now time.Time, set string, args ...any) (bool, error) {
	if !slices.Contains(notify.CallFrom(to), c.state) {
		return false, nil
	}
	_, err := t.exec(`UPDATE calls SET state = $2, updated_at = $3, `+set+` WHERE id = $1`, append([]any{c.id, to, toMicros(now)}, args...)...)
	c.state = to
	return err == nil, err
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

// acceptCall: the platform took the whole call. Rows that had left it are settled by it too, and so leave a newer call.
func (t *tx) acceptCall(c *heldCall, r notify.CallResult, now time.Time) error {
	if !slices.Contains(notify.CallFrom(notify.CallAccepted), c.state) {
		return nil
	}
	if _, err := t.exec(acceptSQL, c.acceptArgs(r, now)...); err != nil {
		return err
	}
	c.state = notify.CallAccepted
	if err := t.acceptThoseWhoLeft(c, r, now); err != nil || !c.channel.Phone() {
		return err
	}
	if c.channel == notify.Voice {
		if err := t.waitForReport(c, r.WakeAt, now); err != nil {
			return err
		}
	}
	return t.settleSharedHouseholds(c, c.people, now)
}

// acceptThoseWhoLeft settles rows that went on while the call was unanswered. One that had gone on to another channel,
// and is not on its way there, comes back: that channel is still ahead.
func (t *tx) acceptThoseWhoLeft(c *heldCall, r notify.CallResult, now time.Time) error {
	gone := c.left()
	if err := t.recall(c, gone); err != nil {
		return err
	}
	n, err := t.move(c.key, notify.Accept, gone, `later = CASE WHEN state IN ('planned', 'queued') AND channel <> $4 THEN channel || ',' || later ELSE later END,
		channel = $4, call_id = $5, reason = '', wake_at = 0, updated_at = $6`, c.channel, c.id, toMicros(now))
	if err != nil || n == 0 || r.WakeAt.IsZero() || !c.channel.Phone() {
		return err
	}
	_, err = t.exec(`UPDATE calls SET wake_at = $2 WHERE id = $1`, c.id, toMicros(r.WakeAt)) // some may have another channel left
	return err
}

// settleSharedHouseholds is settleHouseholds for members of a call, where any shares a number.
func (t *tx) settleSharedHouseholds(c *heldCall, people []int64, now time.Time) error {
	if !c.shared {
		return nil
	}
	return t.settleHouseholds(c.key, people, now)
}

// giveBack makes a row that this call was the first to begin for count no longer for the cap: nothing was sent.
const giveBack = `sent_at = CASE WHEN sent_at = $4 THEN 0 ELSE sent_at END`

// retryMembers puts rows back: the same channel again, later.
func (t *tx) retryMembers(c *heldCall, people []int64, r notify.CallResult, now time.Time) error {
	tried := 0
	if r.Tried {
		tried = 1
	}
	if c.channel == notify.WeChat {
		if err := t.unspendCustomerMessage(c.id, people); err != nil {
			return err
		}
	}
	_, err := t.move(c.key, notify.Retry, people, giveBack+", tries = tries + $5, wake_at = $6, updated_at = $7",
		c.begunAt, tried, toMicros(r.WakeAt), toMicros(now))
	return err
}

// refuseMembers: refused for good. The next channel at once, or failed.
func (t *tx) refuseMembers(c *heldCall, people []int64, r notify.CallResult, now time.Time) error {
	if r.OptOut && c.channel.Phone() {
		if err := t.optOutThere(c, people, now); err != nil {
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
	return t.settleSharedHouseholds(c, c.people, now)
}

// endAttempts notes how the attempt ended and moves its rows on: to the next channel at once, or failed.
func (t *tx) endAttempts(c *heldCall, people []int64, outcome, code string, nothingSent bool, now time.Time) error {
	if err := t.noteAttempts(c.key, c.attempts(people, outcome, code), now); err != nil {
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
func (t *tx) ended(c *heldCall, now time.Time) (bool, error) {
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
func (t *tx) optOutThere(c *heldCall, people []int64, now time.Time) error {
	for _, m := range membersAmong(c.members, people) {
		_, err := t.exec(`INSERT INTO opt_outs (phone_idx, via, at) VALUES ($1, 'platform', $2) ON CONFLICT (phone_idx) DO NOTHING`, m.phone, toMicros(now))
		if err != nil {
			return err
		}
		if err := t.refreshOptedOutPhone(m.phone); err != nil {
			return err
		}
	}
	return t.outsChanged()
}

// bisect puts the halves of a refused call into two new ones that name it. The others lose nothing.
func (t *tx) bisect(c *heldCall, people []int64, now time.Time) error {
	left := membersAmong(c.members, people)
	half := (len(left) + 1) / 2
	calls := []newCall{{previous: c.id, members: left[:half], shared: c.shared}}
	if half < len(left) {
		calls = append(calls, newCall{previous: c.id, members: left[half:], shared: c.shared})
	}
	if _, err := t.exec(`UPDATE deliveries SET `+giveBack+` WHERE month = $1 AND campaign_id = $2 AND `+t.amongRows("person_id", 3),
		c.key.month, c.key.id, t.idList(people), c.begunAt); err != nil {
		return err
	}
	ids, err := t.queueCalls(c.key, c.channel, notify.Bisect, calls, now)
	if err != nil {
		return err
	}
	return t.wakeNow(ids)
}

// wakeNow makes the sweeper ring for calls at once.
func (t *tx) wakeNow(ids []int64) error {
	_, err := t.exec(`UPDATE calls SET wake_at = 1 WHERE `+t.among("id", 1), t.idList(ids))
	return err
}
