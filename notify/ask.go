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
	listensMost   = 20 * listensAtOnce
	listenHold    = 2 * time.Minute  // for which a call that is asked for is kept from other workers
	askPatience   = 10 * time.Minute // how long nobody of a call goes on because the carrier can't be asked
	askAgain      = time.Hour        // where the last question was not answered,
	askUntil      = 96 * time.Hour   // until so long after the text went
)

// sweepSilent looks after accepted texts of which receipts are missing, as many as there is room for: a large campaign's are
// due at once.
func (w *Worker) sweepSilent(ctx context.Context) error {
	room := w.listening.room(listensMost)
	if room == 0 {
		return nil
	}
	calls, now, err := w.cfg.Store.SilentCalls(ctx, room, listenHold)
	taken := time.Now()
	for _, c := range calls {
		w.listening.start(&w.running, c.ID, func() {
			waited := time.Since(taken)
			if waited < listenHold && w.alive.Err() == nil { // after that it is somebody else's
				w.asks.say(w.alive, w.listen(w.alive, c, now.Add(waited)))
			}
		})
	}
	return err
}

// listen looks after one call: asks the carrier for those of whom no receipt came, and lets go on whose time has come. The
// error says why somebody could not be asked for.
func (w *Worker) listen(ctx context.Context, c Call, now time.Time) error {
	campaign, err := w.cfg.Store.FindCampaign(ctx, c.CampaignID)
	if err != nil {
		return err
	}
	fallAt, next := c.BegunAt.Add(campaign.Spec.FallsBackAfter()), NextAsk(c.BegunAt, now)
	if w.cfg.Looker == nil || now.Before(c.BegunAt.Add(lostAfter)) {
		return w.goOn(ctx, c, now, fallAt, next)
	}
	all, asking := w.askUnheard(ctx, c)
	switch {
	case asking == nil && all:
		next = time.Time{}
	case asking != nil && !fallAt.After(now) && w.patience.lasts(c.ID, now):
		return asking // the call comes back when its hold ends
	case asking != nil && next.IsZero() && now.Before(c.BegunAt.Add(askUntil)):
		next = now.Add(askAgain)
	}
	w.patience.ends(c.ID)
	return errors.Join(asking, w.goOn(ctx, c, now, fallAt, next))
}

// askUnheard asks the carrier for those of a call of whom no receipt came. all: it knew what became of each.
func (w *Worker) askUnheard(ctx context.Context, c Call) (all bool, err error) {
	numbers, err := w.cfg.Store.UnheardNumbers(ctx, c.ID)
	if err != nil {
		return false, err
	}
	found, err := w.ask(ctx, c, numbers, asksAtOnce, false)
	said := slices.DeleteFunc(found, func(r Report) bool { return r.Unclear })
	return len(said) == len(numbers), errors.Join(err, w.heard(ctx, said))
}

// patience remembers since when calls can't be asked about. It goes with the process: the next one has patience of its own.
type patience struct {
	mu    sync.Mutex
	since map[int64]time.Time
}

// lasts says whether to wait for the carrier yet.
func (p *patience) lasts(call int64, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.since == nil {
		p.since = map[int64]time.Time{}
	}
	since, known := p.since[call]
	if !known {
		since = now
		p.since[call] = now
	}
	return now.Sub(since) < askPatience
}

func (p *patience) ends(call int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.since, call)
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
// found is enough. The error is that of a question that was not answered; what was found beside it holds. Where as many
// were not answered as are asked at once, no more are asked.
func (w *Worker) ask(ctx context.Context, c Call, numbers []register.Phone, atOnce int, one bool) (found []Report, unanswered error) {
	out := OutID(w.cfg.Store, c.ID, c.Channel)
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	var mu sync.Mutex
	failures := 0
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, number := range numbers {
		group.Go(func() error {
			if ctx.Err() != nil {
				return nil
			}
			is, err := w.askOne(ctx, out, number, c.SignedAt)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, ErrNoMessage) || err != nil && errors.Is(context.Cause(ctx), errFound):
			case err != nil:
				unanswered = err
				if failures++; failures >= atOnce {
					end(err)
				}
			default:
				if found = append(found, is.report(out, number)); one {
					end(errFound)
				}
			}
			return nil
		})
	}
	_ = group.Wait()
	return found, unanswered
}

func (w *Worker) askOne(ctx context.Context, out string, number register.Phone, signedAt time.Time) (Found, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return w.cfg.Looker.Look(ctx, out, number, signedAt)
}
