package notify

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func known(t *testing.T) Holidays {
	t.Helper()
	h, err := LoadHolidays()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func shanghai(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestOnHolidaysNoTelephoneRingsAndNoAdvertisingGoesButNoticesDo(t *testing.T) {
	nap, err := ParseWindow("12:00-14:30")
	if err != nil {
		t.Fatal(err)
	}
	rules := Rules{Zone: shanghai(t), Holidays: known(t), Nap: nap}
	text := func(kind SMSType) Template {
		return Template{SMS: &SMSTemplate{Type: kind}, Voice: &VoiceTemplate{}, WeChat: &WeChatTemplate{}}
	}
	anyHour, night := "", "22:00-06:00"
	for _, c := range []struct {
		name    string
		channel Channel
		kind    SMSType
		window  *string
		at      string
		opens   string
	}{
		{"a notice", SMS, SMSNotification, nil, "2026-02-17T10:00:00+08:00", "2026-02-17T10:00:00+08:00"},
		{"by WeChat", WeChat, SMSPromotion, nil, "2026-02-17T10:00:00+08:00", "2026-02-17T10:00:00+08:00"},
		{"advertising", SMS, SMSPromotion, nil, "2026-02-17T10:00:00+08:00", "2026-02-24T08:00:00+08:00"},
		{"a call", Voice, SMSNotification, nil, "2026-02-17T10:00:00+08:00", "2026-02-24T08:00:00+08:00"},
		{"a call on the eve, after hours", Voice, SMSNotification, nil, "2026-02-14T20:30:00+08:00", "2026-02-24T08:00:00+08:00"},
		{"a call on the eve", Voice, SMSNotification, nil, "2026-02-14T19:30:00+08:00", "2026-02-14T19:30:00+08:00"},
		{"a call at nap time", Voice, SMSNotification, nil, "2026-02-25T12:30:00+08:00", "2026-02-25T14:30:00+08:00"},
		{"at any hour nothing holds", Voice, SMSPromotion, &anyHour, "2026-02-17T03:00:00+08:00", "2026-02-17T03:00:00+08:00"},
		{"a night's window into a holiday", SMS, SMSPromotion, &night, "2026-09-24T23:00:00+08:00", "2026-09-24T23:00:00+08:00"},
		{"past midnight of that night", SMS, SMSPromotion, &night, "2026-09-25T00:30:00+08:00", "2026-09-28T00:00:00+08:00"},
		{"only the law's days are known", SMS, SMSPromotion, nil, "2027-02-09T10:00:00+08:00", "2027-02-09T10:00:00+08:00"},
	} {
		campaign := Campaign{State: Running, Spec: Spec{Window: c.window}, Template: text(c.kind)}
		if got := rules.opensAt(campaign.Spec, campaign.Template, c.channel, at(c.at)); !got.Equal(at(c.opens)) {
			t.Errorf("%s: %v, want %s", c.name, got, c.opens)
		}
		drop, open := rules.gateOf(campaign, c.channel, at(c.at))
		if open != (c.at == c.opens) || !open && (drop.Event != PutBack || !drop.WakeAt.Equal(at(c.opens))) {
			t.Errorf("%s: %v %+v", c.name, open, drop)
		}
	}
}

func TestStaffAreWarnedOfAHolidayAndOfWhatIsNotPublished(t *testing.T) {
	rules := Rules{Zone: shanghai(t), Holidays: known(t)}
	promotion := Template{SMS: &SMSTemplate{Type: SMSPromotion}}
	spec := Spec{Channels: []Channel{SMS}}
	for _, c := range []struct {
		now, schedule string
		template      Template
		want          []Warning
	}{
		{"2026-10-02T10:00:00+08:00", "now", promotion, []Warning{{"warn.holiday", map[string]string{"name": "国庆节", "until": "2026-10-08 08:00"}}}},
		{"2026-09-01T10:00:00+08:00", "2026-10-02T10:00:00+08:00", promotion, []Warning{{"warn.holiday", map[string]string{"name": "国庆节", "until": "2026-10-08 08:00"}}}},
		{"2026-09-01T10:00:00+08:00", "now", promotion, nil},
		{"2026-10-02T10:00:00+08:00", "now", Template{SMS: &SMSTemplate{Type: SMSNotification}}, nil},
		{"2027-03-02T10:00:00+08:00", "now", promotion, []Warning{{"warn.holidays_unknown", map[string]string{"year": "2027"}}}},
		{"2028-03-02T10:00:00+08:00", "now", promotion, []Warning{{"warn.holidays_unknown", map[string]string{"year": "2028"}}}},
	} {
		spec.Schedule = c.schedule
		if diff := cmp.Diff(c.want, rules.DayWarnings(spec, c.template, at(c.now))); diff != "" {
			t.Errorf("%s %s: %s", c.now, c.schedule, diff)
		}
	}
}

func TestAWindowInsideNapTimeNeverOpensAndEndsTheSearch(t *testing.T) {
	nap, err := ParseWindow("12:00-14:30")
	if err != nil {
		t.Fatal(err)
	}
	inside := "12:30-13:30"
	now := at("2026-11-23T09:00:00+08:00")
	if got := (Rules{Zone: shanghai(t), Nap: nap}).opensAt(Spec{Window: &inside}, Template{Voice: &VoiceTemplate{}}, Voice, now); !got.After(now) {
		t.Error(got)
	}
}

func TestADayWorkedForAHolidayIsSaidToBeOne(t *testing.T) {
	h := known(t)
	for day, want := range map[string][2]bool{
		"2026-09-20": {true, true},   // a Sunday, for the national holidays
		"2026-09-19": {false, false}, // the Saturday before, as every week
		"2026-10-03": {false, true},
		"2026-10-09": {false, false},
		"2027-10-09": {false, false}, // not published
	} {
		local, err := time.ParseInLocation(time.DateOnly, day, shanghai(t))
		if err != nil {
			t.Fatal(err)
		}
		if works, decreed := h.Works(local); works != want[0] || decreed != want[1] {
			t.Errorf("%s: %v %v", day, works, decreed)
		}
	}
}
