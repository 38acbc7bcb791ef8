package store

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/notify"
)

func queued(t *testing.T, s *Store, expires time.Duration) int64 {
	t.Helper()
	var id int64
	who := turn.Who{Channel: turn.WeChat, ID: "o-1", Key: "k", At: time.Now()}
	err := s.Turn(t.Context(), who, func(tx turn.Tx) (err error) {
		id, err = tx.Queue(turn.Message{
			Kind: turn.Verification, Template: "verify_code", Phone: "13800000001", Params: map[string]string{"code": "123456"},
			PersonID: 7, At: time.Now(), Expires: time.Now().Add(expires),
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestANoticeIsClaimedOnceAndSettledByItsLife(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		id := queued(t, s, time.Minute)
		if ids, err := s.WaitingNotices(ctx, 10); err != nil || len(ids) != 1 || ids[0] != id {
			t.Fatalf("%v waiting, %v", ids, err)
		}
		n, err := s.ClaimNotice(ctx, id, "out-1", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if n.Kind != notify.Verification || n.TemplateKey != "verify_code" || n.Phone != "13800000001" || n.Params["code"] != "123456" ||
			n.PersonID != 7 || n.OutID != "out-1" || n.Tries != 1 || n.ExpiresAt.IsZero() {
			t.Errorf("claimed %+v", n)
		}
		if _, err := s.ClaimNotice(ctx, id, "out-2", time.Minute); !errors.Is(err, notify.ErrNoNotice) {
			t.Errorf("claimed twice: %v", err)
		}
		if err := s.SettleNotice(ctx, id, notify.Settlement{State: notify.NoticeQueued, RetryIn: time.Hour}); err != nil {
			t.Fatal(err)
		}
		if ids, _ := s.WaitingNotices(ctx, 10); len(ids) != 0 {
			t.Error("waits before its time")
		}
		if _, err := s.ClaimNotice(ctx, id, "out-2", time.Minute); !errors.Is(err, notify.ErrNoNotice) {
			t.Errorf("claimed before its time: %v", err)
		}
	})
}

func TestANoticeWaitsUntilItIsClaimedAndCodesAreListedFirst(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		reply, code := queued(t, s, time.Minute), queued(t, s, time.Minute)
		exec(t, s, `UPDATE outbox SET kind = 'reply' WHERE id = $1`, reply)
		if ids, err := s.WaitingNotices(ctx, 10); err != nil || !slices.Equal(ids, []int64{code, reply}) {
			t.Errorf("%v wait, %v", ids, err)
		}
		for id, want := range map[int64]notify.Kind{reply: notify.Reply, code: notify.Verification} {
			if kind, err := s.NoticeWaits(ctx, id); err != nil || kind != want {
				t.Errorf("%s, %v, want %s", kind, err, want)
			}
		}
		if _, err := s.ClaimNotice(ctx, code, "out", time.Minute); err != nil {
			t.Fatal(err)
		}
		exec(t, s, `UPDATE outbox SET next_at = $2 WHERE id = $1`, reply, time.Now().Add(time.Hour).UnixMicro())
		late := queued(t, s, -time.Second)
		for what, id := range map[string]int64{"claimed": code, "not due": reply, "late": late, "nobody's": late + 1} {
			if kind, err := s.NoticeWaits(ctx, id); !errors.Is(err, notify.ErrNoNotice) {
				t.Errorf("a notice that is %s: %s, %v", what, kind, err)
			}
		}
	})
}

func TestEveryMoveOfANoticeIsTheLifesOrRefused(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		for _, from := range notify.NoticeStates() {
			for _, to := range notify.NoticeStates() {
				id := queued(t, s, time.Minute)
				err := s.write(t.Context(), "set", func(tx *tx) error {
					_, err := tx.exec(`UPDATE outbox SET state = $2 WHERE id = $1`, id, string(from))
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				allowed := false
				for _, f := range to.From() {
					allowed = allowed || f == from && to != notify.NoticeSending
				}
				err = s.SettleNotice(t.Context(), id, notify.Settlement{State: to})
				if allowed && err != nil || !allowed && !errors.Is(err, notify.ErrNoNotice) {
					t.Errorf("%s to %s: %v", from, to, err)
				}
			}
		}
	})
}

func TestALateOrLostNoticeIsNeverSentBlind(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		late, lost := queued(t, s, -time.Second), queued(t, s, time.Minute)
		if _, err := s.ClaimNotice(ctx, late, "out-late", time.Minute); !errors.Is(err, notify.ErrNoNotice) {
			t.Errorf("a late code was given out: %v", err)
		}
		if _, err := s.ClaimNotice(ctx, lost, "out-lost", -time.Second); err != nil {
			t.Fatal(err)
		}
		if ids, err := s.WaitingNotices(ctx, 10); err != nil || len(ids) != 0 {
			t.Errorf("%v wait, %v", ids, err)
		}
		for id, want := range map[int64]string{late: "expired", lost: "unconfirmed"} {
			if n := count(t, s, `SELECT COUNT(*) FROM outbox WHERE id = $1 AND state = $2 AND LENGTH(params) = 0`, id, want); n != 1 {
				t.Errorf("notice %d is not %s with its code gone", id, want)
			}
		}
	})
}

func TestASecondCodeToANumberWaitsForThePlatformsNextMinute(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		first, second := queued(t, s, 10*time.Minute), queued(t, s, 10*time.Minute)
		if _, err := s.ClaimNotice(ctx, first, "out-1", time.Minute); err != nil {
			t.Fatal(err)
		}
		if err := s.SettleNotice(ctx, first, notify.Settlement{State: notify.NoticeAccepted, PlatformID: "biz"}); err != nil {
			t.Fatal(err)
		}
		sent := time.Now()
		if _, err := s.ClaimNotice(ctx, second, "out-2", time.Minute); !errors.Is(err, notify.ErrNoNotice) {
			if time.Now().Truncate(time.Minute).Equal(sent.Truncate(time.Minute)) { // unless the minute turned meanwhile
				t.Fatalf("claimed in the same minute: %v", err)
			}
			return
		}
		if ids, err := s.WaitingNotices(ctx, 10); err != nil || len(ids) != 0 {
			t.Errorf("%v wait for the bell, %v", ids, err)
		}
		exec(t, s, `UPDATE outbox SET settled_at = settled_at - 60000000 WHERE id = $1`, first)
		exec(t, s, `UPDATE outbox SET next_at = 0 WHERE id = $1`, second)
		if n, err := s.ClaimNotice(ctx, second, "out-2", time.Minute); err != nil || n.Params["code"] != "123456" {
			t.Errorf("a minute later: %+v, %v", n, err)
		}
	})
}
