package notify

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"
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
type reader struct{ tried map[string]int }

func (h reader) HandleReply(_ context.Context, r StoredReply) error {
	h.tried[r.Content]++
	switch r.Content {
	case "panics":
		panic("here")
	case "fails":
		return errors.New("it fails")
	}
	return nil
}

func TestAReplyThatNobodyCanHandleKeepsNoneFromBeingHandledAndIsSetAsideInTheEnd(t *testing.T) {
	d := &drawer{done: map[int64]ReplyVerdict{}}
	for i, text := range []string{"panics", "fails", "R"} {
		d.waiting = append(d.waiting, StoredReply{ID: int64(i + 1), ReplySMS: ReplySMS{Phone: "13800000001", Content: text}})
	}
	var said strings.Builder
	h := reader{map[string]int{}}
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
	if strings.Contains(said.String(), "13800000001") || !strings.Contains(said.String(), `verdict="set aside"`) {
		t.Errorf("logged: %s", said.String())
	}
}
