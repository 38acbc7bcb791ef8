package store

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
)

// TestTurnsThatWantIDsInAnotherOrderDontWaitForOneAnother has two people hand a matter over and queue a text, one in this order and
// one in the other, each only after the other has done the first of the two. On SQLite there is one writer, and they follow one another.
func TestTurnsThatWantIDsInAnotherOrderDontWaitForOneAnother(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		handOver := func(tx turn.Tx) error { return tx.Note(turn.Wish{Topic: "other", Words: "想问问"}) }
		queue := func(tx turn.Tx) error {
			_, err := tx.Queue(turn.Message{Kind: turn.Reply, Template: "reply", Phone: "13800000001", At: time.Now(), Expires: time.Now().Add(time.Hour)})
			return err
		}
		var runs atomic.Int64
		var all, half sync.WaitGroup
		half.Add(2)
		for i, steps := range [][2]func(turn.Tx) error{{handOver, queue}, {queue, handOver}} {
			once := sync.OnceFunc(half.Done)
			all.Go(func() {
				err := s.Turn(t.Context(), whoSays(i), func(tx turn.Tx) error {
					runs.Add(1)
					if _, err := tx.Open(); err != nil {
						return err
					}
					if err := steps[0](tx); err != nil {
						return err
					}
					once()
					if s.turns.lanes > 1 {
						half.Wait()
					}
					return errors.Join(steps[1](tx), tx.Close(closing(i)))
				})
				if err != nil {
					t.Errorf("turn %d: %v", i, err)
				}
			})
		}
		all.Wait()
		if n := runs.Load(); n != 2 {
			t.Errorf("two turns were run %d times", n)
		}
	})
}

// TestIDsRiseInTheOrderInWhichProcessesAskForThem holds for the inbox, which is read in the order of its ids.
func TestIDsRiseInTheOrderInWhichProcessesAskForThem(t *testing.T) {
	templates().Each(t, func(t *testing.T, url string) {
		processes := []*Store{openReady(t, url), openReady(t, url)}
		var ids []int64
		for i := range 6 {
			err := processes[i%2].Turn(t.Context(), whoSays(i), func(tx turn.Tx) error {
				if _, err := tx.Open(); err != nil {
					return err
				}
				id, err := tx.HandOver(register.Handover{Topic: "other", Words: "想问问"})
				if i == 2 {
					return errTurn // may leave a gap, and no more
				}
				ids = append(ids, id)
				return errors.Join(err, tx.Close(closing(i)))
			})
			if err != nil && i != 2 {
				t.Fatal(err)
			}
		}
		if !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != len(ids) {
			t.Errorf("ids are %v", ids)
		}
	})
}

// TestASequenceIsReservedAsideAlwaysOrNever reads the sources: a transaction that holds a sequence's row would wait for itself.
func TestASequenceIsReservedAsideAlwaysOrNever(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	aside, inside := map[string]bool{}, map[string]bool{}
	for _, name := range sources {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`\.(newIDs?|ids)\("(\w+)"`).FindAllStringSubmatch(string(text), -1) {
			if found[1] != "ids" {
				aside[found[2]] = true
			} else {
				inside[found[2]] = true
			}
		}
	}
	if len(aside) < 7 || len(inside) < 7 {
		t.Fatalf("aside %v, inside %v", aside, inside)
	}
	for sequence := range aside {
		if inside[sequence] {
			t.Errorf("ids of %s are reserved both aside and in the transaction that uses them", sequence)
		}
	}
}
