package sandbox

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestFaultsAreDrawnTheSameWayFromTheSameSeed(t *testing.T) {
	run := func(seed uint64) (string, int) {
		f := newFaults(seed)
		if err := f.set([]Fault{{Kind: FaultCloseAfterAccept, Percent: 3}, {Kind: FaultHang, Percent: 2}, {Action: "other", Kind: FaultEmpty, Percent: 95}}); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		n := 0
		for range 10_000 {
			if drawn := f.draw("SendBatchSms"); drawn != nil {
				b.WriteString(string(drawn.Kind[:2]))
				n++
			} else {
				b.WriteByte('.')
			}
		}
		return b.String(), n
	}
	a, n := run(7)
	b, _ := run(7)
	c, _ := run(8)
	if a != b || a == c || n < 430 || n > 570 {
		t.Fatalf("%d of 10000 with 5%%, repeatable %v, seed matters %v", n, a == b, a != c)
	}
}

func TestAOneShotFaultStrikesOnceAndFirst(t *testing.T) {
	f := newFaults(1)
	if err := f.set([]Fault{{Kind: FaultHang, Percent: 100}, {Kind: FaultCode, Code: "Throttling.User", Times: 1}}); err != nil {
		t.Fatal(err)
	}
	if a, b := f.draw("x"), f.draw("x"); a.Kind != FaultCode || b.Kind != FaultHang {
		t.Fatal(a, b)
	}
	if err := f.set([]Fault{{Kind: "meteor"}}); err == nil {
		t.Fatal("an unknown kind was taken")
	}
}

func TestEachFaultLooksToTheCallerAsItIsNamed(t *testing.T) {
	b := newSender(t, Config{})
	web := httptest.NewServer(b.s.AliyunHandler())
	defer web.Close()
	client := &http.Client{Timeout: 300 * time.Millisecond}
	for _, c := range []struct {
		fault Fault
		takes bool
		sees  string
	}{
		{Fault{Kind: FaultCode, Code: "isp.SYSTEM_ERROR"}, false, `200 isp.SYSTEM_ERROR`},
		{Fault{Kind: FaultCode, Code: "Throttling.User"}, false, `400 Throttling.User`},
		{Fault{Kind: FaultHTTP, Status: 503}, false, `503 `},
		{Fault{Kind: FaultHTTPAfterAccept}, true, `502 `},
		{Fault{Kind: FaultEmpty}, false, `200 `},
		{Fault{Kind: FaultEmptyAfterAccept}, true, `200 `},
		{Fault{Kind: FaultGarbageAfterAccept}, true, `200 <html>`},
		{Fault{Kind: FaultCloseBeforeAccept}, false, `EOF`},
		{Fault{Kind: FaultCloseAfterAccept}, true, `EOF`},
		{Fault{Kind: FaultHang, Seconds: 1}, false, `timeout`},
		{Fault{Kind: FaultHangAfterAccept, Seconds: 1}, true, `timeout`},
	} {
		if err := b.s.Reset(); err != nil {
			t.Fatal(err)
		}
		c.fault.Times = 1
		if err := b.s.SetFaults(c.fault); err != nil {
			t.Fatal(err)
		}
		b.n++
		form := signed("POST", "LTAI5sandbox", "very secret", b.clock.now(), c.sees+string(c.fault.Kind), one("13800000001")).Encode()
		got := seen(client, web.URL, form)
		if !strings.HasPrefix(got, c.sees) {
			t.Errorf("%s looks like %q", c.fault.Kind, got)
		}
		if taken := b.s.Stats().SMS.Recipients == 1; taken != c.takes {
			t.Errorf("%s: taken %v", c.fault.Kind, taken)
		}
		again := seen(client, web.URL, form)
		spent := c.takes || c.fault.Kind == FaultCode
		if strings.HasPrefix(again, "400 SignatureNonceUsed") != spent {
			t.Errorf("%s: the same bytes again get %q", c.fault.Kind, again)
		}
	}
}

// seen is what a caller sees: the status with the code, or how the connection ended.
func seen(client *http.Client, address, form string) string {
	resp, err := client.Post(address, "application/x-www-form-urlencoded", strings.NewReader(form))
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case err != nil:
		return "EOF"
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	_, code, ok := strings.Cut(string(body), `"Code":"`)
	if !ok {
		code = string(body)
	}
	code, _, _ = strings.Cut(code, `"`)
	return resp.Status[:4] + code
}

func TestALateCallIsTakenThoughTheCallerHasLeft(t *testing.T) {
	b := newSender(t, Config{})
	web := httptest.NewServer(b.s.AliyunHandler())
	defer web.Close()
	if err := b.s.SetFaults(Fault{Kind: FaultLateAccept, Seconds: 0.2, Times: 1}); err != nil {
		t.Fatal(err)
	}
	changed, end := b.s.watchers.watch("13800000001")
	defer end()
	form := signed("POST", "LTAI5sandbox", "very secret", b.clock.now(), "late", one("13800000001")).Encode()
	if got := seen(&http.Client{Timeout: 50 * time.Millisecond}, web.URL, form); got != "timeout" {
		t.Fatal(got)
	}
	if n := b.s.Stats().SMS.Recipients; n != 0 {
		t.Fatal("taken at once")
	}
	<-changed
}

func TestARefusedMemberRefusesTheWholeCall(t *testing.T) {
	b := newSender(t, Config{})
	if err := b.s.SetFaults(Fault{Kind: FaultRefuseMember, Phones: []string{"13800000005"}}); err != nil {
		t.Fatal(err)
	}
	if got := b.batch("SMS_1001", dueParams, phonesFrom(1, 10)...); got.Code != "isv.MOBILE_NUMBER_ILLEGAL" {
		t.Fatalf("%+v", got)
	}
	if got := b.batch("SMS_1001", dueParams, "13800000001", "13800000006"); got.Code != "OK" || b.s.Refuses("13800000001") || !b.s.Refuses("13800000005") {
		t.Fatalf("%+v", got)
	}
	if err := b.s.SetFaults(Fault{Kind: FaultRefuseMember, Percent: 10}); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, phone := range phonesFrom(1000, 1000) {
		if b.s.Refuses(phone) {
			n++
		}
	}
	if n < 60 || n > 140 {
		t.Fatalf("%d of 1000 numbers are refused with 10%%", n)
	}
}
