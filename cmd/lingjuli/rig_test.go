package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lingjuli/lingjuli/internal/register/fictional"
	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/internal/store/seal"
)

// rig is one system under test: the real binary, and a carrier that misbehaves as told.
type rig struct {
	t       *testing.T
	binary  string
	dir     string
	env     []string
	carrier *sandbox.Sandbox
	redis   string           // "" with the embedded one
	restart func(crash bool) // of PostgreSQL; nil where it is not restarted
	people  int
	qps     int             // send calls a second of the workers that start from now on
	hang    time.Duration   // for how long the carrier keeps a call that it will not take
	more    []sandbox.Fault // of the carrier, beside those of every trial
	doors   []*carrierDoor  // the carrier's addresses, one for each worker
	started int
}

// trial is what is done to a campaign.
type trial struct {
	workers  int
	kills    int
	flushes  int // Redis is emptied so often
	restarts int // PostgreSQL is restarted so often
	within   time.Duration
	peace    func() // what happens when the kills are over; nil: nothing
}

const (
	badEvery = 100 // one in a hundred numbers is refused
	settling = 500 // send calls a second once the kills are over
)

// killTest runs a campaign to all people while workers are killed, Redis is emptied, PostgreSQL is restarted, and the
// carrier fails as the promise supposes; then it holds our figures against the carrier's. It gives the campaign's id.
func (r *rig) killTest(what trial) (id string) {
	t := r.t
	bad := r.loadPeople()
	r.faults(bad)
	// Every call has a bad number and is cut in halves until it stands alone, some fourteen calls: at this rate not
	// half of them can be through before the last kill, 1.1 s after the one before.
	r.qps = max(2, 14*r.people/100/2*10/(11*what.kills))
	ctx, cancel := context.WithTimeout(t.Context(), what.within)
	defer cancel()
	id = r.startCampaign()
	began := time.Now()
	r.killWorkers(ctx, what, id)
	t.Logf("%d kills, Redis emptied %d times, PostgreSQL restarted %d times in %v", what.kills, what.flushes, what.restarts, time.Since(began).Round(time.Second))
	r.qps = settling
	if what.peace != nil {
		what.peace()
	}
	finished := r.settle(ctx, what.workers, id)
	t.Logf("finished after %v: %s", time.Since(began).Round(time.Second), finished.raw)
	t.Logf("the carrier: %+v, faults %v", r.carrier.Stats().SMS, r.carrier.Stats().Faults)
	r.compare(finished, bad)
	return id
}

// killWorkers starts workers and kills one of them every 1.1 s or so, as often as it is told; in between Redis is
// emptied and PostgreSQL restarted. It fails where the campaign was over before the kills were.
func (r *rig) killWorkers(ctx context.Context, what trial, id string) {
	procs := make([]*exec.Cmd, what.workers)
	for i := range procs {
		procs[i] = r.startWorker(i)
	}
	flush, restart := spread(what.flushes, what.kills, 0), spread(what.restarts, what.kills, 1)
	for killed := 1; killed <= what.kills; killed++ {
		select {
		case <-ctx.Done():
			r.t.Fatalf("out of time after %d kills: %s", killed-1, r.status(id).raw)
		case <-time.After(700*time.Millisecond + rand.N(800*time.Millisecond)):
		}
		i := rand.N(what.workers)
		r.kill(procs[i])
		procs[i] = r.startWorker(i)
		if flush[killed] {
			r.emptyRedis()
		}
		if restart[killed] {
			r.awaitServing(procs)
			r.restart(killed%2 == 0)
		}
	}
	if s := r.status(id); s.State != "running" {
		r.t.Errorf("the campaign was over before the %d kills were: %s", what.kills, s.raw)
	}
	for _, p := range procs {
		r.kill(p)
	}
}

// spread says at which of so many kills something is done n times, evenly, and by how many kills later.
func spread(n, kills, later int) map[int]bool {
	at := map[int]bool{}
	for i := 1; i <= n; i++ {
		at[min(kills, i*kills/(n+1)+later)] = true
	}
	return at
}

// settle lets workers run in peace until the campaign is finished.
func (r *rig) settle(ctx context.Context, workers int, id string) e2eStatus {
	for i := range workers {
		p := r.startWorker(i)
		defer func() { r.kill(p) }()
	}
	for {
		s := r.status(id)
		if s.State == "finished" {
			return s
		}
		select {
		case <-ctx.Done():
			r.t.Fatalf("not finished in time: %s", s.raw)
		case <-time.After(time.Second):
		}
	}
}

// compare holds the figures of `status --json` against what the carrier took.
func (r *rig) compare(s e2eStatus, bad map[string]bool) {
	t := r.t
	texts := map[string]int{}
	r.carrier.AllMessages(func(m sandbox.SMSMessage) bool {
		texts[m.Phone]++
		return true
	})
	for phone, n := range texts {
		if n > 1 {
			t.Errorf("%s… got %d texts", phone[:3], n)
		}
		if bad[phone] {
			t.Errorf("a number that is refused got a text")
		}
	}
	if s.Queued+s.Sending+s.Unconfirmed+s.Planned != 0 {
		t.Errorf("something is left: %s", s.raw)
	}
	failed := s.Failed - int64(len(bad)) // by receipts, which may still be on their way
	if got := s.Accepted + s.Delivered + failed; got != int64(len(texts)) {
		t.Errorf("we count %d accepted, the carrier %d", got, len(texts))
	}
	if want := r.people - len(bad); len(texts) != want {
		t.Errorf("%d phones got a text, want %d", len(texts), want)
	}
	if theirs := int64(r.carrier.Stats().SMS.Failed); failed < 0 || failed > theirs {
		t.Errorf("%d failed, want the %d bad numbers, and of the carrier's %d those that we know of", s.Failed, len(bad), theirs)
	}
	if s.Total != int64(r.people) {
		t.Errorf("total %d, want %d", s.Total, r.people)
	}
	if got := r.carrier.Stats().SMS; got.Repeated != 0 || got.Duplicates != 0 || got.Recipients != len(texts) {
		t.Errorf("the carrier took %d texts to %d phones, %d of them more than one", got.Recipients, got.Phones, got.Repeated)
	}
}

type e2eStatus struct {
	State       string         `json:"state"`
	Total       int64          `json:"total"`
	Planned     int64          `json:"planned"`
	Queued      int64          `json:"queued"`
	Sending     int64          `json:"sending"`
	Accepted    int64          `json:"accepted"`
	Delivered   int64          `json:"delivered"`
	Failed      int64          `json:"failed"`
	Unconfirmed int64          `json:"unconfirmed"`
	Skipped     map[string]int `json:"skipped"`
	raw         string
}

func (r *rig) status(id string) e2eStatus {
	out := r.run("campaign", "status", id, "--json")
	s := e2eStatus{raw: strings.TrimSpace(out)}
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		r.t.Fatalf("status: %v in %q", err, out)
	}
	return s
}

func newRig(t *testing.T, databaseURL, redisURL string, people int) *rig {
	t.Helper()
	dir := t.TempDir()
	carrier, err := sandbox.New(sandbox.Config{Seed: 7, Aliyun: sandbox.AliyunConfig{
		AccessKeys: map[string]string{"e2e-key": "e2e-secret"},
		Signs:      []string{"零距离"},
		Templates:  []sandbox.SMSTemplate{{Code: "SMS_E2E", Type: "notification", Content: "${name}您好，今年医保请在${deadline}前缴清。"}},
		Limits:     sandbox.Limits{NotificationPerDay: -1},
	}})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, binary: built(t), dir: dir, carrier: carrier, redis: redisURL, people: people, hang: 15 * time.Second, qps: 20}
	door := r.openDoor()
	t.Cleanup(func() { _ = carrier.Close() }) // before the doors: calls that hang are let go
	r.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LANG=en_US.UTF-8",
		"LINGJULI_DATABASE_URL=" + databaseURL, "LINGJULI_DATA_KEY=" + seal.NewDataKey(), "LINGJULI_LISTEN=127.0.0.1:0",
		"LINGJULI_ALIYUN_ACCESS_KEY_ID=e2e-key", "LINGJULI_ALIYUN_ACCESS_KEY_SECRET=e2e-secret",
		"LINGJULI_ALIYUN_SMS_ENDPOINT=" + door.URL, "LINGJULI_SMS_SIGN_NAME=零距离", "LINGJULI_CALLBACK_SECRET=e2e-callback",
		// The looks and the validity are short, so that a run takes minutes; the carrier keeps to the same validity.
		"LINGJULI_UNCONFIRMED_LOOKS=2s,5s", "LINGJULI_REQUEST_VALIDITY=8s", "LINGJULI_CAP=none",
		"LINGJULI_SENDING_PROCESSES=8", // all of them at once, though by itself a machine has one that sends
	}
	if redisURL != "" {
		r.env = append(r.env, "LINGJULI_REDIS_URL="+redisURL)
		r.emptyRedis()
	}
	r.run("migrate", "up")
	return r
}

// loadPeople imports fictional people, each alone in their household with a number of their own, and says which
// numbers the carrier will refuse.
func (r *rig) loadPeople() map[string]bool {
	var sheet bytes.Buffer
	sheet.WriteString("姓名,身份证号,手机号,行政区划代码\n")
	bad := map[string]bool{}
	for i := range r.people {
		phone := fictional.Phone(i)
		if i%badEvery == 0 {
			bad[phone] = true
		}
		fmt.Fprintf(&sheet, "甲%s,%s,%s,441881000000\n", han(i), fictional.IDNumber("441881", "1970-01-02", i), phone)
	}
	path := filepath.Join(r.dir, "people.csv")
	r.write(path, sheet.String())
	r.run("import", "people", path, "--report", filepath.Join(r.dir, "report.json"))
	return bad
}

func (r *rig) faults(bad map[string]bool) {
	phones := make([]string, 0, len(bad))
	for p := range bad {
		phones = append(phones, p)
	}
	err := r.carrier.SetFaults(append(r.more,
		sandbox.Fault{Action: "SendBatchSms", Kind: sandbox.FaultCloseAfterAccept, Percent: 3},
		sandbox.Fault{Action: "SendBatchSms", Kind: sandbox.FaultHang, Percent: 2, Seconds: r.hang.Seconds()},
		sandbox.Fault{Action: "SendBatchSms", Kind: sandbox.FaultCode, Percent: 2, Code: "isp.SYSTEM_ERROR"},
		sandbox.Fault{Kind: sandbox.FaultRefuseMember, Phones: phones},
	)...)
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) startCampaign() string {
	r.write(filepath.Join(r.dir, "templates.yaml"), `templates:
  - key: e2e
    kind: premium_reminder
    sms: {code: SMS_E2E, type: notification, content: "${name}您好，今年医保请在${deadline}前缴清。", params: {name: "{{.Person.ShortName}}", deadline: "{{.Params.deadline}}"}}
`)
	r.write(filepath.Join(r.dir, "campaign.yaml"), `name: e2e
kind: premium_reminder
audience:
  all:
    - region: {within: "441881"}
channels: [sms]
template: e2e
params: {deadline: "12月31日"}
schedule: now
window: ""
`)
	r.run("template", "apply", "-f", filepath.Join(r.dir, "templates.yaml"))
	r.run("staff", "add", "chen", "--role", "author")
	r.run("staff", "add", "li", "--role", "approver")
	lines := strings.Split(strings.TrimSpace(r.run("campaign", "create", "-f", filepath.Join(r.dir, "campaign.yaml"), "--as", "chen")), "\n")
	id := lines[len(lines)-1]
	r.run("campaign", "submit", id, "--as", "chen")
	r.run("campaign", "approve", id, "--as", "li")
	return id
}

// startWorker starts the i-th worker; each speaks to the carrier by an address of its own and writes a log of its own.
func (r *rig) startWorker(i int) *exec.Cmd {
	args := []string{"serve"}
	if r.redis != "" {
		args = append(args, "--roles", "worker")
	}
	for len(r.doors) <= i {
		r.openDoor()
	}
	return r.start(fmt.Sprint("LINGJULI_SMS_QPS=", r.qps), r.doors[i].URL, args...)
}

// start starts a process that speaks to one of the carrier's doors.
func (r *rig) start(qps, door string, args ...string) *exec.Cmd {
	cmd := exec.Command(r.binary, args...)
	cmd.Env = append(slices.Clone(r.env), "LINGJULI_ALIYUN_SMS_ENDPOINT="+door, qps)
	r.started++
	log, err := os.Create(filepath.Join(r.dir, fmt.Sprintf("%d.log", r.started)))
	if err != nil {
		r.t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	cmd.Args = append(cmd.Args, log.Name()) // kept for what is asked of it later; the process has started without
	return cmd
}

func logOf(cmd *exec.Cmd) string {
	text, err := os.ReadFile(cmd.Args[len(cmd.Args)-1])
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// awaitServing waits until each of the workers has said that it serves: one that starts while its database is away
// ends, as it must.
func (r *rig) awaitServing(procs []*exec.Cmd) {
	deadline := time.Now().Add(time.Minute)
	for _, p := range procs {
		for !strings.Contains(logOf(p), "Serving at") {
			if time.Now().After(deadline) {
				r.t.Fatalf("a worker does not start:\n%s", logOf(p))
			}
			<-time.After(20 * time.Millisecond)
		}
	}
}

// kill kills a worker; it is an error if it has ended by itself.
func (r *rig) kill(cmd *exec.Cmd) {
	_ = cmd.Process.Signal(syscall.SIGKILL)
	_ = cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		r.t.Errorf("a worker had ended by itself: %v\n%s", cmd.ProcessState, tail(logOf(cmd)))
	}
}

// tail is the end of a log.
func tail(text string) string {
	const enough = 2000
	return text[max(0, len(text)-enough):]
}

func (r *rig) emptyRedis() {
	options, err := redis.ParseURL(r.redis)
	if err != nil {
		r.t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer client.Close()
	if err := client.FlushDB(r.t.Context()).Err(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) run(args ...string) string {
	r.t.Helper()
	cmd := exec.Command(r.binary, args...)
	cmd.Env = r.env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		r.t.Fatalf("lingjuli %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

func (r *rig) write(path, text string) {
	r.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// carrierDoor is one of the carrier's addresses, and how many calls came by it and wait for their answer.
type carrierDoor struct {
	*httptest.Server
	calls, open atomic.Int64
}

func (r *rig) openDoor() *carrierDoor {
	d := &carrierDoor{}
	gateway := r.carrier.AliyunHandler()
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Query().Get("Action") == "SendBatchSms" { // anybody looks
			d.calls.Add(1)
			d.open.Add(1)
			defer d.open.Add(-1)
		}
		gateway.ServeHTTP(w, req)
	}))
	r.doors = append(r.doors, d)
	r.t.Cleanup(func() {
		d.CloseClientConnections()
		_ = r.carrier.Close() // calls that hang are let go
		d.Close()
	})
	return d
}
