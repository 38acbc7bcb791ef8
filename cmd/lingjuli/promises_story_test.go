package main

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// How soon things happen, as the doors promise. A machine may be busy, so that the best of three tries counts.

// bestOf fails where none of three tries keeps to what is promised.
func bestOf(t testing.TB, promised time.Duration, try func() time.Duration) {
	t.Helper()
	var took []time.Duration
	for range 3 {
		d := try()
		if d <= promised {
			return
		}
		took = append(took, d)
	}
	t.Errorf("it took %v, promised within %v", took, promised)
}

// firstCall waits for a call that comes after so many, and gives how long after a moment it did.
func (w *town) firstCall(g *gate, before int, since time.Time) time.Duration {
	w.t.Helper()
	w.eventually("the campaign's first call", func() bool { return len(g.calls(batch)) > before })
	return g.calls(batch)[before].at.Sub(since)
}

func TestStoryWhatACommandWritesTakesEffectWithinTwoSecondsAndAWorkerClaimsWithinOneOfItsStart(t *testing.T) {
	var gates sync.Map
	eachTown(t, 3, func(w *town) { gates.Store(w, w.watch("LINGJULI_ALIYUN_SMS_ENDPOINT", w.box.AliyunHandler())) }, func(w *town) {
		g := gateOf(&gates, w)
		bestOf(w.t, 2*time.Second, func() time.Duration {
			id, before := w.submitted("sms"), len(g.calls(batch))
			w.command("campaign", "approve", id, "--as", "li")
			defer w.until(id, "finished", done)
			return w.firstCall(g, before, time.Now())
		})
		bestOf(w.t, time.Second, func() time.Duration {
			id := w.submitted("sms")
			if err := w.stop(); err != nil {
				w.t.Fatal(err)
			}
			before := len(g.calls(batch))
			w.command("campaign", "approve", id, "--as", "li")
			w.serve()
			defer w.until(id, "finished", done)
			return w.firstCall(g, before, time.Now())
		})
	})
}

func TestStoryAPauseHoldsWithinFiveSeconds(t *testing.T) {
	const people, rate = 400, 20 // eighty calls, four a second
	var gates sync.Map
	eachTown(t, people, func(w *town) { gates.Store(w, w.watch("LINGJULI_ALIYUN_SMS_ENDPOINT", w.box.AliyunHandler())) }, func(w *town) {
		g := gateOf(&gates, w)
		id := w.campaign("sms", fmt.Sprintf("rate: %d\n", rate))
		w.firstCall(g, 0, time.Now())
		w.command("campaign", "pause", id, "--as", "li")
		paused := time.Now()
		time.Sleep(7 * time.Second) // what may come in five seconds, and some time in which nothing may
		calls := g.calls(batch)
		if after := calls[len(calls)-1].at.Sub(paused); after > 5*time.Second {
			w.t.Errorf("a call came %v after the pause", after)
		}
		if s := w.status(id); s.Accepted == people {
			w.t.Fatal("there was nothing left to hold")
		}
		w.command("campaign", "resume", id, "--as", "li")
		w.wants(w.until(id, "finished", done), people, fmt.Sprint("accepted ", people))
	})
}
