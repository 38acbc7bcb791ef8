package bot

import (
	"net"
	"sync"
	"time"
)

// gate lets so many requests a second pass for each address, and twice as many at once.
type gate struct {
	perSecond float64
	now       func() time.Time

	mu      sync.Mutex
	callers map[string]*allowance
}

// allowance is what an address had left then.
type allowance struct {
	left float64
	at   time.Time
}

// callersKept bounds the memory: with more addresses than this all begin anew.
const callersKept = 10_000

func newGate(perSecond float64, now func() time.Time) *gate {
	return &gate{perSecond: perSecond, now: now, callers: map[string]*allowance{}}
}

func (g *gate) pass(remote string) bool {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	a := g.callers[host]
	if a == nil {
		if len(g.callers) >= callersKept {
			clear(g.callers)
		}
		a = &allowance{left: 2 * g.perSecond, at: now}
		g.callers[host] = a
	}
	a.left = min(2*g.perSecond, a.left+now.Sub(a.at).Seconds()*g.perSecond)
	a.at = now
	if a.left < 1 {
		return false
	}
	a.left--
	return true
}
