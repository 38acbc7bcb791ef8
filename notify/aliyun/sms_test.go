package aliyun

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// The vector is the one of https://help.aliyun.com/document_detail/28839.html.
func TestTheVerifierAgreesWithTheVendorsVector(t *testing.T) {
	params, _ := url.ParseQuery("Timestamp=2016-02-23T12:46:24Z&Format=XML&AccessKeyId=testid&Action=DescribeRegions&SignatureMethod=HMAC-SHA1&SignatureNonce=3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf&Version=2014-05-26&SignatureVersion=1.0")
	if got := rpcSignature("GET", "testsecret", params); got != "OLeaidS1JvxuMvnyHOwuJ+uX5qY=" {
		t.Fatal(got)
	}
}

func TestABatchIsSignedAndKeepsPhonesOutOfTheURL(t *testing.T) {
	sim := newSimulator(t, saying(200, accepted))
	c := call(100)
	c.Members[1].Params = nil
	answer := present(t, account(t, sim.URL), c)
	if answer.Outcome != notify.Accepted || answer.ID != "900619746936498440^0" || answer.RequestID == "" || answer.Code != "OK" {
		t.Fatalf("%+v", answer)
	}
	form := sim.requests()[0]
	for k, want := range map[string]string{"Action": "SendBatchSms", "TemplateCode": "SMS_1001", "OutId": "abc.def"} {
		if form.Get(k) != want {
			t.Errorf("%s is %q", k, form.Get(k))
		}
	}
	var phones, names []string
	var params []map[string]string
	for field, into := range map[string]any{"PhoneNumberJson": &phones, "SignNameJson": &names, "TemplateParamJson": &params} {
		if err := json.Unmarshal([]byte(form.Get(field)), into); err != nil {
			t.Fatal(field, err)
		}
		if sim.queues[0].Has(field) {
			t.Errorf("%s is in the URL", field)
		}
	}
	if len(phones) != 100 || len(names) != 100 || len(params) != 100 || phones[99] != "13800000099" || names[0] != "零距离" {
		t.Errorf("%d phones, %d names, %d params", len(phones), len(names), len(params))
	}
	if params[0]["name"] != "张*三 ~+&=" || params[1] == nil {
		t.Errorf("params are %v and %v", params[0], params[1])
	}
}

func TestABatchCarriesAnExtensionNumberForEachMemberAndNoneWhereNobodyHasOne(t *testing.T) {
	sim := newSimulator(t, saying(200, accepted))
	c := call(3)
	present(t, account(t, sim.URL), c)
	c.Members[0].Extend, c.Members[2].Extend = "90998", "90999"
	present(t, account(t, sim.URL), c)
	one := call(1)
	one.Kind, one.Members[0].Extend = notify.Reply, "90998"
	present(t, account(t, sim.URL), one)
	bare, batch, single := sim.requests()[0], sim.requests()[1], sim.requests()[2]
	if bare.Has("SmsUpExtendCodeJson") || batch.Get("SmsUpExtendCodeJson") != `["90998","","90999"]` || single.Get("SmsUpExtendCode") != "90998" {
		t.Errorf("%q, %q, %q", bare.Get("SmsUpExtendCodeJson"), batch.Get("SmsUpExtendCodeJson"), single.Get("SmsUpExtendCode"))
	}
	if sim.queues[1].Has("SmsUpExtendCodeJson") {
		t.Error("the numbers are in the URL")
	}
}

func TestCodesAndRepliesGoOneByOne(t *testing.T) {
	sim := newSimulator(t, saying(200, accepted))
	s := account(t, sim.URL)
	for _, kind := range []notify.Kind{notify.Verification, notify.Reply} {
		c := call(1)
		c.Kind = kind
		r, err := s.Sign(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if r.Repeatable() != (kind == notify.Reply) {
			t.Errorf("%s: repeatable %v", kind, r.Repeatable())
		}
		if a := r.Present(t.Context()); a.Outcome != notify.Accepted {
			t.Errorf("%s: %+v", kind, a)
		}
		form := sim.requests()[len(sim.requests())-1]
		if form.Get("Action") != "SendSms" || form.Get("PhoneNumbers") != "13800000000" || form.Get("SignName") != "零距离" ||
			form.Get("OutId") != "abc.def" || !strings.Contains(form.Get("TemplateParam"), `"deadline":"12月31日"`) {
			t.Errorf("%s: %v", kind, form)
		}
	}
}

func TestATemplateWithoutVariablesSendsNoParameters(t *testing.T) {
	sim := newSimulator(t, saying(200, accepted))
	c := call(2)
	c.Members[0].Params, c.Members[1].Params = nil, nil
	present(t, account(t, sim.URL), c)
	if form := sim.requests()[0]; form.Has("TemplateParamJson") {
		t.Error(form.Get("TemplateParamJson"))
	}
}

func TestASecondPresentationIsTheSameToTheByteAndTheNonceIsSpent(t *testing.T) {
	sim := newSimulator(t, saying(200, accepted))
	before := time.Now().Add(-time.Second)
	r, err := account(t, sim.URL).Sign(t.Context(), call(3))
	if err != nil {
		t.Fatal(err)
	}
	if a := r.Present(t.Context()); a.Outcome != notify.Accepted {
		t.Fatalf("%+v", a)
	}
	if a := r.Present(t.Context()); a.Outcome != notify.Refused || a.Verdict != notify.BytesSpent || a.Code != "SignatureNonceUsed" {
		t.Fatalf("%+v", a)
	}
	if sim.raw[0] != sim.raw[1] {
		t.Errorf("presented\n%s\nand\n%s", sim.raw[0], sim.raw[1])
	}
	if got := sim.requests()[0].Get("Timestamp"); got != r.SignedAt().Format(timestampLayout) || r.SignedAt().Before(before) {
		t.Errorf("SignedAt is %s, the Timestamp %s", r.SignedAt(), got)
	}
}

func TestCallsThatARequestCannotHoldAreRefusedBeforeSigning(t *testing.T) {
	s := account(t, "http://127.0.0.1:1")
	for name, spoil := range map[string]func(*notify.Outgoing){
		"no members":      func(c *notify.Outgoing) { c.Members = nil },
		"101 members":     func(c *notify.Outgoing) { *c = call(101) },
		"two for a code":  func(c *notify.Outgoing) { c.Kind = notify.Verification },
		"a phone twice":   func(c *notify.Outgoing) { c.Members[1].Phone = c.Members[0].Phone },
		"a landline":      func(c *notify.Outgoing) { c.Members[1].Phone = "07633360000" },
		"another channel": func(c *notify.Outgoing) { c.Channel = notify.Voice },
		"no template":     func(c *notify.Outgoing) { c.Template.SMS = nil },
		"no OutID":        func(c *notify.Outgoing) { c.OutID = "" },
		"a long OutID":    func(c *notify.Outgoing) { c.OutID = strings.Repeat("x", 256) },
	} {
		c := call(2)
		spoil(&c)
		_, err := s.Sign(t.Context(), c)
		if !errors.Is(err, ErrBadCall) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "138") || strings.Contains(err.Error(), "0763") {
			t.Errorf("%s: the error shows a phone: %v", name, err)
		}
	}
}

func TestEndpointsAreHTTPSUnlessAskedOtherwise(t *testing.T) {
	for raw, want := range map[string]string{
		"":                               "https dysmsapi.aliyuncs.com",
		"dysmsapi.aliyuncs.com":          "https dysmsapi.aliyuncs.com",
		"https://dysmsapi.aliyuncs.com/": "https dysmsapi.aliyuncs.com",
		"http://127.0.0.1:18585":         "http 127.0.0.1:18585",
		"ftp://a":                        "", "http://": "", "https://a/b": "", "https://u:p@a": "", "https://a?b": "", "://": "",
	} {
		scheme, domain, err := parseEndpoint(raw, defaultEndpoint)
		if got := strings.TrimSpace(scheme + " " + domain); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", raw, got, err)
		}
	}
	for _, c := range []Config{
		{AccessKeySecret: "s", SignName: "n"},
		{AccessKeyID: "i", SignName: "n"},
		{AccessKeyID: "i", AccessKeySecret: "s"},
		{AccessKeyID: "i", AccessKeySecret: "s", SignName: "n", Endpoint: "ftp://a"},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}

// faulty answers each connection by a function on its raw bytes.
func faulty(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	t.Cleanup(func() { l.Close(); conns.Wait() })
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { defer c.Close(); answer(c) })
		}
	})
	return "http://" + l.Addr().String()
}

func readRequest(c net.Conn) {
	if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}
}

func TestAnAnswerThatIsLostIsUnknownAndNeverFailed(t *testing.T) {
	response := func(status, body string, length int) func(net.Conn) {
		return func(c net.Conn) {
			readRequest(c)
			fmt.Fprintf(c, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", status, length, body)
		}
	}
	whole := func(status, body string) func(net.Conn) { return response(status, body, len(body)) }
	for name, answer := range map[string]func(net.Conn){
		"closed after accepting": readRequest,
		"reset":                  func(c net.Conn) { readRequest(c); _ = c.(*net.TCPConn).SetLinger(0) },
		"garbage":                func(c net.Conn) { readRequest(c); io.WriteString(c, "SSH-2.0-x\r\n\r\n") },
		"truncated":              response("200 OK", accepted[:60], len(accepted)),
		"truncated JSON":         whole("200 OK", accepted[:60]),
		"empty 200":              whole("200 OK", ""),
		"null":                   whole("200 OK", "null"),
		"an object with nothing": whole("200 OK", "{}"),
		"a page":                 whole("200 OK", "<html>hello</html>"),
		"a number for a code":    whole("502 Bad Gateway", `{"Code":502}`),
		"a number in a 200":      whole("200 OK", `{"Code":502,"Message":"x"}`),
		"5xx without a code":     whole("503 Service Unavailable", "try later"),
		"5xx saying OK":          whole("500 Internal Server Error", accepted),
		"InternalError":          whole("500 Internal Server Error", `{"Code":"InternalError","Message":"x","RequestId":"r"}`),
		"ServiceUnavailable":     whole("503 Service Unavailable", `{"Code":"ServiceUnavailable"}`),
		"unlisted under 5xx":     whole("504 Gateway Timeout", `{"Code":"isp.SOMETHING"}`),
		"a redirect": func(c net.Conn) {
			readRequest(c)
			io.WriteString(c, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
		},
		"4xx without a code":      whole("403 Forbidden", "<html>blocked</html>"),
		"a body without end":      whole("200 OK", `{"Code":"OK","BizId":"`+strings.Repeat("x", answerLimit)+`"}`),
		"a code with odd letters": whole("200 OK", `{"Code":"13800000000 张三"}`),
		"an array":                whole("200 OK", `[{"Code":"OK"}]`),
	} {
		t.Run(name, func(t *testing.T) {
			a := present(t, account(t, faulty(t, answer)), call(2))
			if a.Outcome != notify.Unknown || a.Verdict != "" || a.ID != "" {
				t.Errorf("%+v", a)
			}
			discreet(t, a)
		})
	}
}

// discreet fails on anything in an answer that is personal, secret or an address.
func discreet(t *testing.T, a notify.Answer) {
	t.Helper()
	text := fmt.Sprintf("%+v", a)
	for _, secret := range []string{"1380000", "张", "testid", "testsecret", "http", "127.0.0.1", "Signature=", "dysmsapi"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q shows in %s", secret, text)
		}
	}
}

func TestAHangEndsWithTheContextAndIsUnknown(t *testing.T) {
	arrived := make(chan struct{})
	done := make(chan struct{})
	defer close(done)
	s := account(t, faulty(t, func(c net.Conn) { readRequest(c); close(arrived); <-done }))
	r, err := s.Sign(t.Context(), call(1))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	if a := r.Present(ctx); a.Outcome != notify.Unknown {
		t.Errorf("%+v", a)
	}
}

func TestAConnectionClosedAtOnceIsNeverAFailure(t *testing.T) {
	a := present(t, account(t, faulty(t, func(net.Conn) {})), call(2))
	if a.Outcome != notify.Unknown && a.Outcome != notify.NotSent { // as the race between their closing and our writing ends
		t.Errorf("%+v", a)
	}
	discreet(t, a)
}

func TestWhatNeverLeftIsNotSent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := l.Addr().String()
	l.Close()
	over, cancel := context.WithCancel(context.Background())
	cancel()
	noTLS := strings.Replace(faulty(t, func(c net.Conn) { io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }), "http:", "https:", 1)
	for name, c := range map[string]struct {
		endpoint string
		ctx      context.Context
	}{
		"dial refused":     {"http://" + refusing, context.Background()},
		"no such host":     {"http://nobody.invalid", context.Background()},
		"TLS fails":        {noTLS, context.Background()},
		"context was over": {"http://" + refusing, over},
	} {
		r, err := account(t, c.endpoint).Sign(c.ctx, call(2))
		if err != nil {
			t.Fatal(name, err)
		}
		a := r.Present(c.ctx)
		if a.Outcome != notify.NotSent || a.Verdict != notify.RetryLater || a.RetryAfter <= 0 {
			t.Errorf("%s: %+v", name, a)
		}
		discreet(t, a)
	}
}

func TestSixteenGoroutinesShareAnAccount(t *testing.T) {
	sim := newSimulator(t, saying(200, accepted))
	s := account(t, sim.URL)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 8 {
				r, err := s.Sign(context.Background(), call(5))
				if err != nil {
					t.Error(err)
					return
				}
				if a := r.Present(context.Background()); a.Outcome != notify.Accepted {
					t.Errorf("%+v", a)
				}
			}
			if _, err := s.Look(context.Background(), "x", "13800000000", time.Now()); !errors.Is(err, notify.ErrNoMessage) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(sim.nonces) < 16*9 {
		t.Errorf("%d different nonces", len(sim.nonces))
	}
}
