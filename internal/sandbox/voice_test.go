package sandbox

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

func (b *sender) dial(phone, outID string) answerRPC {
	return b.call(map[string]string{"Action": "SingleCallByTts", "CalledNumber": phone, "TtsCode": "TTS_1001", "TtsParam": `{"name":"张三"}`, "OutId": outID})
}

func TestATelephoneTakesReviewedTextsAndKnownRecordingsOnly(t *testing.T) {
	b := newSender(t, Config{})
	b.s.AddRecording("yue.wav")
	b.s.AddVoice(VoiceTemplate{Code: "TTS_wait", Content: "您好", Pending: true})
	b.s.AddVoice(VoiceTemplate{Code: "TTS_no", Content: "您好", Refused: true})
	for n, c := range []struct{ params, want string }{
		{"Action=SingleCallByTts&TtsCode=TTS_1001&TtsParam={\"name\":\"张三\"}", "OK"},
		{"Action=SingleCallByTts&TtsCode=TTS_wait", "isv.TTS_TEMPLATE_ILLEGAL"},
		{"Action=SingleCallByTts&TtsCode=TTS_no", "isv.TTS_TEMPLATE_ILLEGAL"},
		{"Action=SingleCallByTts&TtsCode=TTS_1001", "isv.TEMPLATE_PARAMS_ILLEGAL"},
		{"Action=SingleCallByTts&TtsCode=TTS_1001&TtsParam={\"name\":\"张三\"}&PlayTimes=4", "isv.INVALID_PARAMETERS"},
		{"Action=SingleCallByTts&TtsCode=TTS_1001&TtsParam={\"name\":\"张三\"}&Speed=501", "isv.INVALID_PARAMETERS"},
		{"Action=SingleCallByTts&TtsCode=TTS_1001&TtsParam={\"name\":\"张三\"}&OutId=1234567890123456", "isv.INVALID_PARAMETERS"},
		{"Action=SingleCallByTts&TtsCode=TTS_1001&TtsParam={\"name\":\"张三\"}&CalledNumber=110", "isv.MOBILE_NUMBER_ILLEGAL"},
		{"Action=SingleCallByTts&TtsCode=TTS_1001&TtsParam={\"name\":\"张三\"}&CalledNumber=07633360000", "OK"},
		{"Action=SingleCallByVoice&VoiceCode=yue.wav", "OK"},
		{"Action=SingleCallByVoice&VoiceCode=other.wav", "isv.TEMPLATE_ILLEGAL"},
		{"Action=SingleCallByVoice", "MissingVoiceCode"},
	} {
		params := map[string]string{"CalledNumber": fmt.Sprintf("1380000%04d", n)}
		for pair := range strings.SplitSeq(c.params, "&") {
			name, value, _ := strings.Cut(pair, "=")
			params[name] = value
		}
		if got := b.call(params); got.Code != c.want {
			t.Errorf("%s: %s, want %s", c.params, got.Code, c.want)
		}
	}
	if calls := b.s.Calls("13800000009"); len(calls) != 1 || calls[0].Recording != "yue.wav" || calls[0].Plays != 3 {
		t.Errorf("%+v", calls)
	}
}

func TestANumberIsCalledOnceAMinuteFiveTimesAnHourTwentyADay(t *testing.T) {
	b := newSender(t, Config{})
	b.clock.move(time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC).Sub(b.clock.now()))
	var at []string
	for range 24 * 60 {
		if got := b.dial("13800000001", ""); got.Code == "OK" {
			at = append(at, b.clock.now().Format("15:04"))
		} else if got.Code != "isv.BUSINESS_LIMIT_CONTROL" {
			t.Fatalf("%+v", got)
		}
		b.clock.move(30 * time.Second)
	}
	want := strings.Fields("01:00 01:01 01:02 01:03 01:04 02:00 02:01 02:02 02:03 02:04 03:00 03:01 03:02 03:03 03:04 04:00 04:01 04:02 04:03 04:04")
	if strings.Join(at, " ") != strings.Join(want, " ") {
		t.Errorf("%v", at)
	}
}

func TestEachCallEndsAsIsSetForIt(t *testing.T) {
	r, base := receive(t, 0)
	b := newSender(t, Config{Aliyun: AliyunConfig{
		Limits:   Limits{CallsPerMinute: -1, CallsPerHour: -1},
		Receipts: Receipts{Bases: []string{base}, VoiceCodes: map[string]string{"13800000001": "200003,200001:4,200000"}},
	}})
	for n, want := range []string{"200003 0", "200001 4", "200000 25", "200000 25"} {
		b.dial("13800000001", fmt.Sprint("out", n))
		<-r.came
		r.mu.Lock()
		item := r.items["voice-report"][n]
		r.mu.Unlock()
		if got := fmt.Sprint(item["status_code"], " ", item["duration"]); got != want || item["out_id"] != fmt.Sprint("out", n) {
			t.Errorf("call %d: %v", n, item)
		}
	}
	call := b.s.Calls("13800000001")[1]
	got := b.call(map[string]string{"Action": "QueryCallDetailByCallId", "CallId": call.CallID, "ProdId": "11000000300006", "QueryDate": "1"})
	if got.Code != "OK" {
		t.Errorf("%+v", got)
	}
}

func TestATelephoneThatSomebodyHoldsRingsUntilTheyAct(t *testing.T) {
	r, base := receive(t, 0)
	b := newSender(t, Config{Aliyun: AliyunConfig{Limits: Limits{CallsPerMinute: -1}, Receipts: Receipts{Bases: []string{base}}}})
	_, end := b.s.watchers.watch("13800000001")
	defer end()
	for n, c := range []struct {
		answer Answer
		want   string
	}{{HearOut, "200000 25"}, {HangUp, "200001 3"}, {LeaveIt, "200003 0"}} {
		b.dial("13800000001", fmt.Sprint("out", n))
		call := b.s.Calls("13800000001")[n]
		if call.Status != "" {
			t.Fatalf("it does not ring: %+v", call)
		}
		if err := b.s.TakeCall(call.CallID, c.answer); err != nil {
			t.Fatal(err)
		}
		<-r.came
		r.mu.Lock()
		item := r.items["voice-report"][n]
		r.mu.Unlock()
		if got := fmt.Sprint(item["status_code"], " ", item["duration"]); got != c.want {
			t.Errorf("%s: %v", c.answer, item)
		}
		if b.s.TakeCall(call.CallID, HearOut) == nil {
			t.Error("a call that is over is taken")
		}
	}
}

func TestOnThePhonesPageACallRingsAndIsHeard(t *testing.T) {
	s, _, web := stage(t)
	b := &sender{t: t, s: s, clock: &clock{at: time.Now()}}
	_, end := s.watchers.watch("13800000001")
	defer end()
	b.dial("13800000001", "o1")
	body, _ := browse(t, web.URL+"/panes?p=1")
	if !strings.Contains(body, "来电响铃中") || strings.Contains(body, "张三您好") {
		t.Errorf("no call rings, or it is heard before it is answered: %s", body)
	}
	act(t, web, url.Values{"p": {"1"}, "do": {"hear_out"}, "key": {s.Calls("13800000001")[0].CallID}})
	if body, _ = browse(t, web.URL+"/panes?p=1"); !strings.Contains(body, "已听完") || !strings.Contains(body, "张三您好") {
		t.Errorf("the call is not heard: %s", body)
	}
}

func TestACallThatRingsOverARestartEndsAndIsKeptOnce(t *testing.T) {
	dir := t.TempDir()
	slow := AliyunConfig{Receipts: Receipts{DelaySeconds: 3600}}
	b := newSender(t, Config{Dir: dir, Aliyun: slow})
	b.dial("13800000001", "o1")
	if err := b.s.Close(); err != nil {
		t.Fatal(err)
	}
	b = newSender(t, Config{Dir: dir})
	await(t, "the end", func() bool { c := b.s.Calls(""); return len(c) == 1 && c[0].Status == "200000" })
	if err := b.s.Close(); err != nil {
		t.Fatal(err)
	}
	b = newSender(t, Config{Dir: dir})
	if c := b.s.Calls(""); len(c) != 1 || c[0].Status != "200000" || c[0].OutID != "o1" {
		t.Errorf("%+v", c)
	}
}
