package notify

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
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
	replies := stubborn{}
	for ctx.Err() == nil {
		waited := time.Duration(0) // whoever sends takes what is there, even by the clock of a process that is ahead
		if !w.seated.Load() {
			waited = neededAfter // whoever sends has the calls at hand, and applies them as they come
		}
		more, err := w.cfg.Store.ApplyReports(ctx, waited, applyBatch, Judge)
		if errors.Is(err, ErrSetAside) {
			w.cfg.Logger.Error("receipts can't be applied by anybody", "error", err)
			err = nil
		}
		handed, e := w.handReplies(ctx, replies) // many at once say that they want nothing more: none of them waits for a rest of ours
		quiet.say(ctx, errors.Join(err, e))
		if (more && err == nil || handed == replyBatch) && w.seated.Load() {
			continue
		}
		w.rest(ctx, applyEvery, nil)
	}
}

// handReplies hands replies to whoever understands them, and says how many were handled.
func (w *Worker) handReplies(ctx context.Context, stubborn stubborn) (handed int, err error) {
	if w.cfg.Replies == nil {
		return 0, nil
	}
	now := w.cfg.Now()
	err = w.cfg.Store.EachReply(ctx, replyBatch, stubborn.resting(now), func(r StoredReply) ReplyVerdict {
		err := w.handReply(ctx, r)
		if err == nil {
			delete(stubborn, r.ID)
			handed++
			return ReplyDone
		}
		if ctx.Err() != nil {
			return ReplyWaits
		}
		verdict := stubborn.failed(r.ID, now)
		w.cfg.Logger.Error("a reply can't be handled", "reply", r.ID, "verdict", verdict, "error", err)
		return verdict
	})
	return handed, err
}

// handReply keeps the panic of one reply from the others.
func (w *Worker) handReply(ctx context.Context, r StoredReply) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return w.cfg.Replies.HandleReply(ctx, r)
}

// stubborn are replies that could not be handled, by their ids. They are tried again after longer and longer pauses, an hour and
// a half in all, and then set aside. What kept them may pass with this process: the next one begins anew.
type stubborn map[int64]struct {
	tries int
	until time.Time
}

const (
	replyTries = 8
	replyPause = time.Second // the first; each is four times the one before
)

func (s stubborn) failed(id int64, now time.Time) ReplyVerdict {
	one := s[id]
	if one.tries++; one.tries == replyTries {
		delete(s, id)
		return ReplyAside
	}
	one.until = now.Add(replyPause << (2 * (one.tries - 1)))
	s[id] = one
	return ReplyWaits
}

// resting are those that are not to be tried now.
func (s stubborn) resting(now time.Time) (ids []int64) {
	for id, one := range s {
		if one.until.After(now) {
			ids = append(ids, id)
		}
	}
	return ids
}
