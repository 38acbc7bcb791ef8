package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// ringAgainAfter is how long a queued call waits for the bell before the sweeper rings again.
const ringAgainAfter = 12 * time.Second

// dispatchBatch is how many rows one transaction puts into calls.
const dispatchBatch = 1000

// Dispatch gives calls of one channel their turn, as long as fewer than maxOpen of them wait, and returns those to ring
// for: first new ones of the rows that came back, then those that the plan made. more: there may be more.
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
	err = t.row(`SELECT EXISTS (SELECT 1 FROM calls WHERE campaign_id = $1 AND channel = $2 AND state = 'planned' AND wake_at <= $3)
		OR EXISTS (SELECT 1 FROM deliveries WHERE campaign_id = $1 AND wake_at > 0 AND wake_at <= $3 AND channel = $2)`,
		campaignID, channel, toMicros(now)).Scan(&waits)
	return waits, err
}

func (t *tx) dispatch(c notify.Campaign, channel notify.Channel, now time.Time, maxOpen int) ([]int64, bool, error) {
	var open int
	// Both conditions on the state: SQLite takes the partial index only where its own stands in the query.
	err := t.row(`SELECT count(*) FROM calls WHERE campaign_id = $1 AND channel = $2 AND state IN ('queued', 'sending', 'unconfirmed') AND state <> 'unconfirmed'`,
		c.ID, channel).Scan(&open)
	if err != nil || open >= maxOpen {
		return nil, false, err
	}
	room := maxOpen - open
	limit := min(dispatchBatch, room*notify.CallSize(c.Spec, channel))
	rows, err := t.dueRows(c, channel, now, limit)
	if err != nil {
		return nil, false, err
	}
	ids, err := t.putIntoCalls(c, channel, rows, now)
	if err != nil || len(ids) >= room {
		return ids, true, err
	}
	planned, err := t.idsOf(`UPDATE calls SET state = 'queued', wake_at = $4, updated_at = $3
		WHERE id IN (SELECT id FROM calls WHERE campaign_id = $1 AND channel = $2 AND state = 'planned' AND wake_at <= $3 ORDER BY id LIMIT $5)
			AND state = 'planned' RETURNING id`, c.ID, channel, toMicros(now), toMicros(now.Add(ringAgainAfter)), room-len(ids))
	slices.Sort(planned)
	return append(ids, planned...), len(rows) == limit, err
}

// HoldCalls notes until when the calls that the plan made for a channel may not go.
func (s *Store) HoldCalls(ctx context.Context, campaignID int64, channel notify.Channel, until time.Time) error {
	const of = ` WHERE campaign_id = $1 AND channel = $2 AND state = 'planned' AND wake_at <> $3`
	op := fmt.Sprintf("store: hold calls of campaign %d", campaignID)
	some := false
	err := s.read(ctx, op, func(t *tx) error {
		return t.row(`SELECT EXISTS (SELECT 1 FROM calls`+of+`)`, campaignID, channel, toMicros(until)).Scan(&some)
	})
	if err != nil || !some {
		return err
	}
	return s.write(ctx, op, func(t *tx) error {
		_, err := t.exec(`UPDATE calls SET wake_at = $3`+of, campaignID, channel, toMicros(until))
		return err
	})
}

// waitingRow is a planned row that may be put into a call.
type waitingRow struct {
	member
	previous int64
	shared   bool
}

// dueRows are rows that came back and whose time has come. Those of one former call stay together.
func (t *tx) dueRows(c notify.Campaign, channel notify.Channel, now time.Time, limit int) ([]waitingRow, error) {
	return t.waitingRows(`SELECT person_id, phone_idx, call_id, shared FROM deliveries WHERE month = $1 AND campaign_id = $2
		AND wake_at > 0 AND wake_at <= $3 AND state = 'planned' AND lead AND channel = $4
		ORDER BY wake_at, call_id, person_id LIMIT $5`, c.Month, c.ID, toMicros(now), channel, limit)
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
		if err := rows.Scan(&r.personID, &r.phone, &r.previous, &r.shared); err != nil {
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
	state    notify.CallState
	wake     time.Time
	shared   bool
	numbers  int64 // the version of numbers on file at which it was made
	marks    string
}

// putIntoCalls makes queued calls of waiting rows.
func (t *tx) putIntoCalls(c notify.Campaign, channel notify.Channel, rows []waitingRow, now time.Time) ([]int64, error) {
	return t.queueCalls(keyOf(c), channel, notify.Dispatch, splitIntoCalls(rows, notify.CallSize(c.Spec, channel)), now)
}

// queueCalls folds rows that wait into new queued calls, by an event, and returns the calls' ids.
func (t *tx) queueCalls(key campaignKey, channel notify.Channel, event notify.DeliveryEvent, calls []newCall, now time.Time) ([]int64, error) {
	if len(calls) == 0 {
		return nil, nil
	}
	first, err := t.newIDs("calls", len(calls))
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(calls))
	for i := range calls {
		ids[i] = first + int64(i)
		calls[i].state, calls[i].wake, calls[i].numbers = notify.CallQueued, now.Add(ringAgainAfter), -1
		if calls[i].marks, err = t.fold(key, event, ids[i], calls[i].members, now); err != nil {
			return nil, err
		}
	}
	return ids, t.insertCalls(key, channel, ids, calls, now)
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
		calls[at].shared = calls[at].shared || r.shared
		numbers[at][string(r.phone)] = true
	}
	return calls
}

// insertCalls writes calls.
func (t *tx) insertCalls(key campaignKey, channel notify.Channel, ids []int64, calls []newCall, now time.Time) error {
	rows := make([][]any, len(calls))
	for i, c := range calls {
		rows[i] = []any{
			ids[i], key.month, key.id, string(channel), string(c.state), encodeMembers(c.members), c.marks, c.shared, c.numbers,
			c.previous, toMicros(c.wake), toMicros(now), toMicros(now),
		}
	}
	return t.bulkInsert("calls", []string{
		"id", "month", "campaign_id", "channel", "state", "members", "marks", "shared", "numbers",
		"previous_id", "wake_at", "created_at", "updated_at",
	}, rows)
}
