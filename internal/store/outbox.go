package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// Queue implements turn.Outbox.
func (t *turnTx) Queue(m turn.Message) (int64, error) { return t.queueNotice(m, time.Time{}) }

// queueNotice queues an SMS that goes no sooner than from.
func (t *tx) queueNotice(m turn.Message, from time.Time) (int64, error) {
	id, err := t.newID("outbox")
	if err != nil {
		return 0, err
	}
	params, err := json.Marshal(m.Params)
	if err != nil {
		return 0, fmt.Errorf("queue a message: %w", err)
	}
	_, err = t.exec(`INSERT INTO outbox (id, kind, template_key, phone, phone_idx, params, person_id, created_at, expires_at, next_at, state)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'queued')`,
		id, string(m.Kind), m.Template, t.keys.Seal([]byte(m.Phone), "outbox", "phone", id), t.keys.Index("phone", string(m.Phone)),
		t.keys.Seal(params, "outbox", "params", id), sql.NullInt64{Int64: m.PersonID, Valid: m.PersonID != 0},
		toMicros(m.At), toMicros(m.Expires), toMicros(from))
	if err != nil {
		return 0, fmt.Errorf("queue a message: %w", err)
	}
	return id, nil
}

// NoticeWaits implements notify.Notices.
func (s *Store) NoticeWaits(ctx context.Context, id int64) (kind notify.Kind, err error) {
	err = s.read(ctx, fmt.Sprintf("store: whether notice %d waits", id), func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		err = t.row(`SELECT kind FROM outbox WHERE id = $1 AND state = 'queued' AND next_at <= $2 AND expires_at > $2`, id, toMicros(now)).Scan(&kind)
		if errors.Is(err, sql.ErrNoRows) {
			return notify.ErrNoNotice
		}
		return err
	})
	return kind, err
}

// ClaimNotice implements notify.Notices.
func (s *Store) ClaimNotice(ctx context.Context, id int64, outID string, lease time.Duration) (n notify.Notice, err error) {
	claimed := false
	err = s.write(ctx, "store: claim a notice", func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		// An answer and a place are announced by day, or later: the number may have come into doubt since.
		_, err = t.exec(`UPDATE outbox SET state = 'expired', settled_at = $2, params = '' WHERE id = $1 AND state = 'queued' AND (expires_at <= $2 OR template_key IN ($3, $4)
			AND EXISTS (SELECT 1 FROM phone_doubts d WHERE d.phone_idx = outbox.phone_idx AND d.person_id = outbox.person_id))`,
			id, toMicros(now), turn.AnswerWaits, turn.PlaceCameFree)
		if err != nil {
			return err
		}
		if err := t.holdNotice(id, now); err != nil {
			return err
		}
		n, err = t.claimNotice(id, outID, now, lease)
		claimed = err == nil
		if errors.Is(err, sql.ErrNoRows) {
			return nil // what has expired stays written down
		}
		return err
	})
	if err == nil && !claimed {
		err = fmt.Errorf("claim notice %d: %w", id, notify.ErrNoNotice)
	}
	return n, err
}

func (t *tx) claimNotice(id int64, outID string, now time.Time, lease time.Duration) (notify.Notice, error) {
	n := notify.Notice{ID: id, OutID: outID}
	var phone, params []byte
	var person sql.NullInt64
	var created, expires int64
	err := t.row(`UPDATE outbox SET state = 'sending', lease_until = $3, out_id = $4, tries = tries + 1
		WHERE id = $1 AND state = 'queued' AND next_at <= $2
		RETURNING kind, template_key, phone, params, person_id, created_at, expires_at, tries`,
		id, toMicros(now), toMicros(now.Add(lease)), outID).
		Scan(&n.Kind, &n.TemplateKey, &phone, &params, &person, &created, &expires, &n.Tries)
	if err != nil {
		return n, err
	}
	plain, err := t.keys.Open(phone, "outbox", "phone", id)
	if err != nil {
		return n, err
	}
	n.Phone = register.Phone(plain)
	if plain, err = t.keys.Open(params, "outbox", "params", id); err != nil {
		return n, err
	}
	if err := json.Unmarshal(plain, &n.Params); err != nil {
		return n, fmt.Errorf("read notice %d: %w", id, err)
	}
	n.PersonID, n.CreatedAt, n.ExpiresAt = person.Int64, fromMicros(created), fromMicros(expires)
	return n, nil
}

// SettleNotice implements notify.Notices. What will not be sent again loses its values: a code is not kept.
func (s *Store) SettleNotice(ctx context.Context, id int64, as notify.Settlement) error {
	return s.write(ctx, "store: settle a notice", func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		from := ""
		for i, state := range as.State.From() {
			if i > 0 {
				from += ", "
			}
			from += "'" + string(state) + "'"
		}
		if from == "" || as.State == notify.NoticeSending {
			return fmt.Errorf("notice %d to %s: %w", id, as.State, notify.ErrNoNotice)
		}
		forget := ""
		if as.State != notify.NoticeQueued {
			forget = `, params = ''`
		}
		moved, err := t.exec(`UPDATE outbox SET state = $2, code = $3, lease_until = 0, next_at = $5, settled_at = $6,
			platform_id = CASE WHEN $4 = '' THEN platform_id ELSE $4 END, segments = CASE WHEN $7 = 0 THEN segments ELSE $7 END`+forget+`
			WHERE id = $1 AND state IN (`+from+`)`,
			id, string(as.State), as.Code, as.PlatformID, toMicros(retryAt(now, as.RetryIn)), toMicros(now), as.Segments)
		if err != nil {
			return err
		}
		if moved == 0 {
			return fmt.Errorf("notice %d to %s: %w", id, as.State, notify.ErrNoNotice)
		}
		return nil
	})
}

// WaitingNotices implements notify.Notices. Where nothing is late or lost it only reads: a sweeper asks every second.
func (s *Store) WaitingNotices(ctx context.Context, limit int) (ids []int64, err error) {
	late := false
	err = s.read(ctx, "store: waiting notices", func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		err = t.row(`SELECT EXISTS (SELECT 1 FROM outbox WHERE state IN ('queued', 'sending')
			AND (state = 'queued' AND expires_at <= $1 OR state = 'sending' AND lease_until <= $1))`, toMicros(now)).Scan(&late)
		if err != nil {
			return err
		}
		rows, err := t.query(`SELECT id FROM outbox WHERE state IN ('queued', 'sending') AND state = 'queued' AND next_at <= $1 AND expires_at > $1
			ORDER BY kind <> '`+string(notify.Verification)+`', id LIMIT $2`, toMicros(now), limit)
		if err != nil {
			return err
		}
		ids, err = scanIDs(rows)
		return err
	})
	if err != nil || !late {
		return ids, err
	}
	return ids, s.sweepNotices(ctx)
}

func (s *Store) sweepNotices(ctx context.Context) error {
	return s.write(ctx, "store: sweep notices", func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		_, err = t.exec(`UPDATE outbox SET state = 'expired', settled_at = $1, params = ''
			WHERE state IN ('queued', 'sending') AND state = 'queued' AND expires_at <= $1`, toMicros(now))
		if err != nil {
			return err
		}
		_, err = t.exec(`UPDATE outbox SET state = 'unconfirmed', lease_until = 0, settled_at = $1, params = ''
			WHERE state IN ('queued', 'sending') AND state = 'sending' AND lease_until <= $1`, toMicros(now))
		return err
	})
}

// retryAt is the moment, by the database's clock, after a pause; zero where there is none.
func retryAt(now time.Time, pause time.Duration) time.Time {
	if pause == 0 {
		return time.Time{}
	}
	return now.Add(pause)
}

// applyToNotice settles a notice by its receipt.
func (t *tx) applyToNotice(id int64, r notify.Report, now time.Time) (verdict byte, err error) {
	state := notify.NoticeFailed
	switch {
	case r.Unclear:
		state = notify.NoticeAccepted
	case r.Delivered:
		state = notify.NoticeDelivered
	}
	var went int64
	if saysBlacklisted(r) { // late word weighs less than a code that has arrived since
		err := t.row(`SELECT COALESCE(max(CASE WHEN settled_at > 0 THEN settled_at ELSE created_at END), 0) FROM outbox WHERE id = $1`, id).Scan(&went)
		if err != nil {
			return verdictUnknown, err
		}
	}
	n, err := t.exec(`UPDATE outbox SET state = $2, code = $3, settled_at = $5, lease_until = 0, params = '' WHERE id = $1 AND phone_idx = $4 AND state IN (`+quoted(state.From())+`)`,
		id, state, r.ErrCode, t.keys.Index("phone", string(r.Phone)), toMicros(now))
	if err != nil || n == 0 {
		return verdictUnknown, err
	}
	number := t.keys.Index(phoneDomain, string(r.Phone))
	switch {
	case saysInvalid(r):
		err = t.doubtReported([][]byte{number}, now)
	case saysBlacklisted(r):
		err = t.blacklist([][]byte{number}, went)
	case r.Delivered:
		err = t.offBlacklist(number)
	}
	return verdictApplied, err
}
