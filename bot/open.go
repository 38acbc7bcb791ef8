package bot

import (
	"bytes"
	"crypto/subtle"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/message"
	"github.com/silenceper/wechat/v2/util"
)

// refusal is why a post is not authentic. It is counted, never told.
type refusal string

const (
	refusedMethod    refusal = "method"
	refusedSize      refusal = "size"
	refusedSignature refusal = "signature"
	refusedStale     refusal = "stale"
	refusedPlain     refusal = "plain"     // a plain post where a key is set
	refusedNoKey     refusal = "no_key"    // an encrypted post where none is
	refusedMessage   refusal = "message"   // msg_signature doesn't hold
	refusedCipher    refusal = "cipher"    // no key of ours opens it
	refusedAppID     refusal = "appid"     // it opens to another account
	refusedMalformed refusal = "malformed" // the envelope is no XML, or holds a DOCTYPE
	refusedBroken    refusal = "broken"    // the body didn't arrive whole
)

// opened is what an authentic post holds.
type opened struct {
	xml []byte
	key []byte // the key that opened it and will close the reply; nil for a plain post
}

// checkURL checks the signature over the URL's parameters, and their age.
func (c *Callback) checkURL(q url.Values) refusal {
	stamp := q.Get("timestamp")
	want := util.Signature(c.account.Token, stamp, q.Get("nonce"))
	if !same(want, q.Get("signature")) {
		return refusedSignature
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return refusedStale
	}
	if age := c.now().Sub(time.Unix(seconds, 0)); age > maxSkew || age < -maxSkew {
		return refusedStale
	}
	return ""
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// open reads a post and makes sure that WeChat wrote it. The announced size is looked at first; the body
// is read only when the URL's signature holds, so that a stranger costs us one hash.
func (c *Callback) open(r *http.Request) (opened, refusal) {
	if r.ContentLength > maxBody {
		return opened{}, refusedSize
	}
	q := r.URL.Query()
	if why := c.checkURL(q); why != "" {
		return opened{}, why
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return opened{}, refusedBroken
	}
	if len(body) > maxBody {
		return opened{}, refusedSize
	}
	envelope, err := decodeEnvelope(body)
	encrypted := err == nil && envelope.EncryptedMsg != ""
	claimsCipher := q.Get("encrypt_type") == "aes" || q.Get("msg_signature") != ""
	switch {
	case encrypted && len(c.keys) == 0:
		return opened{}, refusedNoKey
	case encrypted:
		return c.decrypt(q, envelope.EncryptedMsg)
	case len(c.keys) == 0:
		return opened{xml: body}, "" // what can't be read in it is found out later
	case err != nil && (!c.account.Compat || claimsCipher):
		return opened{}, refusedMalformed
	case !c.account.Compat || claimsCipher:
		return opened{}, refusedPlain
	}
	return opened{xml: body}, ""
}

// decrypt opens an encrypted part with the current or the previous key.
func (c *Callback) decrypt(q url.Values, cipher string) (opened, refusal) {
	want := util.Signature(c.account.Token, q.Get("timestamp"), q.Get("nonce"), cipher)
	if !same(want, q.Get("msg_signature")) {
		return opened{}, refusedMessage
	}
	raw, err := base64.StdEncoding.DecodeString(cipher)
	if err != nil {
		return opened{}, refusedCipher
	}
	why := refusedCipher
	for _, key := range c.keys {
		_, plain, appID, err := util.AESDecryptMsg(raw, key)
		if err != nil {
			continue
		}
		if same(string(appID), c.account.AppID) {
			return opened{xml: plain, key: key}, ""
		}
		why = refusedAppID // or the wrong key with a padding that fits by chance: the next key tells
	}
	return opened{}, why
}

// errDirective is what a DOCTYPE or an entity declaration in a post ends in.
var errDirective = errors.New("bot: a declaration that WeChat never sends")

// strictTokens gives a decoder raw tokens, and none that declares anything.
type strictTokens struct{ raw *xml.Decoder }

// Token gives the next token.
func (s strictTokens) Token() (xml.Token, error) {
	token, err := s.raw.RawToken()
	if _, bad := token.(xml.Directive); bad {
		return nil, errDirective
	}
	return token, err
}

func decodeEnvelope(body []byte) (message.EncryptedXMLMsg, error) {
	var envelope message.EncryptedXMLMsg
	err := xml.NewTokenDecoder(strictTokens{xml.NewDecoder(bytes.NewReader(body))}).Decode(&envelope)
	return envelope, err
}
