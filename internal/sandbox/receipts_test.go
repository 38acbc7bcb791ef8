package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// receiver takes pushes as a program's receipt addresses do.
type receiver struct {
	mu     sync.Mutex
	items  map[string][]map[string]any // by path
	pushes int
	reject int // answers so many pushes wrongly
	came   chan string
}

func receive(t *testing.T, reject int) (*receiver, string) {
	t.Helper()
	r := &receiver{items: map[string][]map[string]any{}, reject: reject, came: make(chan string, 100)}
	web := httptest.NewServer(r)
	t.Cleanup(web.Close)
	return r, web.URL + "/aliyun/secret"
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pushes++
	if r.pushes <= r.reject {
		_, _ = io.WriteString(w, []string{`{"code":"0"}`, `ok`, `{}`}[r.pushes%3])
		return
	}
	var list []map[string]any
	if json.Unmarshal(body, &list) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	path := strings.TrimPrefix(q.URL.Path, "/aliyun/secret/")
	r.items[path] = append(r.items[path], list...)
	_, _ = io.WriteString(w, `{"code":0,"msg":"ok"}`)
	for range list {
		r.came <- path
	}
}

func TestReceiptsComeInTheDocumentedShapeAndAreTriedAgain(t *testing.T) {
	r, base := receive(t, 3)
	b := newSender(t, Config{Aliyun: AliyunConfig{Receipts: Receipts{
		Bases: []string{base}, RetryScale: 1e-5, TimeoutSeconds: 20, PhoneCodes: map[string]string{"13800000002": "MOBILE_IN_BLACK"},
	}}})
	sent := b.batch("SMS_1001", dueParams, "13800000001", "13800000002")
	<-r.came
	<-r.came
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pushes != 4 || len(r.items["sms-report"]) != 2 {
		t.Fatalf("%d pushes, %v", r.pushes, r.items)
	}
	first, second := r.items["sms-report"][0], r.items["sms-report"][1]
	for name, want := range map[string]any{
		"phone_number": "13800000001", "success": true, "err_code": "DELIVERED", "err_msg": "用户接收成功", "sms_size": "1",
		"biz_id": sent.BizId, "out_id": "out0", "send_time": "2026-11-01 16:00:00", "report_time": "2026-11-01 16:00:00",
	} {
		if first[name] != want {
			t.Errorf("%s is %v, want %v", name, first[name], want)
		}
	}
	if second["success"] != false || second["err_code"] != "MOBILE_IN_BLACK" || second["err_msg"] != "手机号在黑名单" {
		t.Errorf("%v", second)
	}
	if m := b.s.Messages("13800000002")[0]; m.Status != 2 || m.ErrCode != "MOBILE_IN_BLACK" {
		t.Errorf("%+v", m)
	}
}

func TestAPushThatNobodyTakesIsLostAfterThreeMoreTries(t *testing.T) {
	r, base := receive(t, 1000)
	b := newSender(t, Config{Aliyun: AliyunConfig{Receipts: Receipts{Bases: []string{base}, RetryScale: 1e-5, TimeoutSeconds: 20}}})
	b.batch("SMS_1001", dueParams, "13800000001")
	await(t, "the last try", func() bool { return b.s.Stats().SMS.Pushes.GivenUp > 0 })
	if st := b.s.Stats().SMS.Pushes; st.Pushes != 4 || st.Failed != 4 || st.GivenUp != 1 || r.pushes != 4 {
		t.Fatalf("%+v", st)
	}
}

func TestRepliesAndVoiceResultsArePushedToo(t *testing.T) {
	r, base := receive(t, 0)
	b := newSender(t, Config{Aliyun: AliyunConfig{Receipts: Receipts{Bases: []string{base}, PhoneCodes: map[string]string{"13800000003": "200003"}}}})
	if err := b.s.ReplySMS("13800000001", "退订"); err != nil {
		t.Fatal(err)
	}
	<-r.came
	if got := b.call(map[string]string{"Action": "SingleCallByTts", "CalledNumber": "13800000003", "TtsCode": "TTS_1001", "TtsParam": `{"name":"张三"}`, "OutId": "v1"}); got.Code != "OK" {
		t.Fatalf("%+v", got)
	}
	<-r.came
	r.mu.Lock()
	defer r.mu.Unlock()
	up, voice := r.items["sms-up"][0], r.items["voice-report"][0]
	if up["content"] != "退订" || up["phone_number"] != "13800000001" || up["sequence_id"] == "" {
		t.Errorf("%v", up)
	}
	if voice["status_code"] != "200003" || voice["out_id"] != "v1" || voice["duration"] != "0" {
		t.Errorf("%v", voice)
	}
}

func TestDuplicatesLossesAndFailuresAreAsOftenAsSet(t *testing.T) {
	r, base := receive(t, 0)
	r.came = make(chan string, 10_000)
	b := newSender(t, Config{Seed: 3, Aliyun: AliyunConfig{Receipts: Receipts{
		Bases: []string{base}, DuplicatePercent: 100, LostPercent: 10, FailPercent: 20, Shuffle: true, Batch: 37, TimeoutSeconds: 20,
	}}})
	for i := range 5 {
		b.batch("SMS_1001", dueParams, phonesFrom(i*100, 100)...)
	}
	want := 0
	for i := range uint64(500) {
		if fraction(4, i)*100 >= 10 {
			want += 2
		}
	}
	await(t, "every push twice", func() bool { return len(r.came) == want })
	if want < 800 || want > 980 {
		t.Fatal("lost", want)
	}
	if st := b.s.Stats().SMS; st.Failed < 70 || st.Failed > 130 || st.Delivered+st.Failed != 500 {
		t.Fatalf("%+v", st)
	}
}
