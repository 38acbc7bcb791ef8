package aliyun

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// percentEncode is RFC 3986's, as https://help.aliyun.com/document_detail/28839.html describes it.
func percentEncode(s string) string {
	return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(url.QueryEscape(s))
}

// rpcSignature computes what a request of these parameters must be signed with.
func rpcSignature(method, secret string, params url.Values) string {
	var pairs []string
	for k, v := range params {
		if k != "Signature" {
			pairs = append(pairs, percentEncode(k)+"="+percentEncode(v[0]))
		}
	}
	sort.Strings(pairs)
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	_, _ = io.WriteString(mac, method+"&%2F&"+percentEncode(strings.Join(pairs, "&")))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// simulator is the platform as far as these tests need it: it verifies, records, and answers as told.
type simulator struct {
	*httptest.Server
	t       *testing.T
	answers func(action string, form url.Values) (status int, body string)

	mu     sync.Mutex
	raw    []string // URL and body, as they came
	seen   []url.Values
	queues []url.Values // the URL's share alone
	nonces map[string]bool
}

func newSimulator(t *testing.T, answers func(string, url.Values) (int, string)) *simulator {
	s := &simulator{t: t, answers: answers, nonces: map[string]bool{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func saying(status int, body string) func(string, url.Values) (int, string) {
	return func(string, url.Values) (int, string) { return status, body }
}

func (s *simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, err := url.ParseQuery(string(body))
	if err != nil || r.Method != http.MethodPost {
		s.t.Errorf("request is %s with %q", r.Method, body)
	}
	for k, v := range r.URL.Query() {
		form[k] = v
	}
	for k, want := range map[string]string{
		"Version": "2017-05-25", "Format": "JSON", "AccessKeyId": "testid", "SignatureMethod": "HMAC-SHA1",
		"SignatureVersion": "1.0", "RegionId": "cn-shenzhen",
	} {
		if form.Get(k) != want {
			s.t.Errorf("%s is %q", k, form.Get(k))
		}
	}
	s.mu.Lock()
	s.raw = append(s.raw, r.URL.String()+"\n"+string(body))
	s.seen = append(s.seen, form)
	s.queues = append(s.queues, r.URL.Query())
	used := s.nonces[form.Get("SignatureNonce")]
	s.nonces[form.Get("SignatureNonce")] = true
	s.mu.Unlock()
	var status int
	var answer string
	switch {
	case form.Get("Signature") != rpcSignature(r.Method, "testsecret", form):
		status, answer = http.StatusBadRequest, `{"Code":"SignatureDoesNotMatch","Message":"server string to sign is:POST&secret","RequestId":"R"}`
	case used:
		status, answer = http.StatusBadRequest, `{"Code":"SignatureNonceUsed","Message":"Specified signature nonce was used already.","RequestId":"R"}`
	default:
		status, answer = s.answers(form.Get("Action"), form)
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer)
}

func (s *simulator) requests() []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]url.Values(nil), s.seen...)
}

// account is an account at the given address.
func account(t *testing.T, endpoint string) *SMS {
	t.Helper()
	s, err := New(Config{
		AccessKeyID: "testid", AccessKeySecret: "testsecret", Endpoint: endpoint, SignName: "【零距离】",
		Now: func() time.Time { return time.Date(2026, 11, 23, 4, 20, 0, 0, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// call makes a call of a campaign to n people.
func call(n int) notify.Outgoing {
	c := notify.Outgoing{
		ID: 7, OutID: "abc.def", Channel: notify.SMS, Kind: notify.PremiumReminder,
		Template: notify.Template{Key: "due", SMS: &notify.SMSTemplate{Code: "SMS_1001"}},
	}
	for i := range n {
		c.Members = append(c.Members, notify.Member{
			PersonID: int64(i + 1),
			Phone:    register.Phone("1380000" + string([]byte{'0' + byte(i/1000%10), '0' + byte(i/100%10), '0' + byte(i/10%10), '0' + byte(i%10)})),
			Params:   map[string]string{"name": "张*三 ~+&=", "deadline": "12月31日"},
		})
	}
	return c
}

func present(t *testing.T, s *SMS, c notify.Outgoing) notify.Answer {
	t.Helper()
	r, err := s.Sign(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r.Present(t.Context())
}

const accepted = `{"Message":"OK","RequestId":"F655A8D5-B967-440B-8683-DAD6FF8DE990","Code":"OK","BizId":"900619746936498440^0"}`
