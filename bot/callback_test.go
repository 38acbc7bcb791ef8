package bot

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/silenceper/wechat/v2/util"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
)

const (
	testToken  = "AAAAA"
	testAppID  = "wxba5fad812f8e6fb9"
	testOpenID = "oFictionalFollower_000000001"
	testGhID   = "gh_fictional001"
)

var (
	testKey     = strings.Repeat("A", 43)
	previousKey = strings.Repeat("B", 42) + "A"
)

// platform is WeChat in a test: it signs, encrypts and reads answers.
type platform struct {
	t       testing.TB
	handler http.Handler
	key     string // "": plain posts
	appID   string
	now     func() time.Time
}

// post is one request under construction, so that a test can spoil any part of it.
type post struct {
	method string
	query  url.Values
	body   string
}

func encryptFor(t testing.TB, appID, key, inner string) string {
	t.Helper()
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	sealed, err := util.EncryptMsg(random, []byte(inner), appID, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(sealed)
}

func (p *platform) newPost(inner string) post {
	p.t.Helper()
	stamp, nonce := strconv.FormatInt(p.now().Unix(), 10), rand.Text()
	q := url.Values{
		"timestamp": {stamp}, "nonce": {nonce}, "openid": {testOpenID},
		"signature": {util.Signature(testToken, stamp, nonce)},
	}
	if p.key == "" {
		return post{http.MethodPost, q, inner}
	}
	sealed := encryptFor(p.t, p.appID, p.key, inner)
	q.Set("encrypt_type", "aes")
	q.Set("msg_signature", util.Signature(testToken, stamp, nonce, sealed))
	return post{http.MethodPost, q, "<xml><ToUserName><![CDATA[" + testGhID + "]]></ToUserName><Encrypt><![CDATA[" + sealed + "]]></Encrypt></xml>"}
}

func (p *platform) send(of post) *httptest.ResponseRecorder {
	r := httptest.NewRequest(of.method, "/wechat/callback?"+of.query.Encode(), strings.NewReader(of.body))
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	return w
}

func (p *platform) deliver(inner string) *httptest.ResponseRecorder {
	p.t.Helper()
	return p.send(p.newPost(inner))
}

type passiveReply struct {
	To      string `xml:"ToUserName"`
	From    string `xml:"FromUserName"`
	Created int64  `xml:"CreateTime"`
	Type    string `xml:"MsgType"`
	Content string `xml:"Content"`
}

// read checks and opens an answer as WeChat does; "" for success.
func (p *platform) read(w *httptest.ResponseRecorder) string {
	p.t.Helper()
	if w.Code != http.StatusOK {
		p.t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	body := w.Body.Bytes()
	if string(body) == "success" {
		return ""
	}
	if p.key != "" {
		body = p.open(body)
	}
	var reply passiveReply
	if err := xml.Unmarshal(body, &reply); err != nil {
		p.t.Fatalf("reply %s: %v", body, err)
	}
	if reply.To != testOpenID || reply.From != testGhID || reply.Type != "text" || reply.Created != p.now().Unix() {
		p.t.Errorf("reply's head: %+v", reply)
	}
	if reply.Content == "" {
		p.t.Error("an empty text makes WeChat show the fault notice")
	}
	return reply.Content
}

func (p *platform) open(body []byte) []byte {
	p.t.Helper()
	var sealed struct {
		Encrypt, MsgSignature, TimeStamp, Nonce string
	}
	if err := xml.Unmarshal(body, &sealed); err != nil {
		p.t.Fatalf("sealed reply %s: %v", body, err)
	}
	if sealed.MsgSignature != util.Signature(testToken, sealed.TimeStamp, sealed.Nonce, sealed.Encrypt) {
		p.t.Error("the reply's signature doesn't hold")
	}
	_, plain, err := util.DecryptMsg(p.appID, sealed.Encrypt, p.key)
	if err != nil {
		p.t.Fatalf("reply can't be opened: %v", err)
	}
	return plain
}

// echo is a Turner as the database makes it: one key, one effect, the stored reply to copies.
type echo struct {
	mu      sync.Mutex
	stored  map[string]turn.Answer
	turns   []turn.Inbound
	effects int
	act     func(ctx context.Context, in turn.Inbound) (turn.Answer, error)
}

func (e *echo) Turn(ctx context.Context, in turn.Inbound) (turn.Answer, error) {
	e.mu.Lock()
	e.turns = append(e.turns, in)
	if a, ok := e.stored[in.Key]; ok {
		e.mu.Unlock()
		a.Stored = true
		return a, nil
	}
	e.mu.Unlock()
	a, err := turn.Answer{Text: "收到：" + in.Text}, error(nil)
	if e.act != nil {
		a, err = e.act(ctx, in)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err == nil {
		if e.stored == nil {
			e.stored = map[string]turn.Answer{}
		}
		e.stored[in.Key] = a
		e.effects++
	}
	return a, err
}

func (e *echo) last(t testing.TB) turn.Inbound {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.turns) == 0 {
		t.Fatal("no turn was made")
	}
	return e.turns[len(e.turns)-1]
}

func (e *echo) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.turns)
}

// outbox collects customer messages.
type outbox struct {
	mu   sync.Mutex
	said []string
	err  error
}

func (o *outbox) Say(_ context.Context, to register.OpenID, text string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.said = append(o.said, string(to)+" "+text)
	return o.err
}

func (o *outbox) list() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.said...)
}

type fixture struct {
	*platform
	callback *Callback
	turner   *echo
	late     *outbox
	proofs   *proofbox
	log      *bytes.Buffer
	registry *prometheus.Registry
}

type proofbox struct {
	taken []Proof
	err   error
}

func (b *proofbox) TakeProof(_ context.Context, p Proof) error {
	b.taken = append(b.taken, p)
	return b.err
}

// safely is a buffer that several goroutines may log to.
type safely struct {
	mu sync.Mutex
	b  *bytes.Buffer
}

func (s *safely) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func newFixture(t testing.TB, account Account, change ...func(*CallbackOptions)) *fixture {
	t.Helper()
	account.AppID, account.Token = testAppID, testToken
	f := &fixture{turner: &echo{}, late: &outbox{}, proofs: &proofbox{}, log: &bytes.Buffer{}, registry: prometheus.NewRegistry()}
	clock := time.Unix(1714112450, 0)
	o := CallbackOptions{
		Turner: f.turner, Late: f.late, Proofs: f.proofs, Metrics: f.registry,
		Log: slog.New(slog.NewTextHandler(&safely{b: f.log}, nil)), Now: func() time.Time { return clock },
		Sorry: func(turn.Inbound) string { return "系统忙，请过几分钟再发一次。" },
	}
	for _, c := range change {
		c(&o)
	}
	callback, err := NewCallback(account, o)
	if err != nil {
		t.Fatal(err)
	}
	f.callback = callback
	f.platform = &platform{t: t, handler: callback, appID: testAppID, now: callback.now}
	if len(account.AESKeys) > 0 {
		f.key = account.AESKeys[0]
	}
	return f
}

func safe(t testing.TB, change ...func(*CallbackOptions)) *fixture {
	return newFixture(t, Account{AESKeys: []string{testKey}}, change...)
}

func plain(t testing.TB, change ...func(*CallbackOptions)) *fixture {
	return newFixture(t, Account{}, change...)
}

func (f *fixture) posts(result string) float64 {
	return counted(f.t, f.registry, "lingjuli_wechat_posts_total", result)
}

// counted reads a counter with the given label value.
func counted(t testing.TB, registry *prometheus.Registry, name, label string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var sum float64
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for _, pair := range metric.GetLabel() {
				if family.GetName() == name && pair.GetValue() == label {
					sum += metric.GetCounter().GetValue()
				}
			}
		}
	}
	return sum
}

func written(kind, fields string) string {
	return fmt.Sprintf("<xml><ToUserName><![CDATA[%s]]></ToUserName><FromUserName><![CDATA[%s]]></FromUserName><CreateTime>%d</CreateTime><MsgType><![CDATA[%s]]></MsgType>%s</xml>",
		testGhID, testOpenID, 1714112445, kind, fields)
}

func textMessage(id, text string) string {
	return written("text", "<Content><![CDATA["+text+"]]></Content><MsgId>"+id+"</MsgId>")
}

func TestTheAddressCheckIsAnsweredByEchostrAlone(t *testing.T) {
	f := safe(t)
	p := f.newPost("")
	p.method = http.MethodGet
	p.query.Set("echostr", "4375120948345356249")
	if w := f.send(p); w.Code != 200 || w.Body.String() != "4375120948345356249" {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
	p.query.Set("signature", strings.Repeat("0", 40))
	if w := f.send(p); w.Code != 403 || strings.Contains(w.Body.String(), "4375120948345356249") {
		t.Errorf("forged: got %d %q", w.Code, w.Body)
	}
}

func TestATextIsAnsweredInEveryMode(t *testing.T) {
	for name, account := range map[string]Account{
		"plain":  {},
		"safe":   {AESKeys: []string{testKey}},
		"compat": {AESKeys: []string{testKey}, Compat: true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, account)
			if got := f.read(f.deliver(textMessage("7001", "我的医保"))); got != "收到：我的医保" {
				t.Errorf("got %q", got)
			}
			if f.posts(resultReplied) != 1 {
				t.Error("not counted")
			}
		})
	}
}

func TestCompatModeTakesPlainPostsAndAnswersThemPlainly(t *testing.T) {
	f := newFixture(t, Account{AESKeys: []string{testKey}, Compat: true})
	f.key = ""
	if got := f.read(f.deliver(textMessage("7002", "你好"))); got != "收到：你好" {
		t.Errorf("got %q", got)
	}
}

func TestCompatModeBelievesTheEncryptedPartOverTheClearOne(t *testing.T) {
	f := newFixture(t, Account{AESKeys: []string{testKey}, Compat: true})
	p := f.newPost(textMessage("7003", "真的"))
	p.body = strings.Replace(p.body, "<Encrypt>", "<FromUserName>oSomebodyElse</FromUserName><MsgType>text</MsgType><Content>假的</Content><MsgId>1</MsgId><Encrypt>", 1)
	if got := f.read(f.send(p)); got != "收到：真的" {
		t.Errorf("got %q", got)
	}
}

func TestAPostUnderThePreviousKeyIsAnsweredUnderIt(t *testing.T) {
	f := newFixture(t, Account{AESKeys: []string{testKey, previousKey}})
	f.key = previousKey
	if got := f.read(f.deliver(textMessage("7004", "换钥匙"))); got != "收到：换钥匙" {
		t.Errorf("got %q", got)
	}
	f.key = testKey
	if got := f.read(f.deliver(textMessage("7005", "新钥匙"))); got != "收到：新钥匙" {
		t.Errorf("got %q", got)
	}
}

func TestARepliesRandomBytesAndNonceAreFresh(t *testing.T) {
	f := safe(t)
	p := f.newPost(textMessage("7006", "一"))
	first, second := f.send(p).Body.String(), f.send(p).Body.String()
	if first == second {
		t.Error("two replies are the same to the byte")
	}
	if strings.Contains(first, p.query.Get("nonce")) {
		t.Error("the request's nonce is used again")
	}
}

func TestWhatIsNotAuthenticIsRefusedAndDoesNothing(t *testing.T) {
	inner := textMessage("7100", "不该被读到")
	cases := map[string]func(p *platform) post{
		"a plain post where a key is set": func(p *platform) post {
			q := p.newPost(inner)
			q.query.Del("encrypt_type")
			q.query.Del("msg_signature")
			q.body = inner
			return q
		},
		"a plain body that says it is encrypted": func(p *platform) post { q := p.newPost(inner); q.body = inner; return q },
		"a forged URL signature": func(p *platform) post {
			q := p.newPost(inner)
			q.query.Set("signature", strings.Repeat("f", 40))
			return q
		},
		"no signature at all": func(p *platform) post { q := p.newPost(inner); q.query.Del("signature"); return q },
		"a forged msg_signature": func(p *platform) post {
			q := p.newPost(inner)
			q.query.Set("msg_signature", strings.Repeat("f", 40))
			return q
		},
		"no msg_signature":        func(p *platform) post { q := p.newPost(inner); q.query.Del("msg_signature"); return q },
		"another account's appid": func(p *platform) post { o := *p; o.appID = "wx0000000000000000"; return o.newPost(inner) },
		"a key that isn't ours":   func(p *platform) post { o := *p; o.key = strings.Repeat("C", 42) + "A"; return o.newPost(inner) },
		"a stale post": func(p *platform) post {
			o := *p
			o.now = func() time.Time { return p.now().Add(-11 * time.Minute) }
			return o.newPost(inner)
		},
		"a post from the future": func(p *platform) post {
			o := *p
			o.now = func() time.Time { return p.now().Add(11 * time.Minute) }
			return o.newPost(inner)
		},
		"a timestamp that is no number": func(p *platform) post {
			q := p.newPost(inner)
			q.query.Set("timestamp", "today")
			q.query.Set("signature", util.Signature(testToken, "today", q.query.Get("nonce")))
			return q
		},
		"4 MiB": func(p *platform) post { return p.newPost(textMessage("1", strings.Repeat("大", 4<<20/3))) },
		"one byte above the limit": func(p *platform) post {
			q := p.newPost(inner)
			q.body += strings.Repeat(" ", maxBody+1-len(q.body))
			return q
		},
		"a DOCTYPE": func(p *platform) post {
			q := p.newPost(inner)
			q.body = `<!DOCTYPE xml [<!ENTITY a "b">]>` + q.body
			return q
		},
		"an undeclared entity": func(p *platform) post {
			q := p.newPost(inner)
			q.body = strings.Replace(q.body, "<ToUserName>", "<ToUserName>&a;", 1)
			return q
		},
		"a tampered ciphertext": func(p *platform) post {
			q := p.newPost(inner)
			sealed := encryptFor(p.t, p.appID, p.key, inner)
			raw, _ := base64.StdEncoding.DecodeString(sealed)
			raw = raw[:len(raw)-32]
			sealed = base64.StdEncoding.EncodeToString(raw)
			q.body = "<xml><Encrypt>" + sealed + "</Encrypt></xml>"
			q.query.Set("msg_signature", util.Signature(testToken, q.query.Get("timestamp"), q.query.Get("nonce"), sealed))
			return q
		},
		"no XML at all": func(p *platform) post { q := p.newPost(inner); q.body = "hello"; return q },
		"an empty body": func(p *platform) post { q := p.newPost(inner); q.body = ""; return q },
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			f := safe(t)
			w := f.send(spoil(f.platform))
			if w.Code != http.StatusForbidden {
				t.Errorf("got %d %.80q", w.Code, w.Body)
			}
			if f.turner.count() != 0 {
				t.Error("a turn was made")
			}
			if strings.Contains(f.log.String(), "不该被读到") {
				t.Error("the text is in the log")
			}
		})
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	f := safe(t)
	for _, method := range []string{"PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"} {
		p := f.newPost(textMessage("1", "x"))
		p.method = method
		if w := f.send(p); w.Code != http.StatusMethodNotAllowed || f.turner.count() != 0 {
			t.Errorf("%s: got %d", method, w.Code)
		}
	}
}

func TestAPlainPostWithADoctypeIsRefused(t *testing.T) {
	f := plain(t)
	w := f.deliver(`<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + textMessage("1", "x"))
	if w.Code != 403 || f.turner.count() != 0 {
		t.Errorf("got %d", w.Code)
	}
}

func TestAnEncryptedPostWithoutAKeyIsRefused(t *testing.T) {
	f := plain(t)
	f.key = testKey
	if w := f.deliver(textMessage("1", "x")); w.Code != 403 {
		t.Errorf("got %d", w.Code)
	}
}

func TestAnOversizedPostOverARealConnectionHearsThe403(t *testing.T) {
	f := safe(t)
	server := httptest.NewServer(f.callback)
	defer server.Close()
	p := f.newPost(textMessage("1", "x"))
	for name, body := range map[string]*strings.Reader{"announced": strings.NewReader(strings.Repeat("x", 4<<20))} {
		res, err := http.Post(server.URL+"?"+p.query.Encode(), "text/xml", body)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_ = res.Body.Close()
		if res.StatusCode != 403 {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
	pr := struct{ *strings.Reader }{strings.NewReader(strings.Repeat("x", 4<<20))} // no length: chunked
	req, _ := http.NewRequest("POST", server.URL+"?"+p.query.Encode(), pr)
	req.ContentLength = -1
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != 403 {
		t.Errorf("chunked: %d", res.StatusCode)
	}
}

func TestAuthenticButUnreadableIsSuccessAndCounted(t *testing.T) {
	for name, inner := range map[string]string{
		"broken XML":        "<xml><FromUserName>",
		"JSON":              `{"ToUserName":"gh_97417a04a28d","MsgType":"event"}`,
		"nobody":            "<xml><ToUserName>gh_1</ToUserName><MsgType>text</MsgType></xml>",
		"a DOCTYPE inside":  `<!DOCTYPE xml [<!ENTITY a "b">]>` + textMessage("1", "&a;"),
		"an entity inside":  written("text", "<Content>&bomb;</Content><MsgId>1</MsgId>"),
		"another root":      "<html>" + testOpenID + "</html>",
		"an openid of tags": strings.Replace(textMessage("1", "x"), testOpenID, "]]>&lt;b&gt;", 1),
	} {
		t.Run(name, func(t *testing.T) {
			f := safe(t)
			if w := f.deliver(inner); w.Code != 200 || w.Body.String() != "success" {
				t.Errorf("got %d %q", w.Code, w.Body)
			}
			if f.turner.count() != 0 || f.posts(resultUnreadable) != 1 {
				t.Errorf("turns %d, counted %v", f.turner.count(), f.posts(resultUnreadable))
			}
			if strings.Contains(f.log.String(), testOpenID) {
				t.Error("the openid is in the log")
			}
		})
	}
}

func TestANumberThatCannotBeReadDoesNotCostTheMessage(t *testing.T) {
	f := safe(t)
	inner := strings.Replace(written("text", "<Content>还在</Content><MsgId>many</MsgId><bizmsgmenuid>yes</bizmsgmenuid><Location_X>?</Location_X>"), "1714112445", "soon", 1)
	if got := f.read(f.deliver(inner)); got != "收到：还在" {
		t.Errorf("got %q", got)
	}
	in := f.turner.last(t)
	if in.Kind != turn.Text || !strings.HasPrefix(in.Key, "e:") || !in.At.Equal(f.now()) {
		t.Errorf("%+v", in)
	}
}

func TestMessageTextNeverReachesTheLog(t *testing.T) {
	f := safe(t, func(o *CallbackOptions) { o.Turner = panicking{} })
	f.deliver(textMessage("1", "身份证号与病情"))
	if strings.Contains(f.log.String(), "身份证号") || strings.Contains(f.log.String(), testOpenID) {
		t.Error(f.log.String())
	}
	if !strings.Contains(f.log.String(), "panicked") {
		t.Error("the panic is not logged")
	}
}

func TestSettingsThatCannotWorkAreNamed(t *testing.T) {
	ok := Account{AppID: testAppID, Token: testToken}
	for want, account := range map[string]Account{
		"LINGJULI_WECHAT_TOKEN":   {AppID: testAppID},
		"LINGJULI_WECHAT_APP_ID":  {Token: testToken},
		"LINGJULI_WECHAT_AES_KEY": {AppID: testAppID, Token: testToken, AESKeys: []string{testKey, "secretsecret"}},
	} {
		_, err := NewCallback(account, CallbackOptions{Turner: &echo{}})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secretsecret") {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := NewCallback(ok, CallbackOptions{}); err == nil {
		t.Error("no turner is no error")
	}
}
