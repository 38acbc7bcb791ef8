package notify

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// looked are the calls of a claim. Each look at them finds what is said of it, and the last of that from then on.
type looked struct {
	Calls
	find  []LastLook
	turns purse     // of a second presentation
	ends  time.Time // of the lease

	mu      sync.Mutex
	looks   int
	settled []settledCall
}

// settledCall is what became of a call, and how long after the claim.
type settledCall struct {
	CallResult
	after time.Duration
}

func (l *looked) LastLook(_ context.Context, ids []int64, _ string, _ int64) (LastLook, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	look := l.find[min(l.looks, len(l.find)-1)]
	l.looks++
	look.Left = map[int64]time.Duration{}
	for _, id := range ids {
		look.Left[id] = time.Until(l.ends)
	}
	return look, nil
}

func (l *looked) SettleCalls(_ context.Context, results []CallResult) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range results {
		l.settled = append(l.settled, settledCall{r, claimLease - time.Until(l.ends)})
	}
	return nil
}

// shown is a request to a platform that gives each presentation the next answer, and none where there is none left.
type shown struct {
	late    time.Duration // each connection
	single  bool          // it can't be repeated
	answers []Answer
	began   time.Time
	went    []time.Duration // when the first byte of each presentation did
}

// shutConn is a connection that says whether it may be written on.
type shutConn struct{ shut bool }

func (c *shutConn) SetWriteDeadline(time.Time) error { c.shut = true; return nil }

func (s *shown) SignedAt() time.Time { return s.began }
func (s *shown) Repeatable() bool    { return !s.single }

func (s *shown) Present(ctx context.Context) Answer {
	time.Sleep(s.late)
	conn := &shutConn{}
	if BeforeFirstByte(ctx, conn); conn.shut {
		return Answer{Outcome: NotSent, Message: "no connection"}
	}
	s.went = append(s.went, time.Since(s.began))
	if len(s.went) > len(s.answers) {
		<-ctx.Done()
		return Answer{Outcome: Unknown, Message: "out of time"}
	}
	return s.answers[len(s.went)-1]
}

// claimedAll lets the requests of one claim go, each in a call of its own, and gives what became of them, in their order.
func claimedAll(t *testing.T, alive context.Context, calls *looked, c Campaign, channel Channel, requests ...*shown) []settledCall {
	t.Helper()
	calls.ends, calls.turns.taken = time.Now().Add(claimLease), map[string]int{}
	flights := map[int64]*flight{}
	for i, r := range requests {
		r.began = time.Now()
		flights[int64(i+1)] = &flight{id: int64(i + 1), channel: channel, campaign: c, members: 1, request: r}
	}
	r := &runner{
		calls: calls, rules: Rules{Zone: time.UTC}, looks: Looks{time.Minute}, limiter: &calls.turns, qps: map[Channel]int{channel: 20},
		now: time.Now, lease: claimLease, log: slog.New(slog.DiscardHandler),
	}
	if err := r.present(t.Context(), alive, flights, func(some []*flight) error { return r.settle(t.Context(), some) }); err != nil {
		t.Error(err)
	}
	slices.SortFunc(calls.settled, func(a, b settledCall) int { return int(a.CallID - b.CallID) })
	return calls.settled
}

func TestWhatStopsACampaignHoldsAClaimedCallUpToItsFirstByte(t *testing.T) {
	hours, noon := "08:00-12:00", at("2026-11-27T12:00:00Z")
	before := LastLook{State: Running, Now: noon.Add(-time.Second)}
	over, expired := LastLook{State: Running, Now: noon}, LastLook{State: Running, Now: noon.Add(-time.Hour)}
	stopped := func(s CampaignState) LastLook { return LastLook{State: s, Now: before.Now} }
	for name, c := range map[string]struct {
		finds   []LastLook // the second where the connection is late
		expires time.Time
		holds   string
	}{
		"nothing":                     {[]LastLook{before}, time.Time{}, ""},
		"nothing, and it is late":     {[]LastLook{before, before}, time.Time{}, ""},
		"paused after the claim":      {[]LastLook{stopped(Paused)}, time.Time{}, "stopped"},
		"paused while it waits":       {[]LastLook{before, stopped(Paused)}, time.Time{}, "stopped"},
		"halted while it waits":       {[]LastLook{before, stopped(Halted)}, time.Time{}, "stopped"},
		"cancelled while it waits":    {[]LastLook{before, stopped(Cancelled)}, time.Time{}, "stopped"},
		"the hours end after a claim": {[]LastLook{over}, time.Time{}, "time to send was over"},
		"the hours end meanwhile":     {[]LastLook{before, over}, time.Time{}, "time to send was over"},
		"it expires meanwhile":        {[]LastLook{expired, before}, noon.Add(-time.Minute), "time to send was over"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				request := &shown{late: time.Duration(len(c.finds)-1) * 5 * time.Second, answers: []Answer{{Outcome: Accepted}}}
				campaign := Campaign{State: Running, ExpiresAt: c.expires, Spec: Spec{Window: &hours}}
				got := claimedAll(t, t.Context(), &looked{find: c.finds}, campaign, SMS, request)
				event, went := Accept, 1
				if c.holds != "" {
					event, went = Retry, 0
				}
				if len(got) != 1 || got[0].Event != event || got[0].Tried || !strings.Contains(got[0].Message, c.holds) || len(request.went) != went {
					t.Errorf("%+v, %d times a byte went", got, len(request.went))
				}
			})
		})
	}
}
