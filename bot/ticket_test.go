package bot

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The vendor's own example: https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/JS-SDK.html#62
func TestAPageIsSignedAsTheVendorSignsIt(t *testing.T) {
	const ticket = "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
	for _, page := range []string{"http://mp.weixin.qq.com?params=value", "http://mp.weixin.qq.com?params=value#wechat_redirect"} {
		if got := pageSignature(ticket, "Wm3WZYTPz0wzccnW", 1414587457, page); got != "0f9de62fce790f9a083d5c99e95740ceb90c27ed" {
			t.Errorf("%s: %s", page, got)
		}
	}
}

// tickets makes a fake API that gives tickets by number for so many seconds.
func tickets(t *testing.T, seconds int) (*fakeAPI, func() int) {
	f := newFakeAPI(t)
	var mu sync.Mutex
	given := 0
	f.mu.Lock()
	f.routes[ticketPath] = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("type") != "jsapi" || r.Method != http.MethodGet {
			_, _ = w.Write([]byte(`{"errcode":40097,"errmsg":"invalid args"}`))
			return
		}
		mu.Lock()
		defer mu.Unlock()
		given++
		_, _ = w.Write([]byte(`{"errcode":0,"errmsg":"ok","ticket":"TICKET-` + strconv.Itoa(given) + `","expires_in":` + strconv.Itoa(seconds) + `}`))
	}
	f.mu.Unlock()
	return f, func() int { mu.Lock(); defer mu.Unlock(); return given }
}

func signedWith(t *testing.T, c *Client, ticket string) {
	t.Helper()
	const page = "https://example.org/h5/subscribe?lang=en"
	s, err := c.SignPage(t.Context(), page)
	if err != nil {
		t.Error(err)
		return
	}
	if s.AppID != testAppID || len(s.Nonce) < 16 || s.Signature != pageSignature(ticket, s.Nonce, s.Timestamp, page) {
		t.Errorf("not signed with %s: %+v", ticket, s)
	}
}

func TestManyPagesOfTwoProcessesFetchOneTicket(t *testing.T) {
	f, given := tickets(t, 7200)
	_, r := newRedis(t)
	one, two := f.client(t, withRedis(r)), f.client(t, withRedis(r))
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { signedWith(t, one, "TICKET-1") })
		all.Go(func() { signedWith(t, two, "TICKET-1") })
	}
	all.Wait()
	if given() != 1 || f.fetched() != 1 {
		t.Errorf("%d tickets, %d tokens", given(), f.fetched())
	}
}

func TestATicketIsRenewedFiveMinutesBeforeItDiesAndServesOnWhileWeChatIsAway(t *testing.T) {
	f, given := tickets(t, 7200)
	c := newClock()
	client := f.client(t, withClock(c))
	signedWith(t, client, "TICKET-1")
	c.add(114 * time.Minute)
	signedWith(t, client, "TICKET-1")
	c.add(2 * time.Minute)
	signedWith(t, client, "TICKET-2")
	f.route(ticketPath, `{"errcode":-1,"errmsg":"system error"}`)
	c.add(116 * time.Minute)
	signedWith(t, client, "TICKET-2")
	c.add(5 * time.Minute)
	if _, err := client.SignPage(t.Context(), "https://example.org/"); err == nil {
		t.Error("signed with a dead ticket")
	} else if code, _ := Code(err); code != -1 {
		t.Error(err)
	}
	if given() != 2 {
		t.Errorf("%d tickets", given())
	}
}

func TestTheTicketStaysOutOfLogsAndErrors(t *testing.T) {
	f, _ := tickets(t, 7200)
	server, r := newRedis(t)
	client := f.client(t, withRedis(r))
	server.SetError("away")
	signedWith(t, client, "TICKET-1")
	if log := f.log.String(); log == "" || strings.Contains(log, "TICKET-") || strings.Contains(log, "TOKEN-") {
		t.Errorf("log: %s", log)
	}
}
