package notify

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lingjuli/lingjuli/internal/register"
)

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestAWindowOpensAndClosesByLocalTime(t *testing.T) {
	zone := time.FixedZone("CST", 8*3600)
	for _, c := range []struct {
		window, at string
		open       bool
		next       string
	}{
		{"08:00-20:00", "2026-11-23T08:00:00+08:00", true, "2026-11-23T08:00:00+08:00"},
		{"08:00-20:00", "2026-11-23T20:00:00+08:00", false, "2026-11-24T08:00:00+08:00"},
		{"08:00-20:00", "2026-11-23T07:59:59+08:00", false, "2026-11-23T08:00:00+08:00"},
		{"08:00-20:00", "2026-11-23T00:30:00Z", true, "2026-11-23T00:30:00Z"},
		{"22:00-06:00", "2026-11-23T23:00:00+08:00", true, "2026-11-23T23:00:00+08:00"},
		{"22:00-06:00", "2026-11-23T05:59:00+08:00", true, "2026-11-23T05:59:00+08:00"},
		{"22:00-06:00", "2026-11-23T06:00:00+08:00", false, "2026-11-23T22:00:00+08:00"},
		{"", "2026-11-23T03:00:00+08:00", true, "2026-11-23T03:00:00+08:00"},
		{"00:00-24:00", "2026-11-23T23:59:59+08:00", true, "2026-11-23T23:59:59+08:00"},
	} {
		w, err := ParseWindow(c.window)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.Open(at(c.at), zone); got != c.open {
			t.Errorf("%q at %s: open %v", c.window, c.at, got)
		}
		if got := w.NextOpen(at(c.at), zone); !got.Equal(at(c.next)) {
			t.Errorf("%q at %s: next %v, want %s", c.window, c.at, got, c.next)
		}
	}
	for _, bad := range []string{"8-20", "08:00", "08:00-08:00", "25:00-26:00", "a-b"} {
		if _, err := ParseWindow(bad); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

func TestTheCapLooksAtEveryStretch(t *testing.T) {
	c, err := ParseCap("1/24h,4/168h")
	if err != nil {
		t.Fatal(err)
	}
	now := at("2026-11-23T12:00:00Z")
	ago := func(hours ...int) (list []time.Time) {
		for _, h := range hours {
			list = append(list, now.Add(-time.Duration(h)*time.Hour))
		}
		return list
	}
	for _, k := range []struct {
		sent []time.Time
		in   time.Duration
	}{
		{nil, 0}, {ago(25), 0}, {ago(23), time.Hour}, {ago(30, 60, 90, 120), 48 * time.Hour}, {ago(24, 60, 90, 168), 0}, {ago(1, 2, 3, 4), 164 * time.Hour},
	} {
		if got := c.FreeAt(k.sent, now).Sub(now); got != k.in {
			t.Errorf("%v: free in %v, want %v", k.sent, got, k.in)
		}
	}
	if none, err := ParseCap("none"); err != nil || !none.FreeAt(ago(0, 0, 0), now).Equal(now) {
		t.Error("none is a cap", err)
	}
	for _, bad := range []string{"", "1", "0/24h", "1/x", "a/24h"} {
		if _, err := ParseCap(bad); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

func TestTheCapDelaysAndSkipsOnlyAfterItsWait(t *testing.T) {
	day := Cap{{1, 24 * time.Hour}}
	r := Rules{Zone: time.UTC, Cap: day, CapWait: 48 * time.Hour}
	now := at("2026-11-23T12:00:00Z")
	f := Facts{PersonID: 1, Phone: "13800000001", Mobile: true, Matches: true, Sent: []time.Time{now.Add(-time.Hour)}}
	d, drops := r.Drop(Campaign{}, SMS, f, now)
	if want := (Drop{PersonID: 1, Event: PutBack, WakeAt: now.Add(23 * time.Hour), WaitsFrom: now}); !drops || d != want {
		t.Errorf("got %+v, want %+v", d, want)
	}
	f.Sent, f.WaitsFrom = []time.Time{now.Add(-time.Minute)}, now.Add(-48*time.Hour)
	if d, drops = r.Drop(Campaign{}, SMS, f, now); !drops || d.Reason != string(FrequencyCap) {
		t.Errorf("after the wait: %+v", d)
	}
	r.CapWait = 0
	f.WaitsFrom = time.Time{}
	if d, drops = r.Drop(Campaign{}, SMS, f, now); !drops || d.Reason != string(FrequencyCap) {
		t.Errorf("with no wait at all: %+v", d)
	}
	f.Sent, f.NumberSent = nil, []time.Time{now.Add(-time.Hour)}
	r.CapWait = time.Hour
	if _, drops = r.Drop(Campaign{}, SMS, f, now); !drops {
		t.Error("the number's cap does not hold")
	}
	if _, drops = r.Drop(Campaign{}, WeChat, Facts{Matches: true, NumberSent: f.NumberSent, WeChat: WeChatFacts{OpenID: "o1"}}, now); drops {
		t.Error("the number's cap holds back WeChat")
	}
}

func TestWhoNoLongerQualifiesDropsOutWithTheReason(t *testing.T) {
	r := Rules{Zone: time.UTC}
	good := Facts{PersonID: 1, Phone: "13800000001", Mobile: true, Matches: true}
	change := func(f func(*Facts)) Facts { g := good; f(&g); return g }
	for name, c := range map[string]struct {
		facts Facts
		want  Drop
	}{
		"goes":             {good, Drop{}},
		"opted out":        {change(func(f *Facts) { f.OptedOut = true }), Drop{PersonID: 1, Event: Skip, Reason: "opted_out"}},
		"number opted":     {change(func(f *Facts) { f.PhoneOut = true }), Drop{PersonID: 1, Event: Skip, Reason: "opted_out"}},
		"paid meanwhile":   {change(func(f *Facts) { f.Matches = false }), Drop{PersonID: 1, Event: Skip, Reason: "no_longer_matches"}},
		"died":             {change(func(f *Facts) { f.Status = register.Deceased }), Drop{PersonID: 1, Event: Skip, Reason: "deceased"}},
		"number gone":      {change(func(f *Facts) { f.Phone = "" }), Drop{PersonID: 1, Event: Skip, Reason: "no_channel"}},
		"number doubted":   {change(func(f *Facts) { f.PhoneDoubted = true }), Drop{PersonID: 1, Event: Skip, Reason: "doubted"}},
		"doubted, and out": {change(func(f *Facts) { f.PhoneDoubted, f.PhoneOut = true, true }), Drop{PersonID: 1, Event: Skip, Reason: "doubted"}},
		"of many anyway":   {change(func(f *Facts) { f.PhoneDoubted, f.PhoneMany = true, true }), Drop{PersonID: 1, Event: Skip, Reason: "no_channel"}},
		"a landline too":   {change(func(f *Facts) { f.PhoneDoubted, f.Mobile = true, false }), Drop{PersonID: 1, Event: Skip, Reason: "no_channel"}},
		"has WeChat too":   {change(func(f *Facts) { f.PhoneDoubted = true; f.Later = []Channel{WeChat} }), Drop{PersonID: 1, Event: Fall}},
		"on a blacklist":   {change(func(f *Facts) { f.Blacklisted = true }), Drop{PersonID: 1, Event: Refuse, Reason: "MOBILE_IN_BLACK"}},
		"and in doubt":     {change(func(f *Facts) { f.Blacklisted, f.PhoneDoubted = true, true }), Drop{PersonID: 1, Event: Skip, Reason: "doubted"}},
		"and a landline":   {change(func(f *Facts) { f.Blacklisted, f.Mobile = true, false }), Drop{PersonID: 1, Event: Skip, Reason: "no_channel"}},
		"and has voice":    {change(func(f *Facts) { f.Blacklisted = true; f.Later = []Channel{Voice} }), Drop{PersonID: 1, Event: Fall}},
		"has voice still":  {change(func(f *Facts) { f.Mobile = false; f.Later = []Channel{Voice} }), Drop{PersonID: 1, Event: Fall}},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := r.Drop(Campaign{}, SMS, c.facts, at("2026-11-23T12:00:00Z"))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestATelephoneRingsOnABlacklistedNumberAndWeChatGoes(t *testing.T) {
	f := Facts{PersonID: 1, Phone: "13800000001", Mobile: true, Matches: true, Blacklisted: true, WeChat: WeChatFacts{OpenID: "o1"}}
	for _, channel := range []Channel{Voice, WeChat} {
		if d, drops := (Rules{Zone: time.UTC}).Drop(Campaign{}, channel, f, at("2026-11-23T12:00:00Z")); drops {
			t.Errorf("%s: %+v", channel, d)
		}
	}
}

func TestACampaignThatMayNotSendPutsItsRowsBackOrOut(t *testing.T) {
	r := Rules{Zone: time.UTC}
	now := at("2026-11-23T06:00:00Z")
	window := "08:00-20:00"
	for name, c := range map[string]struct {
		campaign Campaign
		want     Drop
	}{
		"paused":    {Campaign{State: Paused}, Drop{Event: PutBack, WakeAt: now}},
		"halted":    {Campaign{State: Halted}, Drop{Event: PutBack, WakeAt: now}},
		"cancelled": {Campaign{State: Cancelled}, Drop{Event: Skip, Reason: "cancelled"}},
		"expired":   {Campaign{State: Running, ExpiresAt: now}, Drop{Event: Skip, Reason: "expired"}},
		"at night":  {Campaign{State: Running, Spec: Spec{Window: &window}}, Drop{Event: PutBack, WakeAt: now.Add(2 * time.Hour)}},
	} {
		got, open := r.Gate(c.campaign, now)
		if diff := cmp.Diff(c.want, got); open || diff != "" {
			t.Error(name, diff)
		}
	}
}

func TestWeChatTakesTheNoticeThenTheOpenWindowThenServiceNoticesAlone(t *testing.T) {
	full := Template{WeChat: &WeChatTemplate{Subscribe: "S", Template: "T", Text: "x"}}
	for _, c := range []struct {
		kind      Kind
		consented bool
		left      int
		want      WeChatRoute
	}{
		{PremiumReminder, true, 5, BizSend},
		{PremiumReminder, false, 5, CustomerMessage},
		{PremiumReminder, false, 3, CustomerMessage},
		{PremiumReminder, false, 2, ""},
		{ServiceNotice, false, 2, TemplateMessage},
		{ServiceNotice, false, 0, TemplateMessage},
		{JobPosting, false, 0, ""},
	} {
		got, _ := routeOf(Campaign{Spec: Spec{Kind: c.kind}, Template: full}, WeChatFacts{OpenID: "o", Consented: c.consented, CustomerLeft: c.left})
		if got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestLooksNeverComeFasterAndEndOnlyWhenTheBytesAreWorthless(t *testing.T) {
	looks, err := ParseLooks("60s,6m")
	if err != nil {
		t.Fatal(err)
	}
	sent := at("2026-11-23T12:00:00Z")
	invalid := sent.Add(31 * time.Minute)
	for _, c := range []struct {
		made int
		now  time.Duration
		want time.Duration
	}{
		{0, 0, time.Minute},
		{1, time.Minute, 6 * time.Minute},
		{1, 4 * time.Minute, 9 * time.Minute},
		{2, 6 * time.Minute, 31 * time.Minute},
		{2, 40 * time.Minute, 45 * time.Minute},
	} {
		if got := looks.Next(c.made, sent, sent.Add(c.now), invalid).Sub(sent); got != c.want {
			t.Errorf("after %d looks, at %v: next at %v, want %v", c.made, c.now, got, c.want)
		}
	}
	call := Call{SignedAt: sent}
	if looks.Enough(2, call, sent.Add(30*time.Minute), 31*time.Minute) {
		t.Error("enough while the request may still be taken")
	}
	if !looks.Enough(3, call, sent.Add(31*time.Minute), 31*time.Minute) {
		t.Error("not enough though the request can't be taken any more")
	}
	call.Spent = true
	if looks.Enough(1, call, sent.Add(time.Hour), 31*time.Minute) || !looks.Enough(2, call, sent, 31*time.Minute) {
		t.Error("spent bytes: all looks, and no more")
	}
	for _, bad := range []string{"", "6m,60s", "0s", "x"} {
		if _, err := ParseLooks(bad); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

func TestAnAnswerMeansOneThing(t *testing.T) {
	now := at("2026-11-23T12:00:00Z")
	base := Presented{CallID: 1, Channel: SMS, Members: 100, Now: now, Looks: Looks{time.Minute}}
	for name, c := range map[string]struct {
		change func(*Presented)
		event  DeliveryEvent
		check  func(CallResult) bool
	}{
		"a text accepted":             {func(p *Presented) { p.Answer.Outcome = Accepted }, Accept, func(r CallResult) bool { return r.WakeAt.Equal(now.Add(24 * time.Hour)) }},
		"a call accepted":             {func(p *Presented) { p.Channel, p.Answer.Outcome = Voice, Accepted }, Accept, func(r CallResult) bool { return r.WakeAt.Equal(now.Add(24 * time.Hour)) }},
		"accepted, to wait so long":   {func(p *Presented) { p.Spec.FallbackAfter, p.Answer.Outcome = Span(time.Hour), Accepted }, Accept, func(r CallResult) bool { return r.WakeAt.Equal(now.Add(time.Hour)) }},
		"accepted by WeChat":          {func(p *Presented) { p.Channel, p.Answer.Outcome = WeChat, Accepted }, Accept, func(r CallResult) bool { return r.WakeAt.IsZero() }},
		"timeout":                     {func(p *Presented) { p.Answer.Outcome = Unknown }, Lose, func(r CallResult) bool { return !r.Spent && !r.Again }},
		"nothing written":             {func(p *Presented) { p.Answer.Outcome = NotSent }, Retry, func(r CallResult) bool { return !r.Tried }},
		"nonce used":                  {func(p *Presented) { p.Answer = Answer{Outcome: Refused, Verdict: BytesSpent} }, Lose, func(r CallResult) bool { return r.Spent }},
		"accepted on the second try":  {func(p *Presented) { p.Again, p.Answer.Outcome = true, Accepted }, Accept, func(r CallResult) bool { return !r.Again }},
		"refused on the second try":   {func(p *Presented) { p.Again = true; p.Answer = Answer{Outcome: Refused, Verdict: Halt} }, Lose, func(r CallResult) bool { return r.Spent && r.Again && r.Halt == nil }},
		"no answer on the second try": {func(p *Presented) { p.Again, p.Answer.Outcome = true, Unknown }, Lose, func(r CallResult) bool { return !r.Spent && r.Again }},
		"one of a hundred is bad":     {func(p *Presented) { p.Answer = Answer{Outcome: Refused, Verdict: MemberFinal} }, Bisect, nil},
		"the bad one alone":           {func(p *Presented) { p.Members = 1; p.Answer = Answer{Outcome: Refused, Verdict: MemberFinal} }, Refuse, nil},
		"their limit, in company":     {func(p *Presented) { p.Answer = Answer{Outcome: Refused, Verdict: MemberLater} }, Bisect, nil},
		"system error, second": {func(p *Presented) {
			p.Tries = 1
			p.Answer = Answer{Outcome: Refused, Verdict: RetryLater, Code: "isp.SYSTEM_ERROR"}
		}, Retry, func(r CallResult) bool { return r.Tried && r.WakeAt.Equal(now.Add(5*time.Second)) }},
		"system error once too often, alone": {func(p *Presented) {
			p.Tries, p.Members = 3, 1
			p.Answer = Answer{Outcome: Refused, Verdict: RetryLater, Code: "isp.SYSTEM_ERROR"}
		}, Refuse, nil},
		"system error alone, as for everybody": {func(p *Presented) {
			p.Tries, p.Members, p.Down = 3, 1, true
			p.Answer = Answer{Outcome: Refused, Verdict: RetryLater, Code: "isp.SYSTEM_ERROR"}
		}, Retry, func(r CallResult) bool { return r.Tried && r.WakeAt.Equal(now.Add(time.Minute)) }},
		"system error in company, while others are taken": {func(p *Presented) {
			p.Tries, p.Works = 3, true
			p.Answer = Answer{Outcome: Refused, Verdict: RetryLater, Code: "isp.SYSTEM_ERROR"}
		}, Bisect, nil},
		"throttled for the tenth time": {func(p *Presented) {
			p.Tries = 10
			p.Answer = Answer{Outcome: Refused, Verdict: RetryLater, Code: "Throttling.User"}
		}, Retry, func(r CallResult) bool { return !r.Tried }},
		"no money": {func(p *Presented) { p.Answer = Answer{Outcome: Refused, Verdict: Halt, Code: "isv.AMOUNT_NOT_ENOUGH"} }, Retry, func(r CallResult) bool { return r.Halt != nil && !r.Tried }},
	} {
		t.Run(name, func(t *testing.T) {
			p := base
			c.change(&p)
			r := p.Result()
			if r.Event != c.event || c.check != nil && !c.check(r) {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestReceiptsHaltACampaignOnlyInNumbers(t *testing.T) {
	for name, c := range map[string]struct {
		outcomes string
		raised   int
		want     string
	}{
		"one alone":                 {"c", 0, ""},
		"one of thirty":             {"c" + strings.Repeat(".", 29), 0, ""},
		"five in a hundred":         {strings.Repeat("c", 5) + strings.Repeat(".", 95), 0, "halt.content"},
		"five, after going on":      {strings.Repeat("c", 5) + strings.Repeat(".", 95), 1, ""},
		"all of too few":            {strings.Repeat("c", 24), 0, ""},
		"a fifth fail":              {strings.Repeat("o", 20) + strings.Repeat(".", 80), 0, "halt.failures"},
		"half the numbers are dead": {strings.Repeat("d", 50) + strings.Repeat(".", 50), 0, ""},
		"most of the numbers are":   {strings.Repeat("d", 60) + strings.Repeat(".", 40), 0, "halt.numbers"},
		"dead ones don't add to it": {strings.Repeat("d", 50) + strings.Repeat("o", 10) + strings.Repeat(".", 40), 0, ""},
	} {
		got := Judge(Campaign{Raised: c.raised}, c.outcomes)
		if (got == nil) != (c.want == "") || got != nil && got.Reason != c.want {
			t.Errorf("%s: %+v, want %q", name, got, c.want)
		}
	}
	long := ""
	for range 7 {
		long = AddOutcomes(long, true, "", 100)
	}
	if len(long) != 500 {
		t.Errorf("%d outcomes are kept", len(long))
	}
}

// An outage of forty seconds must cost nobody: people wait, with growing gaps, and after half an hour staff are told.
func TestAnOutageOfThePlatformFailsNobodyAndHaltsInTheEnd(t *testing.T) {
	began := at("2026-11-23T12:00:00Z")
	p := Presented{
		CallID: 1, Channel: SMS, Members: 100, Now: began, Looks: Looks{time.Minute},
		Answer: Answer{Outcome: Refused, Verdict: RetryLater, Code: "isp.SYSTEM_ERROR"},
	}
	for range 2 { // staff go on once, and the waits begin anew
		began = p.Now
		var gap time.Duration
		for {
			r := p.Result()
			if r.Event != Retry || !r.Tried {
				t.Fatalf("after %v and %d tries: %+v", p.Now.Sub(began), p.Tries, r)
			}
			p.Tries++
			if r.Halt != nil {
				if r.Halt.Reason != "halt.outage" || r.Halt.Detail != "isp.SYSTEM_ERROR" {
					t.Errorf("%+v", r.Halt)
				}
				break
			}
			if next := r.WakeAt.Sub(p.Now); next < gap || next > 5*time.Minute {
				t.Errorf("after %v the pause is %v", gap, next)
			} else {
				gap = next
			}
			p.Now = r.WakeAt
		}
		if lasted := p.Now.Sub(began); lasted < 30*time.Minute || lasted > 40*time.Minute {
			t.Errorf("halted after %v", lasted)
		}
	}
}

func TestThePaceKnowsWhetherAPlatformWorks(t *testing.T) {
	now := at("2026-11-23T12:00:00Z")
	busy := Answer{Outcome: Refused, Verdict: RetryLater, Code: "isp.SYSTEM_ERROR"}
	var p pace
	if p.works(SMS, now) || p.down(SMS) {
		t.Error("something is known of a platform before it answered")
	}
	p.heard(SMS, Answer{Outcome: Accepted}, now)
	for range downAfter {
		p.heard(SMS, busy, now)
		p.heard(Voice, busy, now)
	}
	if !p.works(SMS, now.Add(worksFor-1)) || p.works(SMS, now.Add(worksFor)) {
		t.Error("a taken call says for another time that the platform works")
	}
	if !p.down(SMS) || p.down(Voice) {
		t.Errorf("down: sms %v, voice %v", p.down(SMS), p.down(Voice))
	}
	p.heard(SMS, Answer{Outcome: Accepted}, now)
	if p.down(SMS) {
		t.Error("down, although it took a call")
	}
}
