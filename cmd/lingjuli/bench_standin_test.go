package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/sandbox"
)

// The stand-ins of a measurement are processes of their own, as the platforms are: this same test binary, told by a
// variable what it is. They end when their standard input does.

const envStandIn = "LINGJULI_BENCH_STAND_IN"

// What a stand-in is.
const (
	standInCarrier   = "carrier"   // the sandbox: both platforms and the control door, only counting
	standInGenerator = "generator" // posts to the callback as WeChat does
	standInSink      = "sink"      // answers that it took whatever comes, and does nothing else
)

// standInDoors are the addresses that a stand-in prints on its first line.
type standInDoors struct {
	Aliyun  string `json:"aliyun"`
	WeChat  string `json:"wechat"`
	Control string `json:"control"`
}

// tally counts the answered calls for many, at a cost that is next to nothing: the sandbox's own statistics go
// through all phones.
type tally struct {
	Calls int64 `json:"calls"`
	First int64 `json:"first"` // nanoseconds of the clock
	Last  int64 `json:"last"`
}

// TestStandInOfAMeasurement is the process of a stand-in; by itself it does nothing.
func TestStandInOfAMeasurement(t *testing.T) {
	var doors standInDoors
	switch kind := os.Getenv(envStandIn); kind {
	case "":
		t.Skip("runs as a process of a measurement only")
	case standInSink:
		doors.Aliyun = standInDoor(t, http.HandlerFunc(sink))
	case standInGenerator:
		doors = generatorDoors(t)
	case standInCarrier:
		doors = carrierDoors(t)
	default:
		t.Fatalf("no stand-in %q", kind)
	}
	line, err := json.Marshal(doors)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(os.Stdout, string(line))
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func sink(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	_, _ = io.WriteString(w, `{"Code":"OK","Message":"OK","RequestId":"8E7C8C1E-5B0F-4C5B-9C0A-0A0B0C0D0E0F","BizId":"9006197469364984400^0"}`)
}

func carrierDoors(t *testing.T) standInDoors {
	carrier, err := sandbox.New(sandbox.Config{CountersOnly: true, Aliyun: benchAliyun(), WeChat: benchWeChat()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = carrier.Close() })
	var calls, first, last atomic.Int64
	gateway := carrier.AliyunHandler()
	sms := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gateway.ServeHTTP(w, r)
		if r.URL.Query().Get("Action") == "SendBatchSms" {
			now := time.Now().UnixNano()
			calls.Add(1)
			first.CompareAndSwap(0, now)
			last.Store(now)
		}
	})
	control := http.NewServeMux()
	control.Handle("/", carrier.ControlHandler())
	control.HandleFunc("GET /tally", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(tally{calls.Load(), first.Load(), last.Load()})
	})
	return standInDoors{Aliyun: standInDoor(t, sms), WeChat: standInDoor(t, carrier.WeChatHandler()), Control: standInDoor(t, control)}
}

func standInDoor(t *testing.T, h http.Handler) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(ln) }() // until the process ends
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + ln.Addr().String()
}

func benchAliyun() sandbox.AliyunConfig {
	return sandbox.AliyunConfig{
		AccessKeys: map[string]string{"bench-key": "bench-secret"}, Signs: []string{benchSign},
		Templates: []sandbox.SMSTemplate{
			{Code: "SMS_BENCH", Type: "notification", Content: benchTemplate},
			{Code: "SMS_CODE", Type: "code", Content: benchCode},
		},
		Limits: sandbox.Limits{NotificationPerDay: -1},
	}
}

func benchWeChat() sandbox.WeChatConfig {
	return sandbox.WeChatConfig{AppID: benchAppID, Secret: "bench-app-secret", Token: benchToken, AESKey: benchAESKey}
}

// standIn is a running stand-in as the measurement sees it.
type standIn struct {
	standInDoors
	b      *testing.B
	cmd    *exec.Cmd
	end    io.Closer
	client *http.Client
}

func startStandIn(b *testing.B, kind string) *standIn {
	b.Helper()
	s := &standIn{b: b, client: &http.Client{Timeout: time.Minute}, cmd: exec.Command(os.Args[0], "-test.run=^TestStandInOfAMeasurement$", "-test.timeout=0")}
	s.cmd.Env = append(os.Environ(), envStandIn+"="+kind, "GOGC=400") // its memory is not measured, its CPU is in the way
	s.cmd.Stderr = os.Stderr
	in, err := s.cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	s.end = in
	b.Cleanup(s.stop)
	lines := bufio.NewReader(out)
	line, err := lines.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &s.standInDoors)
	}
	if err != nil {
		b.Fatalf("the %s did not start: %v %q", kind, err, line)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }() // ends with the process
	return s
}

// stop ends the process; a second call does nothing.
func (s *standIn) stop() {
	if s.end == nil {
		return
	}
	_ = s.end.Close()
	s.end = nil
	if err := s.cmd.Wait(); err != nil {
		s.b.Errorf("a stand-in ended with %v", err)
	}
}

func (s *standIn) cpu() time.Duration { return processCPU(s.cmd.Process.Pid) }

// do speaks to the control door.
func (s *standIn) do(ctx context.Context, method, path string, body, into any) error {
	var send io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		send = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.Control+path, send)
	if err != nil {
		return err
	}
	res, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %d %s", path, res.StatusCode, raw)
	}
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

func (s *standIn) tell(method, path string, body any) {
	s.b.Helper()
	if err := s.do(s.b.Context(), method, path, body, nil); err != nil {
		s.b.Fatal(err)
	}
}

func (s *standIn) ask(method, path string, body, into any) {
	s.b.Helper()
	if err := s.do(s.b.Context(), method, path, body, into); err != nil {
		s.b.Fatal(err)
	}
}

func (s *standIn) tally() (n tally) {
	s.b.Helper()
	if err := s.do(s.b.Context(), http.MethodGet, "/tally", nil, &n); err != nil {
		s.b.Fatal(err)
	}
	return n
}

func (s *standIn) stats() (n sandbox.Stats) {
	s.b.Helper()
	if err := s.do(s.b.Context(), http.MethodGet, "/sandbox/stats", nil, &n); err != nil {
		s.b.Fatal(err)
	}
	return n
}

// say is what a follower types, and what the account answers.
func (s *standIn) say(ctx context.Context, openID, text string) (string, error) {
	var reply *sandbox.Reply
	err := s.do(ctx, http.MethodPost, "/sandbox/wechat/say", map[string]string{"openid": openID, "text": text}, &reply)
	if err == nil && reply == nil {
		err = errors.New("no reply")
	}
	if err != nil {
		return "", err
	}
	return reply.Text, nil
}

// lastText is the newest text to a phone, nil where there is none.
func (s *standIn) lastText(phone string) *sandbox.SMSMessage {
	s.b.Helper()
	var got struct{ Messages []sandbox.SMSMessage }
	if err := s.do(s.b.Context(), http.MethodGet, "/sandbox/sms?phone="+url.QueryEscape(phone), nil, &got); err != nil {
		s.b.Fatal(err)
	}
	if len(got.Messages) == 0 {
		return nil
	}
	return &got.Messages[len(got.Messages)-1]
}
