package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/redis/go-redis/v9"

	"github.com/lingjuli/lingjuli/bot"
	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/flows/understand"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/locales"
	"github.com/lingjuli/lingjuli/notify"
)

// newLogger writes JSON lines. Types that hold personal data mask themselves.
func newLogger(out io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: slog.LevelInfo}))
}

func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// understanding gives the engine what the ranker found.
type understanding struct{ u *understand.Understander }

func (u understanding) Understand(text string) flows.Guess {
	r := u.u.Understand(text)
	g := flows.Guess{Intent: r.Intent, Score: r.Score}
	for _, c := range r.Candidates {
		g.Candidates = append(g.Candidates, flows.Candidate{Intent: c.Intent, Score: c.Score})
	}
	return g
}

// What is built in never changes: a process reads it once, however often it asks.
var (
	builtInFlows        = sync.OnceValues(flows.Load)
	builtInUnderstander = sync.OnceValues(understand.New)
	builtInTexts        = sync.OnceValues(locales.Load)
)

// newTurns makes the host of conversations. teller may be nil.
func newTurns(cfg config, s *store.Store, bell turn.Doorbell, teller turn.Teller) (*turn.Service, error) {
	book, err := builtInFlows()
	if err != nil {
		return nil, err
	}
	texts, err := builtInTexts()
	if err != nil {
		return nil, err
	}
	u, err := builtInUnderstander()
	if err != nil {
		return nil, err
	}
	return turn.New(turn.Config{
		Engine: flows.New(book, texts, understanding{u}), Texts: texts, Store: s, Bell: bell, Teller: teller, Zone: cfg.Zone, SubscribeURL: cfg.consentURL(),
		Calendar: cfg.Holidays.Works,
	}), nil
}

// rules are the campaign rules that the configuration sets.
func rules(cfg config) notify.Rules {
	limit, err := notify.ParseCap(cfg.Cap)
	if err != nil {
		panic(err) // the settings were checked when they were read
	}
	return notify.Rules{
		Holidays: cfg.Holidays, ReplyPool: cfg.Aliyun.ExtendCodes,
		Zone: cfg.Zone, Cap: limit, CapWait: cfg.CapWait, Signature: cfg.Aliyun.SignName, Nap: cfg.Nap,
		PriceFen: map[notify.Channel]float64{notify.SMS: cfg.SMSPrice * 100, notify.Voice: cfg.VoicePrice * 100},
	}
}

// newWeChat is the client of the account. rdb may be nil.
func newWeChat(cfg config, rdb redis.UniversalClient, log *slog.Logger, metrics prometheus.Registerer) (*bot.Client, error) {
	o := bot.ClientOptions{APIBase: cfg.WeChat.APIBase, AppID: cfg.WeChat.AppID, Secret: cfg.WeChat.AppSecret, Log: log, Metrics: metrics}
	if rdb != nil {
		o.Redis = rdb
	}
	return bot.NewClient(o)
}

// smsReplies hands a text that a person sent back to the conversation by SMS. It joins notify and flows.
type smsReplies struct{ turns turn.Turner }

func (r smsReplies) HandleReply(ctx context.Context, s notify.StoredReply) error {
	at := s.At
	if at.IsZero() {
		at = time.Now()
	}
	_, err := r.turns.Turn(ctx, turn.Inbound{
		Key: s.Key, Channel: turn.SMS,
		Who: string(s.Phone), Kind: turn.Text, Text: s.Content, To: s.DestCode, At: at,
	})
	if err != nil {
		return fmt.Errorf("reply %d: %w", s.ID, err)
	}
	return nil
}

// receiptSink keeps what the SMS platform pushes, with the time it came.
type receiptSink struct{ s *store.Store }

func (k receiptSink) StoreReports(ctx context.Context, list []notify.Report) error {
	return k.s.StoreReports(ctx, list, time.Now())
}

func (k receiptSink) StoreReplies(ctx context.Context, list []notify.ReplySMS) error {
	return k.s.StoreReplies(ctx, list, time.Now())
}

// proofs hands WeChat's word on a message to the campaigns.
type proofs struct{ s *store.Store }

func (p proofs) TakeProof(ctx context.Context, proof bot.Proof) error {
	return p.s.TakeWeChatProof(ctx, notify.WeChatProof(proof))
}

// goneConsents hears from WeChat's refusal that a consent is gone, and writes that down.
type goneConsents struct {
	s   *store.Store
	log *slog.Logger
}

func (g goneConsents) ConsentGone(ctx context.Context, who register.OpenID, templateID string) {
	if err := g.s.RefuseConsent(ctx, who, templateID, time.Now()); err != nil {
		g.log.Warn("a consent that is gone was not written down", "openid", who, "error", err)
	}
}

// purgeEvery is how often what was kept long enough goes.
const purgeEvery = time.Hour

// purge drops what was kept long enough (store.Retentions), until ctx ends, and counts it.
func purge(ctx context.Context, s *store.Store, metrics prometheus.Registerer, log *slog.Logger) {
	rows := promauto.With(metrics).NewCounterVec(prometheus.CounterOpts{
		Name: "lingjuli_purged_rows_total", Help: "Rows deleted because they had been kept long enough.",
	}, []string{"table"})
	tick := time.NewTicker(purgeEvery)
	defer tick.Stop()
	for {
		gone, err := s.Purge(ctx, time.Now())
		for table, n := range gone {
			rows.WithLabelValues(table).Add(float64(n))
		}
		if err != nil && ctx.Err() == nil {
			log.Warn("what had its time was not purged", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
