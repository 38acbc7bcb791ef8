package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// drawer keeps replies, and hands them on as a store does.
type drawer struct {
	Store
	waiting []StoredReply
	done    map[int64]ReplyVerdict
}

func (d *drawer) EachReply(_ context.Context, limit int, except []int64, handle func(StoredReply) ReplyVerdict) error {
	for _, r := range slices.Clone(d.waiting) {
		if slices.Contains(except, r.ID) || limit == 0 {
			continue
		}
		limit--
		if verdict := handle(r); verdict != ReplyWaits {
			d.done[r.ID] = verdict
			d.waiting = slices.DeleteFunc(d.waiting, func(w StoredReply) bool { return w.ID == r.ID })
		}
	}
	return nil
}

// reader handles replies, and can't handle some.
type reader struct {
	tried   map[string]int
	outside bool // R meets what lies outside of it
}

var errOutside = errors.New("no room")

func (*drawer) Outside(err error) bool { return errors.Is(err, errOutside) }

func (h *reader) HandleReply(_ context.Context, r StoredReply) error {
	h.tried[r.Content]++
	switch r.Content {
	case "panics":
		panic("here")
	case "fails":
		return errors.New("it fails")
	case "R":
		if h.outside {
			return errOutside
		}
	}
	return nil
}

func TestAReplyThatNobodyCanHandleKeepsNoneFromBeingHandledAndIsSetAsideInTheEnd(t *testing.T) {
	d := &drawer{done: map[int64]ReplyVerdict{}}
	for i, text := range []string{"panics", "fails", "R"} {
		d.waiting = append(d.waiting, StoredReply{ID: int64(i + 1), ReplySMS: ReplySMS{Phone: register.Phone(fmt.Sprint("1380000000", i)), Content: text}})
	}
	var said strings.Builder
	h := &reader{tried: map[string]int{}}
	now := time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)
	w := &Worker{cfg: WorkerConfig{Store: d, Replies: h, Logger: slog.New(slog.NewTextHandler(&said, nil)), Now: func() time.Time { return now }}}
	replies := stubborn{}
	handed, err := w.handReplies(t.Context(), replies)
	if err != nil || handed != 1 || d.done[3] != ReplyDone {
		t.Fatalf("%d handled, %v, %v", handed, d.done, err)
	}
	began := now
	for range 60 * 60 * 2 { // a round a second
		now = now.Add(time.Second)
		if _, err := w.handReplies(t.Context(), replies); err != nil {
			t.Fatal(err)
		}
		if len(d.waiting) == 0 {
			break
		}
	}
	if d.done[1] != ReplyAside || d.done[2] != ReplyAside || h.tried["panics"] != 8 || h.tried["fails"] != 8 || len(replies) != 0 {
		t.Errorf("%v after %v, tried %v, remembered %v", d.done, now.Sub(began), h.tried, replies)
	}
	if now.Sub(began) < time.Hour {
		t.Errorf("set aside after %v: an outage may be as long", now.Sub(began))
	}
	if strings.Contains(said.String(), "1380000000") || !strings.Contains(said.String(), `verdict="set aside"`) {
		t.Errorf("logged: %s", said.String())
	}
}

// With a full disk nothing can be written for hours. Once there is room again whoever wants nothing more is heard within seconds,
// and of what somebody wrote the last holds.
func TestWhatLiesOutsideOfRepliesIsWaitedOutBrieflyAndInTheirOrder(t *testing.T) {
	d := &drawer{done: map[int64]ReplyVerdict{}}
	h := &reader{tried: map[string]int{}, outside: true}
	now := time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)
	w := &Worker{cfg: WorkerConfig{Store: d, Replies: h, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }}}
	replies := stubborn{}
	round := func(after time.Duration, wantHanded int, wantErr bool) {
		t.Helper()
		now = now.Add(after)
		if handed, err := w.handReplies(t.Context(), replies); handed != wantHanded || (err != nil) != wantErr {
			t.Errorf("%d handled, %v", handed, err)
		}
	}
	for i, r := range []ReplySMS{{Phone: "1", Content: "R"}, {Phone: "1", Content: "TD"}, {Phone: "2", Content: "TD"}} {
		d.waiting = append(d.waiting, StoredReply{ID: int64(i + 1), ReplySMS: r})
	}
	round(0, 0, true) // the round ends
	round(time.Second, 1, false)
	if d.done[3] != ReplyDone || len(d.done) != 1 {
		t.Errorf("another number's is not handled, or a later one of the same is: %v", d.done)
	}
	for range 4000 {
		round(outsidePause, 0, true)
	}
	if len(d.done) != 1 {
		t.Errorf("it was not waited for: %v", d.done)
	}
	h.outside = false
	round(outsidePause, 2, false)
	if d.done[1] != ReplyDone || d.done[2] != ReplyDone || len(replies) != 0 {
		t.Errorf("%v, remembered %v", d.done, replies)
	}
}

func TestAReplyThatFailedIsNotTriedAfterALaterOneOfTheNumberWasHandled(t *testing.T) {
	d := &drawer{done: map[int64]ReplyVerdict{}}
	h := &reader{tried: map[string]int{}}
	now := time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)
	w := &Worker{cfg: WorkerConfig{Store: d, Replies: h, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }}}
	for i, r := range []ReplySMS{{Phone: "1", Content: "fails"}, {Phone: "2", Content: "fails"}, {Phone: "1", Content: "TD"}} {
		d.waiting = append(d.waiting, StoredReply{ID: int64(i + 1), ReplySMS: r})
	}
	replies := stubborn{}
	for range 2 {
		if _, err := w.handReplies(t.Context(), replies); err != nil {
			t.Fatal(err)
		}
		now = now.Add(replyPause)
	}
	if d.done[3] != ReplyDone || d.done[1] != ReplyAside || d.done[2] != "" || h.tried["fails"] != 3 {
		t.Errorf("%v, tried %v", d.done, h.tried)
	}
}

// Replies are handed on by whichever process comes first: what one of them remembers may be settled by another.
func TestAReplyThatAnotherProcessHandledHoldsNoLaterOneOfTheNumberBack(t *testing.T) {
	d := &drawer{done: map[int64]ReplyVerdict{}}
	h := &reader{tried: map[string]int{}, outside: true}
	now := time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)
	w := &Worker{cfg: WorkerConfig{Store: d, Replies: h, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }}}
	comes := func(id int64, text string) {
		d.waiting = append(d.waiting, StoredReply{ID: id, ReplySMS: ReplySMS{Phone: "1", Content: text}})
	}
	replies := stubborn{}
	round := func() {
		_, _ = w.handReplies(t.Context(), replies)
	}
	comes(1, "R")
	round()
	d.waiting, h.outside = nil, false // the other process
	comes(2, "TD")
	round()
	if d.done[2] != "" {
		t.Error("it was handled before the other's rest was over")
	}
	now = now.Add(outsidePause)
	comes(3, "TD")
	round()
	if d.done[2] != ReplyDone || d.done[3] != ReplyDone {
		t.Errorf("%v, remembered %v", d.done, replies)
	}
	now = now.Add(2 * staleAfter)
	round()
	if len(replies) != 0 {
		t.Errorf("remembered: %v", replies)
	}
}
