package store

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

func TestPushesThatComeAtOnceAreAllKeptAndOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		const pushes, each = 40, 3
		var all sync.WaitGroup
		for i := range pushes {
			all.Go(func() {
				var list []notify.ReplySMS
				for n := range each {
					list = append(list, notify.ReplySMS{Phone: "13800000001", Content: fmt.Sprint(i, "/", n), At: time.Now()})
				}
				if err := s.StoreReplies(t.Context(), list, time.Now()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		replies := repliesWaiting(t, s)
		seen := map[string]bool{}
		for _, r := range replies {
			seen[r.Content] = true
		}
		if len(replies) != pushes*each || len(seen) != pushes*each {
			t.Errorf("of %d replies %d are kept, %d of them different", pushes*each, len(replies), len(seen))
		}
	})
}

func TestAPushThatCannotBeKeptIsSaidToBeAndTheNextOneIsKept(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		list := []notify.ReplySMS{{Phone: "13800000001", Content: "1", At: time.Now()}}
		exec(t, s, `ALTER TABLE receipts RENAME TO away`)
		if err := s.StoreReplies(t.Context(), list, time.Now()); err == nil {
			t.Error("a push is said to be kept where it can't be")
		}
		exec(t, s, `ALTER TABLE away RENAME TO receipts`)
		if err := s.StoreReplies(t.Context(), list, time.Now()); err != nil {
			t.Error(err)
		}
	})
}

func TestPushesThatWaitGoTogetherAsFarAsOneStatementHoldsThem(t *testing.T) {
	var w keeping
	if !w.add(&pushKept{bodies: make([][]byte, 1)}) {
		t.Fatal("nobody sees to the first one")
	}
	var sizes []int
	for range 20 {
		if w.add(&pushKept{bodies: make([][]byte, 1)}) {
			t.Fatal("two see to it")
		}
	}
	w.add(&pushKept{bodies: make([][]byte, 100)})
	for some := w.next(); len(some) > 0; some = w.next() {
		sizes = append(sizes, len(some))
	}
	if want := []int{16, 5, 1}; !slices.Equal(sizes, want) {
		t.Errorf("they went by %v, want %v", sizes, want)
	}
	if !w.add(&pushKept{}) {
		t.Error("nobody sees to what comes after a pause")
	}
}
