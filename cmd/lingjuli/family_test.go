package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// slowAccount takes messages when it is let, and says which it took.
type slowAccount struct {
	let  chan struct{}
	took chan string
}

func (a slowAccount) Say(ctx context.Context, _ register.OpenID, text string) error {
	select {
	case <-a.let:
		a.took <- text
		return nil
	case <-ctx.Done():
		return errors.New("the account never answered")
	}
}

func TestTellingNeverHoldsUpATurnAndTheEndWaitsForWhatIsOnItsWay(t *testing.T) {
	account := slowAccount{make(chan struct{}), make(chan string, 2*tellAtOnce)}
	var log strings.Builder
	tell := newTeller(account, slog.New(slog.NewTextHandler(&log, nil)))
	for range 2 * tellAtOnce { // returns at once, though nobody takes any
		tell.Tell("o5a0d0b0c-demo-00000000000001", "news")
	}
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := tell.stop(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the end did not wait: %v", err)
	}
	close(account.let)
	if err := tell.stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(account.took); n != tellAtOnce {
		t.Errorf("%d were sent, want %d: the rest is told on their next turn", n, tellAtOnce)
	}
	if strings.Contains(log.String(), "news") || strings.Contains(log.String(), "demo-0000") {
		t.Errorf("the log holds a text or an openid: %s", log.String())
	}
}
