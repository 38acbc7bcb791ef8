package store

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

func purged(t *testing.T, s *Store, now time.Time) map[string]int64 {
	t.Helper()
	gone, err := s.Purge(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	return gone
}

func TestReceiptsAndRepliesGoWhenTheyWereAppliedAndHadTheirTime(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		now := time.Now()
		for _, days := range []int{200, 100, 10} {
			at := now.Add(-time.Duration(days) * 24 * time.Hour)
			if err := s.StoreReports(t.Context(), []notify.Report{{OutID: "x", Phone: phoneOf(1)}}, at); err != nil {
				t.Fatal(err)
			}
			if err := s.StoreReplies(t.Context(), []notify.ReplySMS{{Phone: phoneOf(1)}}, at); err != nil {
				t.Fatal(err)
			}
		}
		exec(t, s, `INSERT INTO staff_sessions (token_hash, session, expires_at) VALUES ($1, $1, $2), ($3, $3, $4)`,
			[]byte{1}, toMicros(now.Add(-time.Second)), []byte{2}, toMicros(now.Add(time.Hour)))
		exec(t, s, `INSERT INTO staff_logins (name_key, failed, failed_at) VALUES ('a', 1, $1), ('b', 1, $2)`, toMicros(now.Add(-31*aDay)), toMicros(now))
		if n := purged(t, s, now)["receipts"]; n != 0 {
			t.Errorf("%d receipts went that nobody had applied", n)
		}
		exec(t, s, `UPDATE receipts SET applied_at = received_at`)
		purged(t, s, now)
		for query, want := range map[string]int{
			"receipts WHERE kind <> 'reply'": 1, "receipts WHERE kind = 'reply'": 2, "staff_sessions": 1, "staff_logins": 1,
		} {
			if n := count(t, s, "SELECT COUNT(*) FROM "+query); n != want {
				t.Errorf("%s: %d rows, want %d", query, n, want)
			}
		}
	})
}

func TestAPurgeOfManyRowsLetsOthersWriteInBetween(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		const many = 20_000
		old := toMicros(time.Now().Add(-100 * aDay))
		err := s.write(t.Context(), "many", func(tx *tx) error {
			rows := make([][]any, many)
			for i := range rows {
				rows[i] = []any{int64(i + 1), receiptReport, []byte(strings.Repeat("x", 400)), old, old}
			}
			return tx.bulkInsert("receipts", []string{"id", "kind", "body", "received_at", "applied_at"}, rows)
		})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan map[string]int64, 1)
		go func() { gone, _ := s.Purge(t.Context(), time.Now()); done <- gone }()
		var waited []time.Duration
		for {
			began := time.Now()
			if err := s.write(t.Context(), "beside it", func(tx *tx) error { _, err := tx.ids("beside", 1); return err }); err != nil {
				t.Fatal(err)
			}
			waited = append(waited, time.Since(began))
			select {
			case gone := <-done:
				if gone["receipts"] != many {
					t.Errorf("%d went, want %d", gone["receipts"], many)
				}
				if len(waited) < 4 { // one, and one more where all went at once
					t.Errorf("only %d others could write meanwhile", len(waited))
				}
				t.Logf("%d others wrote meanwhile, the slowest in %v", len(waited), slices.Max(waited))
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
}

func TestEveryRetentionFindsItsRowsByAnIndex(t *testing.T) {
	t.Parallel()
	s := openReady(t, templates().SQLite(t))
	for _, r := range Retentions() {
		if small := r.Table == "identity_checks" || r.Table == "wishes"; r.scans && small {
			continue // only of those who asked; read through once an hour
		}
		due := `SELECT 1 FROM ` + r.Table + ` WHERE ` + r.since + ` <= 1`
		var id, parent, unused int
		var plan string
		if err := s.reader.QueryRowContext(t.Context(), "EXPLAIN QUERY PLAN "+due).Scan(&id, &parent, &unused, &plan); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(plan, "SEARCH ") {
			t.Errorf("%s: %s", r.Table, plan)
		}
	}
}

func TestOldIdentityChecksAndSettledMattersGoAndWhatStillHoldsStays(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		now := time.Now()
		ago := func(d time.Duration) int64 { return toMicros(now.Add(-d)) }
		const insert = `INSERT INTO identity_checks (subject_idx, wrong, wrong_at, locked_until, sent_at, hour_from) VALUES ($1, 1, $2, $3, $4, $5)`
		exec(t, s, insert, []byte("old"), ago(30*aDay), 0, ago(25*time.Hour), ago(26*time.Hour))
		exec(t, s, insert, []byte("asked and left"), 0, 0, 0, 0)
		exec(t, s, insert, []byte("wrong today"), ago(time.Hour), 0, ago(30*aDay), ago(30*aDay))
		exec(t, s, insert, []byte("locked"), ago(30*aDay), ago(-time.Minute), ago(30*aDay), ago(30*aDay))
		exec(t, s, insert, []byte("sent today"), 0, 0, ago(time.Hour), 0)
		exec(t, s, insert, []byte("counts today"), 0, 0, 0, ago(time.Hour))
		for i, w := range []struct {
			state   string
			settled int64
		}{{"open", 0}, {"answered", ago(181 * aDay)}, {"closed", ago(181 * aDay)}, {"answered", ago(179 * aDay)}} {
			exec(t, s, `INSERT INTO wishes (id, channel, who_idx, topic, words, state, at, settled_at) VALUES ($1, 'wechat', $2, 'human', $2, $3, $4, $5)`,
				i+1, []byte{1}, w.state, ago(400*aDay), w.settled)
		}
		gone := purged(t, s, now)
		if gone["identity_checks"] != 2 || gone["wishes"] != 2 {
			t.Errorf("%v", gone)
		}
		if n := count(t, s, `SELECT COUNT(*) FROM identity_checks WHERE subject_idx IN ($1, $2)`, []byte("old"), []byte("asked and left")); n != 0 {
			t.Errorf("%d old checks are left", n)
		}
		if n := count(t, s, `SELECT COUNT(*) FROM wishes WHERE id IN (1, 4)`); n != 2 {
			t.Errorf("%d of the two matters that stay", n)
		}
	})
}

func TestThePageSaysOfEachTableHowLongItIsKept(t *testing.T) {
	page, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range Retentions() {
		row := "\n| `" + r.Table + "`"
		if r.What != "" {
			row += ": " + r.What
		}
		_, rest, ok := strings.Cut(string(page), row)
		line, _, _ := strings.Cut(rest, "\n")
		days := fmt.Sprint(int(r.Keep/aDay), " days")
		if !ok || r.Keep > aDay && !strings.Contains(line, days) {
			t.Errorf("%s %s, %s: the page says %q", r.Table, r.What, days, line)
		}
	}
}
