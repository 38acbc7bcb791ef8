package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lingjuli/lingjuli/notify"
)

// verdicts are those on the pushes that are kept, in their order.
func verdicts(t *testing.T, s *Store) (list []string) {
	t.Helper()
	err := s.read(t.Context(), "verdicts", func(tx *tx) error {
		return tx.each(`SELECT verdict FROM receipts ORDER BY id`, func(rows *sql.Rows) error {
			var v string
			err := rows.Scan(&v)
			list = append(list, v)
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// twoSent are two campaigns to the same three people, and the OutId of each.
func twoSent(t *testing.T, s *Store) (ids [2]int64, outs [2]string) {
	t.Helper()
	putOnFile(t, s, crowd(3)...)
	for n := range ids {
		p := &platform{}
		ids[n] = approved(t, s, nil)
		play(t, s, p, ids[n], quickRules(), finished)
		outs[n] = p.outIDs()[phoneOf(0)]
	}
	return ids, outs
}

// refuse makes the database refuse what is written of a campaign's calls, by a rule, or by PostgreSQL's code.
func refuse(t *testing.T, s *Store, id int64, code string) {
	t.Helper()
	if s.d == sqliteDialect {
		exec(t, s, fmt.Sprintf(`CREATE TRIGGER refuse BEFORE UPDATE ON calls WHEN NEW.campaign_id = %d BEGIN SELECT RAISE(ABORT, 'refused'); END`, id))
		return
	}
	exec(t, s, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '`+code+`'; END $$`)
	exec(t, s, fmt.Sprintf(`CREATE TRIGGER refuse BEFORE UPDATE ON calls FOR EACH ROW WHEN (NEW.campaign_id = %d) EXECUTE FUNCTION refuse()`, id))
}

func TestReceiptsThatCannotBeAppliedKeepNoOthersFromIt(t *testing.T) {
	for name, damage := range map[string]func(*testing.T, *Store, int64){
		"a row that makes us panic": func(t *testing.T, s *Store, id int64) {
			exec(t, s, `UPDATE calls SET marks = '-' WHERE campaign_id = $1`, id)
		},
		"rows that deny the call": func(t *testing.T, s *Store, id int64) {
			exec(t, s, `UPDATE deliveries SET call_id = 0 WHERE campaign_id = $1`, id)
		},
		"a rule of the database": func(t *testing.T, s *Store, id int64) { refuse(t, s, id, "23514") },
	} {
		t.Run(name, func(t *testing.T) {
			eachStore(t, func(t *testing.T, s *Store) {
				ids, outs := twoSent(t, s)
				damage(t, s, ids[0])
				const off = "MOBILE_NOT_ON_SERVICE"
				push(t, s, report(outs[1], phoneOf(0), "DELIVERED"))
				push(t, s, report(outs[0], phoneOf(1), off), report(outs[1], phoneOf(1), "DELIVERED"), report(outs[0], phoneOf(2), off))
				push(t, s, report(outs[0], phoneOf(0), off))
				push(t, s, report(outs[1], phoneOf(2), "DELIVERED"), report("67890", phoneOf(2), "DELIVERED"))
				more, err := s.ApplyReports(t.Context(), 0, 1000, notify.Judge)
				if !errors.Is(err, notify.ErrSetAside) || isOutside(err) {
					t.Fatal(more, err)
				}
				if text := err.Error(); strings.Count(text, "push ") != 2 || strings.Contains(text, string(phoneOf(1))) {
					t.Errorf("%v", err)
				}
				if got, want := verdicts(t, s), []string{"a", "eae", "e", "af"}; !slices.Equal(got, want) {
					t.Errorf("%q, want %q", got, want)
				}
				wantCounts(t, statusOf(t, s, ids[1]), map[string]int64{"delivered": 3})
				push(t, s, report(outs[1], phoneOf(2), "DELIVERED"))
				if more, err := s.ApplyReports(t.Context(), 0, 1000, notify.Judge); more || err != nil {
					t.Errorf("the next time: %v, %v", more, err)
				}
			})
		})
	}
}

func TestWhatLiesOutsideOfReceiptsLeavesThemWaiting(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		ids, outs := twoSent(t, s)
		for n := range outs {
			push(t, s, report(outs[n], phoneOf(0), "DELIVERED"))
		}
		waits := func(ctx context.Context, judge judgement) {
			t.Helper()
			_, err := s.ApplyReports(ctx, 0, 1000, judge)
			if err == nil || errors.Is(err, notify.ErrSetAside) {
				t.Error(err)
			}
			if got := verdicts(t, s); !slices.Equal(got, []string{"", ""}) {
				t.Errorf("%q", got)
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		waits(ctx, func(notify.Campaign, string) *notify.Halting { stop(); return nil })
		if s.d == postgresDialect {
			refuse(t, s, ids[0], "53100")
			waits(t.Context(), notify.Judge)
			exec(t, s, `DROP FUNCTION refuse CASCADE`)
		}
		applyAll(t, s)
		if got := verdicts(t, s); !slices.Equal(got, []string{"a", "a"}) {
			t.Errorf("%q", got)
		}
	})
}

func TestWhatLiesOutside(t *testing.T) {
	for _, at := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("3 rows are in it, its marks say 4"), false},
		{notify.ErrNoCampaign, false},
		{&pgconn.PgError{Code: "23505"}, false},
		{&pgconn.PgError{Code: "22P02"}, false},
		{&pgconn.PgError{Code: "25P02"}, false}, // an error before it was passed over
		{&pgconn.PgError{Code: "42703"}, false},
		{&pgconn.PgError{Code: "40P01"}, true},
		{&pgconn.PgError{Code: "53300"}, true},
		{&pgconn.PgError{Code: "25006"}, true},
		{&pgconn.PgError{Code: "XX001"}, true},
		{fmt.Errorf("take: %w", &pgconn.PgError{Code: "57P01"}), true},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, true},
		{driver.ErrBadConn, true},
		{fmt.Errorf("receive: %w", io.ErrUnexpectedEOF), true},
		{context.DeadlineExceeded, true},
	} {
		if got := isOutside(at.err); got != at.want {
			t.Errorf("%v: %v", at.err, got)
		}
	}
}
