package notify

import (
	"sync"
	"time"
)

// pace remembers how the platforms have answered of late: whether one asked for less speed, took something, or puts
// everything off. It lives in memory: forgetting it costs a few calls that are refused.
type pace struct {
	mu    sync.Mutex
	slow  map[Channel]int // halvings
	until map[Channel]time.Time
	took  map[Channel]time.Time // the last call that was taken
	off   map[Channel]int       // calls put off since
}

const (
	slowedFor = 30 * time.Second // how long a platform's wish for less speed holds
	worksFor  = 30 * time.Second // how long a taken call says that the platform works; shorter than Retries in all
	downAfter = 8                // so many calls put off in a row, of a channel with calls for many, say that it is down
)

func (p *pace) heard(c Channel, a Answer, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.slow == nil {
		p.slow, p.until = map[Channel]int{}, map[Channel]time.Time{}
		p.took, p.off = map[Channel]time.Time{}, map[Channel]int{}
	}
	switch {
	case a.Outcome == Accepted:
		p.took[c], p.off[c] = now, 0
	case a.Outcome != Refused:
	case throttled(a.Code):
		p.slow[c] = min(p.slow[c]+1, 6)
		p.until[c] = now.Add(slowedFor)
	case a.Verdict == RetryLater:
		p.off[c]++
	}
}

func (p *pace) slowed(c Channel, qps int, now time.Time) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.slow[c] > 0 && now.After(p.until[c]) {
		p.slow[c]--
		p.until[c] = now.Add(slowedFor)
	}
	return max(1, qps>>p.slow[c])
}

// works says whether the platform took a call of the channel a moment ago.
func (p *pace) works(c Channel, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	took, ok := p.took[c]
	return ok && now.Sub(took) < worksFor
}

// down says whether the platform puts off whatever it is given. Where each call is for one person their next channel
// is near, so nothing waits for the platform.
func (p *pace) down(c Channel) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return c.MaxMembers() > 1 && p.off[c] >= downAfter
}
