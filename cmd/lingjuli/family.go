package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/lingjuli/lingjuli/bot"
	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
)

const (
	tellWithin = 10 * time.Second
	tellAtOnce = 16 // customer messages on their way at a time; what doesn't get in is told on their next turn
)

// teller sends customer messages beside the turns that ask for them. A message that WeChat refuses, as it does 48 hours
// after somebody's last word, is no loss: its row is told on their next turn.
type teller struct {
	by    bot.Messenger
	told  newsNotes
	log   *slog.Logger
	slots chan struct{}
	under sync.WaitGroup
}

// newsNotes keeps which news of proxies, and of a person they lost, somebody has heard.
type newsNotes interface {
	LossTold(ctx context.Context, openID register.OpenID) error
	ProxyTold(ctx context.Context, proxyID int64, mine bool, state register.ProxyState, at time.Time) error
}

func newTeller(by bot.Messenger, told newsNotes, log *slog.Logger) *teller {
	return &teller{by: by, told: told, log: log, slots: make(chan struct{}, tellAtOnce)}
}

// Tell implements turn.Teller.
func (t *teller) Tell(m turn.Telling) {
	select {
	case t.slots <- struct{}{}:
	default:
		return
	}
	t.under.Go(func() {
		defer func() { <-t.slots }()
		ctx, cancel := context.WithTimeout(context.Background(), tellWithin)
		defer cancel()
		if err := t.by.Say(ctx, m.To, m.Text); err != nil {
			t.log.Info("a customer message was not sent", "openid", m.To, "error", err)
			return
		}
		if err := t.note(ctx, m); err != nil {
			t.log.Info("it was not noted that somebody was told", "proxy_id", m.News.ID, "error", err)
		}
	})
}

// note keeps that somebody has heard it.
func (t *teller) note(ctx context.Context, m turn.Telling) error {
	if m.Loss != register.LossNone {
		return t.told.LossTold(ctx, m.To)
	}
	return t.told.ProxyTold(ctx, m.News.ID, m.News.Mine, m.News.State, time.Now())
}

// stop waits for those on their way.
func (t *teller) stop(ctx context.Context) error {
	done := make(chan struct{})
	go func() { defer close(done); t.under.Wait() }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// doorCodes asks WeChat for the codes of the doorstep.
type doorCodes struct{ by *bot.Client }

func (d doorCodes) CreateCode(ctx context.Context, scene string, life time.Duration) (string, error) {
	code, err := d.by.CreateQR(ctx, scene, life)
	return code.Content, err
}
