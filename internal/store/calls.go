package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/internal/store/seal"
	"github.com/lingjuli/lingjuli/notify"
)

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

// ringAgainAfter is how long a queued call waits for the bell before the sweeper rings again.
const ringAgainAfter = 12 * time.Second

// dispatchBatch is how many rows one transaction puts into calls.
const dispatchBatch = 1000

// cursorColumn is the campaign's cursor of the first dispatch on a channel.
func cursorColumn(c notify.Channel) string {
	switch c {
	case notify.WeChat:
		return "wechat_cursor"
	case notify.SMS:
		return "sms_cursor"
	}
	return "voice_cursor"
}

// Dispatch puts due rows of one channel into calls, as long as fewer than maxOpen calls of it wait, and returns the
// calls to ring for. Rows that came back go first. more: there may be more rows due.
func (s *Store) Dispatch(ctx context.Context, campaignID int64, channel notify.Channel, now time.Time, maxOpen int) (calls []int64, more bool, err error) {
	op := fmt.Sprintf("store: dispatch campaign %d", campaignID)
	waiting := false
	err = s.read(ctx, op, func(t *tx) error {
		waiting, err = t.dispatchWaits(campaignID, channel, now)
		return err
	})
	if err != nil || !waiting {
		return nil, false, err
	}
	err = s.write(ctx, op, func(t *tx) error {
		calls, more = nil, false
		c, err := t.campaign(campaignID, t.skipLocked())
		if errors.Is(err, notify.ErrNoCampaign) || err == nil && c.State != notify.Running {
			return nil
		}
		if err != nil {
			return err
		}
		calls, more, err = t.dispatch(c, channel, now, maxOpen)
		return err
	})
	return calls, more, err
}

// dispatchWaits looks, without a lock, whether a dispatch could find anything.
func (t *tx) dispatchWaits(campaignID int64, channel notify.Channel, now time.Time) (waits bool, err error) {
	err = t.row(`SELECT (c.`+cursorColumn(channel)+` < c.plan_cursor) OR EXISTS (SELECT 1 FROM deliveries d
			WHERE d.campaign_id = c.id AND d.wake_at > 0 AND d.wake_at <= $3 AND d.channel = $2)
		FROM campaigns c WHERE c.id = $1 AND c.state = 'running'`, campaignID, channel, toMicros(now)).Scan(&waits)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return waits, err
}

func (t *tx) dispatch(c notify.Campaign, channel notify.Channel, now time.Time, maxOpen int) ([]int64, bool, error) {
	var open int
	// Both conditions on the state: SQLite takes the partial index only where its own stands in the query.
	err := t.row(`SELECT count(*) FROM calls WHERE campaign_id = $1 AND channel = $2 AND state IN ('queued', 'sending', 'unconfirmed') AND state <> 'unconfirmed'`,
		c.ID, channel).Scan(&open)
	if err != nil {
		return nil, false, err
	}
	limit := min(dispatchBatch, (maxOpen-open)*notify.CallSize(c.Spec, channel))
	if limit <= 0 {
		return nil, false, nil
	}
	rows, err := t.dueRows(c, channel, now, limit)
	if err != nil {
		return nil, false, err
	}
	if len(rows) < limit {
		fresh, err := t.freshRows(c, channel, limit-len(rows))
		if err != nil {
			return nil, false, err
		}
		rows = append(rows, fresh...)
	}
	if len(rows) == 0 {
		return nil, false, nil
	}
	ids, err := t.putIntoCalls(c, channel, rows, now)
	return ids, len(rows) == limit, err
}

// waitingRow is a planned row that may be put into a call.
type waitingRow struct {
	member
	previous int64
}

// dueRows are rows that came back and whose time has come. Those of one former call stay together.
func (t *tx) dueRows(c notify.Campaign, channel notify.Channel, now time.Time, limit int) ([]waitingRow, error) {
	return t.waitingRows(`SELECT person_id, phone_idx, call_id FROM deliveries WHERE month = $1 AND campaign_id = $2
		AND wake_at > 0 AND wake_at <= $3 AND state = 'planned' AND lead AND channel = $4
		ORDER BY wake_at, call_id, person_id LIMIT $5`, c.Month, c.ID, toMicros(now), channel, limit)
}

// freshRows are the next rows in the order of people that were never dispatched, and moves the cursor over them.
func (t *tx) freshRows(c notify.Campaign, channel notify.Channel, limit int) ([]waitingRow, error) {
	column := cursorColumn(channel)
	var cursor, planned int64
	if err := t.row(`SELECT `+column+`, plan_cursor FROM campaigns WHERE id = $1`, c.ID).Scan(&cursor, &planned); err != nil {
		return nil, err
	}
	if cursor >= planned {
		return nil, nil
	}
	rows, err := t.waitingRows(`SELECT person_id, phone_idx, call_id FROM deliveries WHERE month = $1 AND campaign_id = $2
		AND person_id > $3 AND state = 'planned' AND lead AND wake_at = 0 AND channel = $4
		ORDER BY person_id LIMIT $5`, c.Month, c.ID, cursor, channel, limit)
	if err != nil {
		return nil, err
	}
	next := planned
	if len(rows) == limit {
		next = rows[len(rows)-1].personID
	}
	_, err = t.exec(`UPDATE campaigns SET `+column+` = $2 WHERE id = $1`, c.ID, next)
	return rows, err
}

func (t *tx) waitingRows(query string, args ...any) ([]waitingRow, error) {
	rows, err := t.query(query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []waitingRow
	for rows.Next() {
		var r waitingRow
		if err := rows.Scan(&r.personID, &r.phone, &r.previous); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// newCall is a call to be written.
type newCall struct {
	previous int64
	members  []member
}

// putIntoCalls writes the calls and marks their members queued.
func (t *tx) putIntoCalls(c notify.Campaign, channel notify.Channel, rows []waitingRow, now time.Time) ([]int64, error) {
	calls := splitIntoCalls(rows, notify.CallSize(c.Spec, channel))
	ids, err := t.insertCalls(keyOf(c), channel, calls, now)
	if err != nil {
		return nil, err
	}
	return ids, t.queueMembers(keyOf(c), notify.Dispatch, ids, calls, now)
}

// splitIntoCalls keeps a number from standing twice in one call: its receipts could not be told apart.
func splitIntoCalls(rows []waitingRow, size int) []newCall {
	var calls []newCall
	var numbers []map[string]bool
	first := 0 // calls before it are full
	for _, r := range rows {
		at := -1
		for i := first; i < len(calls); i++ {
			if len(calls[i].members) == size {
				if i == first {
					first++
				}
				continue
			}
			if calls[i].previous == r.previous && (r.phone == nil || !numbers[i][string(r.phone)]) {
				at = i
				break
			}
		}
		if at < 0 {
			at = len(calls)
			calls = append(calls, newCall{previous: r.previous})
			numbers = append(numbers, map[string]bool{})
		}
		calls[at].members = append(calls[at].members, r.member)
		numbers[at][string(r.phone)] = true
	}
	return calls
}

// insertCalls writes queued calls and returns their ids.
func (t *tx) insertCalls(key campaignKey, channel notify.Channel, calls []newCall, now time.Time) ([]int64, error) {
	first, err := t.ids("calls", len(calls))
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(calls))
	rows := make([][]any, len(calls))
	for i, c := range calls {
		ids[i] = first + int64(i)
		rows[i] = []any{
			ids[i], key.month, key.id, string(channel), string(notify.CallQueued), encodeMembers(c.members),
			c.previous, toMicros(now.Add(ringAgainAfter)), toMicros(now), toMicros(now),
		}
	}
	return ids, t.bulkInsert("calls", []string{
		"id", "month", "campaign_id", "channel", "state", "members",
		"previous_id", "wake_at", "created_at", "updated_at",
	}, rows)
}

// queueMembers moves the members of new calls to queued by an event: of a dispatch, a bisection or a requeue.
// A member who moved meanwhile (a late receipt) stays where they are: a call begins only with those queued in it.
func (t *tx) queueMembers(key campaignKey, event notify.DeliveryEvent, ids []int64, calls []newCall, now time.Time) error {
	for i, c := range calls {
		if _, err := t.move(key, event, peopleOf(c.members), "call_id = $4, wake_at = 0, updated_at = $5", ids[i], toMicros(now)); err != nil {
			return err
		}
	}
	return nil
}
