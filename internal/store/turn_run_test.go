package store

import (
	"context"
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

// TestTurnsAtOnceAreKeptOrUndoneEachByItself holds the writer, so that on SQLite all of them wait and go together.
func TestTurnsAtOnceAreKeptOrUndoneEachByItself(t *testing.T) {
	errOwn := errors.New("this turn's own error")
	eachStore(t, func(t *testing.T, s *Store) {
		var all sync.WaitGroup
		held, holding := make(chan struct{}), make(chan struct{})
		all.Go(func() {
			_ = s.write(context.WithoutCancel(t.Context()), "hold", func(*tx) error {
				close(holding)
				<-held
				return nil
			})
		})
		<-holding
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		errs := make([]error, 40)
		for i := range errs {
			all.Go(func() {
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
				errs[i] = s.Turn(ctx, whoSays(i), fn)
			})
		}
		if s.d == sqliteDialect {
			for { // until all but those that went away wait
				s.turns.mu.Lock()
				waiting := len(s.turns.waiting)
				s.turns.mu.Unlock()
				if waiting >= 36-togetherMost {
					break
				}
				runtime.Gosched()
			}
		}
		close(held)
		all.Wait()
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
