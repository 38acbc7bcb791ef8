package main

import (
	"context"
	"database/sql"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/sandbox"
)

const (
	rollingPeople  = 5000 // nearly half a minute at the rate of the test; once the restarts are over they go at once
	rollingWorkers = 3
	stoppedIn      = 10 * time.Second // from SIGTERM to the end of a process
)

// stopInTime tells a process to stop and says if it doesn't end well within the time that an operator has.
func stopInTime(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	hangs := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer hangs.Stop()
	began := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM it ended with %v", err)
	}
	took := time.Since(began)
	if took > stoppedIn {
		t.Errorf("SIGTERM took %v", took)
	}
	t.Logf("SIGTERM took %v", took.Round(time.Millisecond))
}

// TestWorkersThatAreRestartedInTurnLeaveNothingUnanswered is a new version that comes to a machine: the first time round
// each worker's successor is there before it goes, the second time only after.
func TestWorkersThatAreRestartedInTurnLeaveNothingUnanswered(t *testing.T) {
	t.Parallel()
	url, redisURL := realServers(t)
	r := newRig(t, url, redisURL+"/4", rollingPeople)
	r.loadPeople()
	// The carrier takes its time to answer, so that every worker that is stopped has a call under way.
	if err := r.carrier.SetFaults(sandbox.Fault{Action: "SendBatchSms", Kind: sandbox.FaultHangAfterAccept, Percent: 100, Seconds: 1.5}); err != nil {
		t.Fatal(err)
	}
	r.qps = 2
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	id := r.startCampaign()
	procs := make([]atDoor, rollingWorkers)
	for i := range procs {
		procs[i] = r.startServing()
	}
	began := time.Now()
	r.restartInTurn(procs)
	s := r.status(id)
	t.Logf("restarted in %v, %d of %d accepted meanwhile", time.Since(began).Round(time.Second), s.Accepted, s.Total)
	if s.State != "running" {
		t.Errorf("the campaign was over before all workers were restarted: %s", s.raw)
	}
	for _, w := range procs {
		stopInTime(t, w.Cmd)
	}
	r.qps = settling
	r.compare(r.settle(ctx, 1, id), nil)
	r.wantEachCallOnce(url)
}

// atDoor is a process that has a door of the carrier to itself.
type atDoor struct {
	*exec.Cmd
	door *carrierDoor
}

func (r *rig) startServing() atDoor {
	p := r.startWorker(len(r.doors))
	r.awaitServing([]*exec.Cmd{p})
	return atDoor{p, r.doors[len(r.doors)-1]}
}

// restartInTurn restarts each worker twice, and each while it waits for an answer.
func (r *rig) restartInTurn(procs []atDoor) {
	for _, successorFirst := range []bool{true, false} {
		for i, goes := range procs {
			if successorFirst {
				procs[i] = r.startServing()
			}
			for deadline := time.Now().Add(patience); goes.door.open.Load() == 0; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					r.t.Fatal("a worker has nothing to do")
				}
			}
			stopInTime(r.t, goes.Cmd)
			if !successorFirst {
				procs[i] = r.startServing()
			}
		}
	}
}

// wantEachCallOnce wants every call to have been answered at its first presentation, and none asked about or made anew.
func (r *rig) wantEachCallOnce(url string) {
	r.t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	var calls, once, presented int64
	err = db.QueryRowContext(r.t.Context(), `SELECT count(*), count(*) FILTER (
		WHERE state = 'accepted' AND code <> 'found' AND looks = 0 AND previous_id = 0) FROM calls`).Scan(&calls, &once)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, d := range r.doors {
		presented += d.calls.Load()
	}
	if taken := int64(r.carrier.Stats().SMS.Sends); once != calls || presented != calls || taken != calls {
		r.t.Errorf("of %d calls %d were answered at once; %d were presented, the carrier took %d", calls, once, presented, taken)
	}
}
