package notify

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// The sweeper's times. A call that one sweeper took stays away from the others for a lease.
const (
	sweepEvery  = time.Second
	sweepBatch  = 500
	lookTimeout = 10 * time.Second
	looksAtOnce = 8
	movesAtOnce = 8
	sampleSize  = 3 // members asked about at a look that is not the last
	asksAtOnce  = 8 // of the last look of a call: a hundred answers of half a second each must come within the call's hold
	retryLook   = 30 * time.Second
	proofWithin = 10 * time.Minute // in which WeChat's event must come
	voiceProof  = 30 * time.Minute // no second call before
)

// quiet says an error once, and that it is over once.
type quiet struct {
	log  *slog.Logger
	what string
	said atomic.Bool
}

func newQuiet(log *slog.Logger, what string) *quiet { return &quiet{log: log, what: what} }

func (q *quiet) say(ctx context.Context, err error) {
	switch {
	case err != nil && ctx.Err() == nil && !q.said.Swap(true):
		q.log.Error("a part of the pulse fails", "part", q.what, "error", err)
	case err == nil && q.said.Swap(false):
		q.log.Info("a part of the pulse works again", "part", q.what)
	}
}

// sweep is the pulse: it rings again, takes back leases, makes looks, falls back, ends campaigns.
func (w *Worker) sweep(ctx context.Context) {
	quiet := newQuiet(w.cfg.Logger, "the sweep fails")
	if w.seated.Load() {
		quiet.say(ctx, w.ringAll(ctx))
	}
	for ctx.Err() == nil {
		quiet.say(ctx, w.sweepOnce(ctx))
		w.rest(ctx, sweepEvery, nil)
	}
}

func (w *Worker) sweepOnce(ctx context.Context) error {
	err := w.sweepCalls(ctx)
	if e := errors.Join(w.sweepSilent(ctx), w.sweepNotices(ctx), w.sweepLetters(ctx)); err == nil {
		err = e
	}
	for more := err == nil; more && ctx.Err() == nil; {
		more, err = w.cfg.Store.BalanceBudgets(ctx, w.cfg.Rules.Zone)
		more = more && err == nil
	}
	for more := err == nil; more && ctx.Err() == nil; {
		more, err = w.cfg.Store.EndCampaigns(ctx)
		more = more && err == nil
	}
	return err
}

// ringAll rings for every queued call when a worker starts: what the bell knew may be lost with Redis or a process.
func (w *Worker) ringAll(ctx context.Context) error {
	calls, err := w.cfg.Store.QueuedCalls(ctx, 4*sweepBatch)
	if err != nil {
		return err
	}
	return w.ringFor(ctx, calls)
}

// ringFor rings for calls of several campaigns.
func (w *Worker) ringFor(ctx context.Context, calls []Call) error {
	type line struct {
		campaign int64
		channel  Channel
	}
	groups := map[line][]int64{}
	for _, c := range calls {
		at := line{c.CampaignID, c.Channel}
		groups[at] = append(groups[at], c.ID)
	}
	for at, ids := range groups {
		c, err := w.cfg.Store.FindCampaign(ctx, at.campaign)
		if err != nil {
			return err
		}
		w.bell.ring(ctx, c, at.channel, ids)
	}
	return nil
}

// sweepNotices rings for codes and answers that wait and are in no line of this process.
func (w *Worker) sweepNotices(ctx context.Context) error {
	ids, err := w.cfg.Store.WaitingNotices(ctx, sweepBatch)
	for _, id := range ids {
		if !w.lines.codes.holds(id) && !w.lines.replies.holds(id) && !w.bell.ringNotice(ctx, id) {
			break
		}
	}
	return err
}

// sweepLetters rings for answers by WeChat that wait. Without an account they wait until there is one.
func (w *Worker) sweepLetters(ctx context.Context) error {
	if w.letters.sender == nil {
		return nil
	}
	ids, err := w.cfg.Store.WaitingLetters(ctx, sweepBatch)
	for _, id := range ids {
		if !w.lines.letters.holds(id) && !w.bell.ringLetter(ctx, id) {
			break
		}
	}
	return err
}

// sweepCalls looks after calls whose time has come, each by its state.
func (w *Worker) sweepCalls(ctx context.Context) error {
	calls, now, err := w.cfg.Store.DueCalls(ctx, sweepBatch, w.cfg.Lease)
	if err != nil || len(calls) == 0 {
		return err
	}
	taken := time.Now()
	var queued []Call
	var lost []CallResult
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(movesAtOnce)
	for _, c := range calls {
		switch c.State {
		case CallQueued:
			queued = append(queued, c)
			if now.Sub(c.QueuedAt) > neededAfter {
				w.needed.Store(true)
			}
		case CallSending:
			if !c.LeaseUntil.After(now) {
				lost = append(lost, CallResult{CallID: c.ID, Event: Lose, Code: "lease", WakeAt: w.cfg.Looks.Next(0, c.PresentedAt, now, now)})
			}
		case CallUnconfirmed:
			group.Go(func() error { return w.resolve(gctx, c, now, taken) })
		case CallAccepted:
			group.Go(func() error { return w.cfg.Store.FallBackCall(gctx, c.ID, false, time.Time{}) })
		}
	}
	err = w.ringFor(ctx, queued)
	if len(lost) > 0 {
		w.cfg.Logger.Warn("calls of a worker that is gone are unconfirmed", "calls", len(lost))
		err = errors.Join(err, w.cfg.Store.SettleCalls(ctx, lost))
	}
	return errors.Join(err, group.Wait())
}

// resolve looks after one unconfirmed call. now is the database's clock as it was taken, and taken the moment by our own.
func (w *Worker) resolve(ctx context.Context, c Call, now, taken time.Time) error {
	campaign, err := w.cfg.Store.FindCampaign(ctx, c.CampaignID)
	if err != nil {
		return err
	}
	fallAt := c.BegunAt.Add(campaign.Spec.FallsBackAfter())
	if c.Channel == SMS && w.cfg.Looker != nil {
		if !fallAt.After(now) {
			if err := w.cfg.Store.FallBackCall(ctx, c.ID, false, now.Add(w.cfg.Lease)); err != nil {
				return err
			}
		}
		w.looking.start(&w.running, c.ID, func() {
			waited := time.Since(taken)
			if waited < w.cfg.Lease && w.alive.Err() == nil { // after that it is somebody else's
				w.looks.say(w.alive, w.look(w.alive, c, campaign, now, now.Add(waited)))
			}
		})
		return nil
	}
	endAt := c.BegunAt.Add(proofWithin)
	if c.Channel == Voice {
		endAt = c.BegunAt.Add(voiceProof)
	}
	if campaign.State.Final() {
		fallAt = endAt // nothing of it goes on to another channel any more
	}
	switch {
	case !fallAt.After(now):
		next := time.Time{}
		if endAt.After(now) {
			next = endAt
		}
		return w.cfg.Store.FallBackCall(ctx, c.ID, next.IsZero(), next)
	case !endAt.After(now):
		return w.cfg.Store.GiveUpCall(ctx, c.ID, fallAt)
	}
	next := endAt
	if fallAt.Before(next) {
		next = fallAt
	}
	return w.cfg.Store.NextLook(ctx, c.ID, c.Looks, false, next)
}

// look asks the carrier about one call. Found: the whole call was accepted. At the last look every member is asked for.
// taken is when the call was taken: whoever was to go on by then has.
func (w *Worker) look(ctx context.Context, c Call, campaign Campaign, taken, now time.Time) error {
	invalid, fallAt := c.SignedAt.Add(w.cfg.Validity), c.BegunAt.Add(campaign.Spec.FallsBackAfter())
	again := func(counted bool, at time.Time) error {
		if fallAt.After(taken) && fallAt.Before(at) {
			at = fallAt // members may have to go on before the next look, or had to while the call waited for this one
		}
		return w.cfg.Store.NextLook(ctx, c.ID, c.Looks, counted, at)
	}
	if due := w.cfg.Looks.Next(c.Looks, c.PresentedAt, c.LookedAt, invalid); due.After(now) {
		return again(false, due)
	}
	sample, atOnce := sampleSize, 1
	if c.Looks+1 >= len(w.cfg.Looks) {
		sample, atOnce = c.Size, asksAtOnce
	}
	numbers, err := w.cfg.Store.CallNumbers(ctx, c.ID, sample)
	if err != nil {
		return err
	}
	found, err := w.ask(ctx, c, numbers, atOnce, true)
	enough := w.cfg.Looks.Enough(c.Looks+1, c, now, w.cfg.Validity)
	switch {
	case len(found) > 0:
		w.cfg.Logger.Info("an unconfirmed call was found", "call", c.ID)
		if !fallAt.After(now) {
			fallAt = now.Add(campaign.Spec.FallsBackAfter()) // a receipt has its time from when we know
		}
		err := w.cfg.Store.SettleCalls(ctx, []CallResult{{CallID: c.ID, Event: Accept, Code: "found", WakeAt: fallAt}})
		if err != nil {
			return err
		}
		// That a text arrived its receipt says. Whose did not goes on at once.
		return w.heard(ctx, slices.DeleteFunc(found, func(r Report) bool { return r.Unclear || r.Delivered }))
	case err != nil:
		w.cfg.Logger.Warn("the carrier can't be asked; later again", "call", c.ID, "error", err)
		return again(false, now.Add(min(retryLook, w.cfg.Looks[0])))
	case !enough:
		return again(true, w.cfg.Looks.Next(c.Looks+1, c.PresentedAt, now, invalid))
	case len(numbers) == 0:
		// Every number has changed since: nobody could be asked for, so nothing proves that it may go again.
		return w.cfg.Store.FallBackCall(ctx, c.ID, true, time.Time{})
	}
	id, err := w.cfg.Store.RequeueCall(ctx, c.ID)
	if err != nil || id == 0 {
		return err
	}
	w.cfg.Logger.Info("a call that the carrier never got is queued anew", "call", c.ID, "new", id)
	w.bell.ring(ctx, campaign, c.Channel, []int64{id})
	return nil
}
