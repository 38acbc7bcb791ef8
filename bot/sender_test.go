package bot

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

func outgoing(route notify.WeChatRoute, change ...func(*notify.Member)) notify.Outgoing {
	m := notify.Member{
		PersonID: 1, OpenID: testOpenID, Route: route, Text: "您家的医保还没缴费。",
		Fields: map[string]string{"thing1": "张三", "time2": "2026年12月31日"}, Page: "https://example.gov.cn/a?b=1&c=2",
	}
	for _, c := range change {
		c(&m)
	}
	return notify.Outgoing{
		ID: 7, OutID: "7.mac", Channel: notify.WeChat, Members: []notify.Member{m},
		Template: notify.Template{Key: "k", WeChat: &notify.WeChatTemplate{Subscribe: "TPL_A", Template: "TPL_T"}},
	}
}

func mustSign(t testing.TB, c *Client, call notify.Outgoing) notify.Request {
	t.Helper()
	r, err := NewSender(c).Sign(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEachRouteSendsItsDocumentedBody(t *testing.T) {
	fields := `"data":{"thing1":{"value":"张三"},"time2":{"value":"2026年12月31日"}}`
	cases := map[notify.WeChatRoute]struct {
		path, body string
		repeatable bool
	}{
		notify.BizSend:         {bizSendPath, `{"touser":"` + testOpenID + `","template_id":"TPL_A","page":"https://example.gov.cn/a?b=1&c=2",` + fields + `}`, false},
		notify.TemplateMessage: {templatePath, `{"touser":"` + testOpenID + `","template_id":"TPL_T","url":"https://example.gov.cn/a?b=1&c=2",` + fields + `,"client_msg_id":"` + clientMsgID("7.mac", testOpenID) + `"}`, true},
		notify.CustomerMessage: {customerPath, `{"touser":"` + testOpenID + `","msgtype":"text","text":{"content":"您家的医保还没缴费。"}}`, false},
	}
	for route, want := range cases {
		t.Run(string(route), func(t *testing.T) {
			f := newFakeAPI(t)
			r := mustSign(t, f.client(t), outgoing(route))
			if len(f.bodies) != 0 {
				t.Error("something left the process at signing")
			}
			if diff := cmp.Diff(notify.Answer{Outcome: notify.Accepted, Code: "0", ID: "1700827132819554304"}, r.Present(t.Context())); diff != "" {
				t.Error(diff)
			}
			if got := f.calls(want.path); len(got) != 1 || got[0] != want.body {
				t.Errorf("sent\n%s\nwant\n%s", got, want.body)
			}
			if r.Repeatable() != want.repeatable || time.Since(r.SignedAt()) > time.Minute {
				t.Errorf("repeatable %v, signed at %v", r.Repeatable(), r.SignedAt())
			}
		})
	}
}

func TestATemplateMessagePresentedAgainIsTheSameToTheByte(t *testing.T) {
	f := newFakeAPI(t)
	r := mustSign(t, f.client(t), outgoing(notify.TemplateMessage))
	r.Present(t.Context())
	f.route(templatePath, `{"errcode":45065,"errmsg":"clientmsgid exist","msgid":5}`)
	if got := r.Present(t.Context()); got.Outcome != notify.Accepted || got.Code != "45065" {
		t.Errorf("got %+v", got)
	}
	if sent := f.calls(templatePath); sent[0] != sent[1] {
		t.Errorf("got %q", sent)
	}
	var body struct {
		ID string `json:"client_msg_id"`
	}
	if err := json.Unmarshal([]byte(f.calls(templatePath)[0]), &body); err != nil || len(body.ID) != 32 {
		t.Errorf("%v %+v", err, body)
	}
}

func TestEveryCodeHasItsRuling(t *testing.T) {
	want := map[notify.Verdict][]int64{
		notify.RetryLater:    {-1, 45011, 45066},
		notify.Halt:          {40001, 40014, 42001, 40125, 40013, 40164, 89503, 40243, 48001, 48004, 48008, 50002, 61004, 40037, 43116, 40247, 41030, 45009, 45028, 47001},
		notify.MemberFinal:   {43101, 40003, 43004, 50005, 43019, 48002, 46004, 45002, 45008, 47003, 40007, 61451, 99999},
		notify.ChannelClosed: {45015, 45047},
		notify.MemberLater:   {43117},
		"":                   {40241, 45065},
	}
	personal := []int64{43101, 40003, 43004, 50005, 43019, 48002, 46004}
	for verdict, codes := range want {
		for _, code := range codes {
			got := Classify(code)
			if common := verdict == notify.MemberFinal && !slices.Contains(personal, code); got.Common != common {
				t.Errorf("%d may meet everybody: %v", code, got.Common)
			}
			if got.Verdict != verdict {
				t.Errorf("%d: %q, want %q", code, got.Verdict, verdict)
			}
			if later := verdict == notify.RetryLater || verdict == notify.MemberLater; later != (got.After > 0) {
				t.Errorf("%d: after %v", code, got.After)
			}
		}
	}
}

func TestAnAnswerSaysWhatMayBeDoneNext(t *testing.T) {
	refusal := func(code, msg string) string { return `{"errcode":` + code + `,"errmsg":"` + msg + ` rid: 6-5-4"}` }
	cases := map[string]struct {
		answer  string
		status  int
		outcome notify.Outcome
		verdict notify.Verdict
		code    string
	}{
		"no consent":   {refusal("43101", "user refuse to accept the msg"), 200, notify.Refused, notify.MemberFinal, "43101"},
		"bad openid":   {refusal("40003", "invalid openid "+testOpenID), 200, notify.Refused, notify.MemberFinal, "40003"},
		"bad template": {refusal("40037", "invalid template_id"), 200, notify.Refused, notify.Halt, "40037"},
		"busy":         {refusal("-1", "system error"), 200, notify.Refused, notify.RetryLater, "-1"},
		"empty":        {"", 200, notify.Unknown, "", ""},
		"a 502":        {"bad gateway", 502, notify.Unknown, "", ""},
		"a 403":        {"forbidden", 403, notify.Refused, notify.RetryLater, "http.403"},
		"a 408":        {"", 408, notify.Unknown, "", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFakeAPI(t)
			f.routes[bizSendPath] = func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.answer)
			}
			got := mustSign(t, f.client(t), outgoing(notify.BizSend)).Present(t.Context())
			if got.Outcome != c.outcome || got.Verdict != c.verdict || got.Code != c.code {
				t.Errorf("got %+v", got)
			}
			if got.Message == "" || strings.Contains(got.Message, testOpenID) || strings.Contains(got.Message, "TOKEN-") {
				t.Errorf("message %q", got.Message)
			}
			if strings.Contains(c.answer, "rid") && got.RequestID != "6-5-4" {
				t.Errorf("request id %q", got.RequestID)
			}
		})
	}
}

type gone []string

func (g *gone) ConsentGone(_ context.Context, who register.OpenID, templateID string) {
	*g = append(*g, string(who)+" "+templateID)
}

func TestAConsentThatIsGoneIsToldOn(t *testing.T) {
	f := newFakeAPI(t)
	f.route(bizSendPath, `{"errcode":43101,"errmsg":"user refuse to accept the msg"}`)
	f.route(templatePath, `{"errcode":43101,"errmsg":"user refuse to accept the msg"}`)
	var heard gone
	sender := NewSender(f.client(t))
	sender.Refusals = &heard
	for _, route := range []notify.WeChatRoute{notify.BizSend, notify.TemplateMessage} {
		r, err := sender.Sign(t.Context(), outgoing(route))
		if err != nil {
			t.Fatal(err)
		}
		r.Present(t.Context())
	}
	if len(heard) != 1 || heard[0] != testOpenID+" TPL_A" {
		t.Errorf("heard %q", heard)
	}
}

func TestWithoutATokenNothingIsSent(t *testing.T) {
	f := newFakeAPI(t)
	f.tokenAs = func(w http.ResponseWriter) bool {
		_, _ = io.WriteString(w, `{"errcode":40164,"errmsg":"invalid ip 203.0.113.9, not in whitelist rid: 1-1-1"}`)
		return true
	}
	r := mustSign(t, f.client(t), outgoing(notify.TemplateMessage))
	got := r.Present(t.Context())
	if got.Outcome != notify.Refused || got.Verdict != notify.Halt || got.Code != "40164" || len(f.calls(templatePath)) != 0 {
		t.Errorf("got %+v", got)
	}
	if got = r.Present(t.Context()); got.Outcome != notify.NotSent {
		t.Errorf("of an earlier copy this says nothing, but got %+v", got)
	}
	dead := f.client(t, func(o *ClientOptions) { o.APIBase = deadAddress(t) })
	got = mustSign(t, dead, outgoing(notify.BizSend)).Present(t.Context())
	if got.Outcome != notify.NotSent || got.Verdict != notify.RetryLater || got.RetryAfter <= 0 {
		t.Errorf("got %+v", got)
	}
}

func TestWhatWeChatWouldRefuseIsRefusedHereAndNeverCut(t *testing.T) {
	field := func(name, value string) func(*notify.Member) {
		return func(m *notify.Member) { m.Fields = map[string]string{name: value} }
	}
	cases := map[string]struct {
		call notify.Outgoing
		code string
	}{
		"a long thing":           {outgoing(notify.BizSend, field("thing1", strings.Repeat("字", 21))), CodeField},
		"a long name":            {outgoing(notify.TemplateMessage, field("name3", strings.Repeat("买", 11))), CodeField},
		"no fields":              {outgoing(notify.BizSend, func(m *notify.Member) { m.Fields = nil }), CodeField},
		"an empty text":          {outgoing(notify.CustomerMessage, func(m *notify.Member) { m.Text = " " }), CodeText},
		"a text beyond measure":  {outgoing(notify.CustomerMessage, func(m *notify.Member) { m.Text = strings.Repeat("字", 601) }), CodeText},
		"a field of two lines":   {outgoing(notify.BizSend, field("thing1", "上\n下")), CodeField},
		"a phrase with a number": {outgoing(notify.BizSend, field("phrase1", "第1")), CodeField},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFakeAPI(t)
			r := mustSign(t, f.client(t), c.call)
			got := r.Present(t.Context())
			if got.Outcome != notify.Refused || got.Verdict != notify.MemberFinal || got.Code != c.code || len(f.bodies) != 0 {
				t.Errorf("got %+v; %d calls", got, len(f.bodies))
			}
			if strings.Contains(got.Message, "字字") || strings.Contains(got.Message, "买买") {
				t.Errorf("the message quotes the value: %s", got.Message)
			}
		})
	}
}

func TestFieldsAreHeldAgainstWeChatsRules(t *testing.T) {
	good := map[string]string{
		"thing1": strings.Repeat("字", 20), "number2": "12345678901234567890123456789012", "letter3": "abc", "symbol4": "￥%",
		"character_string5": "SF-2026/11", "time6": "15:01", "time7": "2019年10月1日 15:01", "date8": "2026年12月31日",
		"amount9": "¥3800.50", "amount10": "400元", "phone_number11": "0763-12393", "car_number12": "粤R12345",
		"name13": "阿依古丽·买买提", "name14": "Alexander Hamilton", "phrase15": "待缴费", "const16": "城乡居民医保", "keyword1": "旧式模板的字段",
	}
	for name, value := range good {
		if err := checkFields(map[string]string{name: value}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := map[string][]string{
		"thing1": {"", " ", strings.Repeat("字", 21), "a\nb"}, "number2": {"12a", strings.Repeat("1", 33)}, "letter3": {"a1"}, "symbol4": {"!!!!!!"},
		"character_string5": {"汉字", strings.Repeat("a", 33)}, "time6": {"随时"}, "amount9": {"很多", "12345678901", "¥1.234"},
		"phone_number11": {"请拨打", strings.Repeat("1", 18)}, "car_number12": {"粤R1234567"}, "name13": {strings.Repeat("买", 11)}, "phrase15": {"待缴费用中啊", "abc"}, "keyword1": {strings.Repeat("字", 21)},
	}
	for name, values := range bad {
		for _, value := range values {
			if err := checkFields(map[string]string{name: value}); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s %q: %v", name, value, err)
			}
		}
	}
}

func TestACallThatIsNoneForWeChatIsAnError(t *testing.T) {
	c := newFakeAPI(t).client(t)
	two := outgoing(notify.BizSend)
	two.Members = append(two.Members, two.Members[0])
	sms := outgoing(notify.BizSend)
	sms.Channel = notify.SMS
	bare := outgoing(notify.BizSend)
	bare.Template.WeChat = nil
	unnamed := outgoing(notify.BizSend)
	unnamed.Template.WeChat = &notify.WeChatTemplate{}
	for name, call := range map[string]notify.Outgoing{
		"two members": two, "by sms": sms, "no wechat part": bare, "no template": unnamed,
		"no openid": outgoing(notify.BizSend, func(m *notify.Member) { m.OpenID = "" }), "no way": outgoing("pigeon"),
	} {
		if r, err := NewSender(c).Sign(t.Context(), call); err == nil || strings.Contains(err.Error(), testOpenID) {
			t.Errorf("%s: %v %v", name, r, err)
		}
	}
}

func TestAnUnansweredTemplateMessageGoesAgainAndWhatWeChatCallsACopyHasArrived(t *testing.T) {
	type step func(w http.ResponseWriter)
	answer := func(text string) step { return func(w http.ResponseWriter) { _, _ = io.WriteString(w, text) } }
	lost := func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
	ok, copied := `{"errcode":0,"errmsg":"ok","msgid":5}`, `{"errcode":45065,"errmsg":"clientmsgid exist","msgid":5}`
	for _, c := range []struct {
		name    string
		route   notify.WeChatRoute
		path    string
		steps   []step
		outcome notify.Outcome
		sent    int
	}{
		{"the first arrived", notify.TemplateMessage, templatePath, []step{lost, answer(copied)}, notify.Accepted, 2},
		{"the second is the first to arrive", notify.TemplateMessage, templatePath, []step{lost, lost, answer(ok)}, notify.Accepted, 3},
		{"never an answer", notify.TemplateMessage, templatePath, []step{lost, lost, lost, answer(ok)}, notify.Unknown, 3},
		{"a copy is refused", notify.TemplateMessage, templatePath, []step{lost, answer(`{"errcode":43004,"errmsg":"require subscribe"}`), answer(`{"errcode":-1,"errmsg":"busy"}`)}, notify.Unknown, 3},
		{"a notice never goes twice", notify.BizSend, bizSendPath, []step{lost, answer(ok)}, notify.Unknown, 1},
		{"a customer message never goes twice", notify.CustomerMessage, customerPath, []step{lost, answer(ok)}, notify.Unknown, 1},
		{"a refusal is no doubt", notify.TemplateMessage, templatePath, []step{answer(`{"errcode":43004,"errmsg":"require subscribe"}`), answer(ok)}, notify.Refused, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFakeAPI(t)
			n := 0
			f.mu.Lock()
			f.routes[c.path] = func(w http.ResponseWriter, _ *http.Request) {
				f.mu.Lock()
				do := c.steps[min(n, len(c.steps)-1)]
				n++
				f.mu.Unlock()
				do(w)
			}
			f.mu.Unlock()
			sender := NewSender(f.client(t))
			sender.CopyPause = time.Millisecond
			r, err := sender.Sign(t.Context(), outgoing(c.route))
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Present(t.Context()); got.Outcome != c.outcome {
				t.Errorf("got %+v", got)
			}
			sent := f.calls(c.path)
			if len(sent) != c.sent {
				t.Errorf("%d copies", len(sent))
			}
			for _, body := range sent {
				if body != sent[0] {
					t.Errorf("another body: %s", body)
				}
			}
		})
	}
}

func TestACopyIsNotSentAfterTheLease(t *testing.T) {
	f := newFakeAPI(t)
	f.mu.Lock()
	f.routes[templatePath] = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	f.mu.Unlock()
	sender := NewSender(f.client(t))
	sender.CopyPause = time.Hour
	r, err := sender.Sign(t.Context(), outgoing(notify.TemplateMessage))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if got := r.Present(ctx); got.Outcome != notify.Unknown || len(f.calls(templatePath)) != 1 {
		t.Errorf("%+v after %d copies", got, len(f.calls(templatePath)))
	}
}

// BenchmarkSend is one campaign message over loopback, as many at once as a worker has under way.
func BenchmarkSend(b *testing.B) {
	f := newFakeAPI(b)
	c := f.client(b)
	for _, atOnce := range []int{1, 10, 64, 240} {
		b.Run(strconv.Itoa(atOnce), func(b *testing.B) {
			b.SetParallelism(max(1, atOnce/runtime.GOMAXPROCS(0)))
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if got := mustSign(b, c, outgoing(notify.BizSend)).Present(context.Background()); got.Outcome != notify.Accepted {
						b.Errorf("%+v", got)
					}
				}
			})
		})
	}
}
