package notify

import (
	"sync"
	"testing"
)

func TestCallsThatWaitToBeLookedAtAreLookedAtOneAfterTheOther(t *testing.T) {
	const calls = 100
	l := line{atOnce: looksAtOnce}
	var running sync.WaitGroup
	begun, free := make(chan int, calls), make(chan struct{})
	for i := range calls {
		l.start(&running, int64(i), func() { begun <- i; <-free })
	}
	for range looksAtOnce {
		<-begun
	}
	for _, id := range []int64{0, calls - 1} { // under way, and in the line
		l.start(&running, id, func() { t.Errorf("call %d is looked at twice at once", id) })
	}
	l.mu.Lock()
	if l.under != looksAtOnce || len(l.waits) != calls-looksAtOnce {
		t.Errorf("%d looks are under way and %d wait, want %d and %d", l.under, len(l.waits), looksAtOnce, calls-looksAtOnce)
	}
	l.mu.Unlock()
	close(free)
	running.Wait()
	if got := len(begun); got != calls-looksAtOnce {
		t.Errorf("%d of those that waited were looked at, want %d", got, calls-looksAtOnce)
	}
	if l.under != 0 || len(l.ids) != 0 {
		t.Errorf("when all is done %d looks are under way, and %d calls are held", l.under, len(l.ids))
	}
	l.start(&running, 0, func() { begun <- 0 })
	running.Wait()
	if got := len(begun); got != calls-looksAtOnce+1 {
		t.Error("a call is not looked at again")
	}
}

func TestALineOfLooksDoesNotGrowWithoutEnd(t *testing.T) {
	l := line{atOnce: looksAtOnce}
	var running sync.WaitGroup
	free := make(chan struct{})
	for i := range 3 * sweepBatch {
		l.start(&running, int64(i), func() { <-free })
	}
	l.mu.Lock()
	if got := len(l.waits) + l.under; got > sweepBatch+looksAtOnce {
		t.Errorf("%d calls are in the line", got)
	}
	l.mu.Unlock()
	close(free)
	running.Wait()
}
