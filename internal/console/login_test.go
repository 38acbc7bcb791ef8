package console_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/console"
	"github.com/lingjuli/lingjuli/internal/staff"
)

func TestStrangersAreLedToTheLoginAndBackToWhereTheyWanted(t *testing.T) {
	d := newDesk(t)
	d.add("op", staff.Operator, "")
	for _, path := range []string{
		"/console/", "/console/people", "/console/people/1", "/console/campaigns", "/console/campaigns/new",
		"/console/campaigns/1/events", "/console/audit", "/console/password", "/console/nowhere",
	} {
		if page := d.browser().get(path); !strings.HasPrefix(page.path, "/console/login") {
			t.Errorf("%s led to %s", path, page.path)
		}
	}
	for _, path := range []string{"/console/people/find", "/console/people/1/reveal", "/console/campaigns", "/console/campaigns/1/approve"} {
		if page := d.browser().post(path); page.path != "/console/login" {
			t.Errorf("POST %s led to %s", path, page.path)
		}
	}
	b := d.browser()
	if page := b.get("/console/people?region=441802"); !strings.Contains(page.body, "/console/people?region=441802") {
		t.Error("the wish is forgotten")
	}
	if page := b.post("/console/login", "name", "op", "password", password, "next", "/console/people?region=441802"); page.path != "/console/people?region=441802" {
		t.Errorf("led to %s", page.path)
	}
	for _, next := range []string{"https://evil.example/", "//evil.example/", "/console//evil.example", "/console/\\evil.example", "/other"} {
		if page := d.browser().post("/console/login", "name", "op", "password", password, "next", next); page.path != "/console/" {
			t.Errorf("next %s led to %s", next, page.path)
		}
	}
	if page := d.browser().get("/"); page.path != "/console/login" {
		t.Errorf("/ led to %s", page.path)
	}
}

func TestFiveWrongPasswordsLockTheNameForFifteenMinutes(t *testing.T) {
	d := newDesk(t)
	d.add("op", staff.Operator, "")
	b := d.browser()
	for i := 1; i <= 4; i++ {
		if page := b.post("/console/login", "name", "op", "password", "wrong"); page.status != http.StatusUnauthorized {
			t.Fatalf("try %d: %d", i, page.status)
		}
	}
	for _, p := range []string{"wrong", password} {
		if page := b.post("/console/login", "name", "op", "password", p); page.status != http.StatusTooManyRequests || !strings.Contains(page.body, "锁定") {
			t.Fatalf("%d", page.status)
		}
	}
	if d.audited("op", staff.DidLock, "") != 1 {
		t.Error("the lock is not in the audit")
	}
	d.now = d.now.Add(16 * time.Minute)
	if page := b.post("/console/login", "name", "op", "password", password); page.path != "/console/" {
		t.Errorf("after the lock: %d", page.status)
	}
}

func TestASessionEndsByLeavingByDisablingByIdlenessAndByTheDaysEnd(t *testing.T) {
	d := newDesk(t)
	m := d.add("op", staff.Operator, "")
	out := func(b *browser) bool { return strings.HasPrefix(b.get("/console/").path, "/console/login") }

	left := d.login("op")
	cookies := left.http.Jar.Cookies(must(url.Parse(d.server.URL)))
	left.post("/console/logout")
	left.http.Jar.SetCookies(must(url.Parse(d.server.URL)), cookies) // a copy of the cookie is worth nothing
	if !out(left) {
		t.Error("a session outlives leaving")
	}
	revoked, second := d.login("op"), d.login("op")
	if err := d.store.RevokeStaffSessions(t.Context(), m.ID, staff.Entry{At: d.now, Actor: "os:test", Act: "staff.revoked"}); err != nil {
		t.Fatal(err)
	}
	if !out(revoked) || !out(second) {
		t.Error("a session outlives its revocation")
	}
	busy, idle := d.login("op"), d.login("op")
	for range 3 {
		d.now = d.now.Add(30 * time.Minute)
		if out(busy) {
			t.Fatal("a busy session ended")
		}
	}
	if !out(idle) {
		t.Error("a session outlives an hour and a half of idleness")
	}
	for range 24 {
		d.now = d.now.Add(30 * time.Minute)
		if out(busy) {
			busy = nil
			break
		}
	}
	if busy != nil {
		t.Error("a session outlives the day")
	}
	disabled := d.login("op")
	if err := d.store.DisableStaff(t.Context(), m.ID, true, staff.Entry{At: d.now, Actor: "os:test", Act: "staff.disabled"}); err != nil {
		t.Fatal(err)
	}
	if !out(disabled) {
		t.Error("a session outlives its member's account")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestChangingThePasswordEndsTheOtherSessions(t *testing.T) {
	d := newDesk(t)
	d.add("op", staff.Operator, "")
	here, there := d.login("op"), d.login("op")
	for _, c := range []struct{ present, wished, again string }{
		{"wrong", "battery staple", "battery staple"}, {password, "battery staple", "battery stable"}, {password, "12345678", "12345678"}, {password, "short", "short"},
	} {
		if page := here.post("/console/password", "present", c.present, "wished", c.wished, "again", c.again); page.status != http.StatusUnprocessableEntity {
			t.Errorf("%+v: %d", c, page.status)
		}
	}
	if page := here.post("/console/password", "present", password, "wished", "battery staple", "again", "battery staple"); page.path != "/console/?done=password" {
		t.Fatalf("led to %s: %d", page.path, page.status)
	}
	if page := there.get("/console/"); page.path != "/console/login" {
		t.Error("the other session goes on")
	}
	if page := here.get("/console/"); page.path != "/console/" {
		t.Error("this session ended")
	}
}

func TestPostsFromOtherSitesAreRefused(t *testing.T) {
	d := newDesk(t)
	d.add("op", staff.Operator, "")
	b := d.login("op")
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		req := must(http.NewRequestWithContext(t.Context(), http.MethodPost, d.server.URL+"/console/people/1/reveal", strings.NewReader("")))
		req.Header.Set(name, value)
		if page := b.do(req); page.status != http.StatusForbidden {
			t.Errorf("%s %s: %d", name, value, page.status)
		}
	}
	if d.audited("op", staff.DidReveal, "") > 0 {
		t.Error("it took effect")
	}
}

func TestEveryAnswerTellsTheBrowserWhatToRefuse(t *testing.T) {
	d := newDesk(t)
	d.add("boss", staff.Admin, "")
	b := d.login("boss")
	for _, path := range []string{"/console/", "/console/login", "/console/people", "/console/people/1", "/console/campaigns", "/console/campaigns/new", "/console/audit", "/console/nowhere"} {
		page := b.get(path)
		policy := page.header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %s", path, policy)
		}
		if page.header.Get("X-Content-Type-Options") != "nosniff" || page.header.Get("Cache-Control") == "" {
			t.Errorf("%s: headers %v", path, page.header)
		}
		for _, inline := range []string{"<script>", "<style", " style=", " onclick=", "javascript:"} {
			if strings.Contains(page.body, inline) {
				t.Errorf("%s holds %s", path, inline)
			}
		}
	}
}

func TestCookiesAreOutOfReachOfScriptsAndSecureOnHTTPS(t *testing.T) {
	d := newDesk(t)
	d.add("op", staff.Operator, "")
	clock := func() time.Time { return d.now }
	handler, err := console.New(console.Config{
		Staff: d.staff, Audit: d.store, People: d.county, Regions: d.county, Counts: d.county,
		Campaigns: d.office, Forecast: d.office, Inbox: deskInbox{d.store}, Unreached: d.county, Sessions: d.store.StaffSessions(clock), PublicURL: "https://bureau.example",
		Location: time.UTC, Now: clock, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	form := strings.NewReader(url.Values{"name": {"op"}, "password": {password}}.Encode())
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/console/login", form)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, req)
	cookie := answer.Header().Get("Set-Cookie")
	for _, want := range []string{"__Host-lingjuli_session=", "HttpOnly", "Secure", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("%s lacks %s", cookie, want)
		}
	}
}

func TestABodyThatIsTooLargeIsRefused(t *testing.T) {
	d := newDesk(t)
	d.add("boss", staff.Admin, "")
	b := d.login("boss")
	if page := b.post("/console/campaigns", "do", "save", "audience_text", strings.Repeat("x", 300<<10)); page.status != http.StatusRequestEntityTooLarge {
		t.Errorf("%d", page.status)
	}
}

func TestTheLanguageIsChineseUntilTheReaderChoosesAnother(t *testing.T) {
	d := newDesk(t)
	b := d.browser()
	req := must(http.NewRequestWithContext(t.Context(), http.MethodGet, d.server.URL+"/console/login", nil))
	req.Header.Set("Accept-Language", "en-GB,en")
	if page := b.do(req); !strings.Contains(page.body, `lang="zh-Hans"`) || !strings.Contains(page.body, "登录名") {
		t.Error("the first page is not Chinese")
	}
	if page := b.post("/console/language", "lang", "en", "back", "/console/login"); !strings.Contains(page.body, "Log in") {
		t.Error("the choice has no effect")
	}
	if page := b.get("/console/login"); !strings.Contains(page.body, `<html lang="en">`) {
		t.Error("the choice is forgotten")
	}
	if page := b.post("/console/language", "lang", "xx"); page.status != http.StatusBadRequest {
		t.Errorf("an unknown language: %d", page.status)
	}
}
