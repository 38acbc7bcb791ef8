package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// SentSegments counts the texts of calls and notices that went between two moments, in segments. One of which they
// weren't counted has one for each member.
func (s *Store) SentSegments(ctx context.Context, from, to time.Time) (sent notify.SentSegments, err error) {
	const perCall, perNotice = unitsOf, `CASE WHEN segments = 0 THEN 1 ELSE segments END`
	err = s.read(ctx, "store: segments of a day", func(t *tx) error {
		sent = notify.SentSegments{}
		return t.each(`SELECT taken, sum(n) FROM (
				SELECT state = 'accepted' AS taken, `+perCall+` AS n FROM calls
					WHERE channel = 'sms' AND begun_at >= $1 AND begun_at < $2 AND state IN ('accepted', 'sending', 'unconfirmed')
				UNION ALL SELECT state NOT IN ('sending', 'unconfirmed'), `+perNotice+` FROM outbox
					WHERE created_at >= $1 AND created_at < $2 AND (state IN ('accepted', 'delivered', 'sending', 'unconfirmed') OR state = 'failed' AND platform_id <> '')
			) AS sent GROUP BY taken`, func(rows *sql.Rows) error {
			var taken bool
			var n int64
			if err := rows.Scan(&taken, &n); err != nil {
				return err
			}
			if taken {
				sent.Accepted = n
			} else {
				sent.Unconfirmed = n
			}
			return nil
		}, toMicros(from), toMicros(to))
	})
	return sent, err
}

// reportPage is how many pushes of receipts are opened at a time, so that a day of a province stays out of memory.
const reportPage = 20

// EachReport gives the receipts that came between two moments, in their order, page by page. Those that can't be read
// are left out.
func (s *Store) EachReport(ctx context.Context, from, to time.Time, fn func(notify.Report)) error {
	var cursor int64
	for {
		var page []notify.Report
		n := 0
		err := s.read(ctx, "store: receipts of a day", func(t *tx) error {
			return t.each(`SELECT id, body FROM receipts WHERE `+ofReports+` AND received_at >= $1 AND received_at < $2 AND id > $3 ORDER BY id LIMIT $4`,
				func(rows *sql.Rows) error {
					var body []byte
					if err := rows.Scan(&cursor, &body); err != nil {
						return err
					}
					n++
					var together []notify.Report
					if plain, err := t.keys.Open(body, "receipts", "body", cursor); err == nil && openReports(plain, false, &together) == nil {
						page = append(page, together...)
					}
					return nil
				}, toMicros(from), toMicros(to), cursor, reportPage)
		})
		if err != nil {
			return err
		}
		for _, r := range page {
			fn(r)
		}
		if n < reportPage {
			return nil
		}
	}
}

// ClaimReconciliation says whether the caller is the one to reconcile a day: it isn't done, and nobody is at it.
func (s *Store) ClaimReconciliation(ctx context.Context, day string, age int, lease time.Duration) (ours bool, err error) {
	err = s.write(ctx, "store: claim the reconciliation of "+day, func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		n, err := t.exec(`INSERT INTO reconciliations (day, age, lease_until) VALUES ($1, $2, $3)
			ON CONFLICT (day, age) DO UPDATE SET lease_until = $3 WHERE reconciliations.done_at = 0 AND reconciliations.lease_until <= $4`,
			day, age, toMicros(now.Add(lease)), toMicros(now))
		ours = n == 1
		return err
	})
	return ours, err
}

// KeepReconciliation keeps the outcome, in place of an earlier one of the same day and age.
func (s *Store) KeepReconciliation(ctx context.Context, r notify.Reconciliation) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return s.write(ctx, "store: keep the reconciliation of "+r.Day, func(t *tx) error {
		_, err := t.exec(`INSERT INTO reconciliations (day, age, done_at, body) VALUES ($1, $2, $3, $4)
			ON CONFLICT (day, age) DO UPDATE SET done_at = $3, body = $4, lease_until = 0`, r.Day, r.Age, toMicros(r.At), string(body))
		return err
	})
}

// LastReconciliations gives the newest ones, at most limit.
func (s *Store) LastReconciliations(ctx context.Context, limit int) (list []notify.Reconciliation, err error) {
	err = s.read(ctx, "store: last reconciliations", func(t *tx) error {
		list = nil
		return t.each(`SELECT body FROM reconciliations WHERE done_at > 0 ORDER BY done_at DESC LIMIT $1`, func(rows *sql.Rows) error {
			var body string
			var r notify.Reconciliation
			if err := rows.Scan(&body); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(body), &r); err != nil {
				return err
			}
			list = append(list, r)
			return nil
		}, limit)
	})
	return list, err
}
