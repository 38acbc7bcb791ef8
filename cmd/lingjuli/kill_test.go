package main

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/internal/store/storetest"
)

const (
	fewPeople = 600
	fewKills  = 6
)

// TestNobodyTwiceNobodyNeverOnARealRedis is the short one of the kill tests, which every change must pass: the program as
// it is built, PostgreSQL and a Redis that is no part of the process. The long ones are behind `make e2e`.
func TestNobodyTwiceNobodyNeverOnARealRedis(t *testing.T) {
	t.Parallel()
	url, redisURL := realServers(t)
	r := newRig(t, url, redisURL+"/5", fewPeople)
	r.hang = 2 * time.Second
	// Most deaths are between taking and answering, and no receipt says what was taken before the lease of the dead has ended.
	r.more = []sandbox.Fault{{Action: "SendBatchSms", Kind: sandbox.FaultHangAfterAccept, Percent: 80, Seconds: 0.5}}
	receipts := r.takeReceipts()
	receipts(20)
	id := r.killTest(trial{workers: 2, kills: fewKills, flushes: 1, within: 4 * patience, peace: func() { receipts(0.3) }})
	r.awaitReceipts(id)
}

// realServers are a fresh database of PostgreSQL and a Redis that is no part of the process.
func realServers(t *testing.T) (postgres, redis string) {
	t.Helper()
	postgres, redis = storetest.PostgresURL(t), os.Getenv("LINGJULI_TEST_REDIS")
	if postgres == "" || redis == "" {
		const missing = "LINGJULI_TEST_POSTGRES and LINGJULI_TEST_REDIS must name servers: make test starts them"
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	return postgres, redis
}

// takeReceipts starts who takes receipts until the test ends, and gives what has the carrier send them so many seconds
// after it took a text.
func (r *rig) takeReceipts() (after func(delay float64)) {
	web, base := r.startWeb()
	r.t.Cleanup(func() { r.kill(web) })
	return func(delay float64) {
		r.carrier.SetReceipts(sandbox.Receipts{Bases: []string{base}, DelaySeconds: delay, FailPercent: 3, DuplicatePercent: 30, Shuffle: true, RetryScale: 0.02})
	}
}

// startWeb starts a process that brings receipts into the database and sends nothing, and says where it takes them.
func (r *rig) startWeb() (web *exec.Cmd, base string) {
	web = r.start("LINGJULI_SMS_QPS=1", r.doors[0].URL, "serve", "--roles", "web")
	r.awaitServing([]*exec.Cmd{web})
	_, after, _ := strings.Cut(logOf(web), "Serving at http://")
	addr, _, _ := strings.Cut(after, "\n")
	if _, _, err := net.SplitHostPort(addr); err != nil {
		r.t.Fatal(err)
	}
	return web, "http://" + addr + "/aliyun/e2e-callback"
}

// awaitReceipts waits until our books say of each text what the carrier says of it. Whoever has no role but web takes
// receipts in and leaves it to a worker to write them down.
func (r *rig) awaitReceipts(id string) {
	worker := r.startWorker(0)
	defer func() { r.kill(worker) }()
	refused := (r.people + badEvery - 1) / badEvery
	for deadline := time.Now().Add(patience); ; <-time.After(200 * time.Millisecond) {
		s, theirs := r.status(id), r.carrier.Stats().SMS
		told := theirs.Delivered > 0 && theirs.Failed > 0 && theirs.Delivered+theirs.Failed == r.people-refused
		if told && s.Delivered == int64(theirs.Delivered) && s.Failed == int64(theirs.Failed+refused) && s.Accepted == 0 {
			r.t.Logf("receipts: %d delivered, %d failed, pushes %+v", theirs.Delivered, theirs.Failed, theirs.Pushes)
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("the carrier delivered %d, failed %d, has %d to report; we count %s", theirs.Delivered, theirs.Failed, theirs.Waiting, s.raw)
		}
	}
}
