package bot

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/util"

	"github.com/lingjuli/lingjuli/flows/turn"
)

func FuzzDecodeEvent(f *testing.F) {
	for _, seed := range []string{textMessage("1", "x"), popupEvent(), sentEvent(), "<xml>", "", vectorMessage, `<!DOCTYPE a>` + popupEvent()} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, plain []byte) {
		ev, err := decodeEvent(plain)
		if err != nil {
			return
		}
		now := time.Unix(1_800_000_000, 0)
		if again, err := decodeEvent(plain); err != nil || again.key() != ev.key() {
			t.Fatal("the key changes")
		}
		in, ok := ev.inbound(now)
		if ok && (in.Who == "" || in.Key == "" || in.Kind == "" || in.At.IsZero() || in.At.After(now.Add(25*time.Hour))) {
			t.Fatalf("%+v", in)
		}
		if in.Kind == turn.ConsentSeen && ok && len(in.Consents) == 0 {
			t.Fatal("a consent event without consents")
		}
		ev.proofs(now)
		ev.label()
	})
}

// FuzzAuthenticPost throws at the callback what holds the signatures: nothing of it may bring it down.
func FuzzAuthenticPost(f *testing.F) {
	f.Add(textMessage("1", "x"), true)
	f.Add(vectorSealed, false)
	f.Add("<xml><Encrypt>AAAA</Encrypt></xml>", false)
	fix := safe(f)
	f.Fuzz(func(t *testing.T, content string, sealed bool) {
		fix.t = t
		p := fix.newPost(textMessage("1", "x"))
		if sealed {
			p = fix.newPost(content)
		} else {
			p.body = "<xml><Encrypt><![CDATA[" + strings.ReplaceAll(content, "]]>", "") + "]]></Encrypt></xml>"
			p.query.Set("msg_signature", util.Signature(testToken, p.query.Get("timestamp"), p.query.Get("nonce"), content))
		}
		w := fix.send(p)
		if sealed && w.Code != 200 && len(content) < maxBody/2 || w.Code != 200 && w.Code != 403 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	})
}

func FuzzForeignPost(f *testing.F) {
	f.Add("signature=1&timestamp=2&nonce=3", "<xml/>")
	fix := safe(f)
	f.Fuzz(func(t *testing.T, query, body string) {
		r := httptest.NewRequest("POST", "/wechat/callback", strings.NewReader(body))
		r.URL = &url.URL{Path: "/wechat/callback", RawQuery: query}
		w := httptest.NewRecorder()
		fix.callback.ServeHTTP(w, r)
		if w.Code != 403 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	})
}
