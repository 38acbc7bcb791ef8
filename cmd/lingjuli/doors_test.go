package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/register/fictional"
	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/internal/store/databasetest"
	"github.com/lingjuli/lingjuli/internal/store/seal"
	"github.com/lingjuli/lingjuli/notify"
)

// town is the real server in this process, with stand-in platforms that push to its own addresses.
type town struct {
	t      testing.TB
	env    map[string]string
	box    *sandbox.Sandbox
	aliyun string // the stand-in's address
	srv    *server
	all    campaigns
	stop   func() error // the server, once
	base   string
	window string        // of its campaigns; "": any hour
	change func(*config) // what no variable says
}

// settled are databases with the town's templates and staff on file, which each town copies.
var settled = sync.OnceValue(func() *databasetest.Templates {
	return databasetest.New(func(ctx context.Context, databaseURL, dataKey string) error {
		s, err := store.Open(ctx, databaseURL, dataKey)
		if err != nil {
			return err
		}
		return errors.Join(equip(ctx, s), s.Close())
	})
})

// eachTown plays a story on both databases, side by side with one another and with other stories. A test calls it once.
func eachTown(t *testing.T, people int, prepare func(*town), story func(*town)) {
	t.Helper()
	settled().Each(t, func(t *testing.T, databaseURL string) { story(settledTown(t, databaseURL, people, prepare)) })
}

// eachTownAlone tells a story that is much work beside no other.
func eachTownAlone(t *testing.T, people int, prepare func(*town), story func(*town)) {
	t.Helper()
	settled().EachAlone(t, func(t *testing.T, databaseURL string) { story(settledTown(t, databaseURL, people, prepare)) })
}

// settledTown is a town on a copy of a settled database.
func settledTown(t *testing.T, databaseURL string, people int, prepare func(*town)) *town {
	t.Helper()
	return newTown(t, databaseURL, people, prepare, "LINGJULI_DATA_KEY="+settled().Key)
}

// newTown makes one. prepare changes it before its server starts, first are variables that its stand-ins go by too.
func newTown(t testing.TB, databaseURL string, people int, prepare func(*town), first ...string) *town {
	t.Helper()
	w := &town{t: t, env: map[string]string{
		"LINGJULI_DATABASE_URL": databaseURL, "LINGJULI_DATA_KEY": seal.NewDataKey(), "LINGJULI_LISTEN": "127.0.0.1:0", "LANG": "en_US.UTF-8",
		"LINGJULI_ALIYUN_ACCESS_KEY_ID": "town-key", "LINGJULI_ALIYUN_ACCESS_KEY_SECRET": "town-secret", "LINGJULI_SMS_SIGN_NAME": "零距离",
		"LINGJULI_CALLBACK_SECRET": "town-callback", "LINGJULI_CAP": "none",
		"LINGJULI_UNCONFIRMED_LOOKS": "2s,5s", "LINGJULI_REQUEST_VALIDITY": "30s", // an answer lost on a busy machine is looked for soon
	}}
	with(first...)(w)
	boxes, err := startSandbox(t.Context(), w.config(), "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = boxes.life.stop() })
	w.box, w.aliyun = boxes.box, boxes.aliyun
	w.env["LINGJULI_ALIYUN_SMS_ENDPOINT"], w.env["LINGJULI_ALIYUN_VOICE_ENDPOINT"] = boxes.aliyun, boxes.aliyun
	w.env["LINGJULI_WECHAT_API_BASE"] = boxes.wechat
	list, err := (&demo{}).templates()
	if err != nil {
		t.Fatal(err)
	}
	if err := boxes.review(list); err != nil {
		t.Fatal(err)
	}
	if prepare != nil {
		prepare(w)
	}
	w.settle(people)
	w.serve()
	return w
}

func (w *town) config() config {
	w.t.Helper()
	var s settings
	v := reflect.ValueOf(&s).Elem()
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		value := tag.Get("default")
		if given, ok := w.env[envName(tag.Get("name"))]; ok {
			value = given
		}
		v.Field(i).SetString(value)
	}
	cfg, err := s.parse()
	if err != nil {
		w.t.Fatal(err)
	}
	if w.change != nil {
		w.change(&cfg)
	}
	return cfg
}

// equip brings an empty database to the program's version and puts templates and staff on file.
func equip(ctx context.Context, s *store.Store) error {
	if err := s.Migrate(ctx); err != nil {
		return err
	}
	list, err := (&demo{}).templates()
	if err != nil {
		return err
	}
	if err := s.ApplyTemplates(ctx, list, time.Now(), staff.Entry{At: time.Now(), Actor: "test", Act: "template.apply"}); err != nil {
		return err
	}
	service, err := staffService(s)
	if err != nil {
		return err
	}
	for _, m := range demoStaff() {
		if _, _, err := service.Add(ctx, "test", m, "town-password-1"); err != nil {
			return err
		}
	}
	return nil
}

// settle puts people on file, and what every town has where it isn't there. Their numbers are 1390000xxxx.
func (w *town) settle(people int) {
	w.t.Helper()
	ctx := w.t.Context()
	s, err := openStore(ctx, w.config())
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close()
	if s.Ready(ctx) != nil {
		if err := equip(ctx, s); err != nil {
			w.t.Fatal(err)
		}
	}
	var sheet bytes.Buffer
	sheet.WriteString("姓名,身份证号,手机号,行政区划代码,户编号\n")
	for i := range people {
		fmt.Fprintf(&sheet, "甲%s,%s,%s,441881000000,户%d\n", han(i), fictional.IDNumber("441881", "1950-01-02", i), w.phone(i), i)
	}
	path := filepath.Join(w.t.TempDir(), "people.csv")
	if err := os.WriteFile(path, sheet.Bytes(), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if report, err := importFile(ctx, s, importRequest{kind: "people", path: path}); err != nil || report.Accepted != people {
		w.t.Fatalf("%+v: %v", report, err)
	}
}

func (w *town) phone(i int) string { return fmt.Sprintf("1390000%04d", i) }

func (w *town) serve() {
	w.t.Helper()
	srv, err := startServer(w.t.Context(), w.config(), roles{web: true, worker: true}, slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}
	stop := sync.OnceValue(srv.stop)
	w.t.Cleanup(func() { _ = stop() })
	w.all = newCampaigns(srv.cfg, srv.store, nil)
	w.stop, w.srv, w.base = stop, srv, "http://"+srv.addr+"/aliyun/town-callback"
}

// command runs a command beside the server and gives what it printed.
func (w *town) command(args ...string) string {
	w.t.Helper()
	var out, stderr bytes.Buffer
	if code := run(w.t.Context(), args, strings.NewReader(""), &out, &stderr, func(name string) string { return w.env[name] }); code != exitDone {
		w.t.Fatalf("%v: exit %d\n%s%s", args, code, out.String(), stderr.String())
	}
	return out.String()
}

// campaign creates and approves one by commands, and gives its id.
func (w *town) campaign(channels, more string) string {
	w.t.Helper()
	id := w.draft(channels, more)
	w.command("campaign", "submit", id, "--as", "chen")
	w.command("campaign", "approve", id, "--as", "li")
	return id
}

// draft creates one by command, and gives its id.
func (w *town) draft(channels, more string) string {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), "campaign.yaml")
	text := "name: 缴费提醒\nkind: premium_reminder\naudience: {all: [{region: {within: \"441881\"}}]}\nchannels: [" + channels + "]\n" +
		"template: medical_premium_due\nparams: {deadline: 12月31日}\nwindow: \"" + w.window + "\"\n" + more
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	lines := strings.Fields(w.command("campaign", "create", "-f", path, "--as", "chen"))
	return lines[len(lines)-1]
}

func (w *town) status(id string) notify.Status {
	w.t.Helper()
	var s notify.Status
	if err := json.Unmarshal([]byte(w.command("campaign", "status", id, "--json")), &s); err != nil {
		w.t.Fatal(err)
	}
	return s
}

// server is a campaign's status as the server would show it.
func (w *town) server(id string) notify.Status {
	w.t.Helper()
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		w.t.Fatal(err)
	}
	s, err := w.all.Service.Status(w.t.Context(), number)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// until waits for a status of a campaign, as the command prints it. To ask by the command costs much, a process' start and
// two connections: it is asked where the server says that it is so, and now and then.
func (w *town) until(id, what string, done func(notify.Status) bool) notify.Status {
	w.t.Helper()
	asked := time.Now()
	for deadline := asked.Add(2 * time.Minute); ; {
		began := time.Now()
		if now := w.server(id); done(now) || time.Since(asked) > 2*time.Second {
			asked = time.Now()
			if s := w.status(id); done(s) {
				return s
			}
			if asked.After(deadline) {
				w.t.Fatalf("not %s: %+v", what, now)
			}
		}
		time.Sleep(20*time.Millisecond + 3*time.Since(began))
	}
}

func (w *town) eventually(what string, is func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatal(fmt.Sprint("never: ", what))
		}
	}
}

func TestWhoATextDoesNotReachIsCalledAndTheReportDecides(t *testing.T) {
	eachTown(t, 6, nil, func(w *town) {
		w.box.SetReceipts(sandbox.Receipts{
			Bases:      []string{w.base},
			PhoneCodes: map[string]string{w.phone(0): "MOBILE_NOT_ON_SERVICE", w.phone(1): "MOBILE_NOT_ON_SERVICE", w.phone(2): "MOBILE_NOT_ON_SERVICE", w.phone(3): "MOBILE_NOT_ON_SERVICE"},
			VoiceCodes: map[string]string{w.phone(0): "200000", w.phone(1): "200004", w.phone(2): "200003", w.phone(3): "200001:12"},
		})
		id := w.campaign("sms, voice", "")
		s := w.until(id, "told", func(s notify.Status) bool { return s.Delivered == 4 && s.Failed == 1 && s.Planned == 1 })
		if s.State != notify.Running || s.NextAt == nil || s.NextAt.Before(time.Now().Add(119*time.Minute)) {
			w.t.Errorf("whom nobody answered for is not called again two hours later: %+v", s)
		}
		if s.ByChannel[notify.Voice] != 2 || s.ByChannel[notify.SMS] != 2 || s.Proofs["heard"] != 1 || s.Proofs["answered"] != 1 || s.Proofs["delivered"] != 2 {
			w.t.Errorf("%+v", s)
		}
		for i, want := range []int{1, 1, 1, 1, 0, 0} {
			calls := w.box.Calls(w.phone(i))
			if len(calls) != want {
				w.t.Errorf("phone %d was called %d times, want %d", i, len(calls), want)
			}
			if want == 1 && (!strings.Contains(calls[0].Text, "请在12月31日前缴清") || calls[0].Plays != 3 || calls[0].Speed >= 0) {
				w.t.Errorf("%+v", calls[0])
			}
		}
	})
}

// later makes a campaign's calls so much older: it is time to look after them.
func (w *town) later(id string, d time.Duration) {
	w.t.Helper()
	db := w.database()
	defer db.Close()
	query := fmt.Sprintf("UPDATE calls SET begun_at = begun_at - %d, wake_at = 1 WHERE campaign_id = %s", d.Microseconds(), id)
	if _, err := db.ExecContext(w.t.Context(), query); err != nil {
		w.t.Fatal(err)
	}
}

func TestOurBooksAreHeldAgainstTheCarriers(t *testing.T) {
	eachTown(t, 40, nil, func(w *town) {
		w.box.SetReceipts(sandbox.Receipts{
			Bases: []string{w.base}, DuplicatePercent: 50, Shuffle: true,
			PhoneCodes: map[string]string{w.phone(0): "MOBILE_NOT_ON_SERVICE", w.phone(1): "MOBILE_SEND_LIMIT"},
		})
		id := w.campaign("sms", "")
		w.until(id, "told", func(s notify.Status) bool { return s.Delivered == 38 && s.Failed == 2 })
		today := time.Now().In(notify.CarrierZone()).Format(time.DateOnly)
		books := func() notify.Reconciliation {
			var r notify.Reconciliation
			if err := json.Unmarshal([]byte(w.command("reconcile", "--day", today, "--json")), &r); err != nil {
				w.t.Fatal(err)
			}
			return r
		}
		want := notify.DayCount{Total: 40, Delivered: 38, Failed: 2}
		if r := books(); len(r.Differences) != 0 || r.Ours != want || r.Theirs != want {
			w.t.Errorf("%+v", r)
		}
		if text := w.command("reconcile", "--day", today); !strings.Contains(text, "The books agree.") {
			w.t.Error(text)
		}
		w.box.SetReceipts(sandbox.Receipts{Bases: []string{w.base}, LostPercent: 100})
		id = w.campaign("sms", "")
		w.until(id, "taken", func(s notify.Status) bool { return s.State == notify.Finished && s.Accepted == 40 })
		for deadline := time.Now().Add(patience); w.box.Stats().SMS.Waiting > 0 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		}
		r := books()
		if diff := fmt.Sprint(r.Differences); diff != "[{delivered 38 78}]" || r.Ours.Waiting != 40 {
			w.t.Errorf("receipts that were lost don't show: %+v", r)
		}
		kept, err := w.srv.store.LastReconciliations(context.Background(), 1)
		if err != nil || len(kept) != 1 || kept[0].Day != today || len(kept[0].Differences) != 1 {
			w.t.Errorf("%+v: %v", kept, err)
		}
		w.later(id, 2*time.Hour) // and so they are asked for
		w.until(id, "asked for", func(s notify.Status) bool { return s.Delivered == 40 })
		w.later(id, -2*time.Hour) // the day is still its own
		want = notify.DayCount{Total: 80, Delivered: 78, Failed: 2}
		if r := books(); len(r.Differences) != 0 || r.Ours != want || r.Theirs != want {
			w.t.Errorf("after they were asked for: %+v", r)
		}
	})
}

// forgetful stands before the queues and loses the first deletions: what was kept comes again, as after a crash between
// commit and deletion.
type forgetful struct {
	next http.Handler
	lose atomic.Int32
	lost atomic.Int32
}

func (f *forgetful) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodDelete && f.lose.Add(-1) >= 0 {
		f.lost.Add(1)
		panic(http.ErrAbortHandler)
	}
	f.next.ServeHTTP(w, r)
}

func TestReceiptsAndRepliesArePulledFromQueuesAndAMessageThatComesAgainChangesNothing(t *testing.T) {
	queue := "Alicom-Queue-1000000000000001-"
	var doors sync.Map // of each town
	pulled := func(w *town) {
		before := &forgetful{next: w.box.AliyunHandler()}
		doors.Store(w, before)
		before.lose.Store(2)
		web := httptest.NewServer(before)
		w.t.Cleanup(web.Close)
		delete(w.env, "LINGJULI_CALLBACK_SECRET") // nothing is pushed
		w.env["LINGJULI_ALIYUN_RECEIPTS"], w.env["LINGJULI_ALIYUN_QUEUES"] = "mns", queue+"SmsReport,"+queue+"SmsUp,"+queue+"VoiceReport"
		w.env["LINGJULI_ALIYUN_TOKEN_ENDPOINT"], w.env["LINGJULI_ALIYUN_QUEUE_ENDPOINT"] = w.aliyun, web.URL
		w.box.SetReceipts(sandbox.Receipts{
			Queued: true, QueueHiddenSeconds: 0.5, QueueTokenSeconds: 2, DuplicatePercent: 30, Shuffle: true,
			PhoneCodes: map[string]string{w.phone(0): "MOBILE_NOT_ON_SERVICE", w.phone(1): "MOBILE_NOT_ON_SERVICE"},
			VoiceCodes: map[string]string{w.phone(0): "200000", w.phone(1): "200004"},
		})
	}
	eachTown(t, 40, pulled, func(w *town) {
		id := w.campaign("sms, voice", "")
		s := w.until(id, "told", func(s notify.Status) bool { return s.State == notify.Finished && s.Delivered == 39 })
		if s.Failed != 1 || s.ByChannel[notify.Voice] != 1 {
			w.t.Errorf("%+v", s)
		}
		if err := w.box.ReplySMS(w.phone(5), "退订"); err != nil {
			w.t.Fatal(err)
		}
		w.until(id, "emptied", func(notify.Status) bool { return w.box.Stats().SMS.Queued == 0 })
		door, _ := doors.Load(w)
		if before, ok := door.(*forgetful); !ok || before.lost.Load() != 2 {
			w.t.Errorf("%+v: two deletions are to be lost", door)
		}
		for file := w.write("sms", "", ""); !strings.Contains(w.command("campaign", "preview", "-f", file, "--json"), `"opted_out":1`); {
			time.Sleep(50 * time.Millisecond) // out of the queue is not handled yet
		}
		again := w.campaign("sms", "")
		s = w.until(again, "told", func(s notify.Status) bool { return s.State == notify.Finished })
		if s.Skipped[notify.OptedOut] != 1 {
			w.t.Errorf("a reply from the queue was not heard: %+v", s)
		}
		today := time.Now().In(notify.CarrierZone()).Format(time.DateOnly)
		w.until(again, "reported", func(s notify.Status) bool { return s.Delivered+s.Failed == 39 && w.box.Stats().SMS.Queued == 0 })
		if text := w.command("reconcile", "--day", today); !strings.Contains(text, "The books agree.") {
			w.t.Error(text)
		}
		var found bytes.Buffer
		_ = run(w.t.Context(), []string{"doctor"}, strings.NewReader(""), &found, io.Discard, func(name string) string { return w.env[name] })
		if !strings.Contains(found.String(), "[ok] Receipt queues: answers") { // the town has no template for codes, which is another finding
			w.t.Error(found.String())
		}
	})
}

func TestACallWhoseAnswerIsLostIsDecidedByItsReportAndNeverMadeAgain(t *testing.T) {
	eachTown(t, 3, nil, func(w *town) {
		w.box.SetReceipts(sandbox.Receipts{Bases: []string{w.base}, DelaySeconds: 1, VoiceCodes: map[string]string{w.phone(0): "200000", w.phone(1): "200004", w.phone(2): "200000"}})
		if err := w.box.SetFaults(sandbox.Fault{Action: "SingleCallByTts", Kind: sandbox.FaultCloseAfterAccept}); err != nil {
			w.t.Fatal(err)
		}
		id := w.campaign("voice", "")
		s := w.until(id, "told", func(s notify.Status) bool { return s.State == notify.Finished })
		if s.Delivered != 2 || s.Failed != 1 {
			w.t.Errorf("%+v", s)
		}
		for i := range 3 {
			if n := len(w.box.Calls(w.phone(i))); n != 1 {
				w.t.Errorf("phone %d rang %d times", i, n)
			}
		}
	})
}

func TestNoTelephoneRingsAtNapTimeAndTextsGo(t *testing.T) {
	local := time.Now().In(notify.CarrierZone())
	nap := local.Add(-time.Hour).Format("15:04") + "-" + local.Add(time.Hour).Format("15:04")
	asleep := func(w *town) { w.env["LINGJULI_VOICE_NAP"], w.change = nap, workdays }
	eachTown(t, 3, asleep, func(w *town) {
		w.window = "00:00-24:00"
		calls := w.campaign("voice", "")
		texts := w.campaign("sms", "")
		w.until(texts, "sent", func(s notify.Status) bool { return s.State == notify.Finished })
		w.until(calls, "planned", func(s notify.Status) bool { return s.Total == 3 })
		if s := w.status(calls); s.Planned != 3 || len(w.box.Calls("")) != 0 {
			w.t.Errorf("a telephone rings at nap time: %+v", s)
		}
		w.window = ""
		w.until(w.campaign("voice", ""), "called", func(s notify.Status) bool { return s.Accepted+s.Delivered == 3 })
	})
}

// submitted is a campaign that waits for its approval.
func (w *town) submitted(channels string) string {
	w.t.Helper()
	lines := strings.Fields(w.command("campaign", "create", "-f", w.write(channels, "", ""), "--as", "chen"))
	id := lines[len(lines)-1]
	w.command("campaign", "submit", id, "--as", "chen")
	return id
}
