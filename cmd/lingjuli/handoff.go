package main

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// handoff gives a connection by which receipts come to the process of this machine that sends the campaigns: a push that
// comes alone to one that stands by costs twice what it costs the one that is at work. ADR 45 has the figures. Connections
// can be given where the system passes them between processes, which is Linux here; elsewhere each process keeps its own.
type handoff struct {
	seats  *seats
	user   int           // whose processes give and take
	sends  chan struct{} // closed when this process sends campaigns
	within time.Duration // how long who sends may take to say that it is there: the next push waits for it
	failed atomic.Int64  // when nobody took one, Unix nanoseconds
	given  prometheus.Counter
}

// handoffEvery is how often it is tried again where nobody takes connections, or we can't.
const handoffEvery = time.Second

func newHandoff(seats *seats, user int, metrics prometheus.Registerer) *handoff {
	return &handoff{seats: seats, user: user, sends: make(chan struct{}), within: 100 * time.Millisecond, given: promauto.With(metrics).NewCounter(prometheus.CounterOpts{
		Name: "lingjuli_connections_handed_off_total", Help: "Connections that brought a receipt and were given to the process of this machine that sends campaigns.",
	})}
}

// sending says whether this process sends campaigns.
func (h *handoff) sending() bool {
	select {
	case <-h.sends:
		return true
	default:
		return false
	}
}

// after gives a connection away once a push that came by it was kept and answered.
func (h *handoff) after(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &status{ResponseWriter: w, code: http.StatusOK}
		next.ServeHTTP(answer, r)
		whole := answer.code == http.StatusOK && w.Header().Get("Content-Length") != "" // without it an answer ends after its handler
		if !whole || r.Close || !r.ProtoAtLeast(1, 1) || h.sending() || time.Since(time.Unix(0, h.failed.Load())) < handoffEvery {
			return
		}
		if !h.give(http.NewResponseController(w)) {
			h.failed.Store(time.Now().UnixNano())
		}
	})
}

// give gives the connection of a request that was answered to whoever says that it is there. Whatever happens afterwards
// is as if the connection had broken between two pushes.
func (h *handoff) give(control *http.ResponseController) bool {
	to := h.dial()
	if to == nil || control.Flush() != nil {
		return false
	}
	defer to.Close()
	conn, buffered, err := control.Hijack()
	if err != nil {
		return false
	}
	defer conn.Close() // who took it has it all the same
	early, err := buffered.Peek(buffered.Reader.Buffered())
	if err != nil || pass(to, conn, early) != nil {
		return false
	}
	h.given.Inc()
	return true
}

// takeIn serves the connections that others hand over, from when this process has a seat until ctx ends.
func (h *handoff) takeIn(ctx context.Context, serve func(net.Listener) error) {
	select {
	case <-ctx.Done():
	case <-h.sends:
	}
	seat, ok := h.seats.place()
	for ok && ctx.Err() == nil {
		if ln, err := h.listen(seat); err == nil {
			stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
			_ = serve(ln)
			stop()
		}
		select {
		case <-ctx.Done():
		case <-time.After(handoffEvery): // who had the seat before may have the name still
		}
	}
}

// status notes an answer's status.
type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// begun is a connection of which something was read before it was handed over.
type begun struct {
	net.Conn
	early []byte
}

func (b *begun) Read(p []byte) (int, error) {
	if len(b.early) == 0 {
		return b.Conn.Read(p)
	}
	n := copy(p, b.early)
	b.early = b.early[n:]
	return n, nil
}
