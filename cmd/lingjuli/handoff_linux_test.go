package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/internal/store/databasetest"
	"github.com/lingjuli/lingjuli/notify"
)

// pair are two processes of a machine, as far as receipts go: one that sends, and one that stands by.
type pair struct {
	t             *testing.T
	sends, stands *handoff
	metrics       *prometheus.Registry // of the one that stands by
	sending, base string               // addresses of either
}

// named answers with its name, as the handler of receipts does.
func named(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch r.URL.Path {
		case "/refused":
			http.NotFound(w, r)
		case "/endless":
			_, _ = io.WriteString(w, name)
		default:
			w.Header().Set("Content-Length", fmt.Sprint(len(name)))
			_, _ = io.WriteString(w, name)
		}
	})
}

// newPair has who sends take connections only once that is told to.
func newPair(t *testing.T) (p *pair, takeIn func()) {
	t.Helper()
	folder := t.TempDir()
	of := func(metrics *prometheus.Registry) *handoff {
		h := newHandoff(newSeats(folder, "x", 1), os.Geteuid(), metrics)
		h.within = patience
		return h
	}
	p = &pair{t: t, metrics: prometheus.NewRegistry()}
	p.sends, p.stands = of(prometheus.NewRegistry()), of(p.metrics)
	if !p.sends.seats.Take() {
		t.Fatal("the seat is not free")
	}
	close(p.sends.sends)
	sending, standing := httptest.NewServer(p.sends.after(named("sends"))), httptest.NewServer(p.stands.after(named("stands")))
	t.Cleanup(sending.Close)
	t.Cleanup(standing.Close)
	p.sending, p.base = sending.Listener.Addr().String(), standing.Listener.Addr().String()
	return p, func() {
		s := &server{}
		s.beside("handoff", func(ctx context.Context) { p.sends.takeIn(ctx, sending.Config.Serve) })
		t.Cleanup(func() { _ = s.life.stop() })
		for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
			if to := p.stands.dial(); to != nil {
				_ = to.Close()
				return
			}
			if time.Now().After(deadline) {
				t.Fatal("nobody takes connections")
			}
		}
	}
}

// handedOff is how many connections a process says that it has given.
func handedOff(t *testing.T, metrics *prometheus.Registry) float64 {
	t.Helper()
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "lingjuli_connections_handed_off_total" {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatal("nothing is said of connections that were given")
	return 0
}

// client is one connection.
type client struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func (p *pair) connect() *client { return connectTo(p.t, p.base) }

func connectTo(t *testing.T, address string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return &client{t: t, conn: conn, in: bufio.NewReader(conn)}
}

// writes sends requests at once, without waiting for an answer.
func (c *client) writes(requests ...string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, strings.Join(requests, "")); err != nil {
		c.t.Fatal(err)
	}
}

// reads the next answer.
func (c *client) reads() (code int, text string) {
	c.t.Helper()
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return res.StatusCode, string(all)
}

func (c *client) asks(request, want string) {
	c.t.Helper()
	c.writes(request)
	if _, got := c.reads(); strings.TrimSpace(got) != want {
		c.t.Errorf("%q was answered by %q, want %q", strings.SplitN(request, "\r\n", 2)[0], got, want)
	}
}

func pushTo(path, more, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s", path, more, len(body), body)
}

func TestAConnectionThatBroughtAReceiptGoesToWhoSends(t *testing.T) {
	p, takeIn := newPair(t)
	takeIn()
	push := pushTo("/kept", "", strings.Repeat("r", 9000))
	c := p.connect()
	c.asks(push, "stands")
	for range 3 {
		c.asks(push, "sends")
	}
	for deadline := time.Now().Add(patience); handedOff(t, p.metrics) != 1; time.Sleep(time.Millisecond) { // it is counted once it is gone
		if time.Now().After(deadline) {
			t.Fatalf("%v connections were given", handedOff(t, p.metrics))
		}
	}
	other := p.connect()
	other.writes(push, push, push) // the second and third are there before the connection goes
	for i, want := range []string{"stands", "sends", "sends"} {
		if _, got := other.reads(); got != want {
			t.Errorf("answer %d is by %q, want %q", i, got, want)
		}
	}
	back := connectTo(t, p.sending)
	back.asks(push, "sends")
	back.asks(push, "sends")
}

func TestAConnectionStaysWhereItMay(t *testing.T) {
	p, takeIn := newPair(t)
	takeIn()
	refused := p.connect()
	refused.asks(pushTo("/refused", "", "r"), "404 page not found")
	refused.asks(pushTo("/endless", "", "r"), "stands") // nobody can tell where such an answer ends before its handler has
	refused.asks("POST /kept HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "stands")
	if _, err := refused.in.ReadByte(); err != io.EOF {
		t.Errorf("a connection that was to be closed is open: %v", err)
	}
	p.connect().asks("POST /kept HTTP/1.0\r\nContent-Length: 0\r\n\r\n", "stands")
	close(p.stands.sends) // the first hangs, say, and this one sends too
	both := p.connect()
	both.asks(pushTo("/kept", "", "r"), "stands")
	both.asks(pushTo("/kept", "", "r"), "stands")
	if got := handedOff(t, p.metrics); got != 0 {
		t.Errorf("%v connections were given", got)
	}
}

func TestNothingIsGivenToWhoHangsOrIsNotThere(t *testing.T) {
	p, takeIn := newPair(t)
	seat, _ := p.sends.seats.place()
	p.stands.within = 50 * time.Millisecond
	hangs, err := net.ListenUnix("unixpacket", door(seat)) // it never accepts
	if err != nil {
		t.Fatal(err)
	}
	push := pushTo("/kept", "", "r")
	c := p.connect()
	c.asks(push, "stands")
	c.asks(push, "stands")
	if p.stands.failed.Load() == 0 {
		t.Error("it was not tried")
	}
	_ = hangs.Close()
	p.stands.failed.Store(0)
	p.stands.within = patience
	c.asks(push, "stands")
	c.asks(push, "stands")
	takeIn()
	p.stands.failed.Store(time.Now().Add(time.Hour).UnixNano())
	c.asks(push, "stands") // so soon after a failure it is not tried
	p.stands.failed.Store(time.Now().Add(-handoffEvery).UnixNano())
	c.asks(push, "stands")
	c.asks(push, "sends")
}

func TestNothingIsGivenToNorTakenFromAnotherUsersProcess(t *testing.T) {
	push := pushTo("/kept", "", "r")
	t.Run("given", func(t *testing.T) {
		p, takeIn := newPair(t)
		takeIn()
		p.stands.user++
		c := p.connect()
		c.asks(push, "stands")
		c.asks(push, "stands")
	})
	t.Run("taken", func(t *testing.T) {
		p, _ := newPair(t)
		p.sends.user++
		seat, _ := p.sends.seats.place()
		ln, err := p.sends.listen(seat)
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		go func() { _, _ = ln.Accept() }()
		c := p.connect()
		c.asks(push, "stands")
		c.asks(push, "stands")
	})
}

func TestWhatIsNoConnectionIsNotTaken(t *testing.T) {
	p, takeIn := newPair(t)
	takeIn()
	for _, message := range [][]byte{nil, {}, {'c'}, []byte("cGET / HTTP/1.1\r\n\r\n")} {
		to := p.stands.dial()
		if to == nil {
			t.Fatal("nobody takes connections")
		}
		if message != nil {
			if _, err := to.Write(message); err != nil {
				t.Fatal(err)
			}
		}
		_ = to.Close()
	}
	to := p.stands.dial()
	if to == nil {
		t.Fatal("nobody takes connections any more")
	}
	file, err := os.Open(os.DevNull) // a file is passed, and is no socket
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, _, err := to.WriteMsgUnix([]byte{'c'}, syscall.UnixRights(int(file.Fd())), nil); err != nil {
		t.Fatal(err)
	}
	_ = to.Close()
	c := p.connect()
	c.asks(pushTo("/kept", "", "r"), "stands")
	c.asks(pushTo("/kept", "", "r"), "sends")
}

func TestReceiptsThatComeToAProcessThatStandsByAreAnsweredByTheOneThatSends(t *testing.T) {
	if databasetest.Server() == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("LINGJULI_TEST_POSTGRES is not set; in CI the PostgreSQL run may not be missing")
		}
		t.Skip("two processes of one installation need PostgreSQL: LINGJULI_TEST_POSTGRES names none")
	}
	t.Parallel()
	shared, err := startEmbeddedRedis(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(shared.close)
	w := settledTown(t, settled().Postgres(t), 6, with("LINGJULI_REDIS_URL=redis://"+shared.server.Addr(), "LINGJULI_SENDING_PROCESSES=1"))
	second, err := startServer(t.Context(), w.config(), roles{web: true, worker: true}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop := func() {
		if !stopped {
			stopped = true
			if err := second.stop(); err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(stop)
	w.eventually("the one that sends takes connections", func() bool {
		to := second.handoff.dial()
		if to != nil {
			_ = to.Close()
		}
		return to != nil
	})

	w.box.SetReceipts(sandbox.Receipts{Bases: []string{"http://" + second.addr + "/aliyun/town-callback"}})
	id := w.campaign("sms", "")
	w.until(id, "all texts are delivered", func(s notify.Status) bool { return s.Delivered == 6 })
	c := connectTo(t, second.addr)
	push := pushTo("/aliyun/town-callback/sms-report", "", "[]")
	before := handedOff(t, second.metrics)
	w.eventually("the connection is handed off", func() bool {
		c.asks(push, `{"code":0,"msg":"ok"}`)
		return handedOff(t, second.metrics) > before
	})
	stop() // who sends has the connection
	c.asks(push, `{"code":0,"msg":"ok"}`)
	if given := handedOff(t, w.srv.metrics); given != 0 {
		t.Errorf("the one that sends has handed off %v connections", given)
	}
}
