package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const goodCampaign = `
name: 2026年度城乡居民医保缴费提醒
kind: premium_reminder
audience:
  all:
    - region: {within: "441802"}
    - age: {gte: 18}
channels: [wechat, sms, voice]
fallback_after: 24h
template: medical_premium_due
params: {deadline: "12月31日"}
schedule: now
window: "08:00-20:00"
expires: 2026-12-31T20:00:00+08:00
rate: 0
`

func TestACampaignFileIsReadAsItStandsInTheManual(t *testing.T) {
	s, err := ParseSpec([]byte(goodCampaign))
	if err != nil {
		t.Fatal(err)
	}
	if s.FallsBackAfter() != 24*time.Hour || s.Params["deadline"] != "12月31日" || len(s.Channels) != 3 ||
		!s.Expires.Equal(time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", s)
	}
	s, err = ParseSpec([]byte(strings.Replace(goodCampaign, `window: "08:00-20:00"`, `window: ""`, 1)))
	if err != nil || s.Window == nil || *s.Window != "" {
		t.Errorf("an empty window: %v %v", s.Window, err)
	}
	s, err = ParseSpec([]byte(strings.Replace(goodCampaign, "window: \"08:00-20:00\"\n", "", 1)))
	hours, _ := s.Hours()
	if err != nil || hours.Open(at("2026-11-23T20:30:00Z"), time.UTC) {
		t.Error("no window is not the default window", err)
	}
}

func TestWhatIsWrongWithACampaignFileIsNamed(t *testing.T) {
	for change, word := range map[[2]string]string{
		{"rate: 0", "rats: 0"}:                                   "line 15: unknown key rats",
		{"premium_reminder", "greeting"}:                         "kind",
		{"[wechat, sms, voice]", "[wechat, pigeon]"}:             "pigeon",
		{"[wechat, sms, voice]", "[]"}:                           "channels",
		{"schedule: now", "schedule: tomorrow"}:                  "schedule",
		{"schedule: now", "schedule: 2026-12-31T20:00:00+08:00"}: "is not before expires",
		{"fallback_after: 24h", "fallback_after: day"}:           "day",
		{"age: {gte: 18}", "shoe_size: {gte: 18}"}:               "shoe_size",
		{"template: medical_premium_due", "template: "}:          "template",
	} {
		_, err := ParseSpec([]byte(strings.Replace(goodCampaign, change[0], change[1], 1)))
		if err == nil || !strings.Contains(err.Error(), word) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: %v", change, err)
		}
	}
	without := goodCampaign[:strings.Index(goodCampaign, "audience:")] + goodCampaign[strings.Index(goodCampaign, "channels:"):]
	if _, err := ParseSpec([]byte(without)); err == nil || !strings.Contains(err.Error(), "audience") {
		t.Errorf("without an audience: %v", err)
	}
}

const goodTemplates = `
templates:
  - key: medical_premium_due
    kind: premium_reminder
    sms:    {code: SMS_1001, type: notification, content: "${name}您好，请在${deadline}前缴清。", params: {name: "{{.Person.ShortName}}", deadline: "{{.Params.deadline}}"}}
    wechat: {subscribe: TPL_A, fields: {thing1: "{{.Person.ShortName}}"}, page: ""}
    voice:  {code: TTS_1001, content: "您好", params: {}}
  - key: verify_code
    kind: verification
    sms: {code: SMS_2, type: code, content: "验证码${code}", params: {code: "{{.Params.code}}"}}
`

func TestTemplatesAreFilledForAPerson(t *testing.T) {
	list, err := ParseTemplates([]byte(goodTemplates))
	if err != nil {
		t.Fatal(err)
	}
	x, err := NewTexts(list[0])
	if err != nil {
		t.Fatal(err)
	}
	data := Data{"Person": NewPersonData("陳大文"), "Params": map[string]any{"deadline": "12月31日"}}
	params, err := x.SMS(data)
	if err != nil {
		t.Fatal(err)
	}
	if got := x.Spoken(SMS, params); got != "陈大文您好，请在12月31日前缴清。" {
		t.Error(got)
	}
	if _, err := x.SMS(Data{"Person": NewPersonData("王五"), "Params": map[string]any{}}); !errors.Is(err, ErrTexts) {
		t.Errorf("a missing parameter: %v", err)
	}
	if _, err := x.SMS(Data{"Person": NewPersonData("王五"), "Params": map[string]any{"deadline": strings.Repeat("日", 36)}}); !errors.Is(err, ErrTexts) {
		t.Errorf("a variable that is too long: %v", err)
	}
}

func TestATemplateThatCanNotWorkIsRefused(t *testing.T) {
	for change, word := range map[[2]string]string{
		{"${name}您好，请在${deadline}前缴清。", "${name}${deadline}"}: "one big variable",
		{`name: "{{.Person.ShortName}}", `, ""}:               "no parameter",
		{"content: \"${name}您好，", "content: \"您好，"}:           "does not stand in the content",
		{"type: notification", "type: advert"}:                "advert",
		{"type: notification", "type: promotion"}:             "拒收请回复R",
		{"前缴清。\"", "前缴清。拒收请回复R\""}:                            "promotions alone",
		{"kind: premium_reminder", "kind: reminder"}:          "reminder",
		{"key: verify_code", "key: code"}:                     "verify_code",
		{"{{.Params.deadline}}", "{{.Params.deadline"}:        "deadline",
		{"code: SMS_1001, ", ""}:                              "code",
		{"subscribe: TPL_A", "subscription: TPL_A"}:           "line 6: unknown key subscription",
		{"key: verify_code", "key: medical_premium_due"}:      "twice",
	} {
		_, err := ParseTemplates([]byte(strings.Replace(goodTemplates, change[0], change[1], 1)))
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%v: %v", change, err)
		}
	}
}

type testMAC string

func (k testMAC) MAC(domain, value string) []byte {
	m := hmac.New(sha256.New, []byte(k))
	m.Write([]byte(domain + "\x00" + value))
	return m.Sum(nil)
}

func TestAnOutIDIsReadBackAndNoForgedOneIs(t *testing.T) {
	keys := testMAC("k")
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.Int64Range(1, 1<<40).Draw(t, "id")
		for _, c := range Channels() {
			out := OutID(keys, id, c)
			if got, ok := CallOf(keys, out, c); !ok || got != id {
				t.Fatalf("%s: %d %v", out, got, ok)
			}
			if c == Voice && len(out) > 15 {
				t.Fatalf("%s is too long for voice", out)
			}
			if _, ok := CallOf(testMAC("other"), out, c); ok {
				t.Fatal("another key's OutID passes")
			}
			at := rapid.IntRange(0, len(out)-1).Draw(t, "at")
			forged := []byte(out)
			forged[at] ^= 1
			if _, ok := CallOf(keys, string(forged), c); ok {
				t.Fatalf("%s passes for %s", forged, out)
			}
		}
		notice := NoticeOutID(keys, id)
		if got, ok := NoticeOf(keys, notice); !ok || got != id {
			t.Fatal("a notice's OutID is not read back")
		}
		if _, ok := CallOf(keys, notice, SMS); ok {
			t.Fatal("a notice passes for a call")
		}
		if _, ok := NoticeOf(keys, OutID(keys, id, SMS)); ok {
			t.Fatal("a call passes for a notice")
		}
	})
}

func FuzzACampaignFileNeverPanics(f *testing.F) {
	f.Add([]byte(goodCampaign))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(_ *testing.T, file []byte) { _, _ = ParseSpec(file) })
}

func FuzzAnOutIDFromOutsideNeverPanics(f *testing.F) {
	f.Add("A.B")
	f.Fuzz(func(_ *testing.T, out string) {
		for _, c := range Channels() {
			_, _ = CallOf(testMAC("k"), out, c)
		}
		_, _ = NoticeOf(testMAC("k"), out)
	})
}
