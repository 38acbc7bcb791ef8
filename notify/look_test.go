package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// onFile is the one call of a look, and what the look does to it.
type onFile struct {
	Store
	numbers []register.Phone
	did     []string
	next    time.Time
}

func (o *onFile) CallNumbers(_ context.Context, _ int64, limit int) ([]register.Phone, error) {
	return o.numbers[:min(limit, len(o.numbers))], nil
}

func (o *onFile) NextLook(_ context.Context, _ int64, _ int, counted bool, at time.Time) error {
	o.did, o.next = append(o.did, fmt.Sprint("next look, counted ", counted)), at
	return nil
}

func (o *onFile) SettleCalls(_ context.Context, results []CallResult) error {
	o.did = append(o.did, "settled "+results[0].Code)
	return nil
}

func (o *onFile) ApplyFound(_ context.Context, found []Report, _ func(Campaign, string) *Halting) error {
	o.did = append(o.did, fmt.Sprint("heard of ", len(found)))
	return nil
}

func (o *onFile) RequeueCall(context.Context, int64) (int64, error) {
	o.did = append(o.did, "queued anew")
	return 0, nil
}

func (*onFile) MAC(string, string) []byte { return make([]byte, 32) }

// asked answers questions about numbers.
type asked func(ctx context.Context, number register.Phone) error

func (a asked) Look(ctx context.Context, _ string, number register.Phone, _ time.Time) (Found, error) {
	return Found{}, a(ctx, number)
}

func hasNone(context.Context, register.Phone) error { return ErrNoMessage }

func seeker(o *onFile, a asked, looks ...time.Duration) *Worker {
	return &Worker{cfg: WorkerConfig{Store: o, Looker: a, Looks: looks, Validity: 30 * time.Minute, Logger: slog.New(slog.DiscardHandler)}}
}

func TestACallThatWaitedForItsLookComesBackForItsMembersWhoMustGoOn(t *testing.T) {
	begun := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	after := func(s int) time.Time { return begun.Add(time.Duration(s) * time.Second) }
	falling := Campaign{Spec: Spec{FallbackAfter: Span(10 * time.Second)}}
	away := func(context.Context, register.Phone) error { return errors.New("the carrier is away") }
	for name, at := range map[string]struct {
		carrier    asked
		looked     int // the looks that were made
		taken, now int // seconds after the call began
		did        string
		next       int
	}{
		"the time comes before the look":           {hasNone, 0, 2, 2, "next look, counted false", 10},
		"it passed while the call waited":          {hasNone, 0, 8, 12, "next look, counted false", 10},
		"it passed while the call waited, nothing": {hasNone, 1, 8, 310, "next look, counted true", 10},
		"it passed while the call waited, no word": {away, 1, 8, 310, "next look, counted false", 10},
		"they had gone on when the call was taken": {hasNone, 0, 10, 12, "next look, counted false", 60},
		"they went on long ago, nothing is found":  {hasNone, 1, 305, 310, "next look, counted true", 1800},
	} {
		o := &onFile{numbers: []register.Phone{"13900000001"}}
		w := seeker(o, at.carrier, time.Minute, 5*time.Minute)
		c := Call{ID: 1, Channel: SMS, Size: 1, Looks: at.looked, BegunAt: begun, SignedAt: begun, PresentedAt: begun, LookedAt: begun}
		if err := w.look(t.Context(), c, falling, after(at.taken), after(at.now)); err != nil {
			t.Fatal(name, err)
		}
		if got := strings.Join(o.did, "; "); got != at.did || !o.next.Equal(after(at.next)) {
			t.Errorf("%s: %s, %s after it began; want %s, %d s", name, got, o.next.Sub(begun), at.did, at.next)
		}
	}
}

func TestAtTheLastLookEveryMemberIsAskedForSeveralAtOnce(t *testing.T) {
	var numbers []register.Phone
	for i := range 100 {
		numbers = append(numbers, register.Phone(fmt.Sprintf("139%08d", i)))
	}
	begun := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	last := Call{ID: 1, Channel: SMS, Size: len(numbers), Looks: 1, Spent: true, BegunAt: begun, SignedAt: begun, PresentedAt: begun, LookedAt: begun}
	look := func(carrier asked) *onFile {
		o := &onFile{numbers: numbers}
		now := begun.Add(time.Hour)
		if err := seeker(o, carrier, time.Minute, 5*time.Minute).look(t.Context(), last, Campaign{}, now, now); err != nil {
			t.Fatal(err)
		}
		return o
	}

	var mu sync.Mutex
	about := map[register.Phone]int{}
	waiting, together := 0, make(chan struct{})
	o := look(func(ctx context.Context, number register.Phone) error {
		mu.Lock()
		about[number]++
		if waiting++; waiting == asksAtOnce {
			close(together)
		}
		mu.Unlock()
		select { // the first questions have their answer only when all of them are asked
		case <-together:
			return ErrNoMessage
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if got := strings.Join(o.did, "; "); got != "queued anew" || len(about) != len(numbers) {
		t.Errorf("%s after questions about %d numbers", got, len(about))
	}

	o = look(func(_ context.Context, number register.Phone) error {
		if number == numbers[60] {
			return nil
		}
		return ErrNoMessage
	})
	if got := strings.Join(o.did, "; "); got != "settled found" {
		t.Errorf("where one of a hundred is found the call is %s", got)
	}

	o = look(func(_ context.Context, number register.Phone) error {
		if number == numbers[60] {
			return errors.New("the carrier is busy")
		}
		return ErrNoMessage
	})
	if got := strings.Join(o.did, "; "); got != "next look, counted false" {
		t.Errorf("where one of a hundred can't be asked for the call is %s", got)
	}
}
