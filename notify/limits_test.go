package notify

import (
	"testing"
	"time"
)

func TestCodesKeepThePlatformsMinuteHourAndDay(t *testing.T) {
	now := at("2026-11-23T10:30:30+08:00")
	ago := func(list ...time.Duration) (sent []time.Time) {
		for _, d := range list {
			sent = append(sent, now.Add(-d))
		}
		return sent
	}
	const m, h = time.Minute, time.Hour
	for _, c := range []struct {
		name string
		sent []time.Time
		free string
	}{
		{"none yet", nil, "2026-11-23T10:30:30+08:00"},
		{"one in the clock's last minute", ago(31 * time.Second), "2026-11-23T10:30:30+08:00"},
		{"one in this minute", ago(5 * time.Second), "2026-11-23T10:31:00+08:00"},
		{"five in this hour", ago(2*m, 5*m, 8*m, 11*m, 14*m), "2026-11-23T11:00:00+08:00"},
		{"five within an hour, not of the clock", ago(2*m, 5*m, 40*m, 41*m, 42*m), "2026-11-23T10:30:30+08:00"},
		{"ten in a day", ago(2*h, 3*h, 4*h, 5*h, 6*h, 7*h, 8*h, 9*h, 10*h, 23*h), "2026-11-23T11:30:30+08:00"},
	} {
		if got := CodeFreeAt(c.sent, now); !got.Equal(at(c.free)) {
			t.Errorf("%s: %v, want %s", c.name, got, c.free)
		}
	}
}

func TestANumberThatHadEnoughWaitsForThePlatformAndSaysSoWhateverTheCap(t *testing.T) {
	now := at("2026-11-23T10:30:30+08:00")
	rules := Rules{Zone: time.UTC} // no cap
	every := func(n int, span time.Duration) (list []time.Time) {
		for i := range n {
			list = append(list, now.Add(-time.Duration(i+1)*span))
		}
		return list
	}
	for _, c := range []struct {
		name    string
		channel Channel
		had     []time.Time
		free    time.Time // zero: at once
	}{
		{"49 texts", SMS, every(49, time.Minute), time.Time{}},
		{"50 texts", SMS, every(50, time.Minute), now.Add(24*time.Hour - 50*time.Minute)},
		{"a call this minute", Voice, every(1, 20*time.Second), now.Add(40 * time.Second)},
		{"a call before this minute", Voice, every(1, time.Minute), time.Time{}},
		{"four calls this hour", Voice, every(4, 10*time.Minute), time.Time{}},
		{"five calls this hour", Voice, every(5, 10*time.Minute), now.Add(10 * time.Minute)},
		{"19 calls this day", Voice, every(19, time.Hour), time.Time{}},
		{"20 calls this day", Voice, every(20, time.Hour), now.Add(4 * time.Hour)},
		{"what no number is in", WeChat, every(60, time.Second), time.Time{}},
	} {
		f := Facts{PersonID: 1, Matches: true, Mobile: true, Phone: "13800000001", NumberHad: c.had, WeChat: WeChatFacts{OpenID: "o"}}
		drop, drops := rules.Drop(Campaign{}, c.channel, f, now)
		switch {
		case drops == c.free.IsZero():
			t.Errorf("%s: %v %+v", c.name, drops, drop)
		case drops && (drop.Event != PutBack || drop.WakeAt.Before(c.free) || drop.WakeAt.After(c.free.Add(2*time.Second)) || drop.WakeAt.UnixMicro()%1_000_000 != 2):
			t.Errorf("%s: %+v, want it to wait until %v, marked", c.name, drop, c.free)
		}
	}
}

func TestANumberIsNotLookedUpWhereItsLimitIsOutOfReach(t *testing.T) {
	for _, c := range []struct {
		campaigns int
		shared    bool
		few       bool
	}{{1, true, true}, {4, true, true}, {5, true, false}, {49, false, true}, {50, false, false}} {
		if got := FewCampaigns(c.campaigns, c.shared); got != c.few {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
