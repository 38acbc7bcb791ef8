package sandbox

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// receiverOfNothing is a callback that takes everything and says nothing.
func receiverOfNothing(t *testing.T) string {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("success")) }))
	t.Cleanup(web.Close)
	return web.URL
}

func TestTheControlDoorSetsAndShowsEverything(t *testing.T) {
	b := newSender(t, Config{})
	door := func(method, path, body string, want int) string {
		t.Helper()
		r := httptest.NewRequest(method, "http://127.0.0.1:9"+path, strings.NewReader(body))
		r.RemoteAddr = "127.0.0.1:5"
		w := httptest.NewRecorder()
		b.s.ControlHandler().ServeHTTP(w, r)
		if w.Code != want {
			t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		return w.Body.String()
	}
	door("POST", "/sandbox/sms/templates", `[{"code":"SMS_7","type":"notification","content":"您好${name}"},{"code":"SMS_8","type":"notification","content":"再见"}]`, 200)
	door("POST", "/sandbox/sms/templates", `{"code":"SMS_9","content":"${all}"}`, 400)
	door("POST", "/sandbox/sms/signs", `{"name":"青禾县医保"}`, 200)
	door("POST", "/sandbox/voice/templates", `{"code":"TTS_9","content":"您好"}`, 200)
	door("POST", "/sandbox/wechat/notices", `{"id":"T1","title":"提醒","long_term":true}`, 200)
	door("POST", "/sandbox/wechat/followers", `{"add":["oA"]}`, 200)
	door("POST", "/sandbox/wechat/consents", `{"openid":"oA","template":"T1","always":true}`, 200)
	door("POST", "/sandbox/wechat/callback", `{"url":"`+receiverOfNothing(t)+`"}`, 200)
	door("POST", "/sandbox/wechat/say", `{"openid":"oA","text":"喂"}`, 200)
	door("PUT", "/sandbox/receipts", `{"fail_percent":100,"fail_code":"NO_ROUTE"}`, 200)
	door("PUT", "/sandbox/faults", `[{"kind":"code","code":"isp.SYSTEM_ERROR","times":1}]`, 200)
	door("PUT", "/sandbox/faults", `[{"kind":"code"}]`, 400)
	if got := door("GET", "/sandbox/faults", "", 200); !strings.Contains(got, "isp.SYSTEM_ERROR") {
		t.Fatal(got)
	}
	if got := b.batch("SMS_7", `{"name":"张三"}`, "13800000001"); got.Code != "isp.SYSTEM_ERROR" {
		t.Fatalf("%+v", got)
	}
	b.batch("SMS_7", `{"name":"张三"}`, "13800000001")
	door("POST", "/sandbox/sms/reply", `{"phone":"13800000001","content":"好"}`, 200)
	for path, want := range map[string]string{
		"/sandbox/sms?phone=13800000001":          `"total":1`,
		"/sandbox/sms?template=SMS_7&out_id=out1": `您好张三`,
		"/sandbox/sms?out_id=other":               `"messages":[]`,
		"/sandbox/sms/counts":                     `{"13800000001":1}`,
		"/sandbox/sms/counts?least=2":             `{}`,
		"/sandbox/stats":                          `"isp.SYSTEM_ERROR":1`,
		"/sandbox/wechat/chat?openid=oA":          `喂`,
		"/sandbox/voice":                          `[]`,
		"/sandbox/wechat/counts":                  `{}`,
	} {
		if got := door("GET", path, "", 200); !strings.Contains(got, want) {
			t.Errorf("%s: %s", path, got)
		}
	}
	door("POST", "/sandbox/wechat/tokens/expire", `{"kill":true}`, 200)
	door("POST", "/sandbox/reset", ``, 200)
	if got := door("GET", "/sandbox/sms", "", 200); !strings.Contains(got, `"total":0`) {
		t.Fatal(got)
	}
	door("GET", "/sandbox/nothing", "", 404)
}
