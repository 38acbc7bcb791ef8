package sandbox

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// sender sends signed batches to a sandbox whose clock a test moves.
type sender struct {
	t     *testing.T
	s     *Sandbox
	clock *clock
	n     int
}

func newSender(t *testing.T, cfg Config) *sender {
	c := &clock{at: time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)}
	cfg.Now = c.now
	if cfg.Aliyun.AccessKeys == nil {
		receipts, limits := cfg.Aliyun.Receipts, cfg.Aliyun.Limits
		cfg.Aliyun = countySMS()
		cfg.Aliyun.Receipts, cfg.Aliyun.Limits = receipts, limits
	}
	return &sender{t: t, s: open(t, cfg), clock: c}
}

func (b *sender) call(params map[string]string) answerRPC {
	b.t.Helper()
	b.n++
	return postRPC(b.t, b.s.AliyunHandler(), signed("POST", "LTAI5sandbox", "very secret", b.clock.now(), strconv.Itoa(b.n), params))
}

func (b *sender) batch(template, params string, phones ...string) answerRPC {
	b.t.Helper()
	list := func(item string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(item+",", len(phones)), ",") + "]"
	}
	return b.call(map[string]string{
		"Action": "SendBatchSms", "TemplateCode": template, "PhoneNumberJson": `["` + strings.Join(phones, `","`) + `"]`,
		"SignNameJson": list(`"青禾县人社"`), "TemplateParamJson": list(params), "OutId": "out" + strconv.Itoa(b.n),
	})
}

const dueParams = `{"name":"张三","deadline":"12月31日"}`

func phonesFrom(first, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = strconv.Itoa(13800000000 + first + i)
	}
	return out
}

func TestWhatTheCarrierWouldRefuseIsRefusedWhole(t *testing.T) {
	b := newSender(t, Config{})
	if err := b.s.AddTemplate(SMSTemplate{Code: "SMS_9", Type: "notification", Content: "${name}您好，还在审核", Pending: true}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ code, template, params, phone string }{
		{"isv.SMS_TEMPLATE_ILLEGAL", "SMS_404", dueParams, "13800000001"},
		{"isv.SMS_TEMPLATE_ILLEGAL", "SMS_9", `{"name":"张三"}`, "13800000001"},
		{"isv.MOBILE_NUMBER_ILLEGAL", "SMS_1001", dueParams, "12345"},
		{"isv.MOBILE_NUMBER_ILLEGAL", "SMS_1001", dueParams, "12800000001"},
		{"isv.TEMPLATE_MISSING_PARAMETERS", "SMS_1001", `{"name":"张三"}`, "13800000001"},
		{"isv.TEMPLATE_PARAMS_ILLEGAL", "SMS_1001", `{"name":"张三","deadline":"今天","more":"1"}`, "13800000001"},
		{"isv.INVALID_JSON_PARAM", "SMS_1001", `{"name":"张三","deadline":31}`, "13800000001"},
		{"isv.PARAM_LENGTH_LIMIT", "SMS_1001", `{"name":"` + strings.Repeat("长", 36) + `","deadline":"今天"}`, "13800000001"},
		{"isv.UNSUPPORTED_CONTENT", "SMS_1001", `{"name":"陳國華","deadline":"今天"}`, "13800000001"},
		{"isv.UNSUPPORTED_CONTENT", "SMS_1001", `{"name":"张三😀","deadline":"今天"}`, "13800000001"},
		{"isv.UNSUPPORTED_CONTENT", "SMS_1001", `{"name":"【张三】","deadline":"今天"}`, "13800000001"},
		{"isv.PARAM_NOT_SUPPORT_URL", "SMS_1001", `{"name":"张三","deadline":"www.example.com/x"}`, "13800000001"},
		{"isv.PARAM_LENGTH_LIMIT", "SMS_2001", `{"code":"1234567"}`, "13800000001"},
	} {
		if got := b.batch(c.template, c.params, "13800000007", c.phone); got.status != 200 || got.Code != c.code || got.Message == "" || got.BizId != "" {
			t.Errorf("%s %s %s: %+v", c.template, c.params, c.phone, got)
		}
	}
	if got := b.batch("SMS_1001", dueParams, phonesFrom(0, 101)...); got.Code != "isv.MOBILE_COUNT_OVER_LIMIT" {
		t.Errorf("%+v", got)
	}
	if n := b.s.Stats().SMS.Recipients; n != 0 {
		t.Fatalf("%d recipients were taken", n)
	}
	if got := b.batch("SMS_1001", `{"name":"淼喆堃","deadline":"今天 \"晚\""}`, "13800000007"); got.Code != "OK" {
		t.Errorf("a rare but Simplified name was refused: %+v", got)
	}
}

func TestATemplateThatIsOneBigVariableIsNotReviewed(t *testing.T) {
	s := open(t, Config{})
	for content, want := range map[string]error{"${all}": errOneVariable, "：${all}。": errOneVariable, "您好${a}${b}再见": errAdjacent, "您好${a}": nil} {
		if err := s.AddTemplate(SMSTemplate{Code: "SMS_1", Type: "notification", Content: content}); !errors.Is(err, want) {
			t.Errorf("%s: %v", content, err)
		}
	}
}

func TestCodesAndNoticesKeepToTheFrequencyLimits(t *testing.T) {
	b := newSender(t, Config{})
	code := func() answerRPC { return b.batch("SMS_2001", `{"code":"123456"}`, "13800000001") }
	limit := func(got answerRPC, message string) {
		t.Helper()
		if got.status != 200 || got.Code != "isv.BUSINESS_LIMIT_CONTROL" || got.Message != message {
			t.Fatalf("%+v", got)
		}
	}
	for i := range 5 {
		if got := code(); got.Code != "OK" {
			t.Fatalf("code %d: %+v", i, got)
		}
		if i == 0 {
			limit(code(), "触发分钟级流控Permits:1")
		}
		b.clock.move(time.Minute)
	}
	limit(code(), "触发小时级流控Permits:5")
	b.clock.move(time.Hour)
	for range 5 {
		if got := code(); got.Code != "OK" {
			t.Fatalf("%+v", got)
		}
		b.clock.move(time.Minute)
	}
	b.clock.move(time.Hour)
	limit(code(), "触发天级流控Permits:10")
	for range 50 {
		if got := b.batch("SMS_1001", dueParams, "13800000002"); got.Code != "OK" {
			t.Fatalf("%+v", got)
		}
	}
	limit(b.batch("SMS_1001", dueParams, "13800000003", "13800000002"), "触发天级流控Permits:50")
	if len(b.s.Messages("13800000003")) != 0 {
		t.Fatal("the other member was taken")
	}
	b.clock.move(24 * time.Hour)
	if got := b.batch("SMS_1001", dueParams, "13800000002"); got.Code != "OK" {
		t.Fatalf("%+v", got)
	}
}

func TestAPersonWhoRepliedRGetsNoMorePromotions(t *testing.T) {
	b := newSender(t, Config{})
	if got := b.batch("SMS_3001", `{"name":"张三"}`, "13800000001"); got.Code != "OK" {
		t.Fatalf("%+v", got)
	}
	if err := b.s.ReplySMS("13800000001", " r "); err != nil {
		t.Fatal(err)
	}
	if got := b.batch("SMS_3001", `{"name":"张三"}`, "13800000001"); got.Code != "isv.CUSTOMER_REFUSED" {
		t.Fatalf("%+v", got)
	}
	if got := b.batch("SMS_1001", dueParams, "13800000001"); got.Code != "OK" {
		t.Fatalf("%+v", got)
	}
}

func TestCountersAloneStillKnowDuplicatesAndAnswerQueries(t *testing.T) {
	b := newSender(t, Config{CountersOnly: true})
	b.batch("SMS_1001", dueParams, "13800000001", "13800000002")
	b.batch("SMS_1001", dueParams, "13800000002")
	st := b.s.Stats().SMS
	if st.Recipients != 3 || st.Phones != 2 || st.Repeated != 1 || st.Duplicates != 1 || st.Sends != 2 {
		t.Fatalf("%+v", st)
	}
	if got := b.s.Counts(2); len(got) != 1 || got["13800000002"] != 2 {
		t.Fatal(got)
	}
	if m := b.s.Messages("13800000001"); len(m) != 1 || m[0].OutID != "out0" || m[0].Text != "" || m[0].Params != nil {
		t.Fatalf("%+v", m)
	}
}

func TestSegmentsAreCountedWithTheSignature(t *testing.T) {
	for n, want := range map[int]int{1: 1, 70: 1, 71: 2, 134: 2, 135: 3, 160: 3} {
		if got := segments(strings.Repeat("字", n)); got != want {
			t.Errorf("%d characters: %d segments", n, got)
		}
	}
}

func TestParametersAreReadTheSameWayFastAndSlow(t *testing.T) {
	for _, text := range []string{
		`[{"a":"1","b":"二"},{"a":"x"}]`, ` [ { "a" : "1" } , { } ] `, `[{"a":"\u4e8c\"\n"}]`, `[]`, `[{"a":1}]`, `[{"a":"1"}`, `{}`, ``, `[{"a":"1"},]`, `["a"]`, `[null]`,
		"[{\"a\":\"\xff\"}]", "[{\"a\":\"\x01\"}]",
	} {
		fast, _, ok := parseParamList(text)
		slow, _, ok2 := slowParamList(text)
		if ok != ok2 || fmt.Sprint(asMaps(fast)) != fmt.Sprint(asMaps(slow)) {
			t.Errorf("%q: %v %v, %v %v", text, fast, ok, slow, ok2)
		}
	}
}

func asMaps(sets []paramSet) []map[string]string {
	var out []map[string]string
	for _, set := range sets {
		out = append(out, set.asMap())
	}
	return out
}
