package aliyun

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

func TestAQueuesNameSaysWhatItHolds(t *testing.T) {
	for name, want := range map[string]string{
		"Alicom-Queue-1-SmsReport": "SmsReport", "Alicom-Queue-1-SmsUp": "SmsUp", "x-VoiceReport": "VoiceReport", "SmsReport": "", "-SmsUp": "", "a-SmsReportX": "", "": "",
	} {
		if got, err := QueueKind(name); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
}

func TestATokenIsRenewedBeforeItEnds(t *testing.T) {
	now := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	for lasts, want := range map[time.Duration]time.Duration{time.Hour: 58 * time.Minute, 2 * time.Minute: time.Minute, -time.Minute: -time.Minute} {
		if got := renewAt(now, now.Add(lasts)).Sub(now); got != want {
			t.Errorf("one of %s is renewed after %s, want %s", lasts, got, want)
		}
	}
	if got := renewAt(now, time.Time{}).Sub(now); got != 2*time.Minute {
		t.Errorf("one that says no end is renewed after %s", got)
	}
}

// queueService is one queue, in the shapes of help.aliyun.com 35138 and 101641, apart from the sandbox's.
type queueService struct {
	mu      sync.Mutex
	bodies  []string // what is left
	deleted int
	empty   string // the answer where nothing is left
	status  int
}

func (s *queueService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !strings.HasPrefix(r.Header.Get("Authorization"), "MNS STS.key:") || r.Header.Get("security-token") != "token" || r.URL.Path != "/queues/q-SmsReport/messages" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	if r.Method == http.MethodDelete {
		body, _ := io.ReadAll(r.Body)
		s.bodies = slices.DeleteFunc(s.bodies, func(b string) bool {
			return strings.Contains(string(body), "<ReceiptHandle>"+handleOf(b)+"</ReceiptHandle>")
		})
		s.deleted++
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if len(s.bodies) == 0 {
		w.WriteHeader(s.status)
		_, _ = io.WriteString(w, s.empty)
		return
	}
	_, _ = io.WriteString(w, `<?xml version="1.0"?><Messages xmlns="http://mns.aliyuncs.com/doc/v1/">`)
	for _, b := range s.bodies[:min(len(s.bodies), 16)] {
		_, _ = fmt.Fprintf(w, `<Message><MessageId>1</MessageId><ReceiptHandle>%s</ReceiptHandle><MessageBody>%s</MessageBody><DequeueCount>1</DequeueCount></Message>`, handleOf(b), b)
	}
	_, _ = io.WriteString(w, `</Messages>`)
}

func handleOf(body string) string { return fmt.Sprintf("h%x", body[:min(len(body), 20)]) }

const noMessage = `<?xml version="1.0"?><Error xmlns="http://mns.aliyuncs.com/doc/v1/"><Code>MessageNotExist</Code><Message>Message not exist.</Message></Error>`

type sinkFunc func([]notify.Report) error

func (f sinkFunc) StoreReports(_ context.Context, list []notify.Report) error { return f(list) }
func (f sinkFunc) StoreReplies(context.Context, []notify.ReplySMS) error      { return nil }

// pulling makes a puller of the service, and its client.
func pulling(t *testing.T, s *queueService, sink Sink) func() (int, error) {
	t.Helper()
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	tokens := newSimulator(t, func(action string, form url.Values) (int, string) {
		if action != "QueryTokenForMnsQueue" || form.Get("MessageType") != "SmsReport" || form.Get("QueueName") != "q-SmsReport" {
			t.Errorf("%s: %v", action, form)
		}
		return 200, `{"Code":"OK","MessageTokenDTO":{"AccessKeyId":"STS.key","AccessKeySecret":"secret","SecurityToken":"token","ExpireTime":"2026-11-23 13:00:00"}}`
	})
	q, err := NewQueues(Config{
		AccessKeyID: "testid", AccessKeySecret: "testsecret", Endpoint: tokens.URL,
		Now: func() time.Time { return time.Date(2026, 11, 23, 4, 20, 0, 0, time.UTC) },
	}, web.URL, []string{"q-SmsReport"}, sink, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	token, err := q.token(t.Context(), "q-SmsReport")
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 11, 23, 4, 58, 0, 0, time.UTC); !token.until.Equal(want) {
		t.Errorf("renewed at %s, want %s", token.until, want)
	}
	return func() (int, error) { return q.pull(t.Context(), token.client, "q-SmsReport") }
}

// The SDK's general client sets dialler and TLS of a transport on every call, which would be a race among those who share
// it; its client of queues does not. An SDK where that is otherwise fails here.
func TestQueuesArePulledAtOnceOverOneTransportThatTheSDKLeavesAlone(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, noMessage)
	}))
	t.Cleanup(web.Close)
	tokens := newSimulator(t, func(string, url.Values) (int, string) {
		return 200, `{"Code":"OK","MessageTokenDTO":{"AccessKeyId":"STS.key","AccessKeySecret":"secret","SecurityToken":"token","ExpireTime":"2026-11-23 13:00:00"}}`
	})
	names := []string{"q-SmsReport", "q-SmsUp", "q-VoiceReport"}
	q, err := NewQueues(Config{AccessKeyID: "testid", AccessKeySecret: "testsecret", Endpoint: tokens.URL, Now: time.Now}, web.URL, names,
		sinkFunc(func([]notify.Report) error { return nil }), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var dials atomic.Int32
	dial := q.carry.DialContext
	q.carry.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		dials.Add(1)
		return dial(ctx, network, address)
	}
	var pulls sync.WaitGroup
	for _, name := range names {
		token, err := q.token(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		pulls.Go(func() {
			for range 5 {
				if n, err := q.pull(t.Context(), token.client, name); n != 0 || err != nil {
					t.Errorf("%s: %d, %v", name, n, err)
				}
			}
		})
	}
	pulls.Wait()
	if dials.Load() == 0 || q.carry.TLSClientConfig != nil {
		t.Errorf("the SDK has put its own into the transport: %d dials by ours, TLS %v", dials.Load(), q.carry.TLSClientConfig)
	}
}

func TestMessagesAreDeletedOnlyAfterTheyWereKept(t *testing.T) {
	message := func(phone string) string {
		return base64.StdEncoding.EncodeToString([]byte(`{"phone_number":"` + phone + `","success":true,"err_code":"DELIVERED","out_id":"a.b","sms_size":"1"}`))
	}
	s := &queueService{bodies: []string{message("13800000001"), "!no base64", message("13800000002")}, empty: noMessage, status: 404}
	away := true
	var kept []notify.Report
	pull := pulling(t, s, sinkFunc(func(list []notify.Report) error {
		if away {
			return errors.New("the database is away")
		}
		kept = append(kept, list...)
		return nil
	}))
	if _, err := pull(); err == nil || s.deleted != 0 || len(s.bodies) != 3 {
		t.Errorf("deleted though not kept: %v", err)
	}
	away = false
	if n, err := pull(); err != nil || n != 3 || len(s.bodies) != 0 || len(kept) != 2 || kept[1].Phone != "13800000002" {
		t.Errorf("%d %v, %d left, kept %v", n, err, len(s.bodies), kept)
	}
	if n, err := pull(); err != nil || n != 0 {
		t.Errorf("an empty queue: %d %v", n, err)
	}
}

func TestAQueueThatIsNotThereIsAFaultAndNoEmptyOne(t *testing.T) {
	for name, s := range map[string]*queueService{
		"no queue": {status: 404, empty: strings.Replace(noMessage, "MessageNotExist", "QueueNotExist", 1)},
		"a page":   {status: 404, empty: "<html>not found</html>"},
		"refused":  {status: 403, empty: strings.Replace(noMessage, "MessageNotExist", "AccessDenied", 1)},
		"broken":   {status: 500, empty: ""},
	} {
		if _, err := pulling(t, s, sinkFunc(nil))(); err == nil {
			t.Errorf("%s passes for empty", name)
		} else if strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), "token") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
