package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// platform is a carrier that keeps what it took, and can be told to fail.
type platform struct {
	mu        sync.Mutex
	validity  time.Duration                     // not 0: a text that was signed longer ago is not taken
	taken     map[string]map[register.Phone]int // out id → phone → times
	calls     int
	hangs     chan struct{} // not nil: a query is told here and gets no answer until free is closed
	free      chan struct{}
	answer    func(call notify.Outgoing, n int) (notify.Answer, bool) // the answer, and whether the message was taken
	knows     map[register.Phone]notify.Found                         // what became of texts that were taken; of others nothing is known yet
	questions map[register.Phone]int
}

func (p *platform) Sign(_ context.Context, call notify.Outgoing) (notify.Request, error) {
	return &platformRequest{p: p, call: call, at: time.Now()}, nil
}

// takesFor has the platform refuse texts that were signed longer ago: on a busy machine some are, and they are looked for and sent
// anew. The other channels have nobody to look for them, so there the machine's haste would decide.
func (p *platform) takesFor(validity time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.validity = validity
	return validity
}

type platformRequest struct {
	p     *platform
	call  notify.Outgoing
	at    time.Time
	spent bool // it was taken
}

func (r *platformRequest) SignedAt() time.Time { return r.at }
func (r *platformRequest) Repeatable() bool    { return true }
func (r *platformRequest) Present(ctx context.Context) notify.Answer {
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	if ctx.Err() != nil || r.call.Channel == notify.SMS && r.p.validity > 0 && time.Since(r.at) > r.p.validity {
		return notify.Answer{Outcome: notify.Unknown}
	}
	r.p.calls++
	if r.spent {
		return notify.Answer{Outcome: notify.Refused, Verdict: notify.BytesSpent, Code: "SignatureNonceUsed"}
	}
	answer, taken := notify.Answer{Outcome: notify.Accepted, Code: "OK", ID: fmt.Sprint("biz", r.p.calls)}, true
	if r.p.answer != nil {
		answer, taken = r.p.answer(r.call, r.p.calls)
	}
	if r.spent = taken; !taken {
		return answer
	}
	if r.p.taken == nil {
		r.p.taken = map[string]map[register.Phone]int{}
	}
	if r.p.taken[r.call.OutID] == nil {
		r.p.taken[r.call.OutID] = map[register.Phone]int{}
	}
	for _, m := range r.call.Members {
		r.p.taken[r.call.OutID][m.Phone]++
	}
	return answer
}

// Look finds what was taken.
func (p *platform) Look(ctx context.Context, outID string, phone register.Phone, _ time.Time) (notify.Found, error) {
	if p.hangs != nil {
		select {
		case p.hangs <- struct{}{}:
		default:
		}
		<-p.free
		return notify.Found{}, context.DeadlineExceeded
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.questions == nil {
		p.questions = map[register.Phone]int{}
	}
	p.questions[phone]++
	if p.taken[outID][phone] > 0 {
		return p.knows[phone], nil
	}
	return notify.Found{}, notify.ErrNoMessage
}

// texts counts the texts each phone got.
func (p *platform) texts() map[register.Phone]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	got := map[register.Phone]int{}
	for _, phones := range p.taken {
		for phone, n := range phones {
			got[phone] += n
		}
	}
	return got
}

// villager is a person to be put on file.
type villager struct {
	id        int64
	name      string
	phone     register.Phone
	household string
	status    register.LifeStatus
}

// phoneOf makes fictional numbers; the first ten thousand read 1380000xxxx.
func phoneOf(n int) register.Phone {
	return register.Phone(fmt.Sprintf("%07d%04d", 1380000+n/10000, n%10000))
}

func putOnFile(t testing.TB, s *Store, people ...villager) {
	t.Helper()
	err := s.write(context.Background(), "put on file", func(tx *tx) error {
		columns := []string{
			"id", "id_idx", "id_number_sealed", "name_idx", "name_sealed", "phone_idx", "phone_sealed", "phone_mobile", "region",
			"household_no", "household", "head_relation", "birth_date", "sex", "categories", "education", "student", "pupil", "school",
			"graduated_on", "skills", "labour", "wants_work", "wants_training", "wants_business", "employment", "employed", "employer",
			"placed_on", "status", "disability_level", "disability_kind", "health", "language", "hand_fields", "wechat_bound",
			"wechat_subscribed", "opted_out", "last_reached_at", "created_at", "updated_at",
		}
		var rows [][]any
		for _, p := range people {
			if p.status == "" {
				p.status = register.Alive
			}
			if p.name == "" {
				p.name = "王小明"
			}
			var phoneSealed, phoneIdx []byte
			if p.phone != "" {
				phoneSealed, phoneIdx = tx.keys.Seal([]byte(p.phone), "people", "phone_sealed", p.id), tx.keys.Index("phone", string(p.phone))
			}
			id := []byte(fmt.Sprint("id", p.id))
			rows = append(rows, []any{
				p.id, id, tx.keys.Seal(id, "people", "id_number_sealed", p.id), id, tx.keys.Seal([]byte(p.name), "people", "name_sealed", p.id), phoneIdx, phoneSealed, p.phone != "",
				"441802103201", "", p.household, "", "1970-01-01", "", "", "", "", false, "", "", "", "", 0, 0, 0, "", false, "", "",
				string(p.status), 0, "", "", "", "", false, false, false, 0, 0, 0,
			})
		}
		return errors.Join(tx.bulkInsert("people", columns, rows), tx.numbersChanged())
	})
	if err != nil {
		t.Fatal(err)
	}
}

// noNotices is a worker's store without conversations.
type noNotices struct{ *Store }

func (noNotices) ClaimNotice(context.Context, int64, string, time.Duration) (notify.Notice, error) {
	return notify.Notice{}, notify.ErrNoNotice
}
func (noNotices) SettleNotice(context.Context, int64, notify.Settlement) error { return nil }
func (noNotices) WaitingNotices(context.Context, int) ([]int64, error)         { return nil, nil }

// quickRules have no cap, and time goes as it goes.
func quickRules() notify.Rules { return notify.Rules{Zone: time.UTC} }

// startWorker starts a worker that looks after lost answers soon, or when looks say.
func startWorker(t *testing.T, s *Store, p *platform, rules notify.Rules, redisAddr string, looks ...time.Duration) *notify.Worker {
	t.Helper()
	return startWorkerBy(t, time.Now, s, p, rules, redisAddr, looks...)
}

// startWorkerBy starts a worker that goes by a clock of its own.
func startWorkerBy(t *testing.T, clock func() time.Time, s *Store, p *platform, rules notify.Rules, redisAddr string, looks ...time.Duration) *notify.Worker {
	t.Helper()
	return startWorkerOf(t, clock, noNotices{s}, p, rules, redisAddr, looks...)
}

func startWorkerOf(t *testing.T, clock func() time.Time, s notify.Store, p *platform, rules notify.Rules, redisAddr string, looks ...time.Duration) *notify.Worker {
	t.Helper()
	if len(looks) == 0 {
		looks = []time.Duration{200 * time.Millisecond, 400 * time.Millisecond}
	}
	validity := p.takesFor(600 * time.Millisecond)
	level := slog.LevelError
	if testing.Verbose() {
		level = slog.LevelDebug
	}
	w, err := notify.NewWorker(notify.WorkerConfig{
		Store: s, Senders: map[notify.Channel]notify.Sender{notify.SMS: p, notify.Voice: p, notify.WeChat: p}, Looker: p,
		Redis: asynq.RedisClientOpt{Addr: redisAddr}, Rules: rules,
		Looks: looks, Validity: validity,
		SMSQPS: 500, WeChat: 500, Now: clock,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	return w
}

func templateOf(channels ...notify.Channel) notify.Template {
	x := notify.Template{Key: "due", Kind: notify.PremiumReminder}
	for _, c := range channels {
		switch c {
		case notify.SMS:
			x.SMS = &notify.SMSTemplate{Code: "SMS_1", Type: notify.SMSNotification, Content: "${name}您好，请缴费。", Params: map[string]string{"name": "{{.Person.ShortName}}"}}
		case notify.Voice:
			x.Voice = &notify.VoiceTemplate{Code: "TTS_1", Content: "${name}您好。", Params: map[string]string{"name": "{{.Person.ShortName}}"}}
		case notify.WeChat:
			x.WeChat = &notify.WeChatTemplate{Subscribe: "TPL_A", Fields: map[string]string{"thing1": "{{.Person.ShortName}}"}}
		}
	}
	return x
}

// approved makes an approved campaign.
func approved(t testing.TB, s *Store, change func(*notify.Spec)) int64 {
	t.Helper()
	anyHour := ""
	spec := notify.Spec{Name: "缴费提醒", Kind: notify.PremiumReminder, Audience: register.Everybody(), Channels: []notify.Channel{notify.SMS}, Template: "due", Window: &anyHour}
	if change != nil {
		change(&spec)
	}
	return approvedWith(t, s, spec, templateOf(spec.Channels...))
}

func approvedWith(t testing.TB, s *Store, spec notify.Spec, template notify.Template) int64 {
	t.Helper()
	ctx, now := context.Background(), time.Now()
	id, err := s.CreateCampaign(ctx, notify.Campaign{Month: 202611, Spec: spec, AuthorID: 1, CreatedAt: now}, staff.Entry{At: now, Actor: "a", Act: staff.DidWrite})
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range []notify.CampaignEvent{notify.Submit, notify.Approve} {
		if _, err := s.MoveCampaign(ctx, id, notify.CampaignMoved{
			Event: event, At: now, By: staff.Member{ID: 2}, Template: &template,
			Audit: staff.Entry{At: now, Actor: "b", Act: staff.DidApprove, Object: fmt.Sprint("campaign:", id)},
		}); err != nil {
			t.Fatal(err)
		}
	}
	return id
}

func statusOf(t testing.TB, s *Store, id int64) notify.Status {
	t.Helper()
	st, err := s.CampaignStatus(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// until waits for a state of a campaign.
func until(t *testing.T, s *Store, id int64, what string, done func(notify.Status) bool) notify.Status {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute) // tests run side by side, on a machine that may be busy
	for {
		asked := time.Now()
		st := statusOf(t, s, id)
		if done(st) {
			return st
		}
		if time.Now().After(deadline) {
			t.Fatalf("not %s: %+v", what, st)
		}
		time.Sleep(20*time.Millisecond + 5*time.Since(asked)) // to ask is not free either
	}
}

func finished(st notify.Status) bool { return st.State == notify.Finished }

func crowd(n int) []villager {
	people := make([]villager, n)
	for i := range people {
		people[i] = villager{id: int64(i + 1), phone: phoneOf(i), household: fmt.Sprint("h", i)}
	}
	return people
}

func TestAnApprovedCampaignReachesEverybodyOnceAndFinishes(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(950)...)
		p := &platform{}
		id := approved(t, s, nil)
		w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr())
		defer w.Shutdown()
		st := until(t, s, id, "finished", finished)
		if st.Total != 950 || st.Accepted != 950 || st.ByChannel[notify.SMS] != 950 {
			t.Errorf("%+v", st)
		}
		onceEach(t, p, 950)
	})
}

func onceEach(t *testing.T, p *platform, want int) {
	t.Helper()
	got := p.texts()
	if len(got) != want {
		t.Errorf("%d phones got a text, want %d", len(got), want)
	}
	for phone, n := range got {
		if n != 1 {
			t.Errorf("%s got %d texts", phone, n)
		}
	}
}

func TestUnansweredCallsAreResolvedAndNobodyGetsATextTwice(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(800)...)
		r := rand.New(rand.NewPCG(1, 2))
		p := &platform{}
		p.answer = func(call notify.Outgoing, n int) (notify.Answer, bool) {
			for _, m := range call.Members {
				if strings.HasSuffix(string(m.Phone), "77") {
					return notify.Answer{Outcome: notify.Refused, Verdict: notify.MemberFinal, Code: "isv.MOBILE_NUMBER_ILLEGAL", OfPhone: true}, false
				}
			}
			switch r.IntN(6) {
			case 0:
				return notify.Answer{Outcome: notify.Unknown}, true
			case 1:
				return notify.Answer{Outcome: notify.Unknown}, false
			case 2:
				return notify.Answer{Outcome: notify.NotSent, Verdict: notify.RetryLater}, false
			}
			return notify.Answer{Outcome: notify.Accepted, Code: "OK"}, true
		}
		id := approved(t, s, nil)
		w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr())
		defer w.Shutdown()
		st := until(t, s, id, "finished", finished)
		if st.Total != 800 || st.Accepted != 792 || st.Failed != 8 {
			t.Errorf("%+v", st)
		}
		onceEach(t, p, 792)
	})
}
