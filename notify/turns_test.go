package notify

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"
)

// purse is a limiter that gives out what it holds and then has the next token after a while.
type purse struct {
	mu    sync.Mutex
	holds map[string]int
	taken map[string]int
	after time.Duration
}

func (p *purse) Take(_ context.Context, b Bucket, n int) (time.Duration, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if held, ok := p.holds[b.Key]; ok && held < n {
		return p.after, nil
	} else if ok {
		p.holds[b.Key] -= n
	}
	p.taken[b.Key] += n
	return 0, nil
}

// claimed are the calls of a runner that notes which it was to begin.
type claimed struct {
	Calls
	queued []int64
	begun  []int64
}

func (c *claimed) StillQueued(context.Context, []int64) ([]int64, error) { return c.queued, nil }

func (c *claimed) BeginCalls(_ context.Context, q ClaimQuery, _ func(ClaimFacts) ([]Beginning, error)) error {
	c.begun = append(c.begun, q.IDs...)
	return nil
}

func TestATaskSpendsTheRateOnCallsThatStillWaitAndSendsAsManyAsHaveATurn(t *testing.T) {
	const sms, bulk = "rate:sms", "rate:sms:bulk"
	for name, at := range map[string]struct {
		queued []int64
		holds  map[string]int // of buckets that hold less than is wanted
		begun  []int64
		taken  map[string]int
		err    error
	}{
		"all":                        {[]int64{1, 2, 3}, nil, []int64{1, 2, 3}, map[string]int{"rate:campaign:7": 75, bulk: 3, sms: 3}, nil},
		"one was claimed by others":  {[]int64{1, 3}, nil, []int64{1, 3}, map[string]int{"rate:campaign:7": 50, bulk: 2, sms: 2}, nil},
		"all were, or are cancelled": {nil, nil, nil, map[string]int{}, nil},
		"the campaign's rate is two": {[]int64{1, 2, 3}, map[string]int{"rate:campaign:7": 60}, []int64{1, 2}, map[string]int{"rate:campaign:7": 50, bulk: 2, sms: 2}, nil},
		"the account's is one":       {[]int64{1, 2, 3}, map[string]int{sms: 1}, []int64{1}, map[string]int{"rate:campaign:7": 75, bulk: 3, sms: 1}, nil},
		"the campaigns' is none":     {[]int64{1, 2, 3}, map[string]int{bulk: 0}, nil, map[string]int{"rate:campaign:7": 75}, errNoTurn},
	} {
		p := &purse{holds: at.holds, taken: map[string]int{}, after: time.Hour}
		calls := &claimed{queued: at.queued}
		r := &runner{calls: calls, limiter: p, qps: map[Channel]int{SMS: 10}, now: time.Now, rules: Rules{Zone: time.UTC}, log: slog.New(slog.DiscardHandler)}
		task := callTask{CampaignID: 7, Channel: SMS, Rate: 100, Size: 75, Calls: []int64{1, 2, 3}}
		if err := r.run(t.Context(), t.Context(), task); !errors.Is(err, at.err) {
			t.Errorf("%s: %v, want %v", name, err, at.err)
		}
		if !slices.Equal(calls.begun, at.begun) {
			t.Errorf("%s: calls %v were begun, want %v", name, calls.begun, at.begun)
		}
		for _, key := range []string{"rate:campaign:7", bulk, sms} {
			if p.taken[key] != at.taken[key] {
				t.Errorf("%s: %d tokens of %s, want %d", name, p.taken[key], key, at.taken[key])
			}
		}
	}
}

func TestFewCallsWaitWhereTheRateIsLowOrManyCampaignsShareIt(t *testing.T) {
	for _, at := range []struct {
		rate             int
		channel          Channel
		qps, running, is int
	}{
		{0, SMS, 20, 1, 40},
		{0, SMS, 20, 4, 10},
		{0, SMS, 20, 100, 10}, // half a second's worth
		{0, SMS, 1, 1, 8},
		{0, SMS, 5000, 1, 256},
		{0, SMS, 5000, 100, 256},
		{0, WeChat, 100, 1, 200},
		{0, WeChat, 5000, 1, 2048},
		{1, WeChat, 100, 1, 2},
		{5, WeChat, 100, 1, 10},
		{1, SMS, 20, 1, 2},
		{250, SMS, 20, 1, 8}, // calls of 62
		{10000, SMS, 20, 1, 40},
	} {
		if got := openCalls(Spec{Rate: at.rate}, at.channel, at.qps, at.running); got != at.is {
			t.Errorf("%+v: %d", at, got)
		}
	}
}
