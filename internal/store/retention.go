package store

import (
	"context"
	"fmt"
	"time"
)

const aDay = 24 * time.Hour

// Retention is how long rows of a table are kept. docs/operating.md has the same list, with the reasons.
type Retention struct {
	Table string
	What  string // of its rows, where not all; also tells two lines of one table apart
	Keep  time.Duration

	key   string // its primary key
	since string // the column that the time counts from, indexed
	only  string // SQL condition, "" for all rows
	scans bool   // since has no index: the table is read through, until enough rows are found
}

// Retentions lists what is deleted after a time. What isn't here is kept: people and what was done for them, campaigns with
// their rows, and the audit, which nobody can delete from.
func Retentions() []Retention {
	return []Retention{
		{Table: "sessions", key: "channel, who_idx", since: "expires_at"},
		{Table: "codes", Keep: time.Hour, key: "openid_idx", since: "expires_at"},
		{Table: "identity_checks", Keep: aDay, key: "subject_idx", since: latestOf("wrong_at", "locked_until", "sent_at", "hour_from"), scans: true},
		{Table: "doorsteps", Keep: 180 * aDay, key: "id", since: "expires_at"},
		{Table: "inbound", Keep: aDay, key: "key", since: "at"},
		{Table: "turns", Keep: 180 * aDay, key: "channel, who_idx, at", since: "at"},
		{Table: "letters", Keep: 180 * aDay, key: "id", since: "created_at", only: "state NOT IN ('queued', 'sending')"},
		{Table: "wishes", Keep: 180 * aDay, key: "id", since: "settled_at", only: "state <> 'open' AND settled_at > 0", scans: true},
		{Table: "outbox", Keep: 180 * aDay, key: "id", since: "created_at", only: "state NOT IN ('queued', 'sending')"},
		{Table: "receipts", What: "reports", Keep: 90 * aDay, key: "id", since: "received_at", only: "applied_at > 0 AND kind <> 'reply'"},
		{Table: "receipts", What: "replies", Keep: 180 * aDay, key: "id", since: "received_at", only: "applied_at > 0 AND kind = 'reply'"},
		{Table: "blacklisted", Keep: 180 * aDay, key: "phone_idx", since: "at"},
		{Table: "staff_sessions", key: "token_hash", since: "expires_at"},
		{Table: "staff_logins", Keep: 30 * aDay, key: "name_key", since: "failed_at"},
	}
}

// latestOf is the SQL of the latest of some times: GREATEST and SQLite's max have no name in common.
func latestOf(first string, others ...string) string {
	for _, next := range others {
		first = `CASE WHEN ` + next + ` > ` + first + ` THEN ` + next + ` ELSE ` + first + ` END`
	}
	return `(` + first + `)`
}

// A purge takes its rows in portions, each in a transaction of its own; one that took long is followed by a smaller one, so
// that others never wait for the write lock.
const (
	purgeMost  = 1000
	purgeLeast = 20
	purgeLong  = 50 * time.Millisecond
)

// Purge ends the proxies whose time is over, deletes what has had its time and returns how many rows of each table went. Several processes may purge at once.
func (s *Store) Purge(ctx context.Context, now time.Time) (map[string]int64, error) {
	gone := map[string]int64{}
	if err := s.write(ctx, "store: end late proxies", func(t *tx) error { return t.endLateProxies(now) }); err != nil {
		return gone, err
	}
	if err := s.write(ctx, "store: end letters that nobody came for", func(t *tx) error { return t.endLateLetters(now) }); err != nil {
		return gone, err
	}
	portion := 5 * purgeLeast
	for _, r := range Retentions() {
		for {
			began := time.Now()
			n, err := s.purgeSome(ctx, r, now.Add(-r.Keep), portion)
			if err != nil {
				return gone, err
			}
			gone[r.Table] += n
			if n < int64(portion) {
				break
			}
			if time.Since(began) > purgeLong {
				portion = max(portion/2, purgeLeast)
			} else {
				portion = min(portion*2, purgeMost)
			}
		}
	}
	return gone, nil
}

// purgeSome deletes at most limit rows, the oldest first where an index knows them.
func (s *Store) purgeSome(ctx context.Context, r Retention, before time.Time, limit int) (n int64, err error) {
	due := `FROM ` + r.Table + ` WHERE ` + r.since + ` <= $1`
	if r.only != "" {
		due += ` AND ` + r.only
	}
	found := false
	err = s.read(ctx, "store: look for old "+r.Table, func(t *tx) error {
		return t.row(`SELECT EXISTS (SELECT 1 `+due+`)`, toMicros(before)).Scan(&found)
	})
	if err != nil || !found {
		return 0, err
	}
	err = s.write(ctx, "store: purge "+r.Table, func(t *tx) error {
		if err := t.lockKey("purge"); err != nil {
			return err
		}
		some := due + ` ORDER BY ` + r.since + ` LIMIT $2`
		if r.scans {
			some = due + ` LIMIT $2`
		}
		n, err = t.exec(`DELETE FROM `+r.Table+` WHERE (`+r.key+`) IN (SELECT `+r.key+` `+some+`) AND `+r.since+` <= $1`, toMicros(before), limit)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("purge %s: %w", r.Table, err)
	}
	return n, nil
}
