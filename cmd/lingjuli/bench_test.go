package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/register/fictional"
	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/internal/store/seal"
	"github.com/lingjuli/lingjuli/internal/store/storetest"
	"github.com/lingjuli/lingjuli/notify"
)

// What is measured is the server as `lingjuli serve` starts it, against the stand-ins of both platforms in this same
// process. docs/capacity.md says what the figures mean.

const (
	benchToken    = "bench-token"
	benchAppID    = "wx00000000bench001"
	benchAESKey   = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
	benchSign     = "零距离"
	benchTemplate = "${name}您好，今年医保请在${deadline}前缴清。"
	benchCode     = "您的验证码是${code}，10分钟内有效。"
	benchRedisDB  = "/11"
	benchSecret   = "bench-callback"
)

// place is where rows and tasks are kept.
type place struct {
	name     string
	database func(b *testing.B) string
	redis    string // "embedded" or a URL
}

// places are SQLite with the embedded Redis and, where both servers are named, PostgreSQL with Redis.
func places(b *testing.B) []place {
	b.Helper()
	list := []place{{"sqlite", func(b *testing.B) string { return storetest.SQLiteURL(b) }, "embedded"}}
	redisURL := os.Getenv("LINGJULI_TEST_REDIS")
	if os.Getenv("LINGJULI_TEST_POSTGRES") == "" || redisURL == "" {
		if os.Getenv("CI") == "true" {
			b.Fatal("LINGJULI_TEST_POSTGRES and LINGJULI_TEST_REDIS are not set; in CI the PostgreSQL run may not be missing")
		}
		return list
	}
	return append(list, place{"postgres", func(b *testing.B) string { return storetest.PostgresURL(b) }, redisURL + benchRedisDB})
}

// benchConfig is as fast as it goes: a rate that is never reached, and no cap unless LINGJULI_BENCH_CAP names one.
func benchConfig(database, redisURL, sms, wechat string) config {
	return config{
		DatabaseURL: database, RedisURL: redisURL, Listen: "127.0.0.1:0", PublicURL: &url.URL{Scheme: "http", Host: "127.0.0.1"},
		WeChat: wechatConfig{AppID: benchAppID, AppSecret: "bench-app-secret", Token: benchToken, AESKeys: []string{benchAESKey}, APIBase: wechat},
		Aliyun: aliyunConfig{AccessKeyID: "bench-key", AccessKeySecret: "bench-secret", SMSEndpoint: sms, VoiceEndpoint: sms, SignName: benchSign},
		SMSQPS: 5000, WeChatQPS: 5000, Cap: cmp.Or(os.Getenv("LINGJULI_BENCH_CAP"), "none"), CapWait: time.Hour,
		Looks: notify.Looks{time.Minute, 6 * time.Minute}, Validity: 31 * time.Minute,
		Secrets: []string{benchSecret}, DataKey: seal.NewDataKey(), Zone: time.FixedZone("CST", 8*3600), CLIApprove: true,
	}
}

// bench is one server under measurement, in this process.
type bench struct {
	b      *testing.B
	cfg    config
	server *server
	log    *warnings
}

func startBench(b *testing.B, at place) *bench {
	b.Helper()
	carrier, err := sandbox.New(sandbox.Config{CountersOnly: true, Aliyun: benchAliyun(), WeChat: benchWeChat()})
	if err != nil {
		b.Fatal(err)
	}
	sms := httptest.NewServer(carrier.AliyunHandler())
	wechat := httptest.NewServer(carrier.WeChatHandler())
	b.Cleanup(func() {
		_ = carrier.Close()
		sms.Close()
		wechat.Close()
	})
	r := &bench{b: b, log: &warnings{}, cfg: benchConfig(at.database(b), at.redis, sms.URL, wechat.URL)}
	emptyRedis(b, at.redis)
	b.Cleanup(r.stop)
	r.start()
	return r
}

func (r *bench) start() {
	r.b.Helper()
	rarelyCollect(os.Getenv) // as serving does
	s, err := openStore(r.b.Context(), r.cfg)
	if err == nil {
		err = s.Migrate(r.b.Context())
	}
	if err == nil {
		err = s.Close()
	}
	if err == nil {
		r.server, err = startServer(context.Background(), r.cfg, roles{web: true, worker: true}, newLogger(r.log))
	}
	if err != nil {
		r.b.Fatal(err)
	}
}

// stop stops the server; what it warned of is said, because it spoils the figures.
func (r *bench) stop() {
	if r.server == nil {
		return
	}
	if err := r.server.stop(); err != nil {
		r.b.Error(err)
	}
	r.server = nil
	if text := r.log.String(); text != "" {
		r.b.Logf("the server warned:\n%s", text)
	}
}

// load imports fictional people, each with a number of their own, and their medical cover of this year.
func (r *bench) load(people int) {
	r.b.Helper()
	var who, cover strings.Builder
	who.WriteString("姓名,身份证号,手机号,行政区划代码\n")
	cover.WriteString("身份证号,险种,年度,参保状态,待遇状态\n")
	for i := range people {
		id := fictional.IDNumber("441881", "1950-01-02", i)
		fmt.Fprintf(&who, "甲某,%s,%s,441881000000\n", id, fictional.Phone(i))
		fmt.Fprintf(&cover, "%s,城乡居民医保,%d,已参保,待遇正常\n", id, time.Now().Year())
	}
	r.importSheet("people", who.String())
	r.importSheet("cover", cover.String())
}

func (r *bench) importSheet(kind, sheet string) {
	r.b.Helper()
	path := filepath.Join(r.b.TempDir(), kind+".csv")
	if err := os.WriteFile(path, []byte(sheet), 0o600); err != nil {
		r.b.Fatal(err)
	}
	report, err := importFile(r.b.Context(), r.server.store, importRequest{kind: kind, path: path})
	if err != nil || len(report.Rejected) > 0 {
		r.b.Fatalf("import %s: %v %v", kind, err, report.Rejected)
	}
}

// warnings keeps what a server logs above information.
type warnings struct {
	mu   sync.Mutex
	text bytes.Buffer
}

const warningsKept = 4 << 10

func (w *warnings) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(`"level":"INFO"`)) {
		return len(line), nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.text.Len() < warningsKept {
		w.text.Write(line)
	}
	return len(line), nil
}

func (w *warnings) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// setting is a number from the environment.
func setting(b *testing.B, name string, otherwise int) int {
	b.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("%s=%s is not a number above 0", name, text)
	}
	return n
}

// reportOnly leaves out what the framework would print of an iteration, which says nothing here.
func reportOnly(b *testing.B, allocs, bytes, per float64) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(allocs/per, "allocs/op")
	b.ReportMetric(bytes/per, "B/op")
}
