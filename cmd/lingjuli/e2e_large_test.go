//go:build e2e

package main

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/store/storetest"
)

const (
	largeWorkers = 8
	sharedPeople = 2000
)

// TestNobodyTwiceNobodyNeverInALargeCampaign is for LINGJULI_E2E_N people, on a PostgreSQL of its own that is
// restarted in the middle; make e2e-large runs it.
func TestNobodyTwiceNobodyNeverInALargeCampaign(t *testing.T) {
	if os.Getenv("LINGJULI_E2E_N") == "" {
		t.Skip("LINGJULI_E2E_N is not set: make e2e-large runs this test")
	}
	redisURL := os.Getenv("LINGJULI_TEST_REDIS")
	if redisURL == "" {
		t.Fatal("LINGJULI_TEST_REDIS must name a server: make e2e-large starts it")
	}
	people, kills := number(t, "LINGJULI_E2E_N"), number(t, "LINGJULI_E2E_KILLS")
	postgres := startPostgres(t)
	r := newRig(t, postgres.url(), redisURL+"/8", people)
	r.restart = postgres.restart
	r.takeReceipts()(5) // some come before a lease has ended, or a look is made
	id := r.killTest(trial{workers: largeWorkers, kills: kills, flushes: 2, restarts: 2, within: 30*time.Minute + time.Duration(people)*20*time.Millisecond})
	r.awaitReceipts(id)
}

func number(t *testing.T, name string) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv(name))
	if err != nil || n < 1 {
		t.Fatalf("%s must be a number above 0", name)
	}
	return n
}

func TestTwoFourAndEightWorkersShareACampaignAndNobodyGetsItTwice(t *testing.T) {
	redisURL := os.Getenv("LINGJULI_TEST_REDIS")
	if os.Getenv("LINGJULI_TEST_POSTGRES") == "" || redisURL == "" {
		t.Fatal("LINGJULI_TEST_POSTGRES and LINGJULI_TEST_REDIS must name servers: make e2e starts them")
	}
	for _, workers := range []int{2, 4, 8} {
		t.Run(strconv.Itoa(workers), func(t *testing.T) {
			r := newRig(t, storetest.PostgresURL(t), redisURL+"/9", sharedPeople)
			bad := r.loadPeople()
			r.faults(bad)
			r.qps = 40
			shared := r.share(workers)
			r.compare(shared, bad)
			busy := 0
			for i, d := range r.doors[:workers] {
				t.Logf("worker %d sent %d calls", i, d.calls.Load())
				if d.calls.Load() > 0 {
					busy++
				}
			}
			if busy < workers {
				t.Errorf("of %d workers only %d sent anything", workers, busy)
			}
		})
	}
}

// share has workers that are all there from the start send one campaign.
func (r *rig) share(workers int) e2eStatus {
	for i := range workers {
		p := r.startWorker(i)
		defer func() { r.kill(p) }()
	}
	id := r.startCampaign()
	deadline := time.After(10 * time.Minute)
	for {
		s := r.status(id)
		if s.State == "finished" {
			return s
		}
		select {
		case <-deadline:
			r.t.Fatalf("not finished in time: %s", s.raw)
		case <-time.After(time.Second):
		}
	}
}
