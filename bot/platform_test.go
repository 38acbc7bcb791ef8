package bot

import (
	"bytes"
	"context"
	"crypto/rand"
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

	// 43 characters, as the console makes them.
	testKey     = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	previousKey = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA"
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
