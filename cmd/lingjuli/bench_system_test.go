package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/register/fictional"
	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/internal/store/databasetest"
)

// system is the program as it is run in earnest: the built binary in processes of their own, PostgreSQL and Redis
// beside it, and the carrier in yet another process. What it has done is counted by its doors alone.
type system struct {
	b      *testing.B
	at     place
	cfg    config
	binary string
	dir    string
	people int // the audience
	asking int // people outside it who ask for codes, in each campaign others
	asked  int // those of them who had their turn
	store  *store.Store
	loaded string // the database with nothing but people, where each campaign has a copy of its own

	carrier *standIn
	workers []*worker
}

// worker is one serving process.
type worker struct {
	cmd   *exec.Cmd
	addr  string
	log   string
	ended chan error
}

const (
	nowhere    = "http://127.0.0.1:1" // the platforms, while there is no carrier
	sheetRows  = 200_000              // a file of the import
	startsIn   = 30 * time.Second
	stopsIn    = 30 * time.Second
	peopleArea = "441881" // of the audience
	askingArea = "441882" // of those who ask for codes, so that the two can be told apart
)

// newSystem makes a database and loads people for so many campaigns by the program's own import.
func newSystem(b *testing.B, at place, people, campaigns int) *system {
	b.Helper()
	s := &system{b: b, at: at, dir: b.TempDir(), people: people, asking: min(max(people/1500, 10), 1000)}
	s.cfg = benchConfig(at.database(b), at.redis, nowhere, nowhere)
	s.binary = filepath.Join(s.dir, "lingjuli")
	if out, err := exec.Command("go", "build", "-trimpath", "-o", s.binary, ".").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	s.command("migrate", "up")
	began := time.Now()
	s.load(peopleArea, 0, people)
	s.load(askingArea, people, campaigns*s.asking)
	took := time.Since(began)
	progress("%s: %d people imported in %v, %.0f/s", at.name, people+campaigns*s.asking, took.Round(time.Second), float64(people+campaigns*s.asking)/took.Seconds())
	s.file("templates.yaml", `templates:
  - key: bench
    kind: premium_reminder
    sms: {code: SMS_BENCH, type: notification, content: "`+benchTemplate+`", params: {name: "{{.Person.ShortName}}", deadline: "{{.Params.deadline}}"}}
  - key: verify_code
    kind: verification
    sms: {code: SMS_CODE, type: code, content: "`+benchCode+`", params: {code: "{{.Params.code}}"}}
`)
	s.command("template", "apply", "-f", filepath.Join(s.dir, "templates.yaml"))
	s.loaded = s.cfg.DatabaseURL
	if at.redis != "embedded" {
		databasetest.Vacuum(b, s.loaded)
	}
	s.open()
	b.Cleanup(func() { _ = s.store.Close() })
	return s
}

func (s *system) open() {
	s.b.Helper()
	var err error
	if s.store, err = openStore(s.b.Context(), s.cfg); err != nil {
		s.b.Fatal(err)
	}
}

// afresh goes on in a database as it was when the people had been loaded.
func (s *system) afresh() {
	s.b.Helper()
	if err := s.store.Close(); err != nil {
		s.b.Fatal(err)
	}
	s.cfg.DatabaseURL = databasetest.CopyOf(s.b, s.loaded)
	s.asked = 0
	s.open()
}

// progress says at once how far a long measurement is.
func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// benchName is what everybody on file is called.
const benchName = "陈大文"

// load imports n people of an area, each with a number of their own, from the i-th on.
func (s *system) load(area string, from, n int) {
	s.b.Helper()
	for ; n > 0; from, n = from+sheetRows, n-sheetRows {
		var sheet strings.Builder
		sheet.WriteString("姓名,身份证号,手机号,行政区划代码\n")
		for i := from; i < from+min(n, sheetRows); i++ {
			fmt.Fprintf(&sheet, "%s,%s,%s,%s000000\n", benchName, benchID(area, i), fictional.Phone(i), area)
		}
		report := filepath.Join(s.dir, "report.json")
		s.command("import", "people", s.file("people.csv", sheet.String()), "--report", report)
		if text, err := os.ReadFile(report); err != nil || !strings.Contains(string(text), fmt.Sprintf(`"accepted":%d,`, min(n, sheetRows))) &&
			!strings.Contains(string(text), fmt.Sprintf(`"accepted": %d,`, min(n, sheetRows))) {
			s.b.Fatalf("import: %v %.300s", err, text)
		}
	}
}

func benchID(area string, i int) string { return fictional.IDNumber(area, "1950-01-02", i) }

func (s *system) file(name, text string) string {
	s.b.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.b.Fatal(err)
	}
	return path
}

// env is the configuration as the processes get it.
func (s *system) env() []string {
	c := s.cfg
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "LANG=en_US.UTF-8",
		"LINGJULI_DATABASE_URL=" + c.DatabaseURL, "LINGJULI_REDIS_URL=" + c.RedisURL, "LINGJULI_LISTEN=" + c.Listen, "LINGJULI_DATA_KEY=" + c.DataKey,
		"LINGJULI_WECHAT_APP_ID=" + c.WeChat.AppID, "LINGJULI_WECHAT_APP_SECRET=" + c.WeChat.AppSecret, "LINGJULI_WECHAT_TOKEN=" + c.WeChat.Token,
		"LINGJULI_WECHAT_AES_KEY=" + c.WeChat.AESKeys[0], "LINGJULI_WECHAT_API_BASE=" + c.WeChat.APIBase,
		"LINGJULI_ALIYUN_ACCESS_KEY_ID=" + c.Aliyun.AccessKeyID, "LINGJULI_ALIYUN_ACCESS_KEY_SECRET=" + c.Aliyun.AccessKeySecret,
		"LINGJULI_ALIYUN_SMS_ENDPOINT=" + c.Aliyun.SMSEndpoint, "LINGJULI_ALIYUN_VOICE_ENDPOINT=" + c.Aliyun.VoiceEndpoint,
		"LINGJULI_SMS_SIGN_NAME=" + c.Aliyun.SignName, "LINGJULI_CALLBACK_SECRET=" + c.Secrets[0], "LINGJULI_CAP=" + c.Cap,
		fmt.Sprint("LINGJULI_SMS_QPS=", c.SMSQPS), fmt.Sprint("LINGJULI_WECHAT_QPS=", c.WeChatQPS),
	}
}

// command runs the binary to its end and gives what it wrote.
func (s *system) command(args ...string) string {
	s.b.Helper()
	cmd := exec.CommandContext(s.b.Context(), s.binary, args...)
	cmd.Env = s.env()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		s.b.Fatalf("lingjuli %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// start starts a fresh carrier, and the serving processes on an empty Redis. Those of the web take receipts in turns.
func (s *system) start(serving processes) {
	s.b.Helper()
	emptyRedis(s.b, s.cfg.RedisURL)
	s.carrier = startStandIn(s.b, standInCarrier)
	s.cfg.Aliyun.SMSEndpoint, s.cfg.Aliyun.VoiceEndpoint, s.cfg.WeChat.APIBase = s.carrier.Aliyun, s.carrier.Aliyun, s.carrier.WeChat
	for range serving.both {
		s.serve("web,worker")
	}
	for range serving.web {
		s.serve("web")
	}
	var bases []string
	for _, w := range s.workers {
		bases = append(bases, w.addr+"/aliyun/"+benchSecret)
	}
	for range serving.worker {
		s.serve("worker")
	}
	s.carrier.tell(http.MethodPut, "/sandbox/receipts", sandbox.Receipts{
		Bases: bases, DelaySeconds: 1, JitterSeconds: 2, RetryScale: 0.02, // a push that was not taken comes again after 1.2 s
	})
	s.carrier.tell(http.MethodPost, "/sandbox/wechat/callback", map[string]string{"url": s.workers[0].addr + "/wechat/callback"})
}

func (s *system) serve(roles string) {
	s.b.Helper()
	w := &worker{cmd: exec.Command(s.binary, "serve", "--roles", roles), log: filepath.Join(s.dir, fmt.Sprintf("serve%d.log", len(s.workers))), ended: make(chan error, 1)}
	log, err := os.Create(w.log)
	if err != nil {
		s.b.Fatal(err)
	}
	defer log.Close()
	first := &firstLineWriter{line: make(chan string, 1)}
	w.cmd.Env, w.cmd.Stdout, w.cmd.Stderr = s.env(), first, log
	if err := w.cmd.Start(); err != nil {
		s.b.Fatal(err)
	}
	go func() { w.ended <- w.cmd.Wait() }()
	s.b.Cleanup(func() { _ = w.cmd.Process.Kill() }) // where it was not stopped in order
	select {
	case line := <-first.line:
		w.addr = line[strings.Index(line, "http://"):]
	case err := <-w.ended:
		s.b.Fatalf("a serving process ended at once: %v\n%s", err, w.warnings())
	case <-time.After(startsIn):
		s.b.Fatalf("a serving process did not start\n%s", w.warnings())
	}
	s.workers = append(s.workers, w)
}

// stop stops all processes, and says what the serving ones warned of, because it spoils the figures.
func (s *system) stop() {
	s.b.Helper()
	for i, w := range s.workers {
		_ = w.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-w.ended:
			if err != nil {
				s.b.Errorf("serving process %d ended with %v", i, err)
			}
		case <-time.After(stopsIn):
			s.b.Errorf("serving process %d does not stop", i)
			_ = w.cmd.Process.Kill()
		}
		if text := w.warnings(); text != "" {
			progress("serving process %d warned:\n%s", i, text)
		}
	}
	s.workers = nil
	s.carrier.stop()
}

// warnings are the first lines of a log above information.
func (w *worker) warnings() string {
	f, err := os.Open(w.log)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	var kept warnings
	for lines := bufio.NewScanner(f); lines.Scan(); {
		_, _ = kept.Write(append(lines.Bytes(), '\n'))
	}
	return kept.String()
}

// usage is what all parts have spent up to now.
func (s *system) usage() usage {
	s.b.Helper()
	u := usageHere(s.b, s.cfg)
	u.standIn = s.carrier.cpu()
	for _, w := range s.workers {
		u.product += processCPU(w.cmd.Process.Pid)
	}
	return u
}

// memory is the most that any one of the serving processes has held at once, in MiB.
func (s *system) memory() (most float64) {
	for _, w := range s.workers {
		most = max(most, peakMemory(w.cmd.Process.Pid))
	}
	return most
}

// alive fails where a serving process has ended.
func (s *system) alive(ctx context.Context) {
	s.b.Helper()
	for i, w := range s.workers {
		select {
		case err := <-w.ended:
			s.b.Fatalf("serving process %d ended: %v\n%s", i, err, w.warnings())
		default:
		}
	}
	if err := ctx.Err(); err != nil {
		s.b.Fatal(err)
	}
}
