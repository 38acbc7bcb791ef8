package store

import (
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// holdCode puts off a code that the platform's limits for its number don't allow yet. It may expire meanwhile.
func (t *tx) holdCode(id int64, now time.Time) error {
	rows, err := t.query(`SELECT CASE WHEN o.settled_at > 0 THEN o.settled_at ELSE $3 END FROM outbox q
		JOIN outbox o ON o.phone_idx = q.phone_idx AND o.kind = '`+string(notify.Verification)+`' AND o.id <> q.id AND o.created_at > $2
		WHERE q.id = $1 AND q.kind = '`+string(notify.Verification)+`' AND q.state = 'queued'
			AND (o.platform_id <> '' OR o.state IN ('sending', 'unconfirmed'))`, id, toMicros(now.Add(-25*time.Hour)), toMicros(now))
	if err != nil {
		return fmt.Errorf("codes before notice %d: %w", id, err)
	}
	defer func() { _ = rows.Close() }()
	var sent []time.Time
	for rows.Next() {
		var at int64
		if err := rows.Scan(&at); err != nil {
			return err
		}
		sent = append(sent, fromMicros(at))
	}
	if err := rows.Err(); err != nil {
		return err
	}
	free := notify.CodeFreeAt(sent, now)
	if !free.After(now) {
		return nil
	}
	_, err = t.exec(`UPDATE outbox SET next_at = $2 WHERE id = $1 AND state = 'queued'`, id, toMicros(free))
	return err
}
