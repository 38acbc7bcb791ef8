package notify

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTheTimeLeftIsThatOfThoseWhomNothingHolds(t *testing.T) {
	now := time.Date(2026, 12, 1, 8, 0, 20, 0, time.UTC)
	tomorrow := now.AddDate(0, 0, 1)
	running := Status{State: Running, Planned: 700, Queued: 200, Sending: 100, Unconfirmed: 50, Accepted: 9000}
	with := func(change func(*Status)) Status {
		s := running
		change(&s)
		return s
	}
	for name, c := range map[string]struct {
		s     Status
		went  int64
		since time.Duration
		rate  float64
		left  time.Duration
	}{
		"as fast as lately":            {running, 200, 20 * time.Second, 10, 100 * time.Second},
		"of the first moment, slowly":  {running, 200, time.Second, 20, 50 * time.Second},
		"nothing went":                 {running, 0, 0, 0, 0},
		"some wait":                    {with(func(s *Status) { s.Waiting = map[WaitReason]int64{ForCap: 300, ForMate: 200} }), 200, 20 * time.Second, 10, 50 * time.Second},
		"all wait":                     {with(func(s *Status) { s.NextAt = &tomorrow }), 200, 20 * time.Second, 10, 0},
		"what was held is due":         {with(func(s *Status) { s.NextAt = &now }), 200, 20 * time.Second, 10, 100 * time.Second},
		"it is paused":                 {with(func(s *Status) { s.State = Paused }), 200, 20 * time.Second, 0, 0},
		"it ended":                     {with(func(s *Status) { s.State = Finished }), 200, 20 * time.Second, 0, 0},
		"nobody is left":               {Status{State: Running}, 200, 20 * time.Second, 10, 0},
		"more are held than are found": {Status{State: Running, Planned: 1, Waiting: map[WaitReason]int64{ForCap: 2}}, 200, 20 * time.Second, 10, 0},
	} {
		c.s.Pace(c.went, now.Add(-c.since), now)
		if left := c.s.Left(now); c.s.Rate != c.rate || left != c.left {
			t.Errorf("%s: %v a second and %v left, want %v and %v", name, c.s.Rate, left, c.rate, c.left)
		}
	}
}

func TestWhatNothingElseHoldsWaitsForTheCampaignsHours(t *testing.T) {
	opens := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
	sooner := opens.Add(-time.Hour)
	for name, c := range map[string]struct{ s, want Status }{
		"all of it":         {Status{State: Running, Planned: 7}, Status{State: Running, Planned: 7, NextAt: &opens, Waiting: map[WaitReason]int64{ForHours: 7}}},
		"some of it":        {Status{State: Running, Planned: 7, Waiting: map[WaitReason]int64{ForCap: 2, ForHours: 1}}, Status{State: Running, Planned: 7, NextAt: &opens, Waiting: map[WaitReason]int64{ForCap: 2, ForHours: 5}}},
		"none of it":        {Status{State: Running, Planned: 2, Waiting: map[WaitReason]int64{ForCap: 2}, NextAt: &sooner}, Status{State: Running, Planned: 2, Waiting: map[WaitReason]int64{ForCap: 2}, NextAt: &opens}},
		"it has not begun":  {Status{State: Approved, Planned: 7}, Status{State: Approved, Planned: 7, NextAt: &opens}},
		"all is on its way": {Status{State: Running, Sending: 7}, Status{State: Running, Sending: 7, NextAt: &opens}},
	} {
		c.s.holdTill(opens)
		if diff := cmp.Diff(c.want, c.s); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestTheBillIsInWholeMillionthsOfAYuanByChannel(t *testing.T) {
	rules := Rules{PriceFen: map[Channel]float64{SMS: 4.5, Voice: 6}}
	s := Status{Units: map[Channel]int64{SMS: 1_765_001, Voice: 3, WeChat: 40}}
	rules.Bill(&s)
	rules.Bill(&s) // as often as one likes
	if diff := cmp.Diff(map[Channel]float64{SMS: 79425.045, Voice: 0.18}, s.CostByChannel); diff != "" || s.CostYuan != 79425.225 {
		t.Errorf("%v: %s", s.CostYuan, diff)
	}
	none := Status{Units: map[Channel]int64{SMS: 3}}
	Rules{}.Bill(&none)
	if none.CostYuan != 0 || none.CostByChannel != nil {
		t.Errorf("without prices: %+v", none)
	}
}
