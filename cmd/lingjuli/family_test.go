package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
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

// noted counts what was noted as told.
type noted chan int64

func (n noted) ProxyTold(_ context.Context, proxyID int64, _ bool, _ register.ProxyState, _ time.Time) error {
	n <- proxyID
	return nil
}

func (n noted) LossTold(context.Context, register.OpenID) error {
	n <- lossNoted
	return nil
}

const lossNoted = -1

func TestWhatTheAccountRefusedIsNotNotedAsTold(t *testing.T) {
	account, told := slowAccount{make(chan struct{}), make(chan string, 2)}, make(noted, 2)
	tell := newTeller(refusing{account}, told, slog.New(slog.DiscardHandler))
	tell.Tell(turn.Telling{To: "o-1", Text: "news", News: register.ProxyNews{Proxy: register.Proxy{ID: 7}}})
	if err := tell.stop(t.Context()); err != nil || len(told) != 0 {
		t.Errorf("%d were noted: %v", len(told), err)
	}
}

// refusing is an account that takes nothing.
type refusing struct{ slowAccount }

func (refusing) Say(context.Context, register.OpenID, string) error { return errors.New("45015") }

func TestTellingNeverHoldsUpATurnAndTheEndWaitsForWhatIsOnItsWay(t *testing.T) {
	account := slowAccount{make(chan struct{}), make(chan string, 2*tellAtOnce)}
	var log strings.Builder
	told := make(noted, 2*tellAtOnce)
	tell := newTeller(account, told, slog.New(slog.NewTextHandler(&log, nil)))
	for range 2 * tellAtOnce { // returns at once, though nobody takes any
		tell.Tell(turn.Telling{To: "o5a0d0b0c-demo-00000000000001", Text: "news", News: register.ProxyNews{Proxy: register.Proxy{ID: 7}}})
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
	if len(told) != tellAtOnce {
		t.Errorf("%d were noted as told, want %d", len(told), tellAtOnce)
	}
	if strings.Contains(log.String(), "news") || strings.Contains(log.String(), "demo-0000") {
		t.Errorf("the log holds a text or an openid: %s", log.String())
	}
}
