package store

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

const (
	clockOff    = time.Minute
	soonestLook = 400 * time.Millisecond
	soonestTry  = time.Second
	slowAnswer  = 2500 * time.Millisecond // two sweeps of the other worker
	tooLate     = 30 * time.Second        // for what is due within a second; a clock that is off would make it a minute
)

// timed is a carrier that holds what comes against the database's clock, which is its own.
type timed struct {
	platform
	t *testing.T

	lock  sync.Mutex
	lost  map[string]time.Time         // when calls were presented whose answer was lost, by out id
	busy  map[register.Phone]time.Time // when they were told to come again
	drawn map[time.Duration]int        // calls, by how far the worker is off who presented them
	found map[string]int               // what has happened
}

// offBy is the carrier as a worker speaks to it, whose requests bear the worker's time.
type offBy struct {
	*timed
	off time.Duration
}

func (b offBy) Sign(_ context.Context, call notify.Outgoing) (notify.Request, error) {
	return &timedRequest{&platformRequest{p: &b.platform, call: call, at: time.Now().Add(b.off)}, b}, nil
}

type timedRequest struct {
	*platformRequest
	by offBy
}

// Repeatable: this is about the looks at lost calls.
func (*timedRequest) Repeatable() bool { return false }

func (r *timedRequest) Present(ctx context.Context) notify.Answer {
	what := r.by.draw(r.call)
	if what == "busy" {
		return notify.Answer{Outcome: notify.Refused, Verdict: notify.RetryLater, Code: "isp.SYSTEM_ERROR"}
	}
	answer := notify.Answer{Outcome: notify.Unknown}
	if what != "absent" {
		answer = r.platformRequest.Present(ctx)
	}
	if what == "slow" {
		time.Sleep(slowAnswer)
	}
	if what == "lost" || answer.Outcome == notify.Unknown { // this one too where the machine was so slow that it came too late
		r.by.loses(r.call.OutID)
		return notify.Answer{Outcome: notify.Unknown}
	}
	return answer
}

func (p *timed) loses(outID string) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.lost[outID] = time.Now()
}

// draw says what happens to a call. Of those that never arrive it would take two minutes to be sure where the worker is
// ahead, so these are the other's.
func (b offBy) draw(call notify.Outgoing) string {
	b.lock.Lock()
	defer b.lock.Unlock()
	what := []string{"lost", "absent", "busy", "slow", "", ""}[b.drawn[b.off]%6]
	b.drawn[b.off]++
	for _, m := range call.Members {
		if at, told := b.busy[m.Phone]; told {
			b.within("another try", time.Since(at), soonestTry)
			what = "" // a second refusal would be for longer
		}
	}
	if what == "absent" && b.off > 0 {
		what = ""
	}
	for _, m := range call.Members {
		if what == "busy" {
			b.busy[m.Phone] = time.Now()
		}
	}
	b.found[what]++
	return what
}

func (p *timed) within(what string, took, soonest time.Duration) {
	p.t.Helper()
	p.found[what]++
	if took < soonest || took > tooLate {
		p.t.Errorf("%s came after %v, and is due after %v", what, took, soonest)
	}
}

// Look is for calls alone whose answer was lost, and not before its time.
func (p *timed) Look(ctx context.Context, outID string, phone register.Phone, day time.Time) (notify.Found, error) {
	p.lock.Lock()
	at, lost := p.lost[outID]
	if lost {
		p.within("a look", time.Since(at), soonestLook)
	} else {
		p.t.Errorf("a call is looked for that has its answer, or will have it: %s", outID)
	}
	p.lock.Unlock()
	return p.platform.Look(ctx, outID, phone, day)
}

func TestTwoWorkersWhoseClocksAreTwoMinutesApartGoByTheDatabases(t *testing.T) {
	const people = 600
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(people)...)
		p := &timed{t: t, lost: map[string]time.Time{}, busy: map[register.Phone]time.Time{}, drawn: map[time.Duration]int{}, found: map[string]int{}}
		validity := p.takesFor(clockOff + 600*time.Millisecond)
		// It is ten seconds past a minute. To who is behind nothing has opened that has, nor shut; to who is ahead all has.
		now := time.Now()
		zone := time.FixedZone("here", 8*3600+10-int((now.Unix()+8*3600)%60))
		minute := func(after time.Duration) string { return now.Add(after).In(zone).Format("15:04") }
		during := func(from, to time.Duration) int64 {
			window := minute(from) + "-" + minute(to)
			return approved(t, s, func(spec *notify.Spec) { spec.Window, spec.Rate = &window, 160 })
		}
		over, early := during(-2*time.Hour, 0), during(time.Minute, 2*time.Hour)
		open := during(0, 2*time.Hour)
		redis := miniredis.RunT(t)
		for _, off := range []time.Duration{clockOff, -clockOff} {
			w, err := notify.NewWorker(notify.WorkerConfig{
				Store: noNotices{s}, Senders: map[notify.Channel]notify.Sender{notify.SMS: offBy{p, off}}, Looker: p, Redis: asynq.RedisClientOpt{Addr: redis.Addr()},
				Rules: notify.Rules{Zone: zone}, Looks: notify.Looks{soonestLook, 2 * soonestLook}, Validity: validity, SMSQPS: 500, WeChat: 500,
				Now: func() time.Time { return time.Now().Add(off) }, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
			})
			if err == nil {
				err = w.Start(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			defer w.Shutdown()
		}
		wantCounts(t, until(t, s, open, "finished", finished), map[string]int64{"accepted": people})
		onceEach(t, &p.platform, people)
		if st := statusOf(t, s, over); st.Planned != people {
			t.Errorf("what has shut: %+v", st)
		}
		if st := statusOf(t, s, early); st.Planned != people && time.Since(now) < 50*time.Second {
			t.Errorf("what has not opened: %+v", st)
		}
		p.lock.Lock()
		defer p.lock.Unlock()
		t.Log(p.drawn, p.found)
		for _, what := range []string{"slow", "lost", "busy", "absent", "a look", "another try"} {
			if p.found[what] == 0 || p.drawn[clockOff] == 0 || p.drawn[-clockOff] == 0 {
				t.Errorf("%s: never; calls by either %v", what, p.drawn)
			}
		}
	})
}
