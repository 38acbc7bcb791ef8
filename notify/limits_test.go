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

func TestANumberThatHadFiftyTextsWaitsForThePlatformsDayAndSaysSo(t *testing.T) {
	now := at("2026-11-23T10:30:30+08:00")
	rules := Rules{Zone: time.UTC, Cap: Cap{{1000, 24 * time.Hour}}}
	f := Facts{PersonID: 1, Matches: true, Mobile: true, Phone: "13800000001"}
	for i := range textsADay {
		f.NumberSent = append(f.NumberSent, now.Add(-time.Duration(i)*time.Minute))
	}
	drop, drops := rules.Drop(Campaign{}, SMS, f, now)
	free := f.NumberSent[textsADay-1].Add(24 * time.Hour)
	if !drops || drop.Event != PutBack || drop.WakeAt.Before(free) || drop.WakeAt.After(free.Add(2*time.Second)) || drop.WakeAt.UnixMicro()%1_000_000 != 2 {
		t.Errorf("%v %+v", drops, drop)
	}
	f.NumberSent = f.NumberSent[1:]
	if drop, drops := rules.Drop(Campaign{}, SMS, f, now); drops {
		t.Errorf("with one less: %+v", drop)
	}
	if rules.span() != 24*time.Hour || (Rules{}).span() != 0 || (Rules{Cap: Cap{{4, 168 * time.Hour}}}).span() != 168*time.Hour {
		t.Error("how far back a claim looks")
	}
}
