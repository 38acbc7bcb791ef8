package bot

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/util"

	"github.com/lingjuli/lingjuli/flows/turn"
)

func TestTheAddressCheckIsAnsweredByEchostrAlone(t *testing.T) {
	f := safe(t)
	p := f.newPost("")
	p.method = http.MethodGet
	p.query.Set("echostr", "4375120948345356249")
	if w := f.send(p); w.Code != 200 || w.Body.String() != "4375120948345356249" {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
	p.query.Set("signature", strings.Repeat("0", 40))
	if w := f.send(p); w.Code != 403 || strings.Contains(w.Body.String(), "4375120948345356249") {
		t.Errorf("forged: got %d %q", w.Code, w.Body)
	}
}

func TestATextIsAnsweredInEveryMode(t *testing.T) {
	for name, account := range map[string]Account{
		"plain":  {},
		"safe":   {AESKeys: []string{testKey}},
		"compat": {AESKeys: []string{testKey}, Compat: true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, account)
			if got := f.read(f.deliver(textMessage("7001", "我的医保"))); got != "收到：我的医保" {
				t.Errorf("got %q", got)
			}
			if f.posts(resultReplied) != 1 {
				t.Error("not counted")
			}
		})
	}
}

func TestCompatModeTakesPlainPostsAndAnswersThemPlainly(t *testing.T) {
	f := newFixture(t, Account{AESKeys: []string{testKey}, Compat: true})
	f.key = ""
	if got := f.read(f.deliver(textMessage("7002", "你好"))); got != "收到：你好" {
		t.Errorf("got %q", got)
	}
}

func TestCompatModeBelievesTheEncryptedPartOverTheClearOne(t *testing.T) {
	f := newFixture(t, Account{AESKeys: []string{testKey}, Compat: true})
	p := f.newPost(textMessage("7003", "真的"))
	p.body = strings.Replace(p.body, "<Encrypt>", "<FromUserName>oSomebodyElse</FromUserName><MsgType>text</MsgType><Content>假的</Content><MsgId>1</MsgId><Encrypt>", 1)
	if got := f.read(f.send(p)); got != "收到：真的" {
		t.Errorf("got %q", got)
	}
}

func TestAPostUnderThePreviousKeyIsAnsweredUnderIt(t *testing.T) {
	f := newFixture(t, Account{AESKeys: []string{testKey, previousKey}})
	f.key = previousKey
	if got := f.read(f.deliver(textMessage("7004", "换钥匙"))); got != "收到：换钥匙" {
		t.Errorf("got %q", got)
	}
	f.key = testKey
	if got := f.read(f.deliver(textMessage("7005", "新钥匙"))); got != "收到：新钥匙" {
		t.Errorf("got %q", got)
	}
}

func TestARepliesRandomBytesAndNonceAreFresh(t *testing.T) {
	f := safe(t)
	p := f.newPost(textMessage("7006", "一"))
	first, second := f.send(p).Body.String(), f.send(p).Body.String()
	if first == second {
		t.Error("two replies are the same to the byte")
	}
	if strings.Contains(first, p.query.Get("nonce")) {
		t.Error("the request's nonce is used again")
	}
}

func TestWhatIsNotAuthenticIsRefusedAndDoesNothing(t *testing.T) {
	inner := textMessage("7100", "不该被读到")
	cases := map[string]func(p *platform) post{
		"a plain post where a key is set": func(p *platform) post {
			q := p.newPost(inner)
			q.query.Del("encrypt_type")
			q.query.Del("msg_signature")
			q.body = inner
			return q
		},
		"a plain body that says it is encrypted": func(p *platform) post { q := p.newPost(inner); q.body = inner; return q },
		"a forged URL signature": func(p *platform) post {
			q := p.newPost(inner)
			q.query.Set("signature", strings.Repeat("f", 40))
			return q
		},
		"no signature at all": func(p *platform) post { q := p.newPost(inner); q.query.Del("signature"); return q },
		"a forged msg_signature": func(p *platform) post {
			q := p.newPost(inner)
			q.query.Set("msg_signature", strings.Repeat("f", 40))
			return q
		},
		"no msg_signature":        func(p *platform) post { q := p.newPost(inner); q.query.Del("msg_signature"); return q },
		"another account's appid": func(p *platform) post { o := *p; o.appID = "wx0000000000000000"; return o.newPost(inner) },
		"a key that isn't ours":   func(p *platform) post { o := *p; o.key = strings.Repeat("C", 42) + "A"; return o.newPost(inner) },
		"a stale post": func(p *platform) post {
			o := *p
			o.now = func() time.Time { return p.now().Add(-11 * time.Minute) }
			return o.newPost(inner)
		},
		"a post from the future": func(p *platform) post {
			o := *p
			o.now = func() time.Time { return p.now().Add(11 * time.Minute) }
			return o.newPost(inner)
		},
		"a timestamp that is no number": func(p *platform) post {
			q := p.newPost(inner)
			q.query.Set("timestamp", "today")
			q.query.Set("signature", util.Signature(testToken, "today", q.query.Get("nonce")))
			return q
		},
		"4 MiB": func(p *platform) post { return p.newPost(textMessage("1", strings.Repeat("大", 4<<20/3))) },
		"one byte above the limit": func(p *platform) post {
			q := p.newPost(inner)
			q.body += strings.Repeat(" ", maxBody+1-len(q.body))
			return q
		},
		"a DOCTYPE": func(p *platform) post {
			q := p.newPost(inner)
			q.body = `<!DOCTYPE xml [<!ENTITY a "b">]>` + q.body
			return q
		},
		"an undeclared entity": func(p *platform) post {
			q := p.newPost(inner)
			q.body = strings.Replace(q.body, "<ToUserName>", "<ToUserName>&a;", 1)
			return q
		},
		"a tampered ciphertext": func(p *platform) post {
			q := p.newPost(inner)
			sealed := encryptFor(p.t, p.appID, p.key, inner)
			raw, _ := base64.StdEncoding.DecodeString(sealed)
			raw = raw[:len(raw)-32]
			sealed = base64.StdEncoding.EncodeToString(raw)
			q.body = "<xml><Encrypt>" + sealed + "</Encrypt></xml>"
			q.query.Set("msg_signature", util.Signature(testToken, q.query.Get("timestamp"), q.query.Get("nonce"), sealed))
			return q
		},
		"no XML at all": func(p *platform) post { q := p.newPost(inner); q.body = "hello"; return q },
		"an empty body": func(p *platform) post { q := p.newPost(inner); q.body = ""; return q },
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			f := safe(t)
			w := f.send(spoil(f.platform))
			if w.Code != http.StatusForbidden {
				t.Errorf("got %d %.80q", w.Code, w.Body)
			}
			if f.turner.count() != 0 {
				t.Error("a turn was made")
			}
			if strings.Contains(f.log.String(), "不该被读到") {
				t.Error("the text is in the log")
			}
		})
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	f := safe(t)
	for _, method := range []string{"PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"} {
		p := f.newPost(textMessage("1", "x"))
		p.method = method
		if w := f.send(p); w.Code != http.StatusMethodNotAllowed || f.turner.count() != 0 {
			t.Errorf("%s: got %d", method, w.Code)
		}
	}
}

func TestAPlainPostWithADoctypeIsRefused(t *testing.T) {
	f := plain(t)
	w := f.deliver(`<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + textMessage("1", "x"))
	if w.Code != 403 || f.turner.count() != 0 {
		t.Errorf("got %d", w.Code)
	}
}

func TestAnEncryptedPostWithoutAKeyIsRefused(t *testing.T) {
	f := plain(t)
	f.key = testKey
	if w := f.deliver(textMessage("1", "x")); w.Code != 403 {
		t.Errorf("got %d", w.Code)
	}
}

func TestAnOversizedPostOverARealConnectionHearsThe403(t *testing.T) {
	f := safe(t)
	server := httptest.NewServer(f.callback)
	defer server.Close()
	p := f.newPost(textMessage("1", "x"))
	for name, body := range map[string]*strings.Reader{"announced": strings.NewReader(strings.Repeat("x", 4<<20))} {
		res, err := server.Client().Post(server.URL+"?"+p.query.Encode(), "text/xml", body)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_ = res.Body.Close()
		if res.StatusCode != 403 {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
	pr := struct{ *strings.Reader }{strings.NewReader(strings.Repeat("x", 4<<20))} // no length: chunked
	req, _ := http.NewRequest("POST", server.URL+"?"+p.query.Encode(), pr)
	req.ContentLength = -1
	res, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != 403 {
		t.Errorf("chunked: %d", res.StatusCode)
	}
}

func TestAuthenticButUnreadableIsSuccessAndCounted(t *testing.T) {
	for name, inner := range map[string]string{
		"broken XML":        "<xml><FromUserName>",
		"JSON":              `{"ToUserName":"gh_97417a04a28d","MsgType":"event"}`,
		"nobody":            "<xml><ToUserName>gh_1</ToUserName><MsgType>text</MsgType></xml>",
		"a DOCTYPE inside":  `<!DOCTYPE xml [<!ENTITY a "b">]>` + textMessage("1", "&a;"),
		"an entity inside":  written("text", "<Content>&bomb;</Content><MsgId>1</MsgId>"),
		"another root":      "<html>" + testOpenID + "</html>",
		"an openid of tags": strings.Replace(textMessage("1", "x"), testOpenID, "]]>&lt;b&gt;", 1),
	} {
		t.Run(name, func(t *testing.T) {
			f := safe(t)
			if w := f.deliver(inner); w.Code != 200 || w.Body.String() != "success" {
				t.Errorf("got %d %q", w.Code, w.Body)
			}
			if f.turner.count() != 0 || f.posts(resultUnreadable) != 1 {
				t.Errorf("turns %d, counted %v", f.turner.count(), f.posts(resultUnreadable))
			}
			if strings.Contains(f.log.String(), testOpenID) {
				t.Error("the openid is in the log")
			}
		})
	}
}

func TestANumberThatCannotBeReadDoesNotCostTheMessage(t *testing.T) {
	f := safe(t)
	inner := strings.Replace(written("text", "<Content>还在</Content><MsgId>many</MsgId><bizmsgmenuid>yes</bizmsgmenuid><Location_X>?</Location_X>"), "1714112445", "soon", 1)
	if got := f.read(f.deliver(inner)); got != "收到：还在" {
		t.Errorf("got %q", got)
	}
	in := f.turner.last(t)
	if in.Kind != turn.Text || !strings.HasPrefix(in.Key, "e:") || !in.At.Equal(f.now()) {
		t.Errorf("%+v", in)
	}
}

func TestMessageTextNeverReachesTheLog(t *testing.T) {
	f := safe(t, func(o *CallbackOptions) { o.Turner = panicking{} })
	f.deliver(textMessage("1", "身份证号与病情"))
	if strings.Contains(f.log.String(), "身份证号") || strings.Contains(f.log.String(), testOpenID) {
		t.Error(f.log.String())
	}
	if !strings.Contains(f.log.String(), "panicked") {
		t.Error("the panic is not logged")
	}
}

func TestSettingsThatCannotWorkAreNamed(t *testing.T) {
	ok := Account{AppID: testAppID, Token: testToken}
	for want, account := range map[string]Account{
		"LINGJULI_WECHAT_TOKEN":   {AppID: testAppID},
		"LINGJULI_WECHAT_APP_ID":  {Token: testToken},
		"LINGJULI_WECHAT_AES_KEY": {AppID: testAppID, Token: testToken, AESKeys: []string{testKey, "secretsecret"}},
	} {
		_, err := NewCallback(account, CallbackOptions{Turner: &echo{}})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secretsecret") {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := NewCallback(ok, CallbackOptions{}); err == nil {
		t.Error("no turner is no error")
	}
}
