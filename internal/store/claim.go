package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// claim is one BeginCalls.
type claim struct {
	notify.ClaimQuery
	decide  func(notify.ClaimFacts) ([]notify.Beginning, error)
	numbers int64     // the version of numbers on file
	today   time.Time // local time, by the database's clock
}

// BeginCalls claims queued calls of one campaign and channel in one transaction: it locks what could race, gives the
// facts to decide, takes out the members who drop, and writes state, members left, Timestamp and lease.
func (s *Store) BeginCalls(ctx context.Context, q notify.ClaimQuery, decide func(notify.ClaimFacts) ([]notify.Beginning, error)) error {
	return s.writeMass(ctx, fmt.Sprintf("store: begin calls %v", q.IDs), func(t *tx) error {
		calls, err := t.queuedCalls(q.IDs)
		if err != nil {
			return err
		}
		if len(calls) == 0 {
			// What an earlier run of this transaction decided was rolled back, and somebody else has the calls now.
			_, err := decide(notify.ClaimFacts{})
			return err
		}
		return t.begin(claim{ClaimQuery: q, decide: decide}, calls)
	})
}

// queuedCalls locks calls that may begin, as far as nobody else holds them.
func (t *tx) queuedCalls(ids []int64) ([]*heldCall, error) {
	rows, err := t.query(`SELECT `+callColumns+` FROM calls
		WHERE `+t.among("id", 1)+` AND state = 'queued' ORDER BY id`+t.skipLocked(), t.idList(ids))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []*heldCall
	for rows.Next() {
		c, err := scanCall(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
		if list[0].key != c.key || list[0].channel != c.channel {
			return nil, errors.New("calls of several campaigns or channels")
		}
	}
	return list, rows.Err()
}

func (t *tx) begin(cl claim, calls []*heldCall) error {
	c, err := t.campaign(calls[0].key.id, "")
	if err != nil {
		return err
	}
	facts, rows, err := t.claimFacts(cl, c, calls)
	if err != nil {
		return err
	}
	decided, err := cl.decide(facts)
	if err != nil {
		return err
	}
	var begun []statement
	for _, d := range decided {
		at := slices.IndexFunc(calls, func(q *heldCall) bool { return q.id == d.CallID })
		if at < 0 {
			return fmt.Errorf("call %d was not claimed", d.CallID)
		}
		s, err := t.beginCall(cl, calls[at], d, rows, facts.Now)
		if err != nil {
			return err
		}
		begun = append(begun, s)
	}
	if err := t.execAll(begun); err != nil {
		return err
	}
	return t.reserve(decided, facts.Now)
}

// claimRow is what a claim needs of a delivery's row besides the facts given out.
type claimRow struct {
	callID int64
	phone  []byte // the number's index as it is now
	shared bool   // somebody else on file has it
}

// claimFacts reads everything that decides about the members of these calls, under the locks that a cap needs.
func (t *tx) claimFacts(cl claim, c notify.Campaign, calls []*heldCall) (notify.ClaimFacts, map[int64]claimRow, error) {
	facts := notify.ClaimFacts{Campaign: c, Channel: calls[0].channel}
	seen, err := t.versions() // before the people: what changes meanwhile is noticed
	if err != nil {
		return facts, nil, err
	}
	cl.numbers, facts.Outs, cl.today = seen.numbers, seen.outs, seen.at.In(cl.Zone)
	members, rows, err := t.memberFacts(cl, c, calls)
	if err != nil {
		return facts, nil, err
	}
	if err := t.addEarlier(cl, &facts, members, rows); err != nil {
		return facts, nil, err
	}
	if err := t.addAbout(notify.TopicsOf(c.Spec, c.Template), members, cl.today); err != nil {
		return facts, nil, err
	}
	if err := t.addBudgets(cl, &facts, members); err != nil {
		return facts, nil, err
	}
	if err := t.addOnNumber(c, members, rows); err != nil {
		return facts, nil, err
	}
	people := slices.Collect(maps.Keys(members))
	if facts.Channel == notify.WeChat {
		if err := t.addWeChat(c, members, people, facts.Now); err != nil {
			return facts, nil, err
		}
	}
	if facts.Channel == notify.Voice {
		if err := t.addLanguages(members, people); err != nil {
			return facts, nil, err
		}
	}
	for _, call := range calls {
		in := call.in()
		cf := notify.CallFacts{ID: call.id, PreviousID: call.previous, Members: make([]notify.Facts, 0, len(in))}
		for _, id := range in {
			if f, ok := members[id]; ok && rows[id].callID == call.id {
				cf.Members = append(cf.Members, *f)
			}
		}
		facts.Calls = append(facts.Calls, cf)
	}
	return facts, rows, nil
}

// addEarlier adds what went to people and numbers before, under locks: nothing more may go to them until this claim commits.
func (t *tx) addEarlier(cl claim, facts *notify.ClaimFacts, members map[int64]*notify.Facts, rows map[int64]claimRow) error {
	limit, err := t.numberLimit(facts.Campaign, facts.Channel)
	if err != nil {
		return err
	}
	if err := t.lockForCap(cl, limit, rows); err != nil {
		return err
	}
	if facts.Now, err = t.now(); err != nil {
		return err
	}
	if err := t.addSent(cl, facts.Campaign, members, rows, facts.Now); err != nil {
		return err
	}
	return t.addNumberHad(limit, facts.Channel, members, rows, facts.Now)
}

// holdersSQL says how many have a person's number: 1 the person alone, else one more than the households. Where no number
// on file has changed since the calls were planned, the plan's word stands.
func holdersSQL(calls []*heldCall, now int64) string {
	if !slices.ContainsFunc(calls, func(c *heldCall) bool { return c.numbers != now }) {
		return "1"
	}
	return `(SELECT CASE WHEN count(*) <= 1 THEN 1 ELSE 1 + count(DISTINCT CASE WHEN q.household = '' THEN CAST(q.id AS TEXT) ELSE q.household END) END
		FROM people q WHERE q.status <> 'deceased' AND q.phone_idx = p.phone_idx)`
}

// asPlanned says whether a call is as the plan made it: nobody in it has another channel left or shares a number. The rows
// of such members say nothing that the call does not, and are not read.
func (c *heldCall) asPlanned() bool {
	return c.numbers >= 0 && !c.shared && len(c.withFurther()) == 0
}

// membersSQL is from where memberFacts reads, and its parameters. own: what the rows say themselves is read too.
func (t *tx) membersSQL(c notify.Campaign, people []int64, own bool) (from string, args []any) {
	n := len(people)
	switch {
	case own:
		return `deliveries d JOIN people p ON p.id = d.person_id
			WHERE d.month = $1 AND d.campaign_id = $2 AND ` + t.amongRows("d.person_id", 3) + ` AND d.state = ''`, []any{c.Month, c.ID, t.idList(people)}
	case n > 0 && people[n-1]-people[0] < int64(2*n): // neighbours are read in one go, with those between them
		return `people p WHERE p.id >= $1 AND p.id <= $2`, []any{people[0], people[n-1]}
	}
	return `people p WHERE ` + t.among("p.id", 1), []any{t.idList(people)}
}

// memberFacts reads the people in calls, with their rows where those say more than the calls. One query for all of them.
func (t *tx) memberFacts(cl claim, c notify.Campaign, calls []*heldCall) (map[int64]*notify.Facts, map[int64]claimRow, error) {
	callOf := map[int64]int64{}
	for _, call := range calls {
		for _, id := range call.in() {
			callOf[id] = call.id
		}
	}
	people := slices.Sorted(maps.Keys(callOf))
	r := &memberReader{own: slices.ContainsFunc(calls, func(c *heldCall) bool { return !c.asPlanned() }), callOf: callOf}
	from, args := t.membersSQL(c, people, r.own)
	audience, more := c.Spec.Audience.SQL(cl.today, len(args)+1)
	list := make([]notify.Facts, 0, len(people))
	facts := make(map[int64]*notify.Facts, len(people))
	extra := make(map[int64]claimRow, len(people))
	err := t.stream(`SELECT p.id, p.name_sealed, p.phone_sealed, p.phone_idx, p.phone_mobile, p.region, p.status, (`+audience+`),
			`+personOut("p", c.Spec.Kind)+`, `+phoneOut("p", c.Spec.Kind)+`, `+phoneDoubtedFor("p", c, calls[0].channel)+`, `+phoneBlacklisted("p")+`, `+holdersSQL(calls, cl.numbers)+r.columns()+`
		FROM `+from+` ORDER BY p.id`, func(scan func(...any) error) error {
		err := r.read(t, scan)
		if err == nil && r.row.callID > 0 {
			list = append(list, r.facts)
			facts[r.facts.PersonID], extra[r.facts.PersonID] = &list[len(list)-1], r.row
		}
		return err
	}, append(args, more...)...)
	return facts, extra, err
}

// memberReader reads people in calls, one after the other into the same place: facts and row are those of the last. own: the
// rows have columns of their own, which the calls don't say.
type memberReader struct {
	own    bool
	callOf map[int64]int64

	facts         notify.Facts
	row           claimRow
	later, status string
	waits         int64
	holders       int
	name, phone   []byte
	into          []any // where the columns go
}

func (r *memberReader) columns() string {
	if r.own {
		return `, d.call_id, d.later, d.tries, d.waits_from, d.shared`
	}
	return ""
}

func (r *memberReader) read(t *tx, scan func(into ...any) error) error {
	f, row := &r.facts, &r.row
	if r.into == nil {
		r.into = []any{&f.PersonID, &r.name, &r.phone, &row.phone, &f.Mobile, &f.Region, &r.status, &f.Matches, &f.OptedOut, &f.PhoneOut, &f.PhoneDoubted, &f.Blacklisted, &r.holders}
		if r.own {
			r.into = append(r.into, &row.callID, &r.later, &f.Tries, &r.waits, &row.shared)
		}
	}
	*f, *row = notify.Facts{}, claimRow{}
	if err := scan(r.into...); err != nil {
		return err
	}
	f.Status = register.LifeStatus(r.status)
	if !r.own {
		row.callID = r.callOf[f.PersonID]
	}
	row.shared, f.PhoneMany = row.shared || r.holders > 1, r.holders > 3
	f.Later, f.WaitsFrom = channelsOf(r.later), fromMicros(r.waits)
	return t.openMember(f, r.name, r.phone)
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

// beginCall takes out who drops, and says what is to be written of the call.
func (t *tx) beginCall(cl claim, call *heldCall, b notify.Beginning, rows map[int64]claimRow, now time.Time) (statement, error) {
	at := toMicros(now)
	begun := statement{act: fmt.Sprintf("begin call %d", call.id)}
	if b.Halt != nil {
		if err := t.haltCampaign(call.key.id, *b.Halt, now); err != nil {
			return begun, err
		}
	}
	if b.Wait != nil {
		until := now.Add(waitAgain)
		if b.Wait.After(until) {
			until = *b.Wait
		}
		begun.query, begun.args = `UPDATE calls SET state = 'planned', wake_at = $2, updated_at = $3 WHERE id = $1`,
			[]any{call.id, toMicros(until), at}
		return begun, nil
	}
	if err := t.dropMembers(call, b.Drops, rows, now); err != nil {
		return begun, err
	}
	if len(b.Begin) == 0 {
		begun.query, begun.args = `UPDATE calls SET state = 'withdrawn', wake_at = 0, updated_at = $2 WHERE id = $1`, []any{call.id, at}
		return begun, nil
	}
	if b.Route == notify.CustomerMessage {
		if err := t.spendCustomerMessage(b.Begin); err != nil {
			return begun, err
		}
	}
	until := toMicros(now.Add(cl.Lease))
	begun.query = `UPDATE calls SET state = 'sending', route = $2, owner = $3, lease_until = $4, wake_at = $4, signed_at = $5, begun_at = $6,
		presented_at = $6, updated_at = $6, segments = $7`
	begun.args = []any{call.id, b.Route, cl.Owner, until, toMicros(b.SignedAt), at, b.Segments}
	if call.renumber(rows) {
		begun.query += `, members = $8`
		begun.args = append(begun.args, encodeMembers(call.members))
	}
	begun.query += ` WHERE id = $1`
	return begun, nil
}

// waitAgain is how long a call waits that was rung for and may not go: two clocks may differ about a window.
const waitAgain = 2 * time.Second

// renumber notes the numbers that members have now, where they differ from what was planned.
func (c *heldCall) renumber(rows map[int64]claimRow) (changed bool) {
	for i, m := range c.members {
		if r, ok := rows[m.personID]; ok && c.marks[i] != markLeft && !samePhone(m.phone, r.phone) {
			c.members[i].phone, changed = r.phone, true
		}
	}
	return changed
}

// samePhone compares a number's index with that of a member, whose want of one reads as zeros.
func samePhone(member, now []byte) bool {
	if len(now) == 0 {
		return len(bytes.TrimLeft(member, "\x00")) == 0
	}
	return bytes.Equal(member, now)
}

// dropMembers takes members out of a call that has not begun, those of one kind together.
func (t *tx) dropMembers(call *heldCall, drops []notify.Drop, rows map[int64]claimRow, now time.Time) error {
	type kind struct {
		event        notify.DeliveryEvent
		reason       string
		wake, waited int64
	}
	groups := map[kind][]int64{}
	var order []kind
	var shared, all []int64
	for _, d := range drops {
		k := kind{d.Event, d.Reason, toMicros(d.WakeAt), toMicros(d.WaitsFrom)}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], d.PersonID)
		all = append(all, d.PersonID)
		if rows[d.PersonID].shared && d.Event != notify.PutBack {
			shared = append(shared, d.PersonID)
		}
	}
	if err := t.unfold(call, all); err != nil {
		return err
	}
	for _, k := range order {
		people := groups[k]
		var err error
		switch k.event {
		case notify.PutBack:
			err = t.putBack(call.key, people, call.previous, fromMicros(k.wake), fromMicros(k.waited), now)
		case notify.Skip:
			err = t.skip(call.key, people, notify.SkipReason(k.reason), now)
		case notify.Fall:
			err = t.fall(call.key, people, now)
		case notify.Refuse:
			_, err = t.move(call.key, notify.Refuse, people, "reason = $4, wake_at = 0, updated_at = $5", k.reason, toMicros(now))
		default:
			err = fmt.Errorf("a claim can't %s a member", k.event)
		}
		if err != nil {
			return err
		}
	}
	return t.settleHouseholds(call.key, shared, now)
}
