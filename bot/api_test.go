package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// fakeAPI is api.weixin.qq.com as far as these tests go. Each path has a handler; tokens are given by number.
type fakeAPI struct {
	*httptest.Server
	mu      sync.Mutex
	fetches int
	expires int64
	tokenAs func(w http.ResponseWriter) bool // answers the token call itself when true
	valid   func(token string) bool
	routes  map[string]http.HandlerFunc
	bodies  map[string][]string
	log     bytes.Buffer
}

func newFakeAPI(t testing.TB) *fakeAPI {
	f := &fakeAPI{expires: 7200, routes: map[string]http.HandlerFunc{}, bodies: map[string][]string{}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	f.bodies[r.URL.Path] = append(f.bodies[r.URL.Path], string(body))
	route, valid := f.routes[r.URL.Path], f.valid
	f.mu.Unlock()
	if r.URL.Path == tokenPath {
		f.serveToken(w, body)
		return
	}
	token := r.URL.Query().Get("access_token")
	if !strings.HasPrefix(token, "TOKEN-") || valid != nil && !valid(token) {
		_, _ = io.WriteString(w, `{"errcode":40001,"errmsg":"invalid credential, access_token is invalid or not latest rid: 65-aa-bb"}`)
		return
	}
	if route == nil {
		_, _ = io.WriteString(w, `{"errcode":0,"errmsg":"ok","msgid":1700827132819554304}`)
		return
	}
	route(w, r)
}

func (f *fakeAPI) serveToken(w http.ResponseWriter, body []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var asked struct {
		Grant, AppID, Secret string
		Force                *bool `json:"force_refresh"`
	}
	_ = json.Unmarshal(bytes.ReplaceAll(body, []byte("grant_type"), []byte("grant")), &asked)
	f.fetches++
	if f.tokenAs != nil && f.tokenAs(w) {
		return
	}
	if asked.Grant != "client_credential" || asked.AppID != testAppID || asked.Secret != "SECRETSECRET" || asked.Force == nil || *asked.Force {
		_, _ = io.WriteString(w, `{"errcode":40125,"errmsg":"invalid appsecret"}`)
		return
	}
	_, _ = fmt.Fprintf(w, `{"access_token":"TOKEN-%d","expires_in":%d}`, f.fetches, f.expires)
}

func (f *fakeAPI) fetched() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fetches
}

func (f *fakeAPI) calls(path string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.bodies[path]...)
}

func (f *fakeAPI) route(path, answer string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.routes[path] = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }
}

func (f *fakeAPI) client(t testing.TB, change ...func(*ClientOptions)) *Client {
	t.Helper()
	o := ClientOptions{
		APIBase: f.URL, AppID: testAppID, Secret: "SECRETSECRET",
		Log: slog.New(slog.NewTextHandler(&safely{b: &f.log}, nil)),
	}
	for _, c := range change {
		c(&o)
	}
	c, err := NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.wire.http.CloseIdleConnections)
	return c
}

func TestAnErrcodeIsATypedErrorWithItsRid(t *testing.T) {
	f := newFakeAPI(t)
	f.route(customerPath, `{"errcode":45015,"errmsg":"response out of time limit or subscription is canceled hint: [`+testOpenID+`] rid: 64-ab-cd"}`)
	err := f.client(t).Say(t.Context(), testOpenID, "你好 <b>&")
	var refused *APIError
	if !errors.As(err, &refused) || *refused != (APIError{customerPath, 45015, "response out of time limit or subscription is canceled", "64-ab-cd"}) {
		t.Fatalf("got %#v", err)
	}
	want := `{"touser":"` + testOpenID + `","msgtype":"text","text":{"content":"你好 <b>&"}}`
	if got := f.calls(customerPath); len(got) != 1 || got[0] != want {
		t.Errorf("sent %q", got)
	}
}

func TestATokenThatWeChatCallsBadIsReplacedOnce(t *testing.T) {
	f := newFakeAPI(t)
	c := f.client(t)
	f.valid = func(token string) bool { return token != "TOKEN-1" }
	if err := c.Say(t.Context(), testOpenID, "x"); err != nil {
		t.Fatal(err)
	}
	if f.fetched() != 2 || len(f.calls(customerPath)) != 2 {
		t.Errorf("%d fetches, %d sends", f.fetched(), len(f.calls(customerPath)))
	}
	f.valid = func(string) bool { return false }
	err := c.Say(t.Context(), testOpenID, "x")
	if code, _ := Code(err); code != 40001 {
		t.Errorf("got %v", err)
	}
	if len(f.calls(customerPath)) != 4 {
		t.Errorf("%d sends: a second bad token is a fault of the configuration", len(f.calls(customerPath))-2)
	}
}

// deadAddress is one that nobody listens at.
func deadAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return "http://" + l.Addr().String()
}

func TestAFaultBeforeTheFirstByteIsToldFromOneAfter(t *testing.T) {
	f := newFakeAPI(t)
	c := f.client(t)
	if _, err := c.tokens.GetAccessToken(); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		base    string
		route   http.HandlerFunc
		written bool
		status  int
	}{
		"nobody listens":   {base: deadAddress(t)},
		"closed after it":  {route: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, written: true},
		"a bare 502":       {route: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) }, written: true, status: 502},
		"an empty 200":     {route: func(http.ResponseWriter, *http.Request) {}, written: true, status: 200},
		"a page":           {route: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, written: true, status: 200},
		"an empty object":  {route: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }, written: true, status: 200},
		"a redirect":       {route: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/other", 307) }, written: true, status: 307},
		"a boundless body": {route: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, maxAnswer+2)) }, written: true, status: 200},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			c.wire.base = f.URL
			if test.base != "" {
				c.wire.base = test.base
			}
			f.mu.Lock()
			f.routes[customerPath] = test.route
			f.mu.Unlock()
			err := c.Say(t.Context(), testOpenID, "x")
			var lost *TransportError
			if !errors.As(err, &lost) || lost.Written != test.written || lost.Status != test.status {
				t.Fatalf("got %#v", err)
			}
			if strings.Contains(err.Error(), "TOKEN-") || strings.Contains(err.Error(), "access_token") {
				t.Errorf("the token is in the error: %v", err)
			}
		})
	}
}

func TestATimeoutAfterTheRequestWasWrittenIsUnknown(t *testing.T) {
	f := newFakeAPI(t)
	c := f.client(t)
	arrived, leave := make(chan struct{}), make(chan struct{})
	f.routes[customerPath] = func(http.ResponseWriter, *http.Request) { close(arrived); <-leave }
	defer close(leave)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	err := c.Say(ctx, testOpenID, "x")
	var lost *TransportError
	if !errors.As(err, &lost) || !lost.Written || !errors.Is(err, context.Canceled) {
		t.Errorf("got %#v", err)
	}
}

func TestSecretsAreInNoErrorAndNoLog(t *testing.T) {
	f := newFakeAPI(t)
	f.tokenAs = func(w http.ResponseWriter) bool {
		_, _ = io.WriteString(w, `{"errcode":40125,"errmsg":"invalid appsecret secret=SECRETSECRET rid: 1-2-3"}`)
		return true
	}
	err := f.client(t).Say(t.Context(), testOpenID, "x")
	dead := f.client(t, func(o *ClientOptions) { o.APIBase = deadAddress(t) })
	_, err2 := dead.tokens.GetAccessToken()
	for _, text := range []string{err.Error(), err2.Error(), f.log.String()} {
		if strings.Contains(text, "SECRETSECRET") {
			t.Error(text)
		}
	}
	plain := errors.New(`Get "https://api.weixin.qq.com/sns/oauth2/access_token?appid=wx1&secret=S3&code=C4&grant_type=x": dial; access_token=T1&ticket=K5 "access_token":"T6" ` + testOpenID)
	got := Redact(plain)
	for _, secret := range []string{"S3", "C4", "T1", "K5", "T6", testOpenID} {
		if strings.Contains(got.Error(), secret) {
			t.Errorf("%s is in %v", secret, got)
		}
	}
	if !errors.Is(got, plain) || Redact(nil) != nil {
		t.Error("redacting loses the error")
	}
	if e := errors.New("errcode=40001"); Redact(e).Error() != e.Error() {
		t.Error("an error without secrets is changed")
	}
}

func TestClientSettingsThatCannotWorkAreNamed(t *testing.T) {
	for want, o := range map[string]ClientOptions{
		"LINGJULI_WECHAT_APP_ID":     {Secret: "s"},
		"LINGJULI_WECHAT_APP_SECRET": {AppID: "a"},
		"LINGJULI_WECHAT_API_BASE":   {AppID: "a", Secret: "s", APIBase: "ftp://x"},
	} {
		if _, err := NewClient(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	c, err := NewClient(ClientOptions{AppID: "a", Secret: "s"})
	if err != nil || c.wire.base != DefaultAPIBase || c.wire.http.Timeout > 10*time.Second || c.wire.http.Timeout == 0 {
		t.Errorf("%v %+v", err, c)
	}
}

func TestAWorkersMessagesKeepTheirConnections(t *testing.T) {
	const atOnce = 240 // 24 tasks of ten messages each
	var opened, arrived atomic.Int64
	release := make(chan struct{}, atOnce)
	f := newFakeAPI(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == customerPath {
			if arrived.Add(1)%atOnce == 0 { // all are under way at once
				for range atOnce {
					release <- struct{}{}
				}
			}
			<-release
		}
		f.ServeHTTP(w, r)
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	c := f.client(t, func(o *ClientOptions) { o.APIBase = server.URL })
	for round := range 3 {
		var all sync.WaitGroup
		for range atOnce {
			all.Go(func() {
				if err := c.Say(t.Context(), testOpenID, "你好"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := opened.Load(); n > atOnce+5 {
			t.Fatalf("%d connections after round %d", n, round+1)
		}
	}
}
