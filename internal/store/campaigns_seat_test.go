package store

import (
	"context"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"

	"github.com/lingjuli/lingjuli/notify"
)

// oneSeat is a machine's only seat, which somebody else may have.
type oneSeat struct{ free, left, standsBy atomic.Bool }

func (s *oneSeat) Take() bool { return s.free.Load() }
func (s *oneSeat) Leave()     { s.left.Store(true) }

func seatedWorker(t *testing.T, s *Store, p *platform, seat *oneSeat) *notify.Worker {
	t.Helper()
	w, err := notify.NewWorker(notify.WorkerConfig{
		Store: noNotices{s}, Senders: map[notify.Channel]notify.Sender{notify.SMS: p}, Redis: asynq.RedisClientOpt{Addr: miniredis.RunT(t).Addr()},
		Rules: quickRules(), Looks: notify.Looks{time.Minute}, Validity: time.Minute, SMSQPS: 400, WeChat: 400, Now: time.Now, Seat: seat, StandBy: seat.standsBy.Store,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	return w
}

func takesAll(notify.Outgoing, int) (notify.Answer, bool) {
	return notify.Answer{Outcome: notify.Accepted, Code: "OK", ID: "b"}, true
}

// awaitStatus waits until a campaign stands as wished.
func awaitStatus(t *testing.T, s *Store, id int64, wished func(notify.Status) bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(2 * time.Minute); !wished(statusOf(t, s, id)); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("it does not come about: %+v", statusOf(t, s, id))
		}
	}
}

func TestAProcessWithoutASeatSendsNothingUntilThereIsOne(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		const people = 250
		putOnFile(t, s, crowd(people)...)
		p, seat := &platform{answer: takesAll}, &oneSeat{}
		id := approved(t, s, nil)
		w := seatedWorker(t, s, p, seat)
		awaitStatus(t, s, id, func(st notify.Status) bool { return st.Queued == people })
		if got := p.texts(); len(got) != 0 {
			t.Errorf("%d texts were sent without a seat", len(got))
		}
		if !seat.standsBy.Load() {
			t.Error("a process without a seat isn't told that it stands by")
		}
		seat.free.Store(true)
		awaitStatus(t, s, id, finished)
		if seat.standsBy.Load() {
			t.Error("who sends isn't told that it no longer stands by")
		}
		w.Shutdown()
		if got := p.texts(); len(got) != people {
			t.Errorf("%d got a text, want %d", len(got), people)
		}
		if !seat.left.Load() {
			t.Error("a process that was stopped keeps its seat")
		}
	})
}

func TestAProcessWithoutASeatSendsWhereCallsHaveWaitedForLong(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		const people = 250
		putOnFile(t, s, crowd(people)...)
		p := &platform{answer: takesAll}
		id := approved(t, s, nil)
		seat := &oneSeat{}
		w := seatedWorker(t, s, p, seat)
		defer w.Shutdown()
		awaitStatus(t, s, id, func(st notify.Status) bool { return st.Queued == people })
		exec(t, s, `UPDATE calls SET wake_at = 1, updated_at = updated_at - 20000000 WHERE state = 'queued'`) // 20 s ago
		awaitStatus(t, s, id, finished)
		if seat.standsBy.Load() {
			t.Error("who sends without a seat stands by")
		}
		for phone, n := range p.texts() {
			if n != 1 {
				t.Errorf("%s got %d texts", phone, n)
			}
		}
	})
}

func TestAProcessWithoutASeatAppliesReceiptsThatHaveWaitedForLong(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(2)...)
		p := &platform{answer: takesAll}
		id := approved(t, s, nil)
		play(t, s, p, id, quickRules(), func(st notify.Status) bool { return st.Accepted == 2 })
		push(t, s, report(p.outIDs()[phoneOf(0)], phoneOf(0), "DELIVERED"))
		w := seatedWorker(t, s, p, &oneSeat{})
		defer w.Shutdown()
		time.Sleep(500 * time.Millisecond) // its first look at receipts is as it starts
		if st := statusOf(t, s, id); st.Delivered != 0 {
			t.Errorf("who stands by takes receipts from under whoever sends: %+v", st)
		}
		exec(t, s, `UPDATE receipts SET received_at = received_at - 20000000`)
		awaitStatus(t, s, id, func(st notify.Status) bool { return st.Delivered == 1 })
	})
}
