package sandbox

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"hash/maphash"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const acs3Algorithm = "ACS3-HMAC-SHA256"

// stampLayout is the only form of a Timestamp: ISO 8601, UTC, to the second.
const stampLayout = "2006-01-02T15:04:05Z"

// admitRPC checks a call signed by HMAC-SHA1 in its parameters.
func (c *carrier) admitRPC(q *rpcCall, method string) *refusal {
	q.action, q.version, q.nonce = q.get("Action"), q.get("Version"), q.get("SignatureNonce")
	for _, name := range []string{"Action", "Version", "AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp"} {
		if q.get(name) == "" {
			return missing(name)
		}
	}
	if no := q.known(); no != nil {
		return no
	}
	if q.get("SignatureMethod") != "HMAC-SHA1" || q.get("SignatureVersion") != "1.0" {
		return gateway(http.StatusBadRequest, "InvalidParameter.SignatureMethod", "Specified SignatureMethod or SignatureVersion is not supported.")
	}
	secret, no := c.secret(q.get("AccessKeyId"), q.get("Timestamp"))
	if no != nil {
		return no
	}
	if subtle.ConstantTimeCompare([]byte(rpcSignature(method, q.values, secret)), []byte(q.get("Signature"))) != 1 {
		return gateway(http.StatusBadRequest, "SignatureDoesNotMatch",
			"Specified signature is not matched with our calculation. server string to sign is:"+rpcStringToSign(method, q.values))
	}
	return nil
}

// secret looks up a key and judges the request's time.
func (c *carrier) secret(id, stamp string) (string, *refusal) {
	at, err := time.Parse(stampLayout, stamp)
	if err != nil {
		return "", gateway(http.StatusBadRequest, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.")
	}
	if off := c.box.cfg.Now().Sub(at); off > c.cfg.Skew || off < -c.cfg.Skew {
		return "", gateway(http.StatusBadRequest, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
	}
	secret, ok := c.cfg.AccessKeys[id]
	if !ok {
		return "", gateway(http.StatusNotFound, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
	}
	return secret, nil
}

// writeStringToSign writes METHOD&%2F&encode(k=v&…) over every parameter but Signature. The joined text is encoded twice,
// and both times at once: a byte that stays once stays twice, and %XX becomes %25XX.
func writeStringToSign(w io.Writer, method string, values url.Values) {
	names := make([]string, 0, len(values))
	for name, v := range values {
		if name != "Signature" && len(v) > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	e := twiceEncoder{w: w, buf: make([]byte, 0, 4096)}
	e.buf = append(append(e.buf, method...), "&%2F&"...)
	for i, name := range names {
		if i > 0 {
			e.buf = append(e.buf, "%26"...)
		}
		e.write(name)
		e.buf = append(e.buf, "%3D"...)
		e.write(values[name][0])
	}
	_, _ = w.Write(e.buf)
}

// rpcStringToSign is the whole text, for the answer to a wrong signature.
func rpcStringToSign(method string, values url.Values) string {
	var b strings.Builder
	writeStringToSign(&b, method, values)
	return b.String()
}

func rpcSignature(method string, values url.Values, secret string) string {
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	writeStringToSign(mac, method, values)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

const upperHex = "0123456789ABCDEF"

func unreserved(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '-' || b == '_' || b == '.' || b == '~'
}

// twiceEncoder percent-encodes twice into a writer, by a small buffer: the text of 100 recipients is 50 KB.
type twiceEncoder struct {
	w   io.Writer
	buf []byte
}

func (e *twiceEncoder) write(s string) {
	for i := range len(s) {
		if len(e.buf) > 4000 {
			_, _ = e.w.Write(e.buf)
			e.buf = e.buf[:0]
		}
		if b := s[i]; unreserved(b) {
			e.buf = append(e.buf, b)
		} else {
			e.buf = append(e.buf, '%', '2', '5', upperHex[b>>4], upperHex[b&15])
		}
	}
}

// percentEncode is RFC 3986's: letters, digits and -_.~ stay.
func percentEncode(s string) string {
	var out strings.Builder
	for i := range len(s) {
		if b := s[i]; unreserved(b) {
			out.WriteByte(b)
		} else {
			out.Write([]byte{'%', upperHex[b>>4], upperHex[b&15]})
		}
	}
	return out.String()
}

// admitACS3 checks a call signed by ACS3-HMAC-SHA256 in its headers, as the newer SDKs do.
func (c *carrier) admitACS3(q *rpcCall, r *http.Request, body, authorization string) *refusal {
	q.action, q.version = r.Header.Get("x-acs-action"), r.Header.Get("x-acs-version")
	q.nonce = r.Header.Get("x-acs-signature-nonce")
	for _, name := range []string{"x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"} {
		if r.Header.Get(name) == "" {
			return missing(name)
		}
	}
	if no := q.known(); no != nil {
		return no
	}
	auth, ok := parseACS3(authorization)
	if !ok || !auth.covers(r) {
		return gateway(http.StatusBadRequest, "IncompleteSignature", "The request signature does not conform to Aliyun standards.")
	}
	secret, no := c.secret(auth.credential, r.Header.Get("x-acs-date"))
	if no != nil {
		return no
	}
	sum := sha256.Sum256([]byte(body))
	if hex.EncodeToString(sum[:]) != r.Header.Get("x-acs-content-sha256") {
		return gateway(http.StatusBadRequest, "SignatureDoesNotMatch", "Specified x-acs-content-sha256 is not the hash of the body.")
	}
	toSign := acs3StringToSign(r, auth.signed)
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(toSign))
	if subtle.ConstantTimeCompare([]byte(hex.EncodeToString(mac.Sum(nil))), []byte(auth.signature)) != 1 {
		return gateway(http.StatusBadRequest, "SignatureDoesNotMatch",
			"Specified signature is not matched with our calculation. server string to sign is:"+toSign)
	}
	return nil
}

type acs3Auth struct {
	credential, signature string
	signed                []string
}

func parseACS3(header string) (acs3Auth, bool) {
	var a acs3Auth
	for part := range strings.SplitSeq(strings.TrimSpace(strings.TrimPrefix(header, acs3Algorithm)), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			a.credential = value
		case "SignedHeaders":
			a.signed = strings.Split(value, ";")
		case "Signature":
			a.signature = value
		}
	}
	return a, a.credential != "" && a.signature != "" && len(a.signed) > 0 && slices.IsSorted(a.signed)
}

// covers says whether host and every x-acs-* header is signed, as the vendor's page asks.
func (a acs3Auth) covers(r *http.Request) bool {
	if !slices.Contains(a.signed, "host") {
		return false
	}
	for name := range r.Header {
		if low := strings.ToLower(name); strings.HasPrefix(low, "x-acs-") && !slices.Contains(a.signed, low) {
			return false
		}
	}
	return true
}

func acs3StringToSign(r *http.Request, signed []string) string {
	var canonical strings.Builder
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	canonical.WriteString(r.Method + "\n" + path + "\n" + canonicalQuery(r.URL.Query()) + "\n")
	for _, name := range signed {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		canonical.WriteString(name + ":" + strings.TrimSpace(value) + "\n")
	}
	canonical.WriteString("\n" + strings.Join(signed, ";") + "\n" + r.Header.Get("x-acs-content-sha256"))
	sum := sha256.Sum256([]byte(canonical.String()))
	return acs3Algorithm + "\n" + hex.EncodeToString(sum[:])
}

func canonicalQuery(values url.Values) string {
	names := slices.Sorted(maps.Keys(values))
	pairs := make([]string, 0, len(values))
	for _, name := range names {
		for _, value := range slices.Sorted(slices.Values(values[name])) {
			pairs = append(pairs, percentEncode(name)+"="+percentEncode(value))
		}
	}
	return strings.Join(pairs, "&")
}

// nonceBook remembers nonces for at least a span, in two generations of hashes so that it stays small.
type nonceBook struct {
	mu       sync.Mutex
	seed     maphash.Seed
	span     time.Duration
	turned   time.Time
	now, old map[uint64]struct{}
}

func newNonceBook(span time.Duration) *nonceBook {
	return &nonceBook{seed: maphash.MakeSeed(), span: span, now: map[uint64]struct{}{}}
}

// spend marks a nonce and says whether it was new.
func (b *nonceBook) spend(nonce string, at time.Time) bool {
	key := maphash.String(b.seed, nonce)
	b.mu.Lock()
	defer b.mu.Unlock()
	if at.Sub(b.turned) > b.span {
		b.old, b.now, b.turned = b.now, map[uint64]struct{}{}, at
	}
	if _, seen := b.now[key]; seen {
		return false
	}
	if _, seen := b.old[key]; seen {
		return false
	}
	b.now[key] = struct{}{}
	return true
}
