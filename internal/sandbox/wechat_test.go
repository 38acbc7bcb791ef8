package sandbox

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/util"
)

const testAESKey = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"

// server is an account's server that is written with the vendor library's crypto and none of the sandbox's.
type server struct {
	cfg    WeChatConfig
	answer func(msg inbound) string // text to reply; empty is success

	mu   sync.Mutex
	got  []inbound
	came chan inbound
	bad  []string
}

type inbound struct {
	FromUserName, ToUserName, MsgType, Content, Event, EventKey, Ticket string
	MsgID                                                               string `xml:"MsgId"`
	BizMsgMenuID                                                        string `xml:"bizmsgmenuid"`
	JobID                                                               string `xml:"MsgID"`
	Popup                                                               struct {
		List []struct{ TemplateId, SubscribeStatusString string }
	} `xml:"SubscribeMsgPopupEvent"`
	Sent struct {
		List []struct{ TemplateId, MsgID, ErrorCode, ErrorStatus string }
	} `xml:"SubscribeMsgSentEvent"`
	raw string
}

func (s *server) fail(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bad = append(s.bad, fmt.Sprintf(format, args...))
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("signature") != util.Signature(s.cfg.Token, q.Get("timestamp"), q.Get("nonce")) {
		s.fail("wrong signature")
		w.WriteHeader(http.StatusForbidden)
		return
	}
	if r.Method == http.MethodGet {
		_, _ = io.WriteString(w, q.Get("echostr"))
		return
	}
	body, _ := io.ReadAll(r.Body)
	var outer struct{ Encrypt, MsgType string }
	_ = xml.Unmarshal(body, &outer)
	if outer.Encrypt != "" {
		if s.cfg.Mode == Safe && outer.MsgType != "" {
			s.fail("a safe post holds clear fields")
		}
		if q.Get("msg_signature") != util.Signature(s.cfg.Token, q.Get("timestamp"), q.Get("nonce"), outer.Encrypt) {
			s.fail("wrong msg_signature")
		}
		_, inner, err := util.DecryptMsg(s.cfg.AppID, outer.Encrypt, s.cfg.AESKey)
		if err != nil {
			s.fail("decrypt: %v", err)
		}
		body = inner
	}
	var msg inbound
	if err := xml.Unmarshal(body, &msg); err != nil {
		s.fail("read: %v", err)
	}
	msg.raw = string(body)
	s.mu.Lock()
	s.got = append(s.got, msg)
	s.mu.Unlock()
	if s.came != nil {
		s.came <- msg
	}
	text := ""
	if s.answer != nil {
		text = s.answer(msg)
	}
	_, _ = w.Write(s.reply(msg, text, outer.Encrypt != ""))
}

func (s *server) reply(msg inbound, text string, sealed bool) []byte {
	if text == "" {
		return []byte("success")
	}
	if strings.HasPrefix(text, "raw:") {
		return []byte(text[4:])
	}
	inner := fmt.Sprintf("<xml><ToUserName><![CDATA[%s]]></ToUserName><FromUserName><![CDATA[%s]]></FromUserName><CreateTime>%d</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[%s]]></Content></xml>",
		msg.FromUserName, msg.ToUserName, time.Now().Unix(), text)
	if !sealed {
		return []byte(inner)
	}
	enc, err := util.EncryptMsg([]byte("0123456789abcdef"), []byte(inner), s.cfg.AppID, s.cfg.AESKey)
	if err != nil {
		s.fail("encrypt: %v", err)
	}
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	return fmt.Appendf(nil, "<xml><Encrypt><![CDATA[%s]]></Encrypt><MsgSignature><![CDATA[%s]]></MsgSignature><TimeStamp>%s</TimeStamp><Nonce><![CDATA[n]]></Nonce></xml>",
		enc, util.Signature(s.cfg.Token, stamp, "n", string(enc)), stamp)
}

// pair is a sandbox and an account's server that talk to each other.
func pair(t *testing.T, mode Mode, cfg Config, answer func(inbound) string) (*Sandbox, *server) {
	t.Helper()
	cfg.WeChat.AppID, cfg.WeChat.Secret, cfg.WeChat.Token, cfg.WeChat.Mode = "wx0000000000000001", "s3cret", "tok", mode
	if mode != Plain {
		cfg.WeChat.AESKey = testAESKey
	}
	srv := &server{cfg: cfg.WeChat, answer: answer}
	web := httptest.NewServer(srv)
	cfg.WeChat.CallbackURL = web.URL + "/wechat/callback"
	s := open(t, cfg)
	t.Cleanup(func() {
		web.Close()
		srv.mu.Lock()
		defer srv.mu.Unlock()
		for _, bad := range srv.bad {
			t.Error(bad)
		}
	})
	return s, srv
}

// api is a bare client of api.weixin.qq.com.
type api struct {
	t     *testing.T
	h     http.Handler
	token string
}

func apiOf(t *testing.T, s *Sandbox) *api {
	a := &api{t: t, h: s.WeChatHandler()}
	a.token, _ = a.post("/cgi-bin/stable_token", `{"grant_type":"client_credential","appid":"wx0000000000000001","secret":"s3cret"}`)["access_token"].(string)
	if a.token == "" {
		t.Fatal("no token")
	}
	return a
}

func (a *api) call(method, path, body string) map[string]any {
	a.t.Helper()
	if a.token != "" {
		joint := "?"
		if strings.Contains(path, "?") {
			joint = "&"
		}
		path += joint + "access_token=" + a.token
	}
	w := httptest.NewRecorder()
	a.h.ServeHTTP(w, httptest.NewRequest(method, path, bytes.NewReader([]byte(body))))
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		a.t.Fatalf("%s: %v: %s", path, err, w.Body)
	}
	return out
}

func (a *api) post(path, body string) map[string]any {
	a.t.Helper()
	return a.call("POST", path, body)
}

func (a *api) get(path string) map[string]any {
	a.t.Helper()
	return a.call("GET", path, "")
}

// want checks an errcode.
func (a *api) want(out map[string]any, code float64) {
	a.t.Helper()
	got, _ := out["errcode"].(float64)
	if got != code {
		a.t.Fatalf("errcode %v, want %v: %v", got, code, out)
	}
	if code != 0 && !strings.Contains(out["errmsg"].(string), " rid: ") {
		a.t.Fatalf("no rid in %v", out)
	}
}

// The vectors are those of https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
func TestTheVendorsVectorsHold(t *testing.T) {
	if got := callbackSignature("AAAAA", "1714036504", "1514711492"); got != "f464b24fc39322e44b38aa78f5edd27bd1441696" {
		t.Error("V1", got)
	}
	if got := callbackSignature("AAAAA", "1714037059", "486452656"); got != "899cf89e464efb63f54ddac96b0a0a235f53aa78" {
		t.Error("V2", got)
	}
	e, err := newEnvelope("wxba5fad812f8e6fb9", strings.Repeat("A", 43))
	if err != nil {
		t.Fatal(err)
	}
	sealed := "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04="
	if got := callbackSignature("AAAAA", "1714112445", "415670741", sealed); got != "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3" {
		t.Error("V3 signature", got)
	}
	random, msg, err := e.open(sealed)
	if err != nil || string(random) != "a8eedb185eb2fecf" || len(msg) != 167 || !strings.Contains(string(msg), `"debug_str":"hello world"`) {
		t.Errorf("V3 %q %q %v", random, msg, err)
	}
	again, err := e.seal(random, msg)
	if err != nil || again != sealed {
		t.Errorf("V3 sealed again: %q, %v", again, err)
	}
	reply, err := e.seal([]byte("707722b803182950"), []byte(`{"demo_resp":"good luck"}`))
	if err != nil || reply != "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ==" {
		t.Errorf("V4 %q %v", reply, err)
	}
	if got := callbackSignature("AAAAA", "1713424427", "415670741", reply); got != "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1" {
		t.Error("V4 signature", got)
	}
}

func TestAWordAndItsAnswerTravelInEveryMode(t *testing.T) {
	for _, mode := range []Mode{Plain, Compatible, Safe} {
		t.Run(string(mode), func(t *testing.T) {
			s, srv := pair(t, mode, Config{}, func(m inbound) string { return "听到了" })
			if err := s.VerifyCallback(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.AddFollower("oA")
			reply, err := s.Say(t.Context(), "oA", "我的医保 <a> ]]> &")
			if err != nil || reply.Text != "听到了" {
				t.Fatalf("%+v, %v", reply, err)
			}
			if srv.got[0].Content != "我的医保 <a> ]]> &" || srv.got[0].MsgID == "" {
				t.Fatalf("%+v", srv.got[0])
			}
		})
	}
}

func TestTheChatShowsBothSidesAndTheFaultNotice(t *testing.T) {
	s, _ := pair(t, Safe, Config{}, func(m inbound) string {
		if m.Content == "坏" {
			return `raw:{"no":"xml"}`
		}
		return "好的"
	})
	s.AddFollower("oA")
	if _, err := s.Say(t.Context(), "oA", "你好"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Say(t.Context(), "oA", "坏"); err == nil {
		t.Fatal("an answer in JSON was taken")
	}
	var kinds []string
	for _, m := range s.Chat("oA") {
		kinds = append(kinds, m.From+":"+m.Kind)
	}
	if got := strings.Join(kinds, " "); got != "user:text account:text user:text system:fault" {
		t.Fatal(got)
	}
}

func TestAPushIsTriedThreeTimesMoreWithTheSameMsgId(t *testing.T) {
	var n int
	var mu sync.Mutex
	ids := map[string]bool{}
	s := open(t, Config{WeChat: WeChatConfig{Followers: []string{"oA"}}})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var m inbound
		_ = xml.Unmarshal(body, &m)
		mu.Lock()
		defer mu.Unlock()
		n++
		ids[m.MsgID] = true
		if n < 4 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer web.Close()
	s.SetCallback(web.URL)
	reply, err := s.Say(t.Context(), "oA", "喂")
	if err != nil || reply.Attempts != 4 || len(ids) != 1 {
		t.Fatalf("%+v %v %v", reply, err, ids)
	}
}

func TestTokensLiveAsDocumented(t *testing.T) {
	c := &clock{at: time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)}
	s, _ := pair(t, Plain, Config{Now: c.now}, nil)
	a := apiOf(t, s)
	ips := func(token string) map[string]any {
		return (&api{t: t, h: s.WeChatHandler(), token: token}).get("/cgi-bin/getcallbackip")
	}
	stable := func(force bool) (string, float64) {
		out := (&api{t: t, h: s.WeChatHandler()}).post("/cgi-bin/stable_token", fmt.Sprintf(`{"grant_type":"client_credential","appid":"wx0000000000000001","secret":"s3cret","force_refresh":%v}`, force))
		name, _ := out["access_token"].(string)
		left, _ := out["expires_in"].(float64)
		return name, left
	}
	plain := func() string {
		return (&api{t: t, h: s.WeChatHandler()}).get("/cgi-bin/token?grant_type=client_credential&appid=wx0000000000000001&secret=s3cret")["access_token"].(string)
	}
	first := a.token
	c.move(time.Hour)
	if again, left := stable(false); again != first || left != 3600 {
		t.Fatal("the stable token changed or has another rest", left)
	}
	p1 := plain()
	p2 := plain()
	a.want(ips(p1), 0)
	c.move(6 * time.Minute)
	a.want(ips(p1), 40001)
	a.want(ips(p2), 0)
	a.want(ips(first), 0)
	c.move(50 * time.Minute) // four minutes before the end
	second, left := stable(false)
	if second == first || left != 7200 {
		t.Fatal("no new token in the last five minutes")
	}
	a.want(ips(first), 0)
	c.move(10 * time.Minute)
	if out := ips(first); out["errcode"].(float64) != 40001 && out["errcode"].(float64) != 42001 {
		t.Fatal(out)
	}
	third, _ := stable(true)
	a.want(ips(second), 40001)
	a.want(ips(third), 0)
	a.want(ips("short"), 40014)
	a.want((&api{t: t, h: s.WeChatHandler()}).get("/cgi-bin/getcallbackip"), 41001)
	s.ExpireTokens(false)
	a.want(ips(third), 42001)
	a.want((&api{t: t, h: s.WeChatHandler()}).get("/cgi-bin/token?grant_type=client_credential&appid=wx0000000000000001&secret=no"), 40125)
}

func TestCustomerMessagesKeepToTheirWindows(t *testing.T) {
	c := &clock{at: time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)}
	s, _ := pair(t, Safe, Config{Now: c.now}, nil)
	a := apiOf(t, s)
	send := func() map[string]any {
		return a.post("/cgi-bin/message/custom/send", `{"touser":"oA","msgtype":"text","text":{"content":"您好"}}`)
	}
	a.want(send(), 40003)
	s.AddFollower("oA")
	a.want(send(), 45015)
	if _, err := s.Click(t.Context(), "oA", "K", "办事"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		a.want(send(), 0)
	}
	a.want(send(), 45047)
	c.move(61 * time.Second)
	a.want(send(), 45015)
	if _, err := s.Say(t.Context(), "oA", "在吗"); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		a.want(send(), 0)
	}
	a.want(send(), 45047)
	c.move(47 * time.Hour)
	a = apiOf(t, s)
	a.want(send(), 45047)
	a.want(a.post("/cgi-bin/message/custom/typing", `{"touser":"oA","command":"Typing"}`), 45080)
	if err := s.Unfollow(t.Context(), "oA"); err != nil {
		t.Fatal(err)
	}
	a.want(send(), 45015)
	a.want(a.post("/cgi-bin/message/custom/send", `{"touser":`), 47001)
	a.want(a.get("/cgi-bin/message/custom/send"), 43002)
	a.want(a.get("/cgi-bin/nothing"), 40066)
}
