package notify

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lingjuli/lingjuli/internal/register"
)

// Receipts get lost: a push that is not answered in time is made three times more, and then never again. So whoever has
// none is asked for at these times after their text went (carriers report within three days); where another channel is left,
// first when they would go on to it for want of a receipt. What is answered counts as a receipt.
func asksAfter() []time.Duration {
	return []time.Duration{2 * time.Hour, 24 * time.Hour, 72 * time.Hour}
}

// NextAsk is when the carrier is asked next after the receipts of a call that began at a time; zero: never again.
func NextAsk(begun, now time.Time) time.Time {
	for _, after := range asksAfter() {
		if at := begun.Add(after); at.After(now) {
			return at
		}
	}
	return time.Time{}
}

const (
	lostAfter     = 20 * time.Minute // a receipt that hasn't come before is late, not lost: pushes are made for a quarter of an hour
	listensAtOnce = 2                // calls asked for at once: who sends has the rest of the connections
	askPatience   = 10 * time.Minute // how long nobody goes on because the carrier can't be asked
)

// listen looks after one accepted call of which receipts are missing.
func (w *Worker) listen(ctx context.Context, c Call, now, taken time.Time) error {
	if c.Channel != SMS {
		return w.cfg.Store.FallBackCall(ctx, c.ID, false, time.Time{})
	}
	campaign, err := w.cfg.Store.FindCampaign(ctx, c.CampaignID)
	if err != nil {
		return err
	}
	fallAt := c.BegunAt.Add(campaign.Spec.FallsBackAfter())
	if w.cfg.Looker == nil || now.Before(c.BegunAt.Add(lostAfter)) {
		return w.goOn(ctx, c, now, fallAt, NextAsk(c.BegunAt, now))
	}
	w.listening.start(&w.running, c.ID, func() {
		waited := time.Since(taken)
		if waited < w.cfg.Lease && w.alive.Err() == nil { // after that it is somebody else's
			w.looks.say(w.alive, w.askUnheard(w.alive, c, now.Add(waited), fallAt))
		}
	})
	return nil
}

// askUnheard asks the carrier for those of a call of whom no receipt came, and lets go on whose time has come.
func (w *Worker) askUnheard(ctx context.Context, c Call, now, fallAt time.Time) error {
	numbers, err := w.cfg.Store.UnheardNumbers(ctx, c.ID)
	if err != nil {
		return err
	}
	found, asking := w.ask(ctx, c, numbers, asksAtOnce, false)
	said := slices.DeleteFunc(found, func(r Report) bool { return r.Unclear })
	if err := w.heard(ctx, said); err != nil {
		return err
	}
	w.asks.say(ctx, asking)
	if asking != nil && !fallAt.After(now) && now.Before(fallAt.Add(askPatience)) {
		return nil // the call comes back when its hold ends
	}
	next := time.Time{}
	if len(said) < len(numbers) {
		next = NextAsk(c.BegunAt, now)
	}
	return w.goOn(ctx, c, now, fallAt, next)
}

// heard applies what a carrier answered as receipts.
func (w *Worker) heard(ctx context.Context, said []Report) error {
	if len(said) == 0 {
		return nil
	}
	return w.cfg.Store.ApplyFound(ctx, said, Judge)
}

// goOn moves on those of an accepted call of whom nothing was heard until fallAt, and says when to come back to the others.
func (w *Worker) goOn(ctx context.Context, c Call, now, fallAt, next time.Time) error {
	if !fallAt.After(now) {
		return w.cfg.Store.FallBackCall(ctx, c.ID, false, next)
	}
	if next.IsZero() || fallAt.Before(next) {
		next = fallAt
	}
	return w.cfg.Store.WakeAccepted(ctx, c.ID, next)
}

// errFound ends the questions about a call: one member who was found is enough.
var errFound = errors.New("the platform has the call")

// ask asks for members of a call, and gives what the platform knows of those that it has, as receipts. one: the first that is
// found is enough. The error is that of a question that was not answered; what was found beside it holds.
func (w *Worker) ask(ctx context.Context, c Call, numbers []register.Phone, atOnce int, one bool) (found []Report, err error) {
	out := OutID(w.cfg.Store, c.ID, c.Channel)
	var mu sync.Mutex
	group, asking := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, number := range numbers {
		group.Go(func() error {
			if asking.Err() != nil {
				return asking.Err()
			}
			is, err := w.askOne(asking, out, number, c.SignedAt)
			switch {
			case errors.Is(err, ErrNoMessage):
				return nil
			case err != nil:
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			found = append(found, is.report(out, number))
			if one {
				return errFound
			}
			return nil
		})
	}
	if err = group.Wait(); errors.Is(err, errFound) {
		err = nil
	}
	return found, err
}

func (w *Worker) askOne(ctx context.Context, out string, number register.Phone, signedAt time.Time) (Found, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return w.cfg.Looker.Look(ctx, out, number, signedAt)
}
