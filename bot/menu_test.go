package bot

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func wantedMenu() []MenuButton {
	return []MenuButton{
		{Name: "查一查", Buttons: []MenuButton{
			{Name: "我的医保", Key: "menu:check_medical"},
			{Name: "办事指南", URL: "https://example.gov.cn/guide?a=1&b=2"},
		}},
		{Name: "找人帮忙", Key: "menu:human"},
	}
}

const wantedMenuJSON = `{"button":[{"name":"查一查","sub_button":[{"type":"click","name":"我的医保","key":"menu:check_medical"},` +
	`{"type":"view","name":"办事指南","url":"https://example.gov.cn/guide?a=1&b=2"}]},{"type":"click","name":"找人帮忙","key":"menu:human"}]}`

func TestTheMenuIsCreatedWhereItDiffersAndLeftAloneWhereNot(t *testing.T) {
	cases := map[string]struct {
		current string
		changed bool
	}{
		"none":    {`{"errcode":46003,"errmsg":"menu no exist"}`, true},
		"another": {`{"menu":{"button":[{"type":"click","name":"旧","key":"old","sub_button":[]}]}}`, true},
		"the same": {`{"menu":{"button":[{"name":"查一查","sub_button":[{"type":"click","name":"我的医保","key":"menu:check_medical","sub_button":[]},` +
			`{"type":"view","name":"办事指南","url":"https://example.gov.cn/guide?a=1&b=2","sub_button":[]}]},{"type":"click","name":"找人帮忙","key":"menu:human","sub_button":[]}],"menuid":1}}`, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFakeAPI(t)
			f.route(menuGetPath, c.current)
			changed, err := f.client(t).EnsureMenu(t.Context(), wantedMenu())
			if err != nil || changed != c.changed {
				t.Fatalf("%v %v", changed, err)
			}
			if sent := f.calls(menuCreatePath); c.changed && (len(sent) != 1 || sent[0] != wantedMenuJSON) || !c.changed && len(sent) != 0 {
				t.Errorf("sent %s", sent)
			}
		})
	}
}

func TestAMenuWeChatWouldRefuseIsNamed(t *testing.T) {
	many := make([]MenuButton, 6)
	for name, menu := range map[string][]MenuButton{
		"1 to 3":        {},
		"takes 5":       {{Name: "a", Buttons: many}},
		"takes 1 to 16": {{Name: "这个名字太长了", Key: "k"}},
		"neither key":   {{Name: "a"}},
		"third level":   {{Name: "a", Buttons: []MenuButton{{Name: "b", Buttons: []MenuButton{{Name: "c", Key: "k"}}}}}},
		"too long":      {{Name: "a", Key: strings.Repeat("k", 129)}},
	} {
		if _, err := newFakeAPI(t).client(t).EnsureMenu(t.Context(), menu); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f := newFakeAPI(t)
	f.route(menuGetPath, `{"errcode":48001,"errmsg":"api unauthorized"}`)
	if _, err := f.client(t).EnsureMenu(t.Context(), wantedMenu()); err == nil || len(f.calls(menuCreatePath)) != 0 {
		t.Errorf("got %v", err)
	}
}

func TestAQRCodeBringsItsSceneAlong(t *testing.T) {
	f := newFakeAPI(t)
	f.routes[qrPath] = func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"ticket":"gQ+/==","expire_seconds":600,"url":"http://weixin.qq.com/q/abc"}`)
	}
	c := f.client(t)
	qr, err := c.CreateQR(t.Context(), "bind_8f3a", 10*time.Minute)
	if err != nil || qr.Content != "http://weixin.qq.com/q/abc" || qr.ImageURL != qrImage+"gQ%2B%2F%3D%3D" || time.Until(qr.ExpiresAt) > 10*time.Minute {
		t.Errorf("%+v %v", qr, err)
	}
	if qr, err = c.CreateQR(t.Context(), "village_441802", 0); err != nil || !qr.ExpiresAt.IsZero() {
		t.Errorf("%+v %v", qr, err)
	}
	want := []string{
		`{"expire_seconds":600,"action_name":"QR_STR_SCENE","action_info":{"scene":{"scene_str":"bind_8f3a"}}}`,
		`{"action_name":"QR_LIMIT_STR_SCENE","action_info":{"scene":{"scene_str":"village_441802"}}}`,
	}
	if got := f.calls(qrPath); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("sent %s", got)
	}
	for _, scene := range []string{"", strings.Repeat("x", 65)} {
		if _, err := c.CreateQR(t.Context(), scene, 0); err == nil {
			t.Errorf("scene %q is taken", scene)
		}
	}
	f.route(qrPath, `{"errcode":0}`)
	if _, err := c.CreateQR(t.Context(), "a", 0); err == nil {
		t.Error("an answer without a code is a code")
	}
}
