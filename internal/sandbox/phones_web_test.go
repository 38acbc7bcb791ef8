package sandbox

import (
	"crypto/sha1" //nolint:gosec // WeChat's signature of pages is a SHA-1
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestWeChatsBrowserNamesItselfAndLeadsLinksThroughItself(t *testing.T) {
	_, _, web := stage(t)
	var agent, language string
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		agent, language = r.UserAgent(), r.Header.Get("Accept-Language")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<link href="a.css"><script src="https://res.wx.qq.com/open/js/jweixin-1.6.0.js"></script><a href="?lang=en&amp;x=1">E</a><a href="#top">T</a>`))
	}))
	t.Cleanup(site.Close)
	page, header := browse(t, web.URL+"/web?p=1&url="+url.QueryEscape(site.URL+"/h5/page?x=0"))
	if !strings.Contains(agent, "MicroMessenger/") || language == "zz" {
		t.Errorf("agent %s", agent)
	}
	for _, want := range []string{
		`href="web?p=1&amp;url=` + url.QueryEscape(site.URL+"/h5/a.css") + `"`, `src="static/jweixin.js"`,
		`href="web?p=1&amp;url=` + url.QueryEscape(site.URL+"/h5/page?lang=en&x=1") + `"`, `href="#top"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in %s", want, page)
		}
	}
	if !strings.Contains(header.Get("Content-Security-Policy"), "script-src 'self'") {
		t.Errorf("%v", header)
	}
	for _, address := range []string{"javascript:alert(1)", "http://198.51.100.1/", ""} {
		if page, _ := browse(t, web.URL+"/web?p=1&url="+url.QueryEscape(address)); !strings.Contains(page, "page") {
			t.Errorf("%q: %s", address, page)
		}
	}
}

func TestTheSDKTakesOnlyThePagesOwnSignature(t *testing.T) {
	s, _, web := stage(t)
	a := s.account
	const page = "http://127.0.0.1:8080/h5/subscribe?lang=en"
	sign := func(ticket, page string) string {
		sum := sha1.Sum([]byte("jsapi_ticket=" + ticket + "&noncestr=n&timestamp=1&url=" + page)) //nolint:gosec // as above
		return hex.EncodeToString(sum[:])
	}
	if _, code := a.getTicket(&apiCall{now: s.cfg.Now()}); code != 0 {
		t.Fatal(code)
	}
	ticket := a.ticket.AccessToken
	for _, c := range []struct {
		name, app, signature, page string
		want                       int
	}{
		{"right", a.cfg.AppID, sign(ticket, page), page, http.StatusNoContent},
		{"what follows # is left out", a.cfg.AppID, sign(ticket, page), page + "#top", http.StatusNoContent},
		{"another page", a.cfg.AppID, sign(ticket, page), page + "&x=1", http.StatusForbidden},
		{"another ticket", a.cfg.AppID, sign("other", page), page, http.StatusForbidden},
		{"another account", "wx0", sign(ticket, page), page, http.StatusForbidden},
	} {
		res, err := http.PostForm(web.URL+"/web/config", url.Values{"url": {c.page}, "appId": {c.app}, "timestamp": {"1"}, "nonceStr": {"n"}, "signature": {c.signature}})
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != c.want {
			t.Errorf("%s: %d", c.name, res.StatusCode)
		}
	}
}

func TestAChoiceInTheBoxIsOneEventToTheServer(t *testing.T) {
	s, srv, web := stage(t)
	list, _ := browse(t, web.URL+"/web/notices?ids=TPL_LONG,TPL_UNKNOWN")
	if !strings.Contains(list, `"id":"TPL_LONG"`) || strings.Contains(list, "UNKNOWN") {
		t.Fatal(list)
	}
	act(t, web, url.Values{"p": {"1"}, "do": {"choose"}, "accept": {"TPL_LONG"}, "reject": {"TPL_B"}})
	if len(srv.got) == 0 {
		t.Fatal("no event")
	}
	got := srv.got[len(srv.got)-1]
	if got.Event != "subscribe_msg_popup_event" || !s.account.followers["oA"].Consents["TPL_LONG"].Always {
		t.Errorf("%+v", got)
	}
	before := len(srv.got)
	act(t, web, url.Values{"p": {"1"}, "do": {"choose"}})
	act(t, web, url.Values{"p": {"2"}, "do": {"choose"}, "accept": {"TPL_A"}}) // doesn't follow
	if len(srv.got) != before {
		t.Errorf("%d events more", len(srv.got)-before)
	}
}
