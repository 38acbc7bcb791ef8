package store

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
)

// TestATurnsTimeIsToldInPartsThatAddUp has some go together, one alone, one fail and one be run again by itself.
func TestATurnsTimeIsToldInPartsThatAddUp(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		s.turns.hold = time.Minute // on a slow machine too there is time for all
		var mu sync.Mutex
		var told []TurnTimes
		s.WatchTurns(func(x TurnTimes) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, x)
		})
		began := time.Now()
		if err := s.Turn(t.Context(), whoSays(100), openAndClose(100)); err != nil {
			t.Fatal(err)
		}
		for i, err := range atOnce(t, s, 8, 8, func(i int) error { return s.Turn(t.Context(), whoSays(i), openAndClose(i)) }) {
			if err != nil {
				t.Errorf("turn %d: %v", i, err)
			}
		}
		if err := s.Turn(t.Context(), whoSays(101), func(turn.Tx) error { return errTurn }); !errors.Is(err, errTurn) {
			t.Fatal(err)
		}
		took := time.Since(began)
		together := 0
		for _, x := range told {
			for _, part := range []time.Duration{x.Waited, x.Opened, x.Before, x.Ran, x.After, x.Saved} {
				if part < 0 || part > took {
					t.Errorf("a part of %v took %v: %+v", took, part, x)
				}
			}
			if x.All() <= 0 || x.All() > took || x.Anew {
				t.Errorf("%v of %v: %+v", x.All(), took, x)
			}
			if x.Group == 8 {
				together++
			}
		}
		if len(told) != 10 || together != 8 { // the one that holds the lane, too
			t.Errorf("told of %d turns, of which %d went together", len(told), together)
		}
		told = nil
		errs := atOnce(t, s, 4, 4, func(i int) error {
			return s.Turn(t.Context(), whoSays(200+i), func(tx turn.Tx) error {
				if i == 2 {
					return errTurn
				}
				return openAndClose(200 + i)(tx)
			})
		})
		anew := 0
		for _, x := range told {
			if x.Anew {
				anew++
			}
		}
		if want := map[dialect]int{postgresDialect: 3}[s.d]; len(told) != 4 || anew != want || !errors.Is(errs[2], errTurn) {
			t.Errorf("told of %d turns, %d of them run anew, want %d: %v", len(told), anew, want, errs)
		}
	})
}
