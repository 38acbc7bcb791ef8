package console

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// progress is how far a campaign has come, ready to be drawn.
type progress struct {
	notify.Status
	States   []share // one bar: every person in exactly one part
	Channels []share
	Skips    []share
	Fails    []share
	Costs    []cost
	Proved   []share // of those delivered: how it is known, where it isn't by receipts alone
	Holds    []share // of those planned: what they wait for
	Told     []share // of those whom no channel reached: what came of visits
	Done     int64   // in a final state or taken by the platform
	Percent  float64 // of Total
	Left     time.Duration
	Waits    time.Time // when what waits will go, where something holds it
}

// share is one part of a whole.
type share struct {
	Key     string
	Tone    string
	Count   int64
	Percent float64
	X       float64 // where the part begins, in percent
}

// cost is what went by one channel, in yuan.
type cost struct {
	Channel notify.Channel
	Yuan    float64
}

// progressOf draws a campaign's figures.
func (v *visit) progressOf(c notify.Campaign) (*progress, error) {
	status, err := v.statuses.of(v.ctx(), c.ID, v.Now, v.Forecast.CampaignStatus)
	if err != nil {
		return nil, err
	}
	return newProgress(status, v.Now()), nil
}

func newProgress(s notify.Status, now time.Time) *progress {
	p := &progress{Status: s}
	var skipped int64
	for _, n := range s.Skipped {
		skipped += n
	}
	p.States = shares(s.Total, []share{
		{Key: "delivered", Tone: "good", Count: s.Delivered},
		{Key: "accepted", Tone: "taken", Count: s.Accepted},
		{Key: "sending", Tone: "busy", Count: s.Sending},
		{Key: "unconfirmed", Tone: "warn", Count: s.Unconfirmed},
		{Key: "queued", Tone: "queued", Count: s.Queued},
		{Key: "planned", Tone: "planned", Count: s.Planned},
		{Key: "skipped", Tone: "grey", Count: skipped},
		{Key: "failed", Tone: "bad", Count: s.Failed},
	})
	p.Channels = countShares(s.ByChannel)
	p.Skips = countShares(s.Skipped)
	p.Fails = countShares(s.FailedReasons)
	p.Proved = countShares(s.Proved())
	p.Holds = countShares(s.Waiting)
	p.Told = countShares(s.Visits)
	p.Done = s.Delivered + s.Accepted + s.Failed + skipped
	p.Percent = percent(p.Done, s.Total)
	for _, channel := range notify.Channels() {
		if yuan, some := s.CostByChannel[channel]; some {
			p.Costs = append(p.Costs, cost{channel, yuan})
		}
	}
	p.Left = s.Left(now)
	if s.NextAt != nil && s.NextAt.After(now) {
		p.Waits = *s.NextAt
	}
	return p
}

func percent(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) * 100 / float64(whole)
}

// shares lays the parts side by side, leaving out empty ones.
func shares(total int64, parts []share) []share {
	var out []share
	x := 0.0
	for _, part := range parts {
		if part.Count == 0 {
			continue
		}
		part.Percent, part.X = percent(part.Count, total), x
		x += part.Percent
		out = append(out, part)
	}
	return out
}

// countShares orders counts, the largest first, each as a part of the largest.
func countShares[K ~string](counts map[K]int64) []share {
	var most int64
	for n := range maps.Values(counts) {
		most = max(most, n)
	}
	var out []share
	for key, n := range counts {
		if n > 0 {
			out = append(out, share{Key: string(key), Count: n, Percent: percent(n, most)})
		}
	}
	slices.SortFunc(out, func(a, b share) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Key, b.Key)) })
	return out
}

// statusCache lets many who watch one campaign share one count: counting a million rows is dear.
type statusCache struct {
	mu   sync.Mutex
	held map[int64]*heldStatus
}

type heldStatus struct {
	mu     sync.Mutex
	status notify.Status
	at     time.Time
	cost   time.Duration
}

const statusFresh = 900 * time.Millisecond

// of gives a campaign's figures, at most about a second old, or five times as old as counting took.
func (c *statusCache) of(ctx context.Context, id int64, now func() time.Time,
	count func(context.Context, int64) (notify.Status, error),
) (notify.Status, error) {
	held := c.entry(id)
	held.mu.Lock()
	defer held.mu.Unlock()
	start := now()
	if age := start.Sub(held.at); age >= 0 && age < max(statusFresh, 5*held.cost) {
		return held.status, nil
	}
	status, err := count(ctx, id)
	if err != nil {
		return notify.Status{}, err
	}
	held.status, held.at, held.cost = status, now(), now().Sub(start)
	return status, nil
}

func (c *statusCache) entry(id int64) *heldStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.held) > 500 {
		clear(c.held) // it is only a second's memory
	}
	held, ok := c.held[id]
	if !ok {
		held = &heldStatus{}
		c.held[id] = held
	}
	return held
}
