package store

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"

	"github.com/lingjuli/lingjuli/notify"
)

var errKilled = errors.New("killed")

// mortal is a worker's store that dies after some acts, before or after one of them is committed: from then on nothing
// that the worker does is written down, as after a kill.
type mortal struct {
	noNotices
	mu   sync.Mutex
	left int
}

func (m *mortal) act() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left--
	if m.left < 0 {
		return errKilled
	}
	return nil
}

// around runs one act; death may come before it or right after its commit.
func (m *mortal) around(fn func() error) error {
	if err := m.act(); err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err
	}
	return m.act()
}

func (m *mortal) dead() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.left < 0
}

func (m *mortal) BeginCalls(ctx context.Context, q notify.ClaimQuery, decide func(notify.ClaimFacts) ([]notify.Beginning, error)) error {
	return m.around(func() error { return m.Store.BeginCalls(ctx, q, decide) })
}

func (m *mortal) LastLook(ctx context.Context, ids []int64, owner string, outs int64) (notify.LastLook, error) {
	if m.dead() {
		return notify.LastLook{}, errKilled
	}
	return m.Store.LastLook(ctx, ids, owner, outs)
}

func (m *mortal) SettleCalls(ctx context.Context, results []notify.CallResult) error {
	if m.dead() {
		return nil // nobody is left to be told
	}
	return m.around(func() error { return m.Store.SettleCalls(ctx, results) })
}

func (m *mortal) Dispatch(ctx context.Context, id int64, c notify.Channel, now time.Time, open int) (calls []int64, more bool, err error) {
	err = m.around(func() error { calls, more, err = m.Store.Dispatch(ctx, id, c, now, open); return err })
	if err != nil {
		return nil, false, err
	}
	return calls, more, nil
}

func (m *mortal) PlanPage(ctx context.Context, id int64, now time.Time, _ int) (done bool, err error) {
	err = m.around(func() error { done, err = m.Store.PlanPage(ctx, id, now, planPage); return err })
	return done, err
}

func (m *mortal) RequeueCall(ctx context.Context, id int64) (next int64, err error) {
	err = m.around(func() error { next, err = m.Store.RequeueCall(ctx, id); return err })
	return next, err
}

func (m *mortal) EndCampaigns(ctx context.Context) (more bool, err error) {
	if m.dead() {
		return false, errKilled
	}
	return m.Store.EndCampaigns(ctx)
}

func (m *mortal) DueCalls(ctx context.Context, limit int, hold time.Duration) ([]notify.Call, time.Time, error) {
	if m.dead() {
		return nil, time.Time{}, errKilled
	}
	return m.Store.DueCalls(ctx, limit, hold)
}

// moody is a platform that takes, loses answers, refuses one member, is busy, or hangs until the lease ends.
func moody(seed uint64) *platform {
	r := rand.New(rand.NewPCG(seed, 7))
	p := &platform{}
	p.answer = func(call notify.Outgoing, _ int) (notify.Answer, bool) {
		for _, m := range call.Members {
			if m.Phone[9:] == "77" {
				return notify.Answer{Outcome: notify.Refused, Verdict: notify.MemberFinal, Code: "isv.MOBILE_NUMBER_ILLEGAL", OfPhone: true}, false
			}
		}
		switch r.IntN(20) {
		case 0, 1:
			return notify.Answer{Outcome: notify.Unknown}, true
		case 2, 3:
			return notify.Answer{Outcome: notify.Unknown}, false
		case 4:
			return notify.Answer{Outcome: notify.NotSent, Verdict: notify.RetryLater}, false
		case 5:
			return notify.Answer{Outcome: notify.Refused, Verdict: notify.RetryLater, Code: "isp.SYSTEM_ERROR"}, false
		}
		return notify.Answer{Outcome: notify.Accepted, Code: "OK", ID: "b"}, true
	}
	return p
}

func mortalWorker(t *testing.T, m *mortal, p *platform, redis string) *notify.Worker {
	t.Helper()
	validity := p.takesFor(300 * time.Millisecond)
	w, err := notify.NewWorker(notify.WorkerConfig{
		Store: m, Senders: map[notify.Channel]notify.Sender{notify.SMS: p}, Looker: p, Redis: asynq.RedisClientOpt{Addr: redis},
		Rules: quickRules(), Looks: notify.Looks{50 * time.Millisecond, 100 * time.Millisecond}, Validity: validity,
		SMSQPS: 400, WeChat: 400, Now: time.Now, Lease: 250 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	return w
}

// The first lives are so short that the campaign can't be over before they are: they act 11 times at most, and together
// that is less than 15 pages of the plan and 13 calls ask for, two acts each.
const (
	planPage   = 29
	shortLives = 5
	shortLife  = 12
)

func TestAWorkerKilledAtAnyMomentLeavesNobodyWithTwoTextsAndNobodyWithout(t *testing.T) {
	const people, kept = 420, 10
	eachStore(t, func(t *testing.T, s *Store) {
		list := crowd(people)
		for i := range 30 { // households of two on one phone
			list[2*i+100].phone, list[2*i+100].household = list[2*i+101].phone, list[2*i+101].household
		}
		putOnFile(t, s, list...)
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 1))
		p := moody(seed)
		redis := miniredis.RunT(t)
		id := approved(t, s, func(spec *notify.Spec) { spec.Rate = 120 }) // small calls: more of them to die in
		lives, deaths, flushed := 0, 0, false
		deadline := time.Now().Add(6 * time.Minute)
		for !finished(statusOf(t, s, id)) {
			if time.Now().After(deadline) {
				t.Fatalf("not finished after %d deaths: %+v", deaths, statusOf(t, s, id))
			}
			m := &mortal{noNotices: noNotices{s}, left: 4 + r.IntN(60)}
			switch {
			case lives < shortLives:
				m.left = 4 + r.IntN(shortLife-4)
			case lives >= kept:
				m.left = 1 << 30
			}
			w := mortalWorker(t, m, p, redis.Addr())
			for !m.dead() && !finished(statusOf(t, s, id)) && time.Now().Before(deadline) {
				time.Sleep(50 * time.Millisecond)
			}
			w.Shutdown()
			lives++
			if m.dead() && !finished(statusOf(t, s, id)) {
				deaths++
			}
			if deaths == shortLives && !flushed {
				redis.FlushAll()
				flushed = true
			}
		}
		if deaths < shortLives || !flushed {
			t.Errorf("of %d workers %d died before the campaign was over, want %d; Redis was emptied: %v", lives, deaths, shortLives, flushed)
		}
		got := p.texts()
		for phone, n := range got {
			if n != 1 {
				t.Errorf("%s got %d texts", phone, n)
			}
		}
		st := statusOf(t, s, id)
		refused, households := 0, -len(list)
		for i, v := range list {
			if i == 0 || v.phone != list[i-1].phone || v.phone[9:] == "77" {
				households++
			}
			if v.phone[9:] == "77" {
				refused++
			} else if got[v.phone] == 0 {
				t.Errorf("%s got nothing", v.phone)
			}
		}
		t.Logf("%d lives, %d deaths, %+v", lives, deaths, st)
		if st.Total != people || int(st.Accepted) != len(got) || int(st.Failed) != refused || int(st.Skipped[notify.ByHousehold]) != -households ||
			st.Accepted+st.Failed+st.Skipped[notify.ByHousehold] != people {
			t.Errorf("%d phones have a text, %d are refused: %+v", len(got), refused, st)
		}
	})
}
