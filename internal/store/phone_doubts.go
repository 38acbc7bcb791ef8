package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// A number passes from hand to hand. What makes us doubt that it is still that of somebody on file with it: a receipt
// that calls it invalid, or somebody on it who says that they are another. A doubted number hears nothing of that
// person, no campaign either, and gets no code of theirs; a township worker, who has asked, takes the doubt away.

// The reasons of a doubt.
const (
	doubtInvalid = "invalid"
	doubtSaid    = "said"
)

// invalidNumber is the receipt of a number that is nobody's.
const invalidNumber = "INVALID_NUMBER"

// doubt notes that a number may no longer be that of the people on file with it; personID 0: of all of them. What somebody says
// outweighs a receipt.
func (t *tx) doubt(phoneIdx []byte, personID int64, reason string, at time.Time) error {
	people, err := t.idsOf(`INSERT INTO phone_doubts (phone_idx, person_id, reason, at)
		SELECT p.phone_idx, p.id, $3, CAST($4 AS BIGINT) FROM people p WHERE p.phone_idx = $1 AND (p.id = $2 OR $2 = 0)
		ON CONFLICT (phone_idx, person_id) DO UPDATE SET reason = excluded.reason WHERE phone_doubts.reason = '`+doubtInvalid+`' RETURNING person_id`, phoneIdx, personID, reason, toMicros(at))
	if err = errors.Join(err, t.doubtsCame(people)); err != nil {
		return fmt.Errorf("doubt a number: %w", err)
	}
	return nil
}

// doubtsCame notes on people that their number is in doubt now; a campaign that has claimed a call to them looks again.
func (t *tx) doubtsCame(people []int64) error {
	if len(people) == 0 {
		return nil
	}
	return errors.Join(t.refreshOptedOut(people), t.outsChanged())
}

// saysInvalid: the receipt is that of a number that is nobody's.
func saysInvalid(r notify.Report) bool { return !r.Delivered && r.ErrCode == invalidNumber }

// doubtReported notes that numbers which receipts call invalid are in doubt, whoever is on file with them.
func (t *tx) doubtReported(numbers [][]byte, now time.Time) error {
	if len(numbers) == 0 {
		return nil
	}
	people, err := t.idsOf(`INSERT INTO phone_doubts (phone_idx, person_id, reason, at)
		SELECT p.phone_idx, p.id, $2, CAST($3 AS BIGINT) FROM people p WHERE `+t.amongBytes("p.phone_idx", 1)+`
		ON CONFLICT (phone_idx, person_id) DO NOTHING RETURNING person_id`, t.byteList(numbers), doubtInvalid, toMicros(now))
	if err = errors.Join(err, t.doubtsCame(people)); err != nil {
		return fmt.Errorf("doubt invalid numbers: %w", err)
	}
	return nil
}

func (t *tx) doubted(personID int64, phoneIdx []byte) (yes bool, err error) {
	err = t.row(`SELECT EXISTS (SELECT 1 FROM phone_doubts WHERE phone_idx = $1 AND person_id = $2)`, phoneIdx, personID).Scan(&yes)
	if err != nil {
		return false, fmt.Errorf("read the doubts about a number: %w", err)
	}
	return yes, nil
}

// undoubted is a number unless it may no longer be that of the person: then it is none.
func (t *tx) undoubted(personID int64, phone register.Phone) (register.Phone, error) {
	doubted, err := t.doubted(personID, t.keys.Index(phoneDomain, string(phone)))
	if err != nil || doubted {
		return "", err
	}
	return phone, nil
}

// DoubtPhone implements turn.People. What the number wants nothing of goes with the doubt, where a worker takes that away.
func (t *turnTx) DoubtPhone() error {
	n, err := t.exec(`INSERT INTO opt_outs (phone_idx, via, at) VALUES ($1, 'not_me', $2) ON CONFLICT (phone_idx) DO NOTHING`, t.idx, toMicros(t.who.At))
	if n > 0 {
		err = errors.Join(err, t.refreshOptedOutPhone(t.idx), t.outsChanged())
	}
	return errors.Join(err, t.doubt(t.idx, 0, doubtSaid, t.who.At))
}

// PhoneDoubt is why the number of somebody in a scope is doubted, "" where it isn't.
func (s *Store) PhoneDoubt(ctx context.Context, scope register.Scope, personID int64) (reason string, err error) {
	err = s.read(ctx, fmt.Sprintf("store: doubts about the number of person %d", personID), func(t *tx) error {
		return t.row(`SELECT COALESCE((SELECT d.reason FROM phone_doubts d JOIN people p ON p.id = d.person_id AND p.phone_idx = d.phone_idx
			WHERE `+inScope(1)+` AND p.id = $3), '')`, append(scopeArgs(scope), personID)...).Scan(&reason)
	})
	return reason, err
}

// TrustPhone takes the doubt away: a member of staff has asked; and, where somebody on the number said that they are
// another, that it wants nothing. register.ErrNotFound outside the scope, or where there is none.
func (s *Store) TrustPhone(ctx context.Context, scope register.Scope, personID int64, by staff.Entry) error {
	return s.write(ctx, fmt.Sprintf("store: trust the number of person %d", personID), func(t *tx) error {
		n, err := t.exec(`DELETE FROM phone_doubts WHERE person_id IN (SELECT p.id FROM people p WHERE `+inScope(1)+` AND p.id = $3)`, append(scopeArgs(scope), personID)...)
		if err != nil {
			return err
		}
		if n == 0 {
			return register.ErrNotFound
		}
		if err := t.trusted(personID); err != nil {
			return err
		}
		return t.audit(by)
	})
}

// trusted notes that the number somebody has is no longer in doubt. It wants what it wanted before the doubt.
func (t *tx) trusted(personID int64) error {
	var number []byte
	err := t.row(`SELECT phone_idx FROM people WHERE id = $1`, personID).Scan(&number)
	if err != nil || number == nil {
		return err
	}
	_, err = t.exec(`DELETE FROM opt_outs WHERE phone_idx = $1 AND via = 'not_me'`, number)
	return errors.Join(err, t.refreshOptedOutPhone(number))
}
