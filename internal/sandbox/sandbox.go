package sandbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Config says what the sandbox stands for. Zero fields take the defaults named beside them.
type Config struct {
	Aliyun AliyunConfig
	WeChat WeChatConfig

	// Dir keeps the journal; empty keeps nothing over a restart.
	Dir string
	// CountersOnly drops texts and parameters of accepted messages, for runs of millions of recipients.
	// Counts, duplicates, receipts and QuerySendDetails stay right.
	CountersOnly bool
	// Seed makes the faults' draws repeatable.
	Seed uint64

	Now    func() time.Time // time.Now
	Log    *slog.Logger     // discards
	Client *http.Client     // for pushes; default refuses anything but loopback
	Random io.Reader        // ids and tokens; crypto/rand
}

// Sandbox is the running stand-in.
type Sandbox struct {
	cfg      Config
	ids      *idSource
	faults   *faults
	journal  *journal
	carrier  *carrier
	account  *account
	watchers *watchers

	ctx  context.Context
	stop context.CancelFunc
	work sync.WaitGroup

	mu     sync.Mutex // guards closed, and that no work begins once it is set
	closed bool
}

// New opens the sandbox and, with a Dir, reads back what was there.
func New(cfg Config) (*Sandbox, error) {
	cfg = cfg.withDefaults()
	ids, err := newIDSource(cfg.Random)
	if err != nil {
		return nil, err
	}
	s := &Sandbox{cfg: cfg, ids: ids, faults: newFaults(cfg.Seed), watchers: newWatchers()}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.carrier = newCarrier(s)
	if s.account, err = newAccount(s); err != nil {
		s.stop()
		return nil, err
	}
	if err := s.openJournal(); err != nil {
		s.stop()
		return nil, err
	}
	s.carrier.resume()
	s.begin(s.carrier.receipts.run)
	return s, nil
}

func (cfg Config) withDefaults() Config {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Client == nil {
		cfg.Client = loopbackClient()
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	cfg.Aliyun = cfg.Aliyun.withDefaults()
	cfg.WeChat = cfg.WeChat.withDefaults()
	return cfg
}

// Close ends pushes and hangs, and closes the journal. A second call does nothing.
func (s *Sandbox) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.work.Wait()
	s.cfg.Client.CloseIdleConnections()
	if s.journal == nil {
		return nil
	}
	return s.journal.close()
}

// begin runs fn until Close; it must end when its context does.
func (s *Sandbox) begin(fn func(context.Context)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.work.Go(func() { fn(s.ctx) })
}

func (s *Sandbox) openJournal() error {
	if s.cfg.Dir == "" {
		return nil
	}
	j, err := openJournal(s.cfg.Dir, s.replay)
	if err != nil {
		return fmt.Errorf("sandbox journal in %s: %w", s.cfg.Dir, err)
	}
	s.journal = j
	return nil
}

var errNotLoopback = errors.New("the sandbox speaks to loopback addresses only")

// loopbackClient follows no redirect and dials loopback alone, so that a slip in a test or a demo can't reach a
// stranger's host.
func loopbackClient() *http.Client {
	dialer := &net.Dialer{Timeout: 2 * time.Second}
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
			_ = conn.Close()
			return nil, errNotLoopback
		}
		return conn, nil
	}
	return &http.Client{
		Transport:     &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 8, IdleConnTimeout: 30 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
