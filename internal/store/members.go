package store

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/lingjuli/lingjuli/internal/store/seal"
	"github.com/lingjuli/lingjuli/notify"
)

// A row that is in a call has no state of its own: deliveries.state is '', slot is its place among the call's members,
// and the call's state is theirs. What is written for a hundred people is one row. Rules:
//   - Whoever moves a call, or anybody out of one, holds the lock of the call's row.
//   - A row that goes its own way is unfolded first: it takes the call's state as its own, and its mark says that it
//     left. From then on every change of it is a compare-and-set on the row, by the table of a delivery's life.
//   - A member's place never changes. A receipt finds them by number, whether they are still in the call or not.

// The marks of a call's members, a letter each.
const (
	markIn        = '-' // in the call
	markFurther   = '+' // in the call, and another channel is left to them
	markDelivered = 'd' // in the call, and a receipt says that it arrived
	markHeard     = 'h' // in the call by telephone, and it was heard to the end
	markAnswered  = 'a' // in the call by telephone, and it was answered and heard long enough
	markLeft      = 'x' // was in it when it began; their row has a state of its own since, or is in another call
	markOut       = 'o' // taken out before it began
)

// proofMark is the mark of a member whose message is proved to have arrived.
func proofMark(p notify.Proof) byte {
	switch p {
	case notify.ByHearing:
		return markHeard
	case notify.ByAnswer:
		return markAnswered
	}
	return markDelivered
}

// proofReason is deliveries.reason of a row of its own that was delivered.
func proofReason(p notify.Proof) string {
	if p == notify.ByReceipt {
		return ""
	}
	return string(p)
}

// reasonOf is the reason of a delivery's row, where its call is joined to it.
func reasonOf(row, call string) string {
	return `CASE WHEN ` + row + `.state <> '' THEN ` + row + `.reason ELSE CASE substr(` + call + `.marks, ` + row + `.slot, 1)
		WHEN 'h' THEN '` + string(notify.ByHearing) + `' WHEN 'a' THEN '` + string(notify.ByAnswer) + `' ELSE ` + row + `.reason END END`
}

// stateOf is the state of a delivery's row, where its call is joined to it.
func stateOf(row, call string) string {
	return `CASE WHEN ` + row + `.state <> '' THEN ` + row + `.state WHEN substr(` + call + `.marks, ` + row + `.slot, 1) IN ('d', 'h', 'a') THEN 'delivered' ELSE ` + call + `.state END`
}

// sentOf is when something may first have gone out for a row, 0 where nothing has.
func sentOf(row, call string) string {
	return `CASE WHEN ` + row + `.sent_at > 0 THEN ` + row + `.sent_at WHEN ` + row + `.state = '' THEN ` + call + `.begun_at ELSE 0 END`
}

// memberSize is the length of a member in calls.members: the person's id and the number's blind index.
const memberSize = 8 + seal.IndexSize

// member is one recipient of a call; phone is nil where the call goes to no number.
type member struct {
	personID int64
	phone    []byte
}

func encodeMembers(list []member) []byte {
	out := make([]byte, 0, len(list)*memberSize)
	for _, m := range list {
		out = binary.BigEndian.AppendUint64(out, uint64(m.personID)) //nolint:gosec // ids are positive
		var idx [seal.IndexSize]byte
		copy(idx[:], m.phone)
		out = append(out, idx[:]...)
	}
	return out
}

func decodeMembers(raw []byte) []member {
	list := make([]member, 0, len(raw)/memberSize)
	for ; len(raw) >= memberSize; raw = raw[memberSize:] {
		list = append(list, member{int64(binary.BigEndian.Uint64(raw)), raw[8:memberSize]}) //nolint:gosec // we wrote it
	}
	return list
}

func peopleOf(list []member) []int64 {
	ids := make([]int64, len(list))
	for i, m := range list {
		ids[i] = m.personID
	}
	return ids
}

// heldCall is a call whose row is locked, with its members.
type heldCall struct {
	id       int64
	key      campaignKey
	channel  notify.Channel
	state    notify.CallState
	previous int64
	begunAt  int64
	shared   bool  // a member's number is somebody else's too
	numbers  int64 // the version of numbers on file at which it was planned
	members  []member
	people   []int64
	marks    []byte
}

const callColumns = `id, month, campaign_id, channel, state, previous_id, begun_at, shared, numbers, members, marks`

func scanCall(row scanner) (*heldCall, error) {
	c := &heldCall{}
	var raw []byte
	var marks string
	err := row.Scan(&c.id, &c.key.month, &c.key.id, &c.channel, &c.state, &c.previous, &c.begunAt, &c.shared, &c.numbers, &raw, &marks)
	c.members, c.marks = decodeMembers(raw), []byte(marks)
	c.people = peopleOf(c.members)
	return c, err
}

// holdCall locks one call.
func (t *tx) holdCall(id int64) (*heldCall, error) {
	c, err := scanCall(t.row(`SELECT `+callColumns+` FROM calls WHERE id = $1`+t.forUpdate(), id))
	if err != nil {
		return nil, err
	}
	return t.theOne(c), nil
}

// theOne is the transaction's only copy of a call: word of one call may take a member out of another that has word of
// its own in the same transaction, and must not find that member in it again.
func (t *tx) theOne(c *heldCall) *heldCall {
	if held, ok := t.held[c.id]; ok {
		return held
	}
	if t.held == nil {
		t.held = map[int64]*heldCall{}
	}
	t.held[c.id] = c
	return c
}

// holdCalls locks calls in the order of their ids, as everybody does. further narrows them.
func (t *tx) holdCalls(ids []int64, further string) ([]*heldCall, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := t.query(`SELECT `+callColumns+` FROM calls WHERE `+t.among("id", 1)+` `+further+` ORDER BY id`+t.forUpdate(), t.idList(ids))
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
		list = append(list, t.theOne(c))
	}
	return list, rows.Err()
}

// in lists the members who are in the call and of whom nothing is known but its state.
func (c *heldCall) in() []int64 { return c.marked(markIn, markFurther) }

// left lists the members who were in the call when it began and are not any more.
func (c *heldCall) left() []int64 { return c.marked(markLeft) }

// withFurther lists the members in the call to whom another channel is left.
func (c *heldCall) withFurther() []int64 { return c.marked(markFurther) }

// wentOut lists the members for whom its request was made.
func (c *heldCall) wentOut() []int64 {
	return c.marked(markIn, markFurther, markDelivered, markHeard, markAnswered, markLeft)
}

func (c *heldCall) marked(which ...byte) []int64 {
	var people []int64
	for i, id := range c.people {
		if slices.Contains(which, c.marks[i]) {
			people = append(people, id)
		}
	}
	return people
}

// mark changes the marks of those of the people whose mark is one of from, and returns them.
func (c *heldCall) mark(people []int64, to byte, from ...byte) []int64 {
	place := make(map[int64]int, len(c.people))
	for i, id := range c.people {
		place[id] = i
	}
	var changed []int64
	for _, id := range people {
		if i, ok := place[id]; ok && slices.Contains(from, c.marks[i]) {
			c.marks[i] = to
			changed = append(changed, id)
		}
	}
	return changed
}

// arrived: a receipt says that it did, of a member who is in the call.
func (c *heldCall) arrived(id int64) bool {
	return slices.Contains(c.marked(markDelivered, markHeard, markAnswered), id)
}

// byNumber is the member with a number: one who is in the call before one who left it.
func (c *heldCall) byNumber(phone []byte) (id int64, ok bool) {
	for i, m := range c.members {
		if c.marks[i] != markOut && string(m.phone) == string(phone) {
			id, ok = m.personID, true
			if c.marks[i] != markLeft {
				break
			}
		}
	}
	return id, ok
}

// keepMarks writes the marks of calls.
func (t *tx) keepMarks(calls ...*heldCall) error {
	if len(calls) == 0 {
		return nil
	}
	ids, marks := make([]int64, len(calls)), make([]string, len(calls))
	for i, c := range calls {
		ids[i], marks[i] = c.id, string(c.marks)
	}
	if err := t.setTexts("calls", "marks", "", ids, marks); err != nil {
		return fmt.Errorf("marks of calls %v: %w", ids, err)
	}
	return nil
}

// unfold gives those of the people who are in the call a state of their own: the call's. They leave the call.
func (t *tx) unfold(c *heldCall, people []int64) error {
	gone := byte(markLeft)
	if c.begunAt == 0 {
		gone = markOut
	}
	before := string(c.marks)
	for _, p := range notify.Proofs() {
		if err := t.unfoldAs(c, c.mark(people, gone, proofMark(p)), notify.Delivered, proofReason(p)); err != nil {
			return err
		}
	}
	if err := t.unfoldAs(c, c.mark(people, gone, markIn, markFurther), notify.DeliveryState(c.state), ""); err != nil {
		return err
	}
	if before == string(c.marks) {
		return nil
	}
	return t.keepMarks(c)
}

func (t *tx) unfoldAs(c *heldCall, people []int64, state notify.DeliveryState, reason string) error {
	if len(people) == 0 {
		return nil
	}
	n, err := t.exec(`UPDATE deliveries SET state = $4, reason = $7, sent_at = CASE WHEN sent_at = 0 THEN $5 ELSE sent_at END
		WHERE month = $1 AND campaign_id = $2 AND `+t.amongRows("person_id", 3)+` AND state = '' AND call_id = $6`,
		c.key.month, c.key.id, t.idList(people), state, c.begunAt, c.id, reason)
	if err == nil && n != int64(len(people)) {
		err = fmt.Errorf("%d rows are in it, its marks say %d", n, len(people))
	}
	if err != nil {
		return fmt.Errorf("unfold call %d: %w", c.id, err)
	}
	return nil
}

// recall unfolds those who left this call and are in another one now: word came of what this one did for them.
func (t *tx) recall(c *heldCall, people []int64) error {
	if len(people) == 0 {
		return nil
	}
	others, err := t.idsOf(`SELECT DISTINCT call_id FROM deliveries WHERE month = $1 AND campaign_id = $2 AND `+t.amongRows("person_id", 3)+`
		AND state = '' AND call_id <> $4`, c.key.month, c.key.id, t.idList(people), c.id)
	if err != nil {
		return err
	}
	calls, err := t.holdCalls(others, "")
	if err != nil {
		return err
	}
	for _, other := range calls {
		if err := t.unfold(other, people); err != nil {
			return err
		}
	}
	return nil
}

// fold puts waiting rows into a call by an event, in the order of its members, and returns the members' marks. Who has
// moved meanwhile (a late receipt) stays where they are.
func (t *tx) fold(key campaignKey, event notify.DeliveryEvent, id int64, members []member, now time.Time) (string, error) {
	people := peopleOf(members)
	rows, err := t.query(`UPDATE deliveries SET state = '', call_id = $4, slot = u.place, wake_at = 0, updated_at = $5 FROM `+t.listed(3)+`
		WHERE month = $1 AND campaign_id = $2 AND person_id = u.id AND state IN (`+quoted(event.Move().From)+`)
		RETURNING slot, CASE WHEN later <> '' THEN 1 ELSE 0 END`, key.month, key.id, t.listOf(people), id, toMicros(now))
	if err != nil {
		return "", fmt.Errorf("%s rows of campaign %d: %w", event, key.id, err)
	}
	defer func() { _ = rows.Close() }()
	marks := slices.Repeat([]byte{markOut}, len(members))
	for rows.Next() {
		var place, further int
		if err := rows.Scan(&place, &further); err != nil {
			return "", err
		}
		marks[place-1] = cmp.Or(byte(further)*markFurther, markIn)
	}
	return string(marks), rows.Err()
}
