package notify

import (
	"context"
	"maps"
	"net/http/httptrace"
	"slices"
	"time"
)

// Between a claim and its first byte somebody may opt out. So there is a last look, at the lease and at who has opted out
// since: once for all calls of a claim, and once more for a request whose connection was long in coming. What it finds
// holds the whole call, which is claimed anew without them.

// LastLook is what is found before the first byte.
type LastLook struct {
	Left map[int64]time.Duration // of the calls' leases; none: it is lost
	Out  []int64                 // calls of which a member has opted out since the claim
}

// holds says why a call may not go; "" where it may.
func (l LastLook) holds(id int64) string {
	switch {
	case slices.Contains(l.Out, id):
		return "somebody in it opted out before the first byte"
	case l.Left[id] <= 0:
		return "the lease was lost before the first byte"
	}
	return ""
}

func notSent(why string) Answer {
	return Answer{Outcome: NotSent, Verdict: RetryLater, Message: why}
}

// look makes the last look at calls of one claim. Where it can't be made nothing is sent.
func (r *runner) look(ctx context.Context, flights map[int64]*flight) LastLook {
	ids := slices.Sorted(maps.Keys(flights))
	look, err := r.calls.LastLook(ctx, ids, r.owner, flights[ids[0]].outs)
	if err != nil {
		r.log.Warn("the last look can't be made, nothing is sent", "calls", ids, "error", err)
		return LastLook{}
	}
	return look
}

// lookHolds is how long a look is good for. A connection is at hand within it, but where the platform hangs or is far away.
const lookHolds = 100 * time.Millisecond

// presentOne lets one request go. Where its connection comes later than a look holds, it looks again before anything is
// written on it: a connection whose time to write is over writes nothing.
func (r *runner) presentOne(ctx context.Context, f *flight, looked time.Time) Answer {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	held, passed := "", false
	answer := f.request.Present(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
		if time.Since(looked) > lookHolds {
			looked = time.Now()
			held = r.look(ctx, map[int64]*flight{f.id: f}).holds(f.id)
		}
		if held == "" {
			passed = true
			return
		}
		_ = got.Conn.SetWriteDeadline(time.Unix(1, 0))
		cancel()
	}}))
	if held != "" && !passed { // else something of it may have gone before: the sender knows what
		return notSent(held)
	}
	return answer
}
