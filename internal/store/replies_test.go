package store

import (
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// eachReply has handle see replies, as a worker does.
func eachReply(t *testing.T, s *Store, limit int, except []int64, handle func(notify.StoredReply) notify.ReplyVerdict) {
	t.Helper()
	if err := s.EachReply(t.Context(), limit, except, handle); err != nil {
		t.Error(err)
	}
}

// repliesWaiting are those that nobody has handled.
func repliesWaiting(t *testing.T, s *Store, except ...int64) (list []notify.StoredReply) {
	t.Helper()
	eachReply(t, s, 1000, except, func(r notify.StoredReply) notify.ReplyVerdict {
		list = append(list, r)
		return notify.ReplyWaits
	})
	return list
}

func replied(t *testing.T, s *Store, texts ...string) {
	t.Helper()
	list := make([]notify.ReplySMS, len(texts))
	for i, text := range texts {
		list[i] = notify.ReplySMS{Phone: phoneOf(i), Content: text}
	}
	if err := s.StoreReplies(t.Context(), list, time.Now()); err != nil {
		t.Fatal(err)
	}
}

func TestRepliesAreHandedOnUntilTheyAreDone(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		replied(t, s, "R", "1", "2", "3")
		exec(t, s, `UPDATE receipts SET body = $1 WHERE id = (SELECT max(id) FROM receipts)`, []byte("?"))
		got := repliesWaiting(t, s)
		if len(got) != 3 || got[0].Content != "R" || got[1].Phone != phoneOf(1) {
			t.Fatalf("%+v", got)
		}
		eachReply(t, s, 2, idsOfReplies(got[:1]), func(r notify.StoredReply) notify.ReplyVerdict {
			if r.Content == "1" {
				return notify.ReplyDone
			}
			return notify.ReplyAside
		})
		if again := repliesWaiting(t, s); len(again) != 1 || again[0].ID != got[0].ID {
			t.Errorf("%+v", again)
		}
		for verdict, want := range map[string]int{"": 1, "applied": 1, "set aside": 1, "unreadable": 1} {
			if n := count(t, s, `SELECT count(*) FROM receipts WHERE verdict = $1`, verdict); n != want {
				t.Errorf("%d are %q, want %d", n, verdict, want)
			}
		}
	})
}

func idsOfReplies(list []notify.StoredReply) (ids []int64) {
	for _, r := range list {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestOfTwoProcessesOneHandlesReplies(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		if s.d != postgresDialect {
			return // which one process has
		}
		replied(t, s, "R")
		eachReply(t, s, 50, nil, func(notify.StoredReply) notify.ReplyVerdict {
			if list := repliesWaiting(t, s); len(list) != 0 {
				t.Errorf("a second one is handed %d that the first is at", len(list))
			}
			return notify.ReplyWaits
		})
		if list := repliesWaiting(t, s); len(list) != 1 {
			t.Errorf("%d wait when it is done", len(list))
		}
	})
}
