//go:build e2e

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lingjuli/lingjuli/internal/register/fictional"
	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/internal/store/seal"
	"github.com/lingjuli/lingjuli/internal/store/storetest"
)

// rig is one system under test: the real binary, and a carrier that misbehaves as told.
type rig struct {
	t       *testing.T
	binary  string
	dir     string
	env     []string
	carrier *sandbox.Sandbox
	redis   string // "" with the embedded one
}

const (
	e2ePeople = 5000
	badInAll  = 50 // one in a hundred numbers is refused
	kills     = 20
)

func TestNobodyTwiceNobodyNeverWhereTheWorkerIsKilledOnSQLite(t *testing.T) {
	r := newRig(t, storetest.SQLiteURL(t), "")
	r.killTest(1)
}

func TestNobodyTwiceNobodyNeverWhereWorkersAreKilledOnPostgresAndRedis(t *testing.T) {
	url, redisURL := storetest.PostgresURL(t), os.Getenv("LINGJULI_TEST_REDIS")
	if url == "" || redisURL == "" {
		t.Fatal("LINGJULI_TEST_POSTGRES and LINGJULI_TEST_REDIS must name servers: make e2e starts them")
	}
	r := newRig(t, url, redisURL+"/7")
	r.killTest(2)
}

// killTest runs a campaign to all people while workers are killed, Redis is emptied once, and the carrier fails as
// the promise supposes; then it holds our figures against the carrier's.
func (r *rig) killTest(workers int) {
	t := r.t
	bad := r.loadPeople()
	r.faults(bad)
	id := r.startCampaign()
	ctx, cancel := context.WithTimeout(t.Context(), 12*time.Minute)
	defer cancel()
	began := time.Now()
	killed := r.killWorkers(ctx, workers, id)
	finished := r.settle(ctx, workers, id)
	t.Logf("%d kills, finished after %v: %s", killed, time.Since(began).Round(time.Second), finished.raw)
	if killed < kills {
		t.Errorf("only %d kills before the campaign ended; the test must kill at least %d times", killed, kills)
	}
	r.compare(finished, bad)
}

// killWorkers starts workers and kills one every 1.5 s or sooner, until enough were killed or the campaign ends.
func (r *rig) killWorkers(ctx context.Context, workers int, id string) int {
	procs := make([]*exec.Cmd, workers)
	for i := range procs {
		procs[i] = r.startWorker(i)
	}
	killed := 0
	for killed < kills && ctx.Err() == nil {
		time.Sleep(700*time.Millisecond + rand.N(800*time.Millisecond))
		i := killed % workers
		r.kill(procs[i])
		killed++
		if r.redis != "" && killed == kills/2 {
			r.emptyRedis()
		}
		procs[i] = r.startWorker(i)
	}
	for _, p := range procs {
		r.kill(p)
	}
	return killed
}

// settle lets one worker run in peace until the campaign is finished.
func (r *rig) settle(ctx context.Context, workers int, id string) e2eStatus {
	p := r.startWorker(0)
	defer r.kill(p)
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
	if got := s.Accepted + s.Delivered; got != int64(len(texts)) {
		t.Errorf("we count %d accepted, the carrier %d", got, len(texts))
	}
	if want := e2ePeople - len(bad); len(texts) != want {
		t.Errorf("%d phones got a text, want %d", len(texts), want)
	}
	if s.Failed != int64(len(bad)) {
		t.Errorf("%d failed, want the %d bad numbers", s.Failed, len(bad))
	}
	if s.Total != e2ePeople {
		t.Errorf("total %d, want %d", s.Total, e2ePeople)
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

func newRig(t *testing.T, databaseURL, redisURL string) *rig {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "lingjuli")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	carrier, err := sandbox.New(sandbox.Config{Seed: 7, Aliyun: sandbox.AliyunConfig{
		AccessKeys: map[string]string{"e2e-key": "e2e-secret"},
		Signs:      []string{"零距离"},
		Templates:  []sandbox.SMSTemplate{{Code: "SMS_E2E", Type: "notification", Content: "${name}您好，今年医保请在${deadline}前缴清。"}},
		Limits:     sandbox.Limits{NotificationPerDay: -1},
	}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(carrier.AliyunHandler())
	t.Cleanup(func() {
		server.CloseClientConnections()
		_ = carrier.Close()
		server.Close()
	})
	r := &rig{t: t, binary: binary, dir: dir, carrier: carrier, redis: redisURL}
	r.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LANG=en_US.UTF-8",
		"LINGJULI_DATABASE_URL=" + databaseURL, "LINGJULI_DATA_KEY=" + seal.NewDataKey(), "LINGJULI_LISTEN=127.0.0.1:0",
		"LINGJULI_ALIYUN_ACCESS_KEY_ID=e2e-key", "LINGJULI_ALIYUN_ACCESS_KEY_SECRET=e2e-secret",
		"LINGJULI_ALIYUN_SMS_ENDPOINT=" + server.URL, "LINGJULI_SMS_SIGN_NAME=零距离", "LINGJULI_CALLBACK_SECRET=e2e-callback",
		// The looks and the validity are short, so that a run takes minutes; the carrier keeps to the same validity.
		"LINGJULI_UNCONFIRMED_LOOKS=2s,5s", "LINGJULI_REQUEST_VALIDITY=8s", "LINGJULI_CAP=none",
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
	for i := range e2ePeople {
		phone := fmt.Sprintf("1390000%04d", i)
		if i%(e2ePeople/badInAll) == 0 {
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
	err := r.carrier.SetFaults(
		sandbox.Fault{Action: "SendBatchSms", Kind: sandbox.FaultCloseAfterAccept, Percent: 3},
		sandbox.Fault{Action: "SendBatchSms", Kind: sandbox.FaultHang, Percent: 2, Seconds: 15},
		sandbox.Fault{Action: "SendBatchSms", Kind: sandbox.FaultCode, Percent: 2, Code: "isp.SYSTEM_ERROR"},
		sandbox.Fault{Kind: sandbox.FaultRefuseMember, Phones: phones},
	)
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

func (r *rig) startWorker(i int) *exec.Cmd {
	args := []string{"serve"}
	if r.redis != "" {
		args = append(args, "--roles", "worker")
	}
	cmd := exec.Command(r.binary, args...)
	cmd.Env = r.env
	log, err := os.OpenFile(filepath.Join(r.dir, fmt.Sprintf("worker%d.log", i)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		r.t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	return cmd
}

func (r *rig) kill(cmd *exec.Cmd) {
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		out, _ := os.ReadFile(filepath.Join(r.dir, "worker0.log"))
		r.t.Fatalf("a worker had ended by itself: %v\n%s", err, out)
	}
	_ = cmd.Wait()
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
