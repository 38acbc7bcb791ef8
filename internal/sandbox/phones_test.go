package sandbox

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// troupe is a cast of a few.
type troupe []Person

func (c troupe) Search(_ context.Context, words string, limit int) ([]Person, error) {
	var out []Person
	for _, p := range c {
		if len(out) < limit && strings.Contains(p.Name+p.Phone+p.Note, words) {
			out = append(out, p)
		}
	}
	return out, nil
}

func (c troupe) Find(_ context.Context, id string) (Person, bool, error) {
	for _, p := range c {
		if p.ID == id {
			return p, true, nil
		}
	}
	return Person{}, false, nil
}

func villagers() troupe {
	return troupe{
		{ID: "1", Name: "陈阿婆", Phone: "13800000001", OpenID: "oA", IDNumber: "441802195001010021", Note: "青禾县石潭村 76岁"},
		{ID: "2", Name: "李建国", Phone: "13800000002", OpenID: "oB", Note: "青禾县石潭村 45岁"},
		{ID: "3", Name: "黄水生", OpenID: "", Note: "青禾县桥头村 61岁"},
	}
}

// stage is the phones' page of a sandbox with a small county, whose account answers with a menu of numbers.
func stage(t *testing.T) (*Sandbox, *server, *httptest.Server) {
	t.Helper()
	s, srv := pair(t, Safe, Config{Aliyun: countySMS(), WeChat: WeChatConfig{Notices: notices(), Followers: []string{"oA"}}}, func(m inbound) string {
		return "您好，我能帮您查这些：\n1. 我的医保\n2. 我的养老\n3. 补贴到哪一步了\n回复数字即可。<a href=\"http://127.0.0.1/h5\">了解更多</a>"
	})
	web := httptest.NewServer(s.PhonesHandler(villagers()))
	t.Cleanup(web.Close)
	return s, srv, web
}

func browse(t *testing.T, address string) (string, http.Header) {
	t.Helper()
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	return string(body), resp.Header
}

func act(t *testing.T, web *httptest.Server, form url.Values) *http.Response {
	t.Helper()
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := c.PostForm(web.URL+"/act", form)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp
}

func TestAPersonChatsAndAnswersWithoutAnyScript(t *testing.T) {
	s, srv, web := stage(t)
	page, header := browse(t, web.URL+"/?p=1")
	if !strings.Contains(page, "演示沙箱") || !strings.Contains(page, "陈阿婆") || strings.Contains(page, "style=") || strings.Contains(page, "onclick") {
		t.Fatal(page)
	}
	if csp := header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Fatal(csp)
	}
	if resp := act(t, web, url.Values{"p": {"1"}, "do": {"say"}, "text": {"你好 <script>"}}); resp.StatusCode != 303 || resp.Header.Get("Location") != "./?p=1" {
		t.Fatal(resp.StatusCode, resp.Header)
	}
	page, _ = browse(t, web.URL+"/?p=1")
	for _, want := range []string{"你好 &lt;script&gt;", `<button class="tap" name="text" value="1">1. 我的医保</button>`, `href="web?p=1&amp;url=http%3a%2f%2f127.0.0.1%2fh5"`} {
		if !strings.Contains(page, want) {
			t.Fatalf("%s is not in %s", want, page)
		}
	}
	act(t, web, url.Values{"p": {"1"}, "do": {"accept"}, "key": {"TPL_LONG"}})
	if !s.Follower("oA").Consents["TPL_LONG"] || srv.got[1].Event != "subscribe_msg_popup_event" {
		t.Fatalf("%+v", srv.got)
	}
	act(t, web, url.Values{"p": {"2"}, "do": {"follow"}})
	act(t, web, url.Values{"p": {"2"}, "do": {"unfollow"}})
	if last := srv.got[len(srv.got)-1]; last.Event != "unsubscribe" || last.FromUserName != "oB" {
		t.Fatalf("%+v", last)
	}
}

func TestThePageIsForThisMachineAlone(t *testing.T) {
	s := open(t, Config{})
	for name, h := range map[string]http.Handler{"phones": s.PhonesHandler(villagers()), "control": s.ControlHandler()} {
		for _, from := range []struct{ addr, host, origin string }{
			{"192.0.2.1:5", "127.0.0.1", ""}, {"127.0.0.1:5", "rebound.example", ""}, {"127.0.0.1:5", "127.0.0.1", "http://other.example"},
		} {
			r := httptest.NewRequest(http.MethodPost, "/sandbox/reset", nil)
			r.RemoteAddr, r.Host = from.addr, from.host
			if from.origin != "" {
				r.Header.Set("Origin", from.origin)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != http.StatusForbidden {
				t.Errorf("%s let %+v in: %d", name, from, w.Code)
			}
		}
	}
}

func TestTheStreamTellsWhenAMessageComes(t *testing.T) {
	s, _, web := stage(t)
	resp, err := web.Client().Get(web.URL + "/events?p=1")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	buf := make([]byte, 256)
	n, err := resp.Body.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	first := string(buf[:n])
	if err := s.ReplySMS("13800000001", "收到"); err != nil {
		t.Fatal(err)
	}
	n, err = resp.Body.Read(buf)
	if err != nil || string(buf[:n]) == first {
		t.Fatalf("%q after %q, %v", buf[:n], first, err)
	}
}
