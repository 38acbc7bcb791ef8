package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/lingjuli/lingjuli/bot"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/store"
)

const countWithin = 2 * time.Second // of the ten that a message may take

// countedMessenger says things outside a reply and counts them in the person's window of customer messages, so that campaigns and
// workers' answers know what is left of it. It counts first: killed in between, one too few is left, which harms nobody. What
// can't be counted is said all the same.
type countedMessenger struct {
	by    bot.Messenger
	store *store.Store
	log   *slog.Logger
}

func (s *server) counted() countedMessenger { return countedMessenger{s.wechat, s.store, s.log} }

// Say implements bot.Messenger.
func (c countedMessenger) Say(ctx context.Context, to register.OpenID, text string) error {
	counting, cancel := context.WithTimeout(ctx, countWithin)
	defer cancel()
	if err := c.store.SpendCustomerMessage(counting, to, time.Now()); err != nil {
		c.log.Warn("a customer message is not counted", "openid", to, "error", err)
	}
	return c.by.Say(ctx, to, text)
}
