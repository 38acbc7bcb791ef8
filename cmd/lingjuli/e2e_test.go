//go:build e2e

package main

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/internal/store/storetest"
)

const (
	e2ePeople = 5000
	kills     = 20
)

func TestNobodyTwiceNobodyNeverWhereTheWorkerIsKilledOnSQLite(t *testing.T) {
	r := newRig(t, storetest.SQLiteURL(t), "", e2ePeople)
	r.killTest(trial{workers: 1, kills: kills, within: 12 * time.Minute})
}

func TestNobodyTwiceNobodyNeverWhereWorkersAreKilledOnPostgresAndRedis(t *testing.T) {
	url, redisURL := storetest.PostgresURL(t), os.Getenv("LINGJULI_TEST_REDIS")
	if url == "" || redisURL == "" {
		t.Fatal("LINGJULI_TEST_POSTGRES and LINGJULI_TEST_REDIS must name servers: make e2e starts them")
	}
	r := newRig(t, url, redisURL+"/7", e2ePeople)
	r.killTest(trial{workers: 2, kills: kills, flushes: 1, within: 12 * time.Minute})
}

func TestNobodyTwiceNobodyNeverWhereTheProcessThatSendsIsKilledAndTheNextTakesOver(t *testing.T) {
	url, redisURL := storetest.PostgresURL(t), os.Getenv("LINGJULI_TEST_REDIS")
	if url == "" || redisURL == "" {
		t.Fatal("LINGJULI_TEST_POSTGRES and LINGJULI_TEST_REDIS must name servers: make e2e starts them")
	}
	r := newRig(t, url, redisURL+"/6", handoverPeople)
	r.env = append(r.env, "LINGJULI_SENDING_PROCESSES=1")
	bad := r.loadPeople()
	r.faults(bad)
	r.qps = 40
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	id := r.startCampaign()
	procs := make([]*exec.Cmd, 3)
	for i := range procs {
		procs[i] = r.startWorker(i)
	}
	last := -1
	for range handovers {
		sending := r.awaitSender(ctx, last)
		r.kill(procs[sending])
		if last >= 0 {
			procs[last] = r.startWorker(last) // only now: it may not take the seat that is left
		}
		last = sending
	}
	r.awaitSender(ctx, last)
	if s := r.status(id); s.State != "running" {
		t.Errorf("the campaign was over before the seat had changed hands: %s", s.raw)
	}
	for i, p := range procs {
		if i != last {
			r.kill(p)
		}
	}
	r.qps = settling
	r.compare(r.settle(ctx, len(procs), id), bad)
}

const (
	handoverPeople = 10_000
	handovers      = 4
	handoverIn     = 5 * time.Second
)

// awaitSender waits for calls, which must soon come by one of the workers' doors and not by that of the one who was
// killed, and says whose it was.
func (r *rig) awaitSender(ctx context.Context, killed int) int {
	before := make([]int64, len(r.doors))
	for i, d := range r.doors {
		before[i] = d.calls.Load()
	}
	began := time.Now()
	for {
		for i, d := range r.doors {
			if i != killed && d.calls.Load() > before[i] {
				r.t.Logf("worker %d sends, after %v", i, time.Since(began).Round(time.Millisecond))
				return i
			}
		}
		if killed >= 0 && time.Since(began) > handoverIn {
			r.t.Fatalf("nobody sends %v after the one that did was killed", handoverIn)
		}
		select {
		case <-ctx.Done():
			r.t.Fatal("nobody sends")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

const (
	heldPeople    = 400
	lookedAfterIn = 30 * time.Second
)

func TestNobodyTwiceNobodyNeverWhereWhatADeadWorkerHeldIsLookedAfter(t *testing.T) {
	r := newRig(t, storetest.SQLiteURL(t), "", heldPeople)
	r.loadPeople()
	if err := r.carrier.SetFaults(sandbox.Fault{Action: "SendBatchSms", Kind: sandbox.FaultHangAfterAccept, Seconds: 60}); err != nil {
		t.Fatal(err)
	}
	id := r.startCampaign()
	worker := r.startWorker(0)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for r.doors[0].calls.Load() < heldPeople/100 {
		select {
		case <-ctx.Done():
			t.Fatalf("the calls don't go: %s", r.status(id).raw)
		case <-time.After(20 * time.Millisecond):
		}
	}
	r.kill(worker)
	died := time.Now()
	if s := r.status(id); s.Sending != heldPeople {
		t.Fatalf("the dead worker held %d of %d: %s", s.Sending, heldPeople, s.raw)
	}
	if err := r.carrier.SetFaults(); err != nil {
		t.Fatal(err)
	}
	worker = r.startWorker(0)
	for r.status(id).Sending > 0 {
		if time.Since(died) > lookedAfterIn {
			t.Fatalf("nobody has looked after it %v later: %s", lookedAfterIn, r.status(id).raw)
		}
		<-time.After(100 * time.Millisecond)
	}
	t.Logf("looked after in %v", time.Since(died).Round(100*time.Millisecond))
	r.kill(worker)
	r.compare(r.settle(ctx, 1, id), nil)
}
