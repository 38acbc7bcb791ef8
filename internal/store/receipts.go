package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// The kinds of receipts. A kind is read by those who know how it is kept: a process of an older version leaves the others.
const (
	receiptReport = "report" // in JSON, as they were kept before
	receiptPush   = "push"   // packed
	receiptReply  = "reply"
)

// ofReports is the SQL test for receipts, however they are kept.
const ofReports = `kind IN ('` + receiptReport + `', '` + receiptPush + `')`

// reportsTogether is how many receipts one row keeps at most.
const reportsTogether = 500

// StoreReports keeps receipts as they came, sealed, those of one push together, in one insert. They are applied later.
func (s *Store) StoreReports(ctx context.Context, list []notify.Report, at time.Time) error {
	var bodies [][]byte
	for some := range slices.Chunk(list, reportsTogether) {
		bodies = append(bodies, packReports(some))
	}
	return s.storeReceipts(ctx, receiptPush, bodies, at)
}

// StoreReplies keeps replies as they came, sealed, in one insert. They are handled later.
func (s *Store) StoreReplies(ctx context.Context, list []notify.ReplySMS, at time.Time) error {
	bodies := make([][]byte, len(list))
	for i := range list {
		var err error
		if bodies[i], err = json.Marshal(list[i]); err != nil {
			return err
		}
	}
	return s.storeReceipts(ctx, receiptReply, bodies, at)
}

func (t *tx) markReceipts(ids []int64, verdict string, at time.Time) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := t.exec(`UPDATE receipts SET applied_at = $1, verdict = $2 WHERE `+t.among("id", 3), toMicros(at), verdict, t.idList(ids))
	return err
}

// ApplyReports applies stored receipts in the order they came, about limit of them, set by set: (OutId, phone) finds the
// member; a final state never moves back; what the receipts of a campaign amount to may halt it. Where the oldest has
// waited for less than waited, none is. more: others wait. Those that can't be applied keep no others from it, and are
// told of by notify.ErrSetAside.
func (s *Store) ApplyReports(ctx context.Context, waited time.Duration, limit int, judge judgement) (more bool, err error) {
	var oldest, clock int64
	err = s.read(ctx, "store: look for receipts", func(t *tx) error {
		return t.row(`SELECT COALESCE((SELECT received_at FROM receipts WHERE applied_at = 0 AND `+ofReports+` ORDER BY id LIMIT 1), 0), (`+s.d.nowSQL()+`)`).Scan(&oldest, &clock)
	})
	now := fromMicros(clock)
	if err != nil || oldest == 0 || waited > 0 && fromMicros(oldest).After(now.Add(-waited)) {
		return false, err
	}
	var tried []*pushed
	err = s.writeMass(ctx, "store: apply receipts", func(t *tx) error {
		more, tried = false, nil
		// One worker at a time: receipts are applied in order, and a campaign's last ones are kept in one row.
		if alone, err := t.tryLockKey(receiptsLock); err != nil || !alone {
			return err
		}
		pushes, unreadable, full, err := t.waitingPushes(limit)
		if err != nil {
			return err
		}
		if err := t.markReceipts(unreadable, "unreadable", now); err != nil {
			return err
		}
		more, tried = full, pushes
		if err := t.tryPushes(pushes, now, judge); err != nil {
			return err
		}
		return t.markPushes(pushes, now)
	})
	if len(tried) == 0 || err == nil || isOutside(err) {
		return more, err
	}
	return more, s.applyApart(ctx, tried, now, judge)
}

// receiptsLock is held by whoever applies receipts.
const receiptsLock = "receipts"

// pushed is the receipts that came together and are kept in one row. verdicts has a letter for each.
type pushed struct {
	id       int64
	reports  []notify.Report
	verdicts []byte
}

// begin knows nothing of its receipts.
func (p *pushed) begin() { p.verdicts = slices.Repeat([]byte{verdictUnknown}, len(p.reports)) }

// The verdicts on receipts.
const (
	verdictApplied = 'a'
	verdictUnknown = 'u' // of no message that we know
	verdictForged  = 'f'
	verdictAside   = 'e' // can't be applied, see receipts_apart.go
)

// waitingPushes reads pushes that are not applied, the oldest first, until they hold limit receipts. full: there may be more.
func (t *tx) waitingPushes(limit int) (list []*pushed, unreadable []int64, full bool, err error) {
	most := max(1, limit/50)
	rows, err := t.query(`SELECT id, body FROM receipts WHERE applied_at = 0 AND `+ofReports+` ORDER BY id LIMIT $1`, most)
	if err != nil {
		return nil, nil, false, err
	}
	defer func() { _ = rows.Close() }()
	for n := 0; n < limit && rows.Next(); {
		p := &pushed{}
		var body []byte
		if err := rows.Scan(&p.id, &body); err != nil {
			return nil, nil, false, err
		}
		plain, err := t.keys.Open(body, "receipts", "body", p.id)
		if err != nil || openReports(plain, false, &p.reports) != nil {
			unreadable = append(unreadable, p.id)
			continue
		}
		p.begin()
		n += max(1, len(p.reports))
		full = n >= limit
		list = append(list, p)
	}
	return list, unreadable, full || len(list)+len(unreadable) == most, rows.Err()
}

// heard is one receipt: the nth of a push.
type heard struct {
	push *pushed
	n    int
}

func (h heard) report() *notify.Report { return &h.push.reports[h.n] }
func (h heard) is(verdict byte)        { h.push.verdicts[h.n] = verdict }

func (t *tx) applyPushes(pushes []*pushed, now time.Time, judge judgement) error {
	byCall, err := t.matchCalls(pushes, now)
	if err != nil {
		return err
	}
	calls, err := t.holdCalls(slices.Collect(maps.Keys(byCall)), `AND begun_at > 0`)
	if err != nil {
		return err
	}
	byCampaign := map[campaignKey][]callReceipts{}
	var order []campaignKey
	var invalid [][]byte
	black := map[int64][][]byte{} // by when their texts went
	for _, c := range calls {
		got := callReceipts{call: c}
		for _, h := range byCall[c.id] {
			number := t.keys.Index("phone", string(h.report().Phone))
			if person, ok := c.byNumber(number); ok && h.report().Channel == c.channel {
				h.is(verdictApplied)
				if saysInvalid(*h.report()) {
					invalid = append(invalid, number)
				}
				if saysBlacklisted(*h.report()) && !c.arrived(person) {
					black[c.begunAt] = append(black[c.begunAt], number)
				}
				got.list = append(got.list, receiptMatch{h.report(), person})
			}
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
	if err := t.doubtReported(invalid, now); err != nil {
		return err
	}
	for _, at := range slices.Sorted(maps.Keys(black)) {
		if err := t.blacklist(black[at], at); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) markPushes(pushes []*pushed, now time.Time) error {
	ids, verdicts := make([]int64, len(pushes)), make([]string, len(pushes))
	for i, p := range pushes {
		ids[i], verdicts[i] = p.id, string(p.verdicts)
	}
	return t.setTexts("receipts", "verdict", ", applied_at = $3", ids, verdicts, toMicros(now))
}

// matchCalls sorts receipts by the call that their OutID names. Those of notices are settled here.
func (t *tx) matchCalls(pushes []*pushed, now time.Time) (map[int64][]heard, error) {
	byCall := map[int64][]heard{}
	type name struct {
		outID   string
		channel notify.Channel
	}
	known := map[name]int64{} // a call's receipts come together, and its name is costly to prove
	for _, p := range pushes {
		for n, r := range p.reports {
			h := heard{p, n}
			id, ok := known[name{r.OutID, r.Channel}]
			if !ok {
				id, ok = notify.CallOf(t.keys, r.OutID, r.Channel)
			}
			if ok {
				known[name{r.OutID, r.Channel}] = id
				byCall[id] = append(byCall[id], h)
				continue
			}
			if id, ok := notify.NoticeOf(t.keys, r.OutID); ok {
				verdict, err := t.applyToNotice(id, r, now)
				if err != nil {
					return nil, err
				}
				h.is(verdict)
				continue
			}
			h.is(verdictForged)
		}
	}
	return byCall, nil
}

// receiptMatch is a receipt of a member of a call.
type receiptMatch struct {
	report   *notify.Report
	personID int64
}

// callReceipts are the receipts of one call.
type callReceipts struct {
	call *heldCall
	list []receiptMatch
}

// applyToCampaign applies the receipts of one campaign, those that say the same together.
func (t *tx) applyToCampaign(key campaignKey, calls []callReceipts, now time.Time, judge judgement) error {
	campaign, err := t.campaign(key.id, "")
	if err == nil && slices.Contains(campaign.Channels(), notify.WeChat) && slices.ContainsFunc(calls, func(c callReceipts) bool { return c.call.shared }) {
		campaign, err = t.campaign(key.id, t.forUpdate()) // before households, see takeTurns
	}
	if err != nil {
		return err
	}
	fresh := ""
	var marked []*heldCall
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
			if err := t.applyToVoice(c, now); err != nil {
				return err
			}
			marked = append(marked, c.call)
			continue
		}
		if fresh, err = t.applyToCall(c, fresh, now); err != nil {
			return err
		}
		marked = append(marked, c.call)
	}
	if err := t.keepMarks(marked...); err != nil || fresh == "" {
		return err
	}
	return t.weigh(key.id, fresh, now, judge)
}

// weigh adds what receipts say to a campaign's last ones and halts it where they amount to that. The campaign is held from here on:
// somebody who goes on after a halt raises the limit and begins the list anew, and what was read before must not undo it.
func (t *tx) weigh(id int64, fresh string, now time.Time, judge judgement) error {
	campaign, err := t.campaign(id, t.forUpdate())
	if err != nil {
		return err
	}
	before, err := t.outcomes(id)
	if err != nil {
		return err
	}
	outcomes := notify.LastOutcomes(before + fresh)
	if _, err := t.exec(`INSERT INTO campaign_outcomes (campaign_id, outcomes) VALUES ($1, $2)
		ON CONFLICT (campaign_id) DO UPDATE SET outcomes = excluded.outcomes`, id, outcomes); err != nil {
		return err
	}
	if why := judge(campaign, outcomes); why != nil {
		return t.haltCampaign(id, *why, now)
	}
	return nil
}

// outcomes are the last receipts of a campaign, a letter each.
func (t *tx) outcomes(campaignID int64) (text string, err error) {
	err = t.row(`SELECT outcomes FROM campaign_outcomes WHERE campaign_id = $1`, campaignID).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return text, err
}

// applyToCall moves the members of one call by their receipts and returns the campaign's outcomes with those that
// changed something. The call's marks are left to be written.
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
	moved, err := t.deliver(c.call, good, notify.ByReceipt, now)
	if err != nil {
		return "", err
	}
	outcomes = notify.AddOutcomes(outcomes, true, "", moved)
	for code, people := range failed {
		n, err := t.failMembers(c.call, people, code, now)
		if err != nil {
			return "", err
		}
		outcomes = notify.AddOutcomes(outcomes, false, code, n)
	}
	return outcomes, nil
}

// deliver: the text arrived. Of a member who is in the call that is a mark, which the caller writes; a row that went on
// is settled whichever call it is in by now.
func (t *tx) deliver(c *heldCall, people []int64, proof notify.Proof, now time.Time) (int64, error) {
	if len(people) == 0 {
		return 0, nil
	}
	marked := int64(len(c.mark(people, proofMark(proof), markIn, markFurther)))
	left := c.left()
	gone := slices.DeleteFunc(slices.Clone(people), func(id int64) bool { return !slices.Contains(left, id) })
	moved, err := t.deliverThoseWhoLeft(c, gone, proof, now)
	if err != nil || marked+moved == 0 || !c.channel.Phone() {
		return marked + moved, err
	}
	if c.shared { // households are read by marks
		if err := t.keepMarks(c); err != nil {
			return 0, err
		}
	}
	return marked + moved, t.settleSharedHouseholds(c, people, now)
}

func (t *tx) deliverThoseWhoLeft(c *heldCall, people []int64, proof notify.Proof, now time.Time) (int64, error) {
	if len(people) == 0 {
		return 0, nil
	}
	if err := t.recall(c, people); err != nil {
		return 0, err
	}
	return t.move(c.key, notify.Confirm, people, "channel = $4, call_id = $5, reason = $6, wake_at = 0, updated_at = $7",
		c.channel, c.id, proofReason(proof), toMicros(now))
}

// userReject is the receipt of a number whose holder has told the carrier that they want no such texts.
const userReject = "USER_REJECT"

// failMembers: the text did not arrive. That ends the attempt of a row that is still in this call, and no other.
func (t *tx) failMembers(c *heldCall, people []int64, code string, now time.Time) (int64, error) {
	in := c.in()
	here := slices.DeleteFunc(slices.Clone(people), func(id int64) bool { return !slices.Contains(in, id) })
	if err := t.unfold(c, here); err != nil {
		return 0, err
	}
	// One who left while the call was unanswered, and came back by its acceptance, has the row's own state.
	there, err := t.idsOf(`SELECT person_id FROM deliveries WHERE month = $1 AND campaign_id = $2 AND `+t.amongRows("person_id", 3)+`
		AND call_id = $4 AND state IN (`+quoted(notify.FailAfter.Move().From)+`)`, c.key.month, c.key.id, t.idList(people), c.id)
	if err != nil || len(there) == 0 {
		return 0, err
	}
	if code == userReject { // first: nothing of ours follows it on another channel
		if err := t.optOutThere(c, there, now); err != nil {
			return 0, err
		}
	}
	if err := t.endAttempts(c, there, "failed", code, false, now); err != nil {
		return 0, err
	}
	return int64(len(there)), t.settleSharedHouseholds(c, there, now)
}
