package bot

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/util"
)

// The vectors V1 to V4 are WeChat's own, from
// https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
const (
	vectorMessage = `{"ToUserName":"gh_97417a04a28d","FromUserName":"o9AgO5Kd5ggOC-bXrbNODIiE3bGY","CreateTime":1714112445,"MsgType":"event","Event":"debug_demo","debug_str":"hello world"}`
	vectorSealed  = `+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04=`
	vectorReply   = `ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ==`
)

func at(seconds int64) func(*CallbackOptions) {
	return func(o *CallbackOptions) { o.Now = func() time.Time { return time.Unix(seconds, 0) } }
}

func TestV1TheAddressCheckOfTheVendorsPage(t *testing.T) {
	f := safe(t, at(1714036504))
	w := f.send(post{http.MethodGet, url.Values{
		"signature": {"f464b24fc39322e44b38aa78f5edd27bd1441696"}, "timestamp": {"1714036504"},
		"nonce": {"1514711492"}, "echostr": {"4375120948345356249"},
	}, ""})
	if w.Code != 200 || w.Body.String() != "4375120948345356249" {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
}

func TestV2ThePlainPostOfTheVendorsPage(t *testing.T) {
	f := plain(t, at(1714037059))
	w := f.send(post{http.MethodPost, url.Values{
		"signature": {"899cf89e464efb63f54ddac96b0a0a235f53aa78"}, "timestamp": {"1714037059"}, "nonce": {"486452656"},
	}, textMessage("1", "你好")})
	if got := f.read(w); got != "收到：你好" {
		t.Errorf("got %q", got)
	}
}

func TestV3TheEncryptedPostOfTheVendorsPage(t *testing.T) {
	f := safe(t, at(1714112445))
	query := url.Values{
		"signature": {"6c5c811b55cc85e0e1b54100749188c20beb3f5d"}, "timestamp": {"1714112445"}, "nonce": {"415670741"},
		"encrypt_type": {"aes"}, "msg_signature": {"046e02f8204d34f8ba5fa3b1db94908f3df2e9b3"},
	}
	body := "<xml><ToUserName>gh_97417a04a28d</ToUserName><Encrypt>" + vectorSealed + "</Encrypt></xml>"
	got, why := f.callback.open(httptest.NewRequest("POST", "/?"+query.Encode(), strings.NewReader(body)))
	if why != "" || string(got.xml) != vectorMessage {
		t.Fatalf("%q %s", why, got.xml)
	}
	if w := f.send(post{http.MethodPost, query, body}); w.Body.String() != "success" || f.posts(resultUnreadable) != 1 {
		t.Errorf("JSON in an authentic post: %q", w.Body)
	}
}

func TestV4TheReplyOfTheVendorsPage(t *testing.T) {
	sealed, err := util.EncryptMsg([]byte("707722b803182950"), []byte(`{"demo_resp":"good luck"}`), testAppID, testKey)
	if err != nil || string(sealed) != vectorReply {
		t.Errorf("%v %s", err, sealed)
	}
	if got := util.Signature(testToken, "1713424427", "415670741", vectorReply); got != "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1" {
		t.Errorf("got %s", got)
	}
	// Ours, with the vendor's random bytes in place of fresh ones.
	f := safe(t, at(1713424427), func(o *CallbackOptions) {
		o.Rand = strings.NewReader("707722b803182950" + "0123456789abcdef")
	})
	reply, err := f.callback.encrypt([]byte(`{"demo_resp":"good luck"}`), f.callback.keys[0])
	if err != nil || !strings.Contains(string(reply), "<Encrypt>"+vectorReply+"</Encrypt>") {
		t.Errorf("%v %s", err, reply)
	}
}
