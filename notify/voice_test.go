package notify

import (
	"strings"
	"testing"
	"time"
)

func TestNoTelephoneRingsAtNapTimeUnlessTheCampaignSaysAnyHour(t *testing.T) {
	zone := time.FixedZone("CST", 8*60*60)
	nap, err := ParseWindow("12:00-14:30")
	if err != nil {
		t.Fatal(err)
	}
	night, _ := ParseWindow("22:00-07:00")
	r := Rules{Zone: zone, Nap: nap}
	day, anyHour := "08:00-20:00", ""
	at := func(clock string) time.Time {
		got, err := time.ParseInLocation("2006-01-02 15:04", "2026-11-23 "+clock, zone)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for _, c := range []struct {
		rules   Rules
		window  *string
		channel Channel
		clock   string
		open    bool
		wake    time.Time
	}{
		{r, &day, Voice, "11:59", true, time.Time{}},
		{r, &day, Voice, "12:00", false, at("14:30")},
		{r, &day, Voice, "14:29", false, at("14:30")},
		{r, &day, Voice, "14:30", true, time.Time{}},
		{r, nil, Voice, "13:00", false, at("14:30")},
		{r, &day, SMS, "13:00", true, time.Time{}},
		{r, &anyHour, Voice, "13:00", true, time.Time{}},
		{r, &day, Voice, "20:00", false, at("08:00").AddDate(0, 0, 1)},
		{Rules{Zone: zone}, &day, Voice, "13:00", true, time.Time{}},
		{Rules{Zone: zone, Nap: night}, nil, Voice, "08:30", true, time.Time{}},
	} {
		campaign := Campaign{State: Running, Spec: Spec{Window: c.window}}
		drop, open := c.rules.gateOf(campaign, c.channel, at(c.clock))
		if open != c.open || !drop.WakeAt.Equal(c.wake) {
			t.Errorf("%s at %s: open %v, else at %s", c.channel, c.clock, open, drop.WakeAt)
		}
	}
	if got := night.ends(at("23:00"), zone); !got.Equal(at("07:00").AddDate(0, 0, 1)) {
		t.Errorf("a night that begins ends at %s", got)
	}
	if got := night.ends(at("02:00"), zone); !got.Equal(at("07:00")) {
		t.Errorf("a night that has begun ends at %s", got)
	}
}

func TestACallIsMadeAgainTwiceHoursLaterWhereThatCanHelp(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		end                  CallEnd
		unanswered, heldBack int
		further              bool
		fallback, expires    time.Duration
		again                bool
	}{
		{NotAnswered, 1, 0, false, 0, 0, true},
		{NotAnswered, 2, 5, false, 0, 0, true},
		{NotAnswered, 3, 0, false, 0, 0, false},
		{HeldBack, 0, 5, false, 0, 0, true},
		{HeldBack, 2, 6, false, 0, 0, false},
		{HungUp, 0, 0, false, 0, 0, false},
		{NoNumber, 0, 0, false, 0, 0, false},
		{NotAnswered, 1, 0, true, 3 * time.Hour, 0, true},
		{NotAnswered, 1, 0, true, time.Hour, 0, false},
		{NotAnswered, 2, 0, true, 3 * time.Hour, 0, false},
		{NotAnswered, 2, 0, true, 5 * time.Hour, 0, true},
		{NotAnswered, 1, 0, false, 0, 2 * time.Hour, false},
		{NotAnswered, 1, 0, false, 0, 3 * time.Hour, true},
	} {
		campaign := Campaign{Spec: Spec{FallbackAfter: Span(c.fallback)}}
		if c.expires > 0 {
			campaign.ExpiresAt = now.Add(c.expires)
		}
		at, again := campaign.Redial(c.end, c.unanswered, c.heldBack, c.further, now)
		if again != c.again || again && (at.Before(now.Add(2*time.Hour)) || at.After(now.Add(2*time.Hour+2*time.Second))) {
			t.Errorf("%+v: %v at %s", c, again, at)
		}
	}
}

func TestWhatIsNotReadOutIsFoundBeforeTheCall(t *testing.T) {
	for value, ok := range map[string]bool{
		"王小明": true, strings.Repeat("啊", 249): true, strings.Repeat("啊", 250): false, "": false, "请看http://a.cn": false, "www.a.cn": false,
	} {
		if err := checkSpoken(map[string]string{"name": value}); (err == nil) != ok {
			t.Errorf("%.20s: %v", value, err)
		}
	}
}

func TestRecordingsAreNamedByTheRegistersLanguages(t *testing.T) {
	file := `templates: [{key: a, kind: policy_guidance, voice: {code: TTS_1, content: "通知，${name}您好。", params: {name: "x"}, recordings: {%s}}}]`
	for recordings, ok := range map[string]bool{"粤语: a.wav, 客家话: b.wav, 潮汕话: c.wav": true, "广东话: a.wav": false, "粤语: ''": false} {
		list, err := ParseTemplates([]byte(strings.Replace(file, "%s", recordings, 1)))
		if (err == nil) != ok {
			t.Errorf("%s: %v", recordings, err)
		}
		if ok && list[0].Voice.Recordings["客家话"] != "b.wav" {
			t.Errorf("%+v", list[0].Voice)
		}
	}
}
