package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
)

func whoSays(i int) turn.Who {
	return turn.Who{Channel: turn.WeChat, ID: fmt.Sprint("o-", i), Key: fmt.Sprint("say ", i), At: time.Date(2026, 11, 23, 4, 0, i, 0, time.UTC)}
}

func closing(i int) turn.Closing {
	return turn.Closing{Expires: time.Date(2026, 11, 24, 4, 0, 0, 0, time.UTC), Session: []byte("s"), Reply: fmt.Append(nil, "r", i), Transcript: []byte("t")}
}

// openAndClose is the least of a turn.
func openAndClose(i int) func(turn.Tx) error {
	return func(tx turn.Tx) error {
		if _, err := tx.Open(); err != nil {
			return err
		}
		return tx.Close(closing(i))
	}
}

// kept says which of the turns 0 to n-1 left their reply.
func kept(t *testing.T, s *Store, n int) string {
	t.Helper()
	var list []string
	for i := range n {
		err := s.Turn(t.Context(), whoSays(i), func(tx turn.Tx) error {
			o, err := tx.Open()
			if len(o.Copy) > 0 {
				list = append(list, string(o.Copy))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return strings.Join(list, " ")
}

// atOnce runs so many turns while one holds the only lane, so that they go together. waits is how many of them wait.
func atOnce(t *testing.T, s *Store, n, waits int, each func(i int) error) []error {
	t.Helper()
	s.turns.lanes = 1
	var all sync.WaitGroup
	held, holding := make(chan struct{}), make(chan struct{})
	all.Go(func() {
		err := s.Turn(t.Context(), turn.Who{Channel: turn.WeChat, ID: "holds the lane", Key: "hold"}, func(turn.Tx) error {
			close(holding)
			<-held
			return nil
		})
		if err != nil {
			t.Errorf("hold the lane: %v", err)
		}
	})
	<-holding
	errs := make([]error, n)
	for i := range errs {
		all.Go(func() { errs[i] = each(i) })
	}
	for { // until all wait
		s.turns.mu.Lock()
		waiting := len(s.turns.waiting)
		s.turns.mu.Unlock()
		if waiting >= waits {
			break
		}
		runtime.Gosched()
	}
	close(held)
	all.Wait()
	return errs
}

func TestTurnsAtOnceAreKeptOrUndoneEachByItself(t *testing.T) {
	errOwn := errors.New("this turn's own error")
	eachStore(t, func(t *testing.T, s *Store) {
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		errs := atOnce(t, s, 40, 36, func(i int) error {
			ctx, fn := t.Context(), openAndClose(i)
			switch i % 10 {
			case 3:
				fn = func(tx turn.Tx) error { return errors.Join(openAndClose(i)(tx), errOwn) }
			case 5:
				ctx = gone
			case 7:
				fn = func(tx turn.Tx) error { _ = openAndClose(i)(tx); panic("own panic") }
				defer func() {
					if r := recover(); r != "own panic" {
						t.Errorf("turn %d: recovered %v", i, r)
					}
				}()
			}
			return s.Turn(ctx, whoSays(i), fn)
		})
		var want []string
		for i, err := range errs {
			switch i % 10 {
			case 3:
				if !errors.Is(err, errOwn) {
					t.Errorf("turn %d: %v", i, err)
				}
			case 5:
				if !errors.Is(err, context.Canceled) {
					t.Errorf("turn %d: %v", i, err)
				}
			case 7:
			default:
				if err != nil {
					t.Errorf("turn %d: %v", i, err)
				}
				want = append(want, fmt.Sprint("r", i))
			}
		}
		if got := kept(t, s, len(errs)); got != strings.Join(want, " ") {
			t.Fatalf("kept:   %s\nwanted: %s", got, strings.Join(want, " "))
		}
	})
}

func TestTurnsForWhichThereIsNoTimeGoWithTheNext(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		s.turns.hold = 0 // one at a time
		for i, err := range atOnce(t, s, 40, 40, func(i int) error { return s.Turn(t.Context(), whoSays(i), openAndClose(i)) }) {
			if err != nil {
				t.Errorf("turn %d: %v", i, err)
			}
		}
		if got := strings.Fields(kept(t, s, 40)); len(got) != 40 {
			t.Fatalf("kept %v", got)
		}
	})
}

// TestAPersonsInputsAtOnceComeOneAfterTheOther counts in the session, which is lost where two see the same one.
func TestAPersonsInputsAtOnceComeOneAfterTheOther(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		who := func(i int) turn.Who {
			w := whoSays(i)
			w.ID = fmt.Sprint("o-", i%4)
			return w
		}
		for i, err := range atOnce(t, s, 40, 40, func(i int) error {
			return s.Turn(t.Context(), who(i), func(tx turn.Tx) error {
				o, err := tx.Open()
				if err != nil {
					return err
				}
				c := closing(i)
				c.Session, c.Expires = append(o.Session, '+'), time.Date(2026, 11, 25, 4, 0, 0, 0, time.UTC)
				return tx.Close(c)
			})
		}) {
			if err != nil {
				t.Errorf("turn %d: %v", i, err)
			}
		}
		for i := range 4 {
			err := s.Turn(t.Context(), turn.Who{Channel: turn.WeChat, ID: fmt.Sprint("o-", i), Key: "look", At: whoSays(59).At}, func(tx turn.Tx) error {
				o, err := tx.Open()
				if len(o.Session) != 1+9 { // the first session is the letter s
					t.Errorf("person %d: %s", i, o.Session)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

// sayOf has somebody say one of nine things that leave something different.
func sayOf(ctx context.Context, s *Store, way string, i int) error {
	contacts := []turn.Contact{
		{Language: "yue-Hant", LanguageChosen: true, Follows: true, Scene: "441881", Elder: true, StatusDay: "2026-11-23", StatusUsed: 2, RepliesUsed: 3}, {},
	}
	w := whoSays(i)
	w.ID, w.Key, w.Window = fmt.Sprint(way, i), fmt.Sprint(way, i), turn.Window(i%3)
	return s.Turn(ctx, w, func(tx turn.Tx) error {
		if _, err := tx.Open(); err != nil {
			return err
		}
		c := closing(0)
		c.Contact = contacts[i%2]
		switch i {
		case 5:
			c.Session = nil
		case 6:
			c.Transcript = nil
		case 7:
			c.PersonID, c.Intent = 12, "check_medical"
		case 8:
			if err := tx.Forget(); err != nil {
				return err
			}
			c.Session, c.Transcript = nil, nil
		}
		return tx.Close(c)
	})
}

// onFile is what stands on file of somebody who said it.
func onFile(t *testing.T, s *Store, way string, i int) (text string) {
	t.Helper()
	idx := s.keys.Index("openid", fmt.Sprint(way, i))
	err := s.read(t.Context(), "look", func(t *tx) error {
		for _, q := range []string{
			`SELECT language, language_chosen, follows, scene, elder, status_day, status_used, replies_used, last_inbound_at, customer_left, customer_until,
				click_left, click_until FROM contacts WHERE who_idx = $1`,
			`SELECT updated_at, expires_at, length(body) FROM sessions WHERE who_idx = $1`,
			`SELECT at, person_id, intent, length(body) FROM turns WHERE who_idx = $1`,
		} {
			err := t.each(q, func(rows *sql.Rows) error {
				columns, err := rows.Columns()
				if err != nil {
					return err
				}
				into := make([]any, len(columns))
				for i := range into {
					into[i] = new(any)
				}
				if err := rows.Scan(into...); err != nil {
					return err
				}
				for i := range into {
					text += fmt.Sprint(columns[i], "=", *into[i].(*any), " ")
				}
				return nil
			}, idx)
			if err != nil {
				return err
			}
		}
		var reply []byte
		err := t.row(`SELECT reply FROM inbound WHERE key = $1`, fmt.Sprint(way, i)).Scan(&reply)
		text += fmt.Sprint("reply ", len(reply))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestATurnLeavesTheSameWithOthersAsAlone compares what is on file of people who say the same in both ways.
func TestATurnLeavesTheSameWithOthersAsAlone(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		for i := range 9 {
			if err := sayOf(t.Context(), s, "alone", i); err != nil {
				t.Fatal(err)
			}
		}
		for i, err := range atOnce(t, s, 9, 9, func(i int) error { return sayOf(t.Context(), s, "with others", i) }) {
			if err != nil {
				t.Errorf("turn %d: %v", i, err)
			}
		}
		for i := range 9 {
			if alone, others := onFile(t, s, "alone", i), onFile(t, s, "with others", i); alone != others || !strings.Contains(alone, "reply ") {
				t.Errorf("turn %d\nalone:       %s\nwith others: %s", i, alone, others)
			}
		}
	})
}

func TestATurnWithoutAnEndIsKeptAndOneThatFailsLeavesTheConnectionClean(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		for i := range 50 { // more than there are connections
			err := s.Turn(t.Context(), whoSays(i), func(tx turn.Tx) error {
				if _, err := tx.Open(); err != nil {
					return err
				}
				if err := tx.OptOut(0); err != nil {
					return err
				}
				if i%2 == 1 {
					_, err := tx.(*turnTx).exec("NONSENSE")
					return err
				}
				return nil
			})
			if (err != nil) != (i%2 == 1) {
				t.Fatalf("turn %d: %v", i, err)
			}
		}
		var out int
		err := s.read(t.Context(), "count", func(t *tx) error { return t.row(`SELECT COUNT(*) FROM opt_outs`).Scan(&out) })
		if err != nil || out != 25 {
			t.Fatalf("%d, %v", out, err)
		}
	})
}

func TestStatementsThatChangeRowsGoAsOne(t *testing.T) {
	list := merged([]statement{
		{act: "begin", query: "begin"},
		{act: "a", query: "INSERT INTO a VALUES ($1, $2)", args: []any{1, 2}},
		{act: "b", query: "UPDATE b SET x = $2 WHERE y = $1", args: []any{3, 4}},
		{act: "c", query: "DELETE FROM c WHERE z = $10", args: []any{5}},
		{act: "commit", query: "commit"},
		{act: "d", query: "INSERT INTO d VALUES ($1)", args: []any{6}},
	})
	var got []string
	for _, s := range list {
		got = append(got, fmt.Sprint(s.act, ": ", s.query, " ", s.args))
	}
	want := []string{
		"begin: begin []",
		"a, b, c: WITH s0 AS (INSERT INTO a VALUES ($1, $2)), s1 AS (UPDATE b SET x = $4 WHERE y = $3) DELETE FROM c WHERE z = $14 [1 2 3 4 5]",
		"commit: commit []", "d: INSERT INTO d VALUES ($1) [6]",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
