package notify

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// Between a claim and its first byte somebody may opt out, staff may stop the campaign, or its hours may end. So there is a
// last look, at the lease, the campaign and who has opted out since: once for all calls of a claim, and once more for a
// request whose connection was long in coming. What it finds holds the whole call, which is claimed anew, without those who
// opted out, when its campaign may send.

// LastLook is what is found before the first byte.
type LastLook struct {
	Left map[int64]time.Duration // of the calls' leases; none: it is lost
	Out  []int64                 // calls of which a member has opted out since the claim

	State CampaignState // of the calls' campaign
	Now   time.Time     // the database's clock

	shut string // why the campaign may not send any more; "": it may
}

// holds says why a call may not go; "" where it may.
func (l LastLook) holds(id int64) string {
	switch {
	case slices.Contains(l.Out, id):
		return "somebody in it opted out before the first byte"
	case l.Left[id] <= 0:
		return "the lease was lost before the first byte"
	}
	return l.shut
}

func notSent(why string) Answer {
	return Answer{Outcome: NotSent, Verdict: RetryLater, Message: why}
}

// look makes the last look at calls of one claim. Where it can't be made nothing is sent.
func (r *runner) look(ctx context.Context, flights map[int64]*flight) LastLook {
	ids := slices.Sorted(maps.Keys(flights))
	first := flights[ids[0]]
	look, err := r.calls.LastLook(ctx, ids, r.owner, first.outs)
	if err != nil {
		r.log.Warn("the last look can't be made, nothing is sent", "calls", ids, "error", err)
		return LastLook{}
	}
	look.shut = r.shut(first.campaign, first.channel, look)
	return look
}

// shut says why a campaign may not send any more; "" where it may.
func (r *runner) shut(c Campaign, channel Channel, look LastLook) string {
	c.State = look.State
	_, open := r.rules.gateOf(c, channel, look.Now)
	switch {
	case open:
		return ""
	case c.State != Running:
		return "the campaign was stopped before the first byte"
	}
	return "the campaign's time to send was over before the first byte"
}

// lookHolds is how long a look is good for. A connection is at hand within it, but where the platform hangs or is far away.
const lookHolds = 100 * time.Millisecond

// connection is what a sender has in hand before it writes.
type connection interface {
	SetWriteDeadline(at time.Time) error
}

type beforeKey struct{}

// BeforeFirstByte is called by senders whenever a connection for a request of this context is in hand and nothing is written
// on it. It may see to it that nothing is: a connection whose time to write is over writes nothing.
func BeforeFirstByte(ctx context.Context, conn connection) {
	if may, ok := ctx.Value(beforeKey{}).(func() bool); ok && !may() {
		_ = conn.SetWriteDeadline(time.Unix(1, 0))
	}
}

// lastLooks are those at the calls of one claim, which share them: where the database is slow, all connections come late, and
// a look for each would make it slower.
type lastLooks struct {
	run     *runner
	ctx     context.Context //nolint:containedctx // of the claim: a request that is over ends no look of the others
	alive   context.Context //nolint:containedctx // of the worker
	flights map[int64]*flight

	mu    sync.Mutex
	at    time.Time // when the latest began
	found LastLook
}

// fresh is what a look found that began 100 ms ago at most, as whoever asks sees it.
func (l *lastLooks) fresh() LastLook {
	asked := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if asked.Sub(l.at) > lookHolds {
		l.at = time.Now()
		l.found = l.run.look(l.ctx, l.flights)
	}
	return l.found
}

// presentOne lets one request go. Where its connection comes later than a look holds, it looks again before anything is
// written on it.
func (l *lastLooks) presentOne(ctx context.Context, f *flight) Answer {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	held, passed := "", false
	answer := f.request.Present(context.WithValue(ctx, beforeKey{}, func() bool {
		if held = l.fresh().holds(f.id); held == "" {
			passed = true
			return true
		}
		cancel()
		return false
	}))
	if held != "" && !passed { // else something of it may have gone before: the sender knows what
		return notSent(held)
	}
	return answer
}
