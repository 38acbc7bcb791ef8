package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/lingjuli/lingjuli/bot"
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
	log   *slog.Logger
	slots chan struct{}
	under sync.WaitGroup
}

func newTeller(by bot.Messenger, log *slog.Logger) *teller {
	return &teller{by: by, log: log, slots: make(chan struct{}, tellAtOnce)}
}

// Tell implements turn.Teller.
func (t *teller) Tell(to register.OpenID, text string) {
	select {
	case t.slots <- struct{}{}:
	default:
		return
	}
	t.under.Go(func() {
		defer func() { <-t.slots }()
		ctx, cancel := context.WithTimeout(context.Background(), tellWithin)
		defer cancel()
		if err := t.by.Say(ctx, to, text); err != nil {
			t.log.Info("a customer message was not sent", "openid", to, "error", err)
		}
	})
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
