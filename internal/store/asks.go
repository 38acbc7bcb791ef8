package store

import (
	"context"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// SilentCalls takes accepted texts whose time has come, as DueCalls takes the others.
func (s *Store) SilentCalls(ctx context.Context, limit int, hold time.Duration) (list []notify.Call, now time.Time, err error) {
	return s.takeDue(ctx, `state = 'accepted' AND channel = 'sms'`, limit, hold)
}

// UnheardNumbers gives the numbers of those whom an accepted call went to and of whom no receipt came, of those whose
// number is still the same: members in the call, and those who left it while it was unanswered and came back.
func (s *Store) UnheardNumbers(ctx context.Context, callID int64) (numbers []register.Phone, err error) {
	err = s.read(ctx, fmt.Sprintf("store: unheard numbers of call %d", callID), func(t *tx) error {
		numbers = nil
		c, err := scanCall(t.row(`SELECT `+callColumns+` FROM calls WHERE id = $1`, callID))
		if err != nil || c.state != notify.CallAccepted {
			return err
		}
		unheard := c.in()
		if left := c.left(); len(left) > 0 {
			back, err := t.idsOf(`SELECT person_id FROM deliveries WHERE month = $1 AND campaign_id = $2 AND `+t.amongRows("person_id", 3)+`
				AND call_id = $4 AND state = 'accepted'`, c.key.month, c.key.id, t.idList(left), c.id)
			if err != nil {
				return err
			}
			unheard = append(unheard, back...)
		}
		numbers, err = t.numbersOf(membersAmong(c.members, unheard))
		return err
	})
	return numbers, err
}

// ApplyFound keeps what a carrier answered about messages as receipts that were pushed, and applies them at once: whoever
// asked goes by them. Beside ApplyReports it needs no order: the first word on a message holds.
func (s *Store) ApplyFound(ctx context.Context, found []notify.Report, judge judgement) error {
	id, err := s.receipts.take(ctx, s, 1)
	if err != nil {
		return err
	}
	var why error
	err = s.write(ctx, "store: apply what was found", func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		body := s.keys.Seal(packReports(found), "receipts", "body", id)
		if _, err := t.exec(`INSERT INTO receipts (id, kind, body, received_at) VALUES ($1, $2, $3, $4)`, id, receiptPush, body, toMicros(now)); err != nil {
			return err
		}
		why, err = t.applyAndMark(&pushed{id: id, reports: found}, now, judge)
		return err
	})
	if err == nil && why != nil {
		err = setAside(id, why)
	}
	return err
}

// WakeAccepted says when to come back to an accepted call.
func (s *Store) WakeAccepted(ctx context.Context, callID int64, at time.Time) error {
	return s.execAlone(ctx, fmt.Sprintf("store: wake call %d", callID), `UPDATE calls SET wake_at = $2 WHERE id = $1 AND state = 'accepted'`, callID, toMicros(at))
}
