package notify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
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

// handReplies hands replies to whoever understands them, and says how many were handled. What lies outside of a reply ends the
// round: the others would meet it too.
func (w *Worker) handReplies(ctx context.Context, stubborn stubborn) (handed int, err error) {
	if w.cfg.Replies == nil {
		return 0, nil
	}
	now := w.cfg.Now()
	stubborn.forget(now)
	var outside error
	err = w.cfg.Store.EachReply(ctx, replyBatch, stubborn.resting(now), func(r StoredReply) ReplyVerdict {
		if outside != nil || stubborn.waitsBehind(r, now) {
			return ReplyWaits
		}
		if stubborn[r.ID].overtaken {
			delete(stubborn, r.ID)
			w.cfg.Logger.Error("a reply that can't be handled is set aside: a later one of the number was", "reply", r.ID)
			return ReplyAside
		}
		err := w.handReply(ctx, r)
		switch {
		case err == nil:
			stubborn.handled(r)
			handed++
			return ReplyDone
		case ctx.Err() != nil:
			return ReplyWaits
		case w.cfg.Store.Outside(err):
			outside = err
			stubborn.rest(r, now.Add(outsidePause))
			return ReplyWaits
		}
		verdict := stubborn.failed(r, now)
		w.cfg.Logger.Error("a reply can't be handled", "reply", r.ID, "verdict", verdict, "error", err)
		return verdict
	})
	return handed, errors.Join(err, outside)
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
//
// Where what failed lies outside of the reply it rests briefly and as often as it takes, and later ones of its number wait behind
// it: somebody's last word must be the last to be heard. Where it lies in the reply they don't, as one of them may say that they
// want nothing more; the earlier one has then been overtaken.
type stubborn map[int64]stubbornReply

type stubbornReply struct {
	tries     int
	until     time.Time
	phone     register.Phone
	outside   bool // it waits for what lies outside of it
	overtaken bool // a later one of the number was handled
}

const (
	replyTries   = 8
	replyPause   = time.Second // the first; each is four times the one before
	outsidePause = 5 * time.Second
	staleAfter   = 10 * time.Minute
)

func (s stubborn) failed(r StoredReply, now time.Time) ReplyVerdict {
	one := s[r.ID]
	if one.tries++; one.tries == replyTries {
		delete(s, r.ID)
		return ReplyAside
	}
	one.until, one.phone, one.outside = now.Add(replyPause<<(2*(one.tries-1))), r.Phone, false
	s[r.ID] = one
	return ReplyWaits
}

// rest lets a reply wait for what lies outside of it.
func (s stubborn) rest(r StoredReply, until time.Time) {
	one := s[r.ID]
	one.until, one.phone, one.outside = until, r.Phone, true
	s[r.ID] = one
}

// waitsBehind says whether an earlier reply of the number rests for what lies outside of it, and lets r rest as long. Earlier ones
// are given before: one that rests no more and is still here was handled by another process.
func (s stubborn) waitsBehind(r StoredReply, now time.Time) bool {
	for id, one := range s {
		if id < r.ID && one.phone == r.Phone && one.outside && one.until.After(now) {
			s.rest(r, one.until)
			return true
		}
	}
	return false
}

// forget drops those whose rest has been over for long: other processes have handled them.
func (s stubborn) forget(now time.Time) {
	maps.DeleteFunc(s, func(_ int64, one stubbornReply) bool { return one.until.Add(staleAfter).Before(now) })
}

func (s stubborn) handled(r StoredReply) {
	delete(s, r.ID)
	for id, one := range s {
		if id < r.ID && one.phone == r.Phone {
			one.overtaken = true
			s[id] = one
		}
	}
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
