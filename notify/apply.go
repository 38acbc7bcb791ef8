package notify

import (
	"context"
	"time"
)

// applyEvery is how often stored receipts are looked for, unless as many as are applied at once waited. The hundred receipts
// of a call come within seconds: the more are applied together, the fewer times its row is locked, read and written.
const (
	applyEvery = 500 * time.Millisecond
	applyBatch = 20000
	replyBatch = 50
)

// apply applies receipts and hands replies on, for as long as there are any. Who stands by leaves receipts alone until one has
// waited for long.
func (w *Worker) apply(ctx context.Context) {
	quiet := newQuiet(w.cfg.Logger, "receipts can't be applied")
	for ctx.Err() == nil {
		now := w.cfg.Now()
		var upTo time.Time // whoever sends takes what is there, even by the clock of a process that is ahead
		if !w.seated.Load() {
			upTo = now.Add(-neededAfter) // whoever sends has the calls at hand, and applies them as they come
		}
		more, err := w.cfg.Store.ApplyReports(ctx, now, upTo, applyBatch, Judge)
		quiet.say(ctx, err)
		handed := w.handReplies(ctx) // many at once say that they want nothing more: none of them waits for a rest of ours
		if (more && err == nil || handed == replyBatch) && w.seated.Load() {
			continue
		}
		w.rest(ctx, applyEvery, nil)
	}
}

// handReplies hands replies to whoever understands them, and says how many were handled. One that fails is tried again with
// the next round.
func (w *Worker) handReplies(ctx context.Context) (handed int) {
	if w.cfg.Replies == nil {
		return 0
	}
	replies, err := w.cfg.Store.NextReplies(ctx, replyBatch)
	if err != nil {
		return 0 // said by the receipts already
	}
	for _, r := range replies {
		if err := w.cfg.Replies.HandleReply(ctx, r); err != nil {
			if ctx.Err() == nil {
				w.cfg.Logger.Error("a reply can't be handled yet", "reply", r.ID, "error", err)
			}
			continue
		}
		if err := w.cfg.Store.DoneReply(ctx, r.ID, w.cfg.Now()); err != nil {
			if ctx.Err() == nil {
				w.cfg.Logger.Error("a reply can't be marked as handled", "reply", r.ID, "error", err)
			}
			continue
		}
		handed++
	}
	return handed
}
