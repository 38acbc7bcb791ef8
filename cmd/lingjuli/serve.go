package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/redis/go-redis/v9"

	"github.com/lingjuli/lingjuli/bot"
	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/console"
	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/notify"
	"github.com/lingjuli/lingjuli/notify/aliyun"
)

type serveCmd struct {
	Roles []string `name:"roles" default:"web,worker" placeholder:"web,worker"`
}

// Run serves until the process is told to stop.
func (c *serveCmd) Run(a *app) error {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	r, err := parseRoles(c.Roles)
	if err != nil {
		return err
	}
	if err := cfg.servable(r); err != nil {
		return err
	}
	rarelyCollect(a.getenv)
	cfg.StandBy = halfTheCores()
	srv, err := startServer(a.ctx, cfg, r, newLogger(a.stderr))
	if err != nil {
		return err
	}
	fmt.Fprintln(a.stdout, a.texts.t("serving", "URL", "http://"+srv.addr))
	<-a.ctx.Done()
	fmt.Fprintln(a.stdout, a.texts.t("stopping"))
	return srv.stop()
}

// rarelyCollect lets garbage grow to some four times what is in use, within a bound: little is in use at any moment, and
// collecting it often was a sixth of a campaign's CPU. Go's own variables win.
func rarelyCollect(getenv func(string) string) {
	const bound = 150 << 20
	if getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(bound)
	}
}

// servable finds what these roles cannot do without.
func (c config) servable(r roles) error {
	switch {
	case c.embedded() && (!r.web || !r.worker):
		return &settingError{envName("redis-url"), "must_both_roles", ""}
	case !c.WeChat.on() && !c.Aliyun.on():
		return &settingError{envName("wechat-app-id"), "must_something", ""}
	case c.Aliyun.on() && r.web && len(c.Secrets) == 0 && len(c.Aliyun.Queues) == 0:
		return &settingError{envName("callback-secret"), "must_given", ""}
	}
	return nil
}

// server is one running process with its parts.
type server struct {
	life    lifetime
	cfg     config
	roles   roles
	log     *slog.Logger
	addr    string
	store   *store.Store
	redis   redis.UniversalClient
	queue   asynq.RedisConnOpt
	wechat  *bot.Client // nil: off
	sms     *aliyun.SMS // nil: off
	voice   *aliyun.Voice
	metrics *prometheus.Registry
	seats   *seats        // nil: this process is the only one
	handoff *handoff      // nil: likewise
	closing chan struct{} // closed first, so that those who watch a page are let go
}

// startServer binds its address and starts all parts behind it.
func startServer(ctx context.Context, cfg config, r roles, log *slog.Logger) (*server, error) {
	ln, err := listen(ctx, cfg.Listen)
	if err != nil {
		return nil, err
	}
	return startServerOn(ctx, ln, cfg, r, log)
}

// startServerOn starts all parts in order; where one fails, those before it are stopped again.
func startServerOn(ctx context.Context, ln net.Listener, cfg config, r roles, log *slog.Logger) (_ *server, err error) {
	s := &server{cfg: cfg, roles: r, log: log, life: lifetime{log: log}, metrics: newRegistry(), closing: make(chan struct{})}
	defer func() {
		if err != nil {
			_ = s.life.stop()
		}
	}()
	s.addr = ln.Addr().String()
	s.cfg.reachedAt(s.addr)
	s.life.add("listener", func(context.Context) error { _ = ln.Close(); return nil }) // the web part has closed it already
	for _, start := range []func(context.Context) error{s.startProfiles, s.startStore, s.startRedis, s.startPlatforms} {
		if err := start(ctx); err != nil {
			return nil, err
		}
	}
	return s, s.startRoles(ln)
}

func (s *server) stop() error {
	close(s.closing)
	return s.life.stop()
}

func (s *server) startStore(ctx context.Context) error {
	if err := s.cfg.databaseThere(); err != nil {
		return err
	}
	if path := s.cfg.sqlitePath(); path != "" && s.cfg.embedded() {
		release, err := lockDatabase(path)
		if err != nil {
			return err
		}
		s.life.add("database lock", func(context.Context) error { release(); return nil })
	}
	st, err := readyStore(ctx, s.cfg)
	if err != nil {
		return err
	}
	s.store = st
	watchTurns(st, s.metrics)
	s.life.add("store", func(context.Context) error { return st.Close() })
	if s.cfg.sqlitePath() == "" && s.cfg.embedded() {
		release, err := st.LockAlone(ctx)
		if err != nil {
			return &saying{key: "locked", data: []any{"Path", "PostgreSQL", "Holder", "?"}, err: err}
		}
		s.life.add("database lock", func(context.Context) error { release(); return nil })
	}
	return nil
}

func (s *server) startRedis(context.Context) error {
	text := s.cfg.RedisURL
	var e *embeddedRedis
	if s.cfg.embedded() {
		var err error
		if e, err = startEmbeddedRedis(s.log); err != nil {
			return err
		}
		s.life.add("embedded redis", func(context.Context) error { e.close(); return nil })
		text = "redis://" + e.server.Addr()
	}
	options, err := redisOptions(text)
	if err != nil {
		return &settingError{envName("redis-url"), "must_redis", ""}
	}
	s.redis, s.queue = redis.NewUniversalClient(options), queueOptions(options)
	if e != nil {
		s.queue = embeddedQueue{s.queue, e.server}
	}
	s.life.add("redis client", func(context.Context) error { return s.redis.Close() })
	return nil
}

func (s *server) startPlatforms(context.Context) (err error) {
	if s.cfg.WeChat.on() {
		if s.wechat, err = newWeChat(s.cfg, s.redis, s.log, s.metrics); err != nil {
			return err
		}
	}
	if s.cfg.Aliyun.on() {
		if s.sms, err = newSMS(s.cfg); err == nil {
			s.voice, err = newVoice(s.cfg)
		}
	}
	return err
}

// startRoles starts the worker first and the doors last.
func (s *server) startRoles(ln net.Listener) error {
	bell, err := notify.NewDoorbell(s.queue, s.log)
	if err != nil {
		return err
	}
	s.life.add("doorbell", func(context.Context) error { return bell.Close() })
	turns, err := newTurns(s.cfg, s.store, bell, s.newTeller())
	if err != nil {
		return err
	}
	if s.seats = s.cfg.seats(); s.seats != nil {
		s.handoff = newHandoff(s.seats, os.Geteuid(), s.metrics)
	}
	if s.roles.worker {
		if err := s.startWorker(turns, bell); err != nil {
			return err
		}
		if s.sms != nil {
			s.beside("places", func(ctx context.Context) { tellMovedUp(ctx, s.store, turns, s.cfg.Zone, s.log) })
		}
	}
	mux := http.NewServeMux()
	addHealth(mux, checks{database: s.store.Ready, room: s.store.Writable, redis: func(ctx context.Context) error { return s.redis.Ping(ctx).Err() }}, s.metrics)
	if s.roles.web {
		if err := s.addDoors(mux, turns, bell); err != nil {
			return err
		}
	}
	panics := promauto.With(s.metrics).NewCounter(prometheus.CounterOpts{Name: "lingjuli_http_panics_total", Help: "Requests whose handler panicked."})
	w := startWeb(ln, recovered(mux, s.log, panics), s.log)
	s.life.add("web", w.stop)
	if s.handoff != nil && s.roles.web && s.roles.worker {
		s.beside("handoff", func(ctx context.Context) { s.handoff.takeIn(ctx, w.server.Serve) })
	}
	return nil
}

// newTeller is nil where the account is off.
func (s *server) newTeller() turn.Teller {
	if s.wechat == nil {
		return nil
	}
	t := newTeller(s.counted(), s.store, s.log)
	s.life.add("teller", t.stop)
	return t
}

// beside runs work in the background until its turn to stop has come.
func (s *server) beside(name string, work func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); work(ctx) }()
	s.life.add(name, func(context.Context) error { cancel(); <-done; return nil })
}

// standsBy is told when this process begins to stand by, and when it ends to: it sends campaigns from then on.
func (s *server) standsBy(begins bool) {
	if s.cfg.StandBy != nil {
		s.cfg.StandBy(begins)
	}
	if s.handoff != nil && !begins {
		close(s.handoff.sends)
	}
}

func (s *server) startWorker(turns *turn.Service, bell *notify.Doorbell) error {
	cfg := notify.WorkerConfig{
		Store: s.store, Senders: map[notify.Channel]notify.Sender{}, Replies: smsReplies{turns}, Redis: s.queue, Rules: rules(s.cfg),
		Looks: s.cfg.Looks, Validity: s.cfg.Validity, SMSQPS: s.cfg.SMSQPS, WeChat: s.cfg.WeChatQPS, Now: time.Now, Logger: s.log,
		StandBy: s.standsBy,
	}
	if s.seats != nil {
		cfg.Seat = s.seats
	}
	if s.sms != nil {
		cfg.Senders[notify.SMS], cfg.Senders[notify.Voice], cfg.Looker = s.sms, s.voice, s.sms
		cfg.Books = newReconciler(s.store, s.sms)
		if err := s.startQueues(); err != nil {
			return err
		}
	}
	if s.wechat != nil {
		sender := bot.NewSender(s.wechat)
		sender.Refusals = goneConsents{s.store, s.log}
		cfg.Senders[notify.WeChat] = sender
	}
	sayAs, err := letterText()
	if err != nil {
		return err
	}
	cfg.SayAs = sayAs
	w, err := notify.NewWorker(cfg)
	if err != nil {
		return err
	}
	// The worker outlives the signal: it is stopped in its turn, with time to write down what is under way.
	if err := w.Start(context.Background()); err != nil {
		return err
	}
	s.life.add("worker", func(context.Context) error { w.Shutdown(); return nil })
	s.beside("purge", func(ctx context.Context) { purge(ctx, s.store, s.metrics, s.log) })
	return nil
}

// addDoors mounts what strangers and staff come in by.
func (s *server) addDoors(mux *http.ServeMux, turns *turn.Service, bell *notify.Doorbell) error {
	if s.wechat != nil {
		callback, err := bot.NewCallback(
			bot.Account{AppID: s.cfg.WeChat.AppID, Token: s.cfg.WeChat.Token, AESKeys: s.cfg.WeChat.AESKeys, Compat: s.cfg.WeChat.Compat},
			bot.CallbackOptions{Turner: turns, Proofs: proofs{s.store}, Late: s.counted(), Sorry: sorry{turns, s.store}.text, Log: s.log, Metrics: s.metrics})
		if err != nil {
			return err
		}
		s.life.add("callback", callback.Shutdown)
		mux.Handle("/wechat/callback", callback)
		if err := s.addConsentPage(mux); err != nil {
			return err
		}
		s.beside("menu", s.keepMenu)
	}
	if s.sms != nil {
		receipts := aliyun.ReceiptHandler(s.cfg.Secrets, receiptSink{s.store})
		if s.handoff != nil {
			receipts = s.handoff.after(receipts)
		}
		mux.Handle("/aliyun/", receipts)
	}
	pages, err := s.newConsole(turns, bell)
	if err != nil {
		return err
	}
	mux.Handle("/console/", pages)
	mux.Handle("GET /{$}", http.RedirectHandler("/console/", http.StatusSeeOther))
	return nil
}

// keepMenu creates the account's menu where it differs, and tries again while WeChat does not answer.
func (s *server) keepMenu(ctx context.Context) {
	for pause := 2 * time.Second; ; pause = min(2*pause, 10*time.Minute) {
		changed, err := s.wechat.EnsureMenu(ctx, menuButtons(s.cfg.consentURL()))
		if err == nil {
			if changed {
				s.log.Info("the account's menu was created")
			}
			return
		}
		if ctx.Err() != nil {
			return
		}
		s.log.Warn("the account's menu could not be checked", "error", err, "again_in", pause.String())
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

func (s *server) newConsole(turns *turn.Service, bell *notify.Doorbell) (http.Handler, error) {
	service, err := staffService(s.store)
	if err != nil {
		return nil, err
	}
	inbox, err := newInbox(s.cfg, s.store, bell)
	if err != nil {
		return nil, err
	}
	family := familyDesk{s.store, inbox, turns}
	campaigns := newCampaigns(s.cfg, s.store, s.sms)
	var codes console.Codes
	if s.wechat != nil {
		codes = doorCodes{s.wechat}
	}
	return console.New(console.Config{
		Family: family, Codes: codes, Witnesses: s.store, Bindings: family,
		Staff: consoleStaff{service, s.store}, Audit: s.store, People: s.store, Regions: s.store, Counts: s.store,
		Campaigns: campaigns, Forecast: campaigns, Books: s.store, Inbox: inbox, Unreached: s.store, Sessions: s.store.StaffSessions(time.Now), PublicURL: s.cfg.PublicURL.String(),
		SignName: s.cfg.Aliyun.SignName, Location: s.cfg.Zone, Now: time.Now, Logger: s.log, Closing: s.closing,
	})
}
