package bot

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/lingjuli/lingjuli/locales"
	"github.com/lingjuli/lingjuli/notify"
)

const inWeChat = "Mozilla/5.0 (Linux; Android 10) AppleWebKit/537.36 Mobile Safari/537.36 MicroMessenger/8.0.49(0x28003133) WeChat/arm64"

type registered struct {
	list []notify.Template
	err  error
	asks int
}

func (r *registered) ListTemplates(context.Context) ([]notify.Template, error) {
	r.asks++
	return r.list, r.err
}

func subscribeTo(key string, kind notify.Kind, id string) notify.Template {
	return notify.Template{Key: key, Kind: kind, WeChat: &notify.WeChatTemplate{Subscribe: id}}
}

type signer struct {
	pages []string
	err   error
}

func (s *signer) SignPage(_ context.Context, page string) (PageSignature, error) {
	s.pages = append(s.pages, page)
	return PageSignature{AppID: testAppID, Timestamp: 1414587457, Nonce: "NONCE", Signature: "SIGNATURE"}, s.err
}

type consentFixture struct {
	*http.ServeMux
	registered *registered
	signer     *signer
	clock      *clock
}

func newConsentPage(t *testing.T) *consentFixture {
	t.Helper()
	f := &consentFixture{http.NewServeMux(), &registered{list: []notify.Template{
		subscribeTo("a", notify.JobPosting, "TPL_JOBS"), subscribeTo("b", notify.PremiumReminder, "TPL_PREMIUM"),
		subscribeTo("c", notify.PolicyGuidance, "TPL_POLICY"), subscribeTo("d", notify.PolicyGuidance, "TPL_POLICY"),
		{Key: "e", Kind: notify.ServiceNotice, WeChat: &notify.WeChatTemplate{Template: "TM"}},
		{Key: "f", Kind: notify.Reply},
	}}, &signer{}, newClock()}
	page, err := NewSubscribePage(SubscribeOptions{Signer: f.signer, Notices: f.registered, Base: "https://example.org/", Now: f.clock.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	page.AddTo(f.ServeMux)
	return f
}

func (f *consentFixture) get(address, agent, language string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, address, nil)
	r.Header.Set("User-Agent", agent)
	r.Header.Set("Accept-Language", language)
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

func TestThePageAsksConsentForEachSubscriptionNoticeOnce(t *testing.T) {
	f := newConsentPage(t)
	w := f.get("/h5/subscribe?from=singlemessage&x=%E4%B8%AD", inWeChat, "zh-CN")
	body := w.Body.String()
	tags := regexp.MustCompile(`<wx-open-subscribe template="([^"]*)">`).FindAllStringSubmatch(body, -1)
	if w.Code != http.StatusOK || len(tags) != 1 || tags[0][1] != "TPL_PREMIUM,TPL_POLICY,TPL_JOBS" {
		t.Fatalf("%d %v\n%s", w.Code, tags, body)
	}
	for _, want := range []string{
		`data-appid="` + testAppID + `"`, `data-timestamp="1414587457"`, `data-nonce="NONCE"`, `data-signature="SIGNATURE"`,
		`src="https://res.wx.qq.com/open/js/jweixin-1.6.0.js"`, `<button class="agree">同意接收</button>`, "不收钱", "<li>该缴费了</li>",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
	// WeChat compares with the address as the phone sees it: escapes and order as they came.
	if len(f.signer.pages) != 1 || f.signer.pages[0] != "https://example.org/h5/subscribe?from=singlemessage&x=%E4%B8%AD" {
		t.Errorf("signed %v", f.signer.pages)
	}
}

func TestMoreThanThreeTemplatesHaveSeveralButtonsThatSayWhatFor(t *testing.T) {
	f := newConsentPage(t)
	f.registered.list = append(f.registered.list, subscribeTo("g", notify.TrainingInvitation, "TPL_TRAINING"))
	body := f.get("/h5/subscribe", inWeChat, "zh-CN").Body.String()
	for _, want := range []string{`template="TPL_PREMIUM,TPL_POLICY,TPL_JOBS"`, `template="TPL_TRAINING"`, "同意接收：该缴费了、新的政策、招工消息<", "同意接收：免费培训<"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
}

func TestOutsideWeChatThePageSaysWhereToGoAndSignsNothing(t *testing.T) {
	f := newConsentPage(t)
	for _, agent := range []string{"Mozilla/5.0 Chrome/120", inWeChat + " wxwork/4.1"} {
		body := f.get("/h5/subscribe", agent, "").Body.String()
		if !strings.Contains(body, "请在微信里打开这一页") || strings.Contains(body, "wx-open-subscribe") || strings.Contains(body, "<script") {
			t.Errorf("%s:\n%s", agent, body)
		}
	}
	if len(f.signer.pages) != 0 {
		t.Errorf("signed %v", f.signer.pages)
	}
}

func TestThePageSpeaksFourLanguages(t *testing.T) {
	f := newConsentPage(t)
	for _, c := range []struct{ address, accept, want string }{
		{"/h5/subscribe", "", "接收办事提醒"},
		{"/h5/subscribe", "zh-HK,zh;q=0.9", "接收辦事提醒"},
		{"/h5/subscribe", "en-US,en;q=0.8", "Get reminders"},
		{"/h5/subscribe?lang=yue-Hant", "en", "收辦事提醒"},
		{"/h5/subscribe?lang=nonsense", "en", "Get reminders"},
	} {
		if body := f.get(c.address, inWeChat, c.accept).Body.String(); !strings.Contains(body, "<h1>"+c.want+"</h1>") {
			t.Errorf("%s %s:\n%s", c.address, c.accept, body)
		}
	}
	for _, l := range locales.All() {
		for _, agent := range []string{inWeChat, "other"} {
			if body := f.get("/h5/subscribe?lang="+string(l), agent, "").Body.String(); strings.Contains(body, "consent.") || strings.Contains(body, "<no value>") {
				t.Errorf("%s lacks a text:\n%s", l, body)
			}
		}
	}
}

// Every text of the catalogue can be met with: none is left over from an earlier page.
func TestNoTextOfThePageIsLeftOver(t *testing.T) {
	texts, err := locales.LoadPages()
	if err != nil {
		t.Fatal(err)
	}
	f := newConsentPage(t)
	f.registered.list = append(f.registered.list, subscribeTo("g", notify.TrainingInvitation, "T4"), subscribeTo("h", notify.ServiceNotice, "T5"))
	seen := f.get("/h5/subscribe", inWeChat, "").Body.String() + f.get("/h5/subscribe", "other", "").Body.String()
	empty, failing := newConsentPage(t), newConsentPage(t)
	empty.registered.list, failing.signer.err = nil, errors.New("away")
	seen += empty.get("/h5/subscribe", inWeChat, "").Body.String() + failing.get("/h5/subscribe", inWeChat, "").Body.String()
	few := newConsentPage(t)
	seen += few.get("/h5/subscribe", inWeChat, "").Body.String()
	for _, id := range texts.Localizer(locales.ZhHans).IDs() {
		if id == "consent.agree_to" || id == "consent.listed" { // made of others; the test of several buttons sees them
			continue
		}
		for line := range strings.SplitSeq(texts.Localizer(locales.ZhHans).Text(id, nil), "\n") {
			if !strings.Contains(seen, line) {
				t.Errorf("%s is never shown: %s", id, line)
			}
		}
	}
}

func TestWhatCanNotBeHadIsSaidAndNeverServedAsEmpty(t *testing.T) {
	f := newConsentPage(t)
	f.signer.err = errors.New("away")
	w := f.get("/h5/subscribe", inWeChat, "")
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "按钮现在出不来") || strings.Contains(w.Body.String(), "<script") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	f = newConsentPage(t)
	f.registered.err = errors.New("database away")
	if w := f.get("/h5/subscribe", "other", ""); w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "没有要您同意") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	f = newConsentPage(t)
	f.registered.list = nil
	if w := f.get("/h5/subscribe", inWeChat, ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "没有要您同意的提醒") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestThePageLoadsNothingButWeChatsAndCannotBeFramed(t *testing.T) {
	f := newConsentPage(t)
	w := f.get("/h5/subscribe", inWeChat, "")
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self' https://res.wx.qq.com;", "frame-src https://*.qq.com webcompt:", "frame-ancestors 'none'", "form-action 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("no %s in %s", want, policy)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Error(policy)
	}
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("X-Content-Type-Options") != "nosniff" || len(w.Result().Cookies()) > 0 {
		t.Errorf("%v", w.Header())
	}
	body := w.Body.String()
	outside := regexp.MustCompile(`(?s)<script type="text/wxtag-template">.*?</script>`).ReplaceAllString(body, "")
	if regexp.MustCompile(`<script>|<style|style=|\son[a-z]+=`).MatchString(outside) {
		t.Errorf("inline script or style:\n%s", body)
	}
	for _, name := range []string{"subscribe.css", "subscribe.js"} {
		w := f.get("/h5/"+name, inWeChat, "")
		if w.Code != http.StatusOK || w.Body.Len() == 0 || strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
	}
}

func TestConsentCanNotBePostedToThePage(t *testing.T) {
	f := newConsentPage(t)
	r := httptest.NewRequest(http.MethodPost, "/h5/subscribe", strings.NewReader("template=TPL_JOBS&status=accept"))
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("%d", w.Code)
	}
	script, err := pageFiles.ReadFile("pages/subscribe.js")
	if err != nil || regexp.MustCompile(`fetch|XMLHttpRequest|sendBeacon|location`).Match(script) {
		t.Errorf("the page's script speaks to the server: %v", err)
	}
}

// Behind the proxy a stranger and everybody else have one address.
func TestAStrangerWhoAsksAllTheTimeTakesThePageFromNobody(t *testing.T) {
	f := newConsentPage(t)
	for i := range 2000 {
		if w := f.get("/h5/subscribe", inWeChat, ""); w.Code != http.StatusOK {
			t.Fatalf("view %d: %d", i, w.Code)
		}
	}
	if f.registered.asks != 1 {
		t.Errorf("the database was asked %d times", f.registered.asks)
	}
}

func TestWhatCouldNotBeHadIsNotAskedForByEveryViewAndIsHadWhenItIsBack(t *testing.T) {
	away := errors.New("away")
	for name, c := range map[string]struct {
		fail func(f *consentFixture, err error)
		asks func(f *consentFixture) int
	}{
		"list":   {func(f *consentFixture, err error) { f.registered.err = err }, func(f *consentFixture) int { return f.registered.asks }},
		"ticket": {func(f *consentFixture, err error) { f.signer.err = err }, func(f *consentFixture) int { return len(f.signer.pages) }},
	} {
		t.Run(name, func(t *testing.T) {
			f := newConsentPage(t)
			c.fail(f, away)
			gone, leave := context.WithCancel(t.Context())
			leave()
			r := httptest.NewRequestWithContext(gone, http.MethodGet, "/h5/subscribe", nil)
			r.Header.Set("User-Agent", inWeChat)
			f.ServeHTTP(httptest.NewRecorder(), r) // who hangs up says nothing of us
			before := c.asks(f)
			for range 100 {
				if w := f.get("/h5/subscribe", inWeChat, ""); w.Code != http.StatusServiceUnavailable {
					t.Fatalf("%d", w.Code)
				}
			}
			if n := c.asks(f) - before; n != 1 {
				t.Errorf("asked %d times", n)
			}
			c.fail(f, nil)
			f.clock.add(failureKept)
			if w := f.get("/h5/subscribe", inWeChat, ""); w.Code != http.StatusOK {
				t.Errorf("it is back: %d", w.Code)
			}
		})
	}
}

func TestAnAddressBeyondMeasureIsRefused(t *testing.T) {
	f := newConsentPage(t)
	if w := f.get("/h5/subscribe?x="+strings.Repeat("a", maxPageAddress), inWeChat, ""); w.Code != http.StatusRequestURITooLong {
		t.Errorf("%d", w.Code)
	}
}
