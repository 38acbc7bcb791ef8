package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register/fictional"
	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/internal/store/storetest"
)

func TestWhoMovesUpHearsOfItByDayAndOnce(t *testing.T) {
	t.Run("by an import", func(t *testing.T) {
		movesUpByDay(t, func(_ *store.Store, imported func(kind, sheet string)) {
			imported("courses", courseOf(2))
		})
	})
	t.Run("by somebody who leaves", func(t *testing.T) {
		movesUpByDay(t, func(s *store.Store, _ func(kind, sheet string)) {
			who := turn.Who{Channel: turn.WeChat, ID: "o-1", Key: "leaves", At: time.Now()}
			err := s.Turn(t.Context(), who, func(tx turn.Tx) error { _, err := tx.LeaveCourse(1, 1); return err })
			if err != nil {
				t.Fatal(err)
			}
		})
	})
}

// courseOf is a sheet with a course of so many places.
func courseOf(places int) string {
	return fmt.Sprintf("培训名称,培训机构,地点,行政区划代码,开班日期,名额,联系电话\n电工班,云岭技校,洲心,441881000000,2099-01-02,%d,0763-3000031\n", places)
}

// movesUpByDay has two in a course of one place, the second of whom moves up.
func movesUpByDay(t *testing.T, movesUp func(s *store.Store, imported func(kind, sheet string))) {
	t.Helper()
	s := storetest.SQLite(t)
	imported := func(kind, sheet string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), kind+".csv")
		if err := os.WriteFile(path, []byte(sheet), 0o600); err != nil {
			t.Fatal(err)
		}
		if report, err := importFile(t.Context(), s, importRequest{kind: kind, path: path}); err != nil || report.Accepted+report.Updated == 0 {
			t.Fatalf("%+v: %v", report, err)
		}
	}
	people := "姓名,身份证号,手机号,行政区划代码\n"
	for i, name := range []string{"黄水生", "何春花"} {
		people += fmt.Sprintf("%s,%s,1390000000%d,441881000000\n", name, fictional.IDNumber("441881", "1980-01-02", i), i)
	}
	imported("people", people)
	imported("courses", courseOf(1))
	for person := int64(1); person <= 2; person++ {
		who := turn.Who{Channel: turn.WeChat, ID: fmt.Sprint("o-", person), Key: fmt.Sprint("k", person), At: time.Now()}
		err := s.Turn(t.Context(), who, func(tx turn.Tx) error { _, err := tx.SignUp(1, person); return err })
		if err != nil {
			t.Fatal(err)
		}
	}
	movesUp(s, imported)
	turns, err := newTurns(config{Zone: time.UTC}, s, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := func(hour int) *time.Location { // a zone in which it is that hour now
		return time.FixedZone("there", (hour-time.Now().UTC().Hour())*3600)
	}
	tell := func(zone *time.Location, wait time.Duration, want int) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		defer cancel()
		ended := make(chan struct{})
		go func() { defer close(ended); tellMovedUp(ctx, s, turns, zone, slog.New(slog.DiscardHandler)) }()
		for waiting := 0; waiting < max(1, want) && ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
			ids, err := s.WaitingNotices(t.Context(), 10)
			if err != nil {
				t.Fatal(err)
			}
			waiting = len(ids)
		}
		cancel()
		<-ended
	}
	tell(at(3), time.Second, 0)
	if ids, err := s.WaitingNotices(t.Context(), 10); err != nil || len(ids) != 0 {
		t.Fatalf("told at night: %v, %v", ids, err)
	}
	tell(at(12), time.Minute, 1)
	tell(at(12), time.Second, 2) // nobody is told twice
	ids, err := s.WaitingNotices(t.Context(), 10)
	if err != nil || len(ids) != 1 {
		t.Fatalf("%v, %v", ids, err)
	}
	n, err := s.ClaimNotice(t.Context(), ids[0], "out-1", time.Minute)
	if err != nil || n.PersonID != 2 || n.TemplateKey != "reply_moved_up" || n.Params["date"] != "2099/01/02" || n.Params["phone"] != "0763-3000031" {
		t.Errorf("%+v, %v", n, err)
	}
}
