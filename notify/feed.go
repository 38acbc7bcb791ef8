package notify

import (
	"context"
	"errors"
	"time"
)

// How often the feeder looks when nothing calls it, and how much it does in one transaction.
const (
	feedEvery = 250 * time.Millisecond
	planBatch = 3000
)

// feed plans and dispatches running campaigns: rows first, then the bell.
func (w *Worker) feed(ctx context.Context) {
	quiet := newQuiet(w.cfg.Logger, "campaigns can't be fed")
	for ctx.Err() == nil {
		more, err := w.feedOnce(ctx)
		quiet.say(ctx, err)
		if more && err == nil && w.seated.Load() {
			continue
		}
		w.rest(ctx, feedEvery, w.kick)
	}
}

// feedOnce gives every running campaign a page of its plan and a batch of calls on each channel. more: at once again.
func (w *Worker) feedOnce(ctx context.Context) (more bool, err error) {
	if _, err := w.cfg.Store.StartDue(ctx); err != nil {
		return false, err
	}
	list, now, err := w.cfg.Store.Running(ctx)
	if err != nil {
		return false, err
	}
	now = now.In(w.cfg.Rules.Zone)
	running := 0
	for _, c := range list {
		if c.State == Running {
			running++
		}
	}
	for _, c := range list {
		again, e := w.feedCampaign(ctx, c, running, now)
		more, err = more || again, errors.Join(err, e) // one that can't be fed doesn't hold up the others
	}
	return more, err
}

func (w *Worker) feedCampaign(ctx context.Context, c Campaign, running int, now time.Time) (more bool, err error) {
	if pool := w.cfg.Rules.ReplyPool; len(pool) > 0 && c.ReplyCodes == nil && c.Asks() && c.State == Running {
		if err := w.cfg.Store.TakeReplyCodes(ctx, c.ID, pool, now); err != nil {
			return false, err
		}
	}
	if c.Plans() {
		done, err := w.cfg.Store.PlanPage(ctx, c.ID, now, planBatch)
		if err != nil {
			return false, err
		}
		more = !done
	}
	if c.State != Running {
		return more, nil
	}
	again, err := w.dispatch(ctx, c, running, now)
	return more || again, err
}

// dispatch gives calls their turn. What may not go by the hour waits visibly, with the time when it will.
func (w *Worker) dispatch(ctx context.Context, c Campaign, running int, now time.Time) (more bool, err error) {
	for _, channel := range c.Channels() {
		if gate, open := w.cfg.Rules.gateOf(c, channel, now); !open {
			if gate.Event == PutBack {
				err = errors.Join(err, w.cfg.Store.HoldCalls(ctx, c.ID, channel, gate.WakeAt))
			}
			continue
		}
		calls, again, err := w.cfg.Store.Dispatch(ctx, c.ID, channel, now, openCalls(c.Spec, channel, w.run.qps[channel], running))
		if err != nil {
			return false, err
		}
		w.bell.ring(ctx, c, channel, calls)
		more = more || again
	}
	return more, err
}

// openCalls is how many calls of a campaign may wait on a channel that takes qps calls a second while so many campaigns run:
// two seconds' worth of the campaign's own rate, and of what the channel takes, which the campaigns share as long as half a
// second's worth is left for each. More would only make the queue long, and a pause slow.
func openCalls(s Spec, c Channel, qps, running int) int {
	most := 256
	if c.MaxMembers() == 1 {
		most = 2048 // as many as their people
	}
	open := min(max(2*qps/running, qps/2, 8), most)
	if s.Rate > 0 {
		open = min(open, max(2, 2*s.Rate/CallSize(s, c)))
	}
	return open
}
