package store

import (
	"database/sql"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// holdNotice puts off a code or an answer that the platform's limits for its number don't allow yet. It may expire meanwhile.
func (t *tx) holdNotice(id int64, now time.Time) error {
	var kind notify.Kind
	var sent []time.Time
	err := t.each(`SELECT q.kind, CASE WHEN o.settled_at > 0 THEN o.settled_at ELSE $3 END FROM outbox q
		JOIN outbox o ON o.phone_idx = q.phone_idx AND o.id <> q.id AND o.created_at > $2
			AND (o.kind = '`+string(notify.Verification)+`' AND q.kind = o.kind OR o.template_key = q.template_key)
		WHERE q.id = $1 AND q.state = 'queued' AND (o.platform_id <> '' OR o.state IN ('sending', 'unconfirmed'))`, func(rows *sql.Rows) error {
		var at int64
		if err := rows.Scan(&kind, &at); err != nil {
			return err
		}
		sent = append(sent, fromMicros(at))
		return nil
	}, id, toMicros(now.Add(-notify.LimitSpan-time.Hour)), toMicros(now))
	if err != nil {
		return fmt.Errorf("what its number had before notice %d: %w", id, err)
	}
	free := notify.TextFreeAt(sent, now)
	if kind == notify.Verification {
		free = notify.CodeFreeAt(sent, now)
	}
	if !free.After(now) {
		return nil
	}
	_, err = t.exec(`UPDATE outbox SET next_at = $2 WHERE id = $1 AND state = 'queued'`, id, toMicros(free))
	return err
}
