package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// The kinds of receipts.
const (
	receiptReport = "report"
	receiptReply  = "reply"
)

// StoreReports keeps receipts as they came, sealed, in one insert. They are applied later.
func (s *Store) StoreReports(ctx context.Context, list []notify.Report, at time.Time) error {
	bodies := make([]any, len(list))
	for i := range list {
		bodies[i] = list[i]
	}
	return s.storeReceipts(ctx, receiptReport, bodies, at)
}

// StoreReplies keeps replies as they came, sealed, in one insert. They are handled later.
func (s *Store) StoreReplies(ctx context.Context, list []notify.ReplySMS, at time.Time) error {
	bodies := make([]any, len(list))
	for i := range list {
		bodies[i] = list[i]
	}
	return s.storeReceipts(ctx, receiptReply, bodies, at)
}

func (s *Store) storeReceipts(ctx context.Context, kind string, bodies []any, at time.Time) error {
	if len(bodies) == 0 {
		return nil
	}
	return s.write(ctx, fmt.Sprintf("store: keep %d receipts", len(bodies)), func(t *tx) error {
		first, err := t.ids("receipts", len(bodies))
		if err != nil {
			return err
		}
		rows := make([][]any, len(bodies))
		for i, b := range bodies {
			id := first + int64(i)
			text, err := json.Marshal(b)
			if err != nil {
				return err
			}
			rows[i] = []any{id, kind, t.keys.Seal(text, "receipts", "body", id), toMicros(at)}
		}
		return t.bulkInsert("receipts", []string{"id", "kind", "body", "received_at"}, rows)
	})
}

// waitingReceipts reads receipts of a kind that are not applied, the oldest first, and opens them.
func waitingReceipts[T any](t *tx, kind string, limit int, lock string) (ids []int64, list []T, unreadable []int64, err error) {
	rows, err := t.query(`SELECT id, body FROM receipts WHERE applied_at = 0 AND kind = $1 ORDER BY id LIMIT $2`+lock, kind, limit)
	if err != nil {
		return nil, nil, nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		var body []byte
		if err := rows.Scan(&id, &body); err != nil {
			return nil, nil, nil, err
		}
		var item T
		plain, err := t.keys.Open(body, "receipts", "body", id)
		if err != nil || json.Unmarshal(plain, &item) != nil {
			unreadable = append(unreadable, id)
			continue
		}
		ids, list = append(ids, id), append(list, item)
	}
	return ids, list, unreadable, rows.Err()
}

func (t *tx) markReceipts(ids []int64, verdict string, at time.Time) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := t.exec(`UPDATE receipts SET applied_at = $1, verdict = $2 WHERE `+t.among("id", 3), toMicros(at), verdict, t.idList(ids))
	return err
}

// ApplyReports applies stored receipts in the order they came, at most limit, set by set: (OutId, phone) finds the
// member; a final state never moves back; what the receipts of a campaign amount to may halt it.
func (s *Store) ApplyReports(ctx context.Context, now time.Time, limit int, judge func(notify.Campaign, string) *notify.Halting) (applied int, err error) {
	waiting := false
	err = s.read(ctx, "store: look for receipts", func(t *tx) error {
		return t.row(`SELECT EXISTS (SELECT 1 FROM receipts WHERE applied_at = 0 AND kind = $1)`, receiptReport).Scan(&waiting)
	})
	if err != nil || !waiting {
		return 0, err
	}
	err = s.write(ctx, "store: apply receipts", func(t *tx) error {
		// One worker at a time: receipts are applied in order, and a campaign's last ones are kept in one row.
		if err := t.lockKey("receipts"); err != nil {
			return err
		}
		ids, reports, unreadable, err := waitingReceipts[notify.Report](t, receiptReport, limit, "")
		if err != nil {
			return err
		}
		applied = len(ids) + len(unreadable)
		if err := t.markReceipts(unreadable, "unreadable", now); err != nil {
			return err
		}
		return t.applyReports(ids, reports, now, judge)
	})
	return applied, err
}

// receiptMatch is a receipt whose call we know.
type receiptMatch struct {
	report   notify.Report
	personID int64
}

func (t *tx) applyReports(ids []int64, reports []notify.Report, now time.Time, judge func(notify.Campaign, string) *notify.Halting) error {
	byCall, verdicts := t.matchCalls(ids, reports, now)
	calls, err := t.begunCalls(byCall)
	if err != nil {
		return err
	}
	byCampaign := map[campaignKey][]callReceipts{}
	var order []campaignKey
	for _, c := range calls {
		got := callReceipts{call: c}
		for _, i := range byCall[c.id] {
			person, ok := memberOf(c, t.keys.Index("phone", string(reports[i].Phone)))
			if !ok || reports[i].Channel != c.channel {
				verdicts[ids[i]] = "unknown"
				continue
			}
			verdicts[ids[i]] = "applied"
			got.list = append(got.list, receiptMatch{reports[i], person})
		}
		if byCampaign[c.key] == nil {
			order = append(order, c.key)
		}
		byCampaign[c.key] = append(byCampaign[c.key], got)
	}
	for _, key := range order {
		if err := t.applyToCampaign(key, byCampaign[key], now, judge); err != nil {
			return err
		}
	}
	return t.markVerdicts(verdicts, now)
}

// matchCalls sorts receipts by the call their OutID names. Those of notices are settled here.
func (t *tx) matchCalls(ids []int64, reports []notify.Report, now time.Time) (map[int64][]int, map[int64]string) {
	byCall := map[int64][]int{}
	verdicts := make(map[int64]string, len(ids))
	for i, r := range reports {
		verdicts[ids[i]] = "unknown"
		if id, ok := notify.CallOf(t.keys, r.OutID, r.Channel); ok {
			byCall[id] = append(byCall[id], i)
			continue
		}
		if id, ok := notify.NoticeOf(t.keys, r.OutID); ok {
			verdicts[ids[i]] = t.applyToNotice(id, r, now)
			continue
		}
		verdicts[ids[i]] = "forged"
	}
	return byCall, verdicts
}

// applyToNotice settles a notice by its receipt.
func (t *tx) applyToNotice(id int64, r notify.Report, now time.Time) string {
	state := notify.NoticeFailed
	switch {
	case r.Unclear:
		state = notify.NoticeAccepted
	case r.Delivered:
		state = notify.NoticeDelivered
	}
	n, err := t.exec(`UPDATE outbox SET state = $2, code = $3, settled_at = $5, lease_until = 0, params = '' WHERE id = $1 AND phone_idx = $4 AND state IN (`+quoted(state.From())+`)`,
		id, state, r.ErrCode, t.keys.Index("phone", string(r.Phone)), toMicros(now))
	if err != nil || n == 0 {
		return "unknown"
	}
	return "applied"
}

func (t *tx) markVerdicts(verdicts map[int64]string, now time.Time) error {
	groups := map[string][]int64{}
	for id, v := range verdicts {
		groups[v] = append(groups[v], id)
	}
	for v, ids := range groups {
		if err := t.markReceipts(ids, v, now); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) begunCalls(byCall map[int64][]int) ([]begunCall, error) {
	ids := make([]int64, 0, len(byCall))
	for id := range byCall {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := t.query(`SELECT `+begunColumns+` FROM calls WHERE `+t.among("id", 1)+` AND begun_at > 0 ORDER BY id`+t.forUpdate(), t.idList(ids))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []begunCall
	for rows.Next() {
		c, err := scanBegun(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, rows.Err()
}

func memberOf(c begunCall, phone []byte) (int64, bool) {
	for _, m := range c.members {
		if string(m.phone) == string(phone) {
			return m.personID, true
		}
	}
	return 0, false
}

// callReceipts are the receipts of one call.
type callReceipts struct {
	call begunCall
	list []receiptMatch
}

// applyToCampaign applies the receipts of one campaign, those that say the same together.
func (t *tx) applyToCampaign(key campaignKey, calls []callReceipts, now time.Time, judge func(notify.Campaign, string) *notify.Halting) error {
	var outcomes string
	if err := t.row(`SELECT outcomes FROM campaigns WHERE id = $1`+t.forUpdate(), key.id).Scan(&outcomes); err != nil {
		return err
	}
	before := outcomes
	campaign, err := t.campaign(key.id, "")
	if err != nil {
		return err
	}
	for _, c := range calls {
		if len(c.list) == 0 {
			continue
		}
		// A receipt proves that the platform took the call, whatever we heard of it.
		if c.call.state != notify.CallAccepted {
			r := notify.CallResult{Code: "receipt", WakeAt: now.Add(campaign.Spec.FallsBackAfter())}
			if err := t.acceptCall(c.call, r, now); err != nil {
				return err
			}
		}
		if c.call.channel == notify.Voice {
			if err := t.applyToVoice(c, campaign, now); err != nil {
				return err
			}
			continue
		}
		if outcomes, err = t.applyToCall(c, outcomes, now); err != nil {
			return err
		}
	}
	if outcomes == before {
		return nil
	}
	if _, err := t.exec(`UPDATE campaigns SET outcomes = $2 WHERE id = $1`, key.id, outcomes); err != nil {
		return err
	}
	if why := judge(campaign, outcomes); why != nil {
		return t.haltCampaign(key.id, *why, now)
	}
	return nil
}

// applyToCall moves the members of one call by their receipts and returns the campaign's outcomes with those that
// changed something.
func (t *tx) applyToCall(c callReceipts, outcomes string, now time.Time) (string, error) {
	var good []int64
	failed := map[string][]int64{}
	seen := map[int64]bool{}
	for _, m := range c.list {
		if m.report.Unclear {
			continue // it proves the call, and says nothing of what became of the text
		}
		if seen[m.personID] {
			continue // the first word on a message holds
		}
		seen[m.personID] = true
		if m.report.Delivered {
			good = append(good, m.personID)
		} else {
			failed[m.report.ErrCode] = append(failed[m.report.ErrCode], m.personID)
		}
	}
	moved, err := t.deliver(c.call, good, now)
	if err != nil {
		return "", err
	}
	for range moved {
		outcomes = notify.AddOutcome(outcomes, true, "")
	}
	for code, people := range failed {
		n, err := t.failMembers(c.call, people, code, now)
		if err != nil {
			return "", err
		}
		for range n {
			outcomes = notify.AddOutcome(outcomes, false, code)
		}
	}
	return outcomes, nil
}

// deliver: the text arrived, whichever call the row is in by now.
func (t *tx) deliver(c begunCall, people []int64, now time.Time) (int64, error) {
	if len(people) == 0 {
		return 0, nil
	}
	n, err := t.move(c.key, notify.Confirm, people, "channel = $4, call_id = $5, reason = '', wake_at = 0, updated_at = $6",
		c.channel, c.id, toMicros(now))
	if err != nil || n == 0 {
		return n, err
	}
	if err := t.touchReached(people, now); err != nil {
		return n, err
	}
	return n, t.settleSharedHouseholds(c.key, people, now)
}

// failMembers: the text did not arrive. That ends the attempt of a row that is still in this call, and no other.
func (t *tx) failMembers(c begunCall, people []int64, code string, now time.Time) (int64, error) {
	in, err := t.idsOf(`SELECT person_id FROM deliveries WHERE month = $1 AND campaign_id = $2 AND `+t.amongRows("person_id", 3)+`
		AND call_id = $4 AND state IN (`+quoted(notify.FailAfter.Move().From)+`)`, c.key.month, c.key.id, t.idList(people), c.id)
	if err != nil || len(in) == 0 {
		return 0, err
	}
	if err := t.endAttempts(c, in, "failed", code, false, now); err != nil {
		return 0, err
	}
	return int64(len(in)), t.settleSharedHouseholds(c.key, in, now)
}

// NextReplies gives stored replies that nobody has handled, the oldest first. Those that can't be read are put aside.
func (s *Store) NextReplies(ctx context.Context, limit int) (list []notify.StoredReply, err error) {
	var unreadable []int64
	err = s.read(ctx, "store: next replies", func(t *tx) error {
		ids, replies, bad, err := waitingReceipts[notify.ReplySMS](t, receiptReply, limit, "")
		list, unreadable = make([]notify.StoredReply, 0, len(ids)), bad
		for i, id := range ids {
			list = append(list, notify.StoredReply{ID: id, ReplySMS: replies[i]})
		}
		return err
	})
	if err != nil || len(unreadable) == 0 {
		return list, err
	}
	return list, s.write(ctx, "store: put unreadable replies aside", func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		return t.markReceipts(unreadable, "unreadable", now)
	})
}

// DoneReply marks a reply as handled.
func (s *Store) DoneReply(ctx context.Context, id int64, at time.Time) error {
	return s.write(ctx, fmt.Sprintf("store: done with reply %d", id), func(t *tx) error {
		return t.markReceipts([]int64{id}, "applied", at)
	})
}
