package aliyun

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

const called = `{"Message":"OK","RequestId":"D9CB3933-9FE3-4870-BA8E-2BEE91B69D23","Code":"OK","CallId":"116012354148^10281378****"}`

func phoneAccount(t *testing.T, endpoint string) *Voice {
	t.Helper()
	v, err := NewVoice(Config{
		AccessKeyID: "testid", AccessKeySecret: "testsecret", Endpoint: endpoint,
		Now: func() time.Time { return time.Date(2026, 11, 23, 4, 20, 0, 0, time.UTC) },
	}, "07633360000")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func phoneCall(record string) notify.Outgoing {
	return notify.Outgoing{
		ID: 7, OutID: "10.ABCDEFGHIJKL", Channel: notify.Voice, Kind: notify.PremiumReminder,
		Template: notify.Template{Key: "due", Voice: &notify.VoiceTemplate{Code: "TTS_1001"}},
		Members:  []notify.Member{{PersonID: 1, Phone: "13800000001", Params: map[string]string{"name": "张*三"}, Record: record}},
	}
}

func callOut(t *testing.T, v *Voice, c notify.Outgoing) notify.Answer {
	t.Helper()
	r, err := v.Sign(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if r.Repeatable() {
		t.Error("a call would be presented twice")
	}
	return r.Present(t.Context())
}

func TestATextIsReadOutThreeTimesAndARecordingIsPlayedInItsPlace(t *testing.T) {
	sim := newSimulator(t, saying(200, called))
	v := phoneAccount(t, sim.URL)
	for record, want := range map[string]map[string]string{
		"":        {"Action": "SingleCallByTts", "TtsCode": "TTS_1001", "TtsParam": `{"name":"张*三"}`, "Speed": "-150", "VoiceCode": ""},
		"yue.wav": {"Action": "SingleCallByVoice", "VoiceCode": "yue.wav", "TtsCode": "", "TtsParam": ""},
	} {
		if a := callOut(t, v, phoneCall(record)); a.Outcome != notify.Accepted || a.ID != "116012354148^10281378****" || a.RequestID == "" {
			t.Errorf("%+v", a)
		}
		form := sim.requests()[len(sim.requests())-1]
		for k, w := range map[string]string{"CalledNumber": "13800000001", "CalledShowNumber": "07633360000", "PlayTimes": "3", "Volume": "100", "OutId": "10.ABCDEFGHIJKL"} {
			want[k] = w
		}
		for k, w := range want {
			if form.Get(k) != w {
				t.Errorf("%s is %q, want %q", k, form.Get(k), w)
			}
		}
	}
}

func TestCodesOfTheVoiceProductHaveTheirOwnMeaning(t *testing.T) {
	for code, want := range map[string]notify.Verdict{
		"isv.TTS_TEMPLATE_ILLEGAL": notify.Halt, "isv.TEMPLATE_ILLEGAL": notify.Halt, "isv.TEMPLATE_PARAMS_ILLEGAL": notify.Halt,
		"isv.BLACK_KEY_CONTROL_LIMIT": notify.Halt, "isv.DISPLAY_NUMBER_ILLEGAL": notify.Halt, "isv.BILLID_NOT_EXIST": notify.Halt,
		"isv.MOBILE_NUMBER_ILLEGAL": notify.MemberFinal, "isv.COMPLAINT_REJECT": notify.MemberFinal,
		"isv.BUSINESS_LIMIT_CONTROL": notify.MemberLater, "isv.VOICE_CALL_PERIOD_ERROR": notify.MemberLater, "isv.VOICE_ROBOT_NOT_PERIOD": notify.MemberLater,
		"isv.VOICE_CALL_FAIL": notify.RetryLater, "isv.AMOUNT_NOT_ENOUGH": notify.Halt, "isp.SYSTEM_ERROR": notify.RetryLater,
		"SignatureNonceUsed": notify.BytesSpent, "isv.SOMETHING_NEW": notify.Halt,
	} {
		sim := newSimulator(t, saying(200, `{"Code":"`+code+`","Message":"13800000001 张三","RequestId":"R-1"}`))
		a := callOut(t, phoneAccount(t, sim.URL), phoneCall(""))
		if a.Outcome != notify.Refused || a.Verdict != want || a.Code != code {
			t.Errorf("%s: %+v", code, a)
		}
		if later := want == notify.MemberLater || want == notify.RetryLater; later != (a.RetryAfter > 0) {
			t.Errorf("%s: again after %s", code, a.RetryAfter)
		}
		discreet(t, a)
	}
}

func TestARefusalForTheHourWaitsForTheMorning(t *testing.T) {
	for clock, want := range map[string]time.Duration{"21:30": 11*time.Hour + 30*time.Minute, "03:00": 6 * time.Hour, "10:00": time.Hour, "20:00": 13 * time.Hour} {
		at, _ := time.ParseInLocation("2006-01-02 15:04", "2026-11-30 "+clock, vendorZone())
		if got := nextCallHour(at); got != want {
			t.Errorf("at %s: %s, want %s", clock, got, want)
		}
	}
}

func TestACallThatIsLostIsUnknown(t *testing.T) {
	sim := newSimulator(t, saying(502, ""))
	if a := callOut(t, phoneAccount(t, sim.URL), phoneCall("")); a.Outcome != notify.Unknown {
		t.Errorf("%+v", a)
	}
}

func TestCallsThatTheVoiceProductCannotHoldAreRefusedBeforeSigning(t *testing.T) {
	v := phoneAccount(t, "http://127.0.0.1:1")
	for name, spoil := range map[string]func(*notify.Outgoing){
		"channel": func(c *notify.Outgoing) { c.Channel = notify.SMS }, "template": func(c *notify.Outgoing) { c.Template.Voice = nil },
		"long out id": func(c *notify.Outgoing) { c.OutID = strings.Repeat("a", 16) }, "no out id": func(c *notify.Outgoing) { c.OutID = "" },
		"two": func(c *notify.Outgoing) { c.Members = append(c.Members, c.Members[0]) }, "no number": func(c *notify.Outgoing) { c.Members[0].Phone = "" },
	} {
		c := phoneCall("")
		spoil(&c)
		if _, err := v.Sign(t.Context(), c); !errors.Is(err, ErrBadCall) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := phoneCall("")
	c.Members[0].Phone = "07633360000" // a landline may be called
	if _, err := v.Sign(t.Context(), c); err != nil {
		t.Error(err)
	}
}

func TestTheEndOfACallIsRead(t *testing.T) {
	for status, want := range map[string]notify.CallEnd{
		"200000": "", "200002": notify.NotAnswered, "200003": notify.NotAnswered, "200005": notify.NotAnswered, "200007": notify.NotAnswered,
		"200010": notify.NotAnswered, "200004": notify.NoNumber, "200011": notify.NoNumber, "200104": notify.HeldBack, "200121": notify.HeldBack,
		"200001": notify.HungUp, "999999": notify.NotAnswered, "500": notify.NotAnswered,
	} {
		good, bad, err := DecodeVoiceReports([]byte(`[{"out_id":"1","callee":"13800000001","status_code":"` + status + `","duration":"3"}]`))
		if err != nil || bad != 0 || len(good) != 1 || good[0].CallEnd != want || good[0].Delivered != (want == "") || good[0].Proof() != notify.ByHearing {
			t.Errorf("%s: %+v %d %v", status, good, bad, err)
		}
	}
	for duration, heard := range map[string]bool{`"10"`: true, `25`: true, `"9"`: false, `""`: false, `"NaN"`: false, `null`: false} {
		good, _, err := DecodeVoiceReports([]byte(`[{"out_id":"1","callee":"13800000001","status_code":200001,"duration":` + duration + `}]`))
		if err != nil || len(good) != 1 || good[0].Delivered != heard || heard && good[0].Proof() != notify.ByAnswer {
			t.Errorf("hung up after %s: %+v %v", duration, good, err)
		}
	}
}

func TestAPingTellsWhetherTheVoiceProductKnowsUs(t *testing.T) {
	for answer, ok := range map[string]bool{
		`{"Code":"OK","Data":"{}","RequestId":"R"}`: true, `{"Code":"isv.INVALID_PARAMETERS","RequestId":"R"}`: true,
		`{"Code":"isv.PRODUCT_UN_SUBSCRIPT","RequestId":"R"}`: false, `{}`: false,
	} {
		sim := newSimulator(t, saying(200, answer))
		if err := phoneAccount(t, sim.URL).Ping(t.Context()); (err == nil) != ok {
			t.Errorf("%s: %v", answer, err)
		}
	}
	sim := newSimulator(t, saying(404, `{"Code":"InvalidAccessKeyId.NotFound","Message":"x","RequestId":"R"}`))
	if err := phoneAccount(t, sim.URL).Ping(t.Context()); err == nil {
		t.Error("a bad key passes")
	}
}
