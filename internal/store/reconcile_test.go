package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lingjuli/lingjuli/notify"
)

func TestADaysSegmentsAreThoseOfTheCallsThatWereTaken(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(250)...)
		p := &platform{}
		p.answer = func(call notify.Outgoing, n int) (notify.Answer, bool) {
			switch len(call.Members) {
			case 50:
				return notify.Answer{Outcome: notify.Refused, Verdict: notify.Halt, Code: "isv.X"}, false
			}
			return notify.Answer{Outcome: notify.Accepted}, true
		}
		id := approved(t, s, nil)
		play(t, s, p, id, quickRules(), func(st notify.Status) bool { return st.Accepted == 200 && st.State == notify.Halted })
		from, to := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		sent := func(want notify.SentSegments) {
			t.Helper()
			got, err := s.SentSegments(t.Context(), from, to)
			if err != nil || got != want {
				t.Errorf("%+v, want %+v: %v", got, want, err)
			}
		}
		sent(notify.SentSegments{Accepted: 200})
		exec(t, s, `UPDATE calls SET segments = 300 WHERE id = (SELECT min(id) FROM calls WHERE state = 'accepted')`)
		sent(notify.SentSegments{Accepted: 400})
		exec(t, s, `UPDATE calls SET segments = 0, state = 'unconfirmed' WHERE segments = 300`) // as an older version wrote it
		sent(notify.SentSegments{Accepted: 100, Unconfirmed: 100})
		from, to = from.Add(-time.Hour), from
		sent(notify.SentSegments{})
	})
}

func TestReceiptsOfADayAreGivenPageByPage(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		at := time.Now().Truncate(time.Second)
		var list []notify.Report
		for i := range reportPage + 7 {
			list = append(list, notify.Report{Channel: notify.SMS, OutID: "x", Phone: phoneOf(i), Segments: 2, SentAt: at})
		}
		if err := s.StoreReports(t.Context(), list, at); err != nil {
			t.Fatal(err)
		}
		if err := s.StoreReports(t.Context(), list[:1], at.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		n := 0
		err := s.EachReport(t.Context(), at, at.Add(time.Minute), func(r notify.Report) {
			if r.Phone != phoneOf(n) || r.Segments != 2 || !r.SentAt.Equal(at) {
				t.Errorf("receipt %d: %+v", n, r)
			}
			n++
		})
		if err != nil || n != len(list) {
			t.Errorf("%d receipts: %v", n, err)
		}
	})
}

func TestADayIsReconciledByOneAtATimeAndOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		claim := func(day string, lease time.Duration) bool {
			t.Helper()
			ours, err := s.ClaimReconciliation(t.Context(), day, 1, lease)
			if err != nil {
				t.Fatal(err)
			}
			return ours
		}
		if !claim("2026-11-22", time.Hour) || claim("2026-11-22", time.Hour) || !claim("2026-11-21", -time.Second) || !claim("2026-11-21", time.Hour) {
			t.Error("two are at one day, or nobody takes over from one that is gone")
		}
		want := notify.Reconciliation{Day: "2026-11-21", Age: 1, Ours: notify.DayCount{Total: 3}, Differences: []notify.Difference{}, At: time.Now().UTC().Truncate(time.Second)}
		if err := s.KeepReconciliation(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		if claim("2026-11-21", time.Hour) {
			t.Error("a day is reconciled twice")
		}
		got, err := s.LastReconciliations(t.Context(), 5)
		if diff := cmp.Diff([]notify.Reconciliation{want}, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
}
