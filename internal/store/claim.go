package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// claim is one BeginCalls.
type claim struct {
	notify.ClaimQuery
	decide func(notify.ClaimFacts) ([]notify.Beginning, error)
}

// BeginCalls claims queued calls of one campaign and channel in one transaction: it locks what could race, gives the
// facts to decide, takes out the members who drop, and writes state, members left, Timestamp and lease.
func (s *Store) BeginCalls(ctx context.Context, q notify.ClaimQuery, decide func(notify.ClaimFacts) ([]notify.Beginning, error)) error {
	return s.write(ctx, fmt.Sprintf("store: begin calls %v", q.IDs), func(t *tx) error {
		calls, err := t.queuedCalls(q.IDs)
		if err != nil {
			return err
		}
		if len(calls) == 0 {
			// What an earlier run of this transaction decided was rolled back, and somebody else has the calls now.
			_, err := decide(notify.ClaimFacts{})
			return err
		}
		return t.begin(claim{q, decide}, calls)
	})
}

// queuedCall is a call that may begin, with its members as they were put into it.
type queuedCall struct {
	id, campaignID, previous int64
	channel                  notify.Channel
	members                  []member
}

func (t *tx) queuedCalls(ids []int64) ([]queuedCall, error) {
	rows, err := t.query(`SELECT id, campaign_id, previous_id, channel, members FROM calls
		WHERE `+t.among("id", 1)+` AND state = 'queued' ORDER BY id`+t.skipLocked(), t.idList(ids))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []queuedCall
	for rows.Next() {
		var c queuedCall
		var raw []byte
		if err := rows.Scan(&c.id, &c.campaignID, &c.previous, &c.channel, &raw); err != nil {
			return nil, err
		}
		c.members = decodeMembers(raw)
		if len(list) > 0 && (list[0].campaignID != c.campaignID || list[0].channel != c.channel) {
			return nil, errors.New("calls of several campaigns or channels")
		}
		list = append(list, c)
	}
	return list, rows.Err()
}

func (t *tx) begin(cl claim, calls []queuedCall) error {
	var people []int64
	for _, c := range calls {
		people = append(people, peopleOf(c.members)...)
	}
	c, err := t.campaign(calls[0].campaignID, "")
	if err != nil {
		return err
	}
	if err := t.lockForCap(cl, keyOf(c), people); err != nil {
		return err
	}
	facts, rows, err := t.claimFacts(cl, c, calls, people)
	if err != nil {
		return err
	}
	decided, err := cl.decide(facts)
	if err != nil {
		return err
	}
	for _, d := range decided {
		if err := t.beginCall(cl, c, calls, d, rows, facts.Now); err != nil {
			return err
		}
	}
	return t.reserve(decided, facts.Now)
}

// claimRow is what a claim needs of a delivery's row besides the facts given out.
type claimRow struct {
	callID  int64
	phone   []byte // the number's index as it is now
	planned []byte // as it was planned
	shared  bool
}

// claimFacts reads everything that decides about the members that are still queued in these calls.
func (t *tx) claimFacts(cl claim, c notify.Campaign, calls []queuedCall, people []int64) (notify.ClaimFacts, map[int64]claimRow, error) {
	facts := notify.ClaimFacts{Campaign: c, Channel: calls[0].channel}
	now, err := t.now()
	if err != nil {
		return facts, nil, err
	}
	facts.Now = now
	members, rows, err := t.memberFacts(c, people, cl.Today)
	if err != nil {
		return facts, nil, err
	}
	if err := t.addSent(cl, c, members, people, now); err != nil {
		return facts, nil, err
	}
	if err := t.addAbout(notify.TopicsOf(c.Spec, c.Template), members, cl.Today); err != nil {
		return facts, nil, err
	}
	if err := t.addBudgets(cl, &facts, members); err != nil {
		return facts, nil, err
	}
	if facts.Channel == notify.WeChat {
		if err := t.addWeChat(c, members, people, now); err != nil {
			return facts, nil, err
		}
	}
	if facts.Channel == notify.Voice {
		if err := t.addLanguages(members, people); err != nil {
			return facts, nil, err
		}
	}
	for _, call := range calls {
		cf := notify.CallFacts{ID: call.id, PreviousID: call.previous}
		for _, m := range call.members {
			if f, ok := members[m.personID]; ok && rows[m.personID].callID == call.id {
				cf.Members = append(cf.Members, *f)
			}
		}
		facts.Calls = append(facts.Calls, cf)
	}
	return facts, rows, nil
}

// memberFacts reads the rows that are queued, with their people. One query for all of them.
func (t *tx) memberFacts(c notify.Campaign, people []int64, today time.Time) (map[int64]*notify.Facts, map[int64]claimRow, error) {
	audience, args := c.Spec.Audience.SQL(today, 4)
	rows, err := t.query(`SELECT d.person_id, d.call_id, d.later, d.tries, d.waits_from, d.shared, d.phone_idx,
			p.name_sealed, p.phone_sealed, p.phone_idx, p.phone_mobile, p.region, p.status, (`+audience+`),
			`+personOut("p.id", c.Spec.Kind)+`, `+phoneOut("p.phone_idx", c.Spec.Kind)+`,
			(SELECT count(DISTINCT CASE WHEN q.household = '' THEN CAST(q.id AS TEXT) ELSE q.household END)
				FROM people q WHERE q.status <> 'deceased' AND q.phone_idx = p.phone_idx) >= 3
		FROM deliveries d JOIN people p ON p.id = d.person_id
		WHERE d.month = $1 AND d.campaign_id = $2 AND `+t.amongRows("d.person_id", 3)+` AND d.state = 'queued' ORDER BY d.person_id`+t.rowLock("d"),
		append([]any{c.Month, c.ID, t.idList(people)}, args...)...)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }()
	facts := make(map[int64]*notify.Facts, len(people))
	extra := make(map[int64]claimRow, len(people))
	for rows.Next() {
		var f notify.Facts
		var r claimRow
		var later string
		var waits int64
		var name, phone []byte
		if err := rows.Scan(&f.PersonID, &r.callID, &later, &f.Tries, &waits, &r.shared, &r.planned,
			&name, &phone, &r.phone, &f.Mobile, &f.Region, &f.Status, &f.Matches, &f.OptedOut, &f.PhoneOut, &f.PhoneMany); err != nil {
			return nil, nil, err
		}
		if err := t.openMember(&f, name, phone); err != nil {
			return nil, nil, err
		}
		f.Later, f.WaitsFrom = channelsOf(later), fromMicros(waits)
		facts[f.PersonID], extra[f.PersonID] = &f, r
	}
	return facts, extra, rows.Err()
}

// rowLock locks the rows of one table of a join until the transaction ends.
func (t *tx) rowLock(alias string) string {
	if t.d == postgresDialect {
		return " FOR UPDATE OF " + alias
	}
	return ""
}

func (t *tx) openMember(f *notify.Facts, name, phone []byte) error {
	plain, err := t.keys.Open(name, "people", "name_sealed", f.PersonID)
	if err != nil {
		return err
	}
	f.Name = string(plain)
	if plain, err = t.keys.Open(phone, "people", "phone_sealed", f.PersonID); err != nil {
		return err
	}
	f.Phone = register.Phone(plain)
	return nil
}

// beginCall writes down what was decided about one call.
func (t *tx) beginCall(cl claim, c notify.Campaign, calls []queuedCall, b notify.Beginning, rows map[int64]claimRow, now time.Time) error {
	at := slices.IndexFunc(calls, func(q queuedCall) bool { return q.id == b.CallID })
	if at < 0 {
		return fmt.Errorf("call %d was not claimed", b.CallID)
	}
	if err := t.dropMembers(keyOf(c), calls[at], b.Drops, rows, now); err != nil {
		return err
	}
	if b.Halt != nil {
		if err := t.haltCampaign(c.ID, *b.Halt, now); err != nil {
			return err
		}
	}
	if len(b.Begin) == 0 {
		_, err := t.exec(`UPDATE calls SET state = 'withdrawn', wake_at = 0, updated_at = $2 WHERE id = $1`, b.CallID, toMicros(now))
		return err
	}
	left := make([]member, len(b.Begin))
	for i, id := range b.Begin {
		left[i] = member{id, rows[id].phone}
	}
	until := toMicros(now.Add(cl.Lease))
	_, err := t.exec(`UPDATE calls SET state = 'sending', members = $2, route = $3, owner = $4, lease_until = $5, wake_at = $5,
		signed_at = $6, begun_at = $7, presented_at = $7, updated_at = $7, segments = $8 WHERE id = $1`,
		b.CallID, encodeMembers(left), b.Route, cl.Owner, until, toMicros(b.SignedAt), toMicros(now), b.Segments)
	if err != nil {
		return err
	}
	if _, err := t.move(keyOf(c), notify.Begin, b.Begin, "waits_from = 0, updated_at = $4, sent_at = CASE WHEN sent_at = 0 THEN $4 ELSE sent_at END",
		toMicros(now)); err != nil {
		return err
	}
	if b.Route == notify.CustomerMessage {
		if err := t.spendCustomerMessage(b.Begin); err != nil {
			return err
		}
	}
	return t.renumber(keyOf(c), b.Begin, rows)
}

// renumber keeps the number's index of a row that goes to another number than was planned.
func (t *tx) renumber(key campaignKey, people []int64, rows map[int64]claimRow) error {
	for _, id := range people {
		if r := rows[id]; !slices.Equal(r.phone, r.planned) {
			_, err := t.exec(`UPDATE deliveries SET phone_idx = $4 WHERE month = $1 AND campaign_id = $2 AND person_id = $3`,
				key.month, key.id, id, r.phone)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// dropMembers takes members out of a call that has not begun, those of one kind together.
func (t *tx) dropMembers(key campaignKey, call queuedCall, drops []notify.Drop, rows map[int64]claimRow, now time.Time) error {
	type kind struct {
		event        notify.DeliveryEvent
		reason       string
		wake, waited int64
	}
	groups := map[kind][]int64{}
	var order []kind
	var shared []int64
	for _, d := range drops {
		k := kind{d.Event, d.Reason, toMicros(d.WakeAt), toMicros(d.WaitsFrom)}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], d.PersonID)
		if rows[d.PersonID].shared && d.Event != notify.PutBack {
			shared = append(shared, d.PersonID)
		}
	}
	for _, k := range order {
		people := groups[k]
		var err error
		switch k.event {
		case notify.PutBack:
			err = t.putBack(key, people, call.previous, fromMicros(k.wake), fromMicros(k.waited), now)
		case notify.Skip:
			err = t.skip(key, people, notify.SkipReason(k.reason), now)
		case notify.Fall:
			err = t.fall(key, people, now)
		case notify.Refuse:
			_, err = t.move(key, notify.Refuse, people, "reason = $4, wake_at = 0, updated_at = $5", k.reason, toMicros(now))
		default:
			err = fmt.Errorf("a claim can't %s a member", k.event)
		}
		if err != nil {
			return err
		}
	}
	return t.settleHouseholds(key, shared, now)
}

// LeaseLeft is how much of the lease of calls that this owner is sending is left, by the database's clock.
func (s *Store) LeaseLeft(ctx context.Context, ids []int64, owner string) (map[int64]time.Duration, error) {
	left := map[int64]time.Duration{}
	err := s.read(ctx, fmt.Sprintf("store: lease of calls %v", ids), func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		rows, err := t.query(`SELECT id, lease_until FROM calls WHERE `+t.among("id", 1)+` AND state = 'sending' AND owner = $2`,
			t.idList(ids), owner)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var id, until int64
			if err := rows.Scan(&id, &until); err != nil {
				return err
			}
			if d := fromMicros(until).Sub(now); d > 0 {
				left[id] = d
			}
		}
		return rows.Err()
	})
	return left, err
}
