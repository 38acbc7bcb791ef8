package console

import (
	"context"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

func TestEveryPersonOfACampaignIsInExactlyOnePartOfTheBar(t *testing.T) {
	start := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	p := newProgress(notify.Status{
		State: notify.Running, Total: 200, Planned: 20, Queued: 20, Sending: 10, Accepted: 60, Delivered: 40,
		Failed: 20, Unconfirmed: 10, Skipped: map[notify.SkipReason]int64{notify.OptedOut: 15, notify.NoChannel: 5},
		ByChannel: map[notify.Channel]int64{notify.SMS: 70, notify.WeChat: 30}, StartedAt: &start,
		FailedReasons: map[string]int64{"isv.MOBILE_NUMBER_ILLEGAL": 8, "200003": 12}, Rate: 2,
		Proofs:   map[notify.Proof]int64{notify.ByReceipt: 35, notify.ByHearing: 5},
		CostYuan: 3.45, CostByChannel: map[notify.Channel]float64{notify.Voice: 0.3, notify.SMS: 3.15},
	}, start.Add(time.Minute))
	var count int64
	end := 0.0
	for _, part := range p.States {
		if part.X != end {
			t.Errorf("%s begins at %v, not at %v", part.Key, part.X, end)
		}
		count, end = count+part.Count, part.X+part.Percent
	}
	if count != 200 || end < 99.99 || end > 100.01 {
		t.Errorf("the parts hold %d people and end at %v", count, end)
	}
	if p.Done != 140 || p.Percent != 70 || p.Rate != 2 || p.Left != 25*time.Second {
		t.Errorf("done %d, %v%%, rate %v, left %v", p.Done, p.Percent, p.Rate, p.Left)
	}
	if len(p.Costs) != 2 || p.Costs[0].Channel != notify.SMS || p.Costs[1].Yuan != 0.3 {
		t.Errorf("costs %v", p.Costs)
	}
	if p.Fails[0].Key != "200003" || p.Fails[1].Count != 8 {
		t.Errorf("failed %v", p.Fails)
	}
	if len(p.Proved) != 2 || p.Proved[0].Key != "delivered" || p.Proved[1].Count != 5 {
		t.Errorf("proved %v", p.Proved)
	}
	if p.Skips[0].Key != "opted_out" || p.Channels[0].Key != "sms" {
		t.Errorf("not the largest first: %v, %v", p.Skips, p.Channels)
	}
}

func TestHundredPercentIsNotSaidBeforeItIsTrue(t *testing.T) {
	for p, want := range map[float64]string{0: "0%", 0.04: "0.0%", 0.5: "0.5%", 42.4: "42%", 99.96: "99.9%", 100: "100%"} {
		if got := (frame{}).Percentage(p); got != want {
			t.Errorf("%v: %s, want %s", p, got, want)
		}
	}
}

func TestManyWatchersOfOneCampaignShareOneCount(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	counted := 0
	cache := statusCache{held: map[int64]*heldStatus{}}
	ask := func(id int64) {
		t.Helper()
		_, err := cache.of(context.Background(), id, func() time.Time { return now }, func(context.Context, int64) (notify.Status, error) {
			counted++
			return notify.Status{}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	ask(1)
	ask(1)
	ask(2)
	now = now.Add(time.Second)
	ask(1)
	if counted != 3 {
		t.Fatalf("counted %d times, want 3", counted)
	}
}
