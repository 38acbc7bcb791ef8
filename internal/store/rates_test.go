package store

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

func TestWhoeverIsSlowReachesEverybody(t *testing.T) {
	for name, slow := range map[string]struct {
		people, qps int
		change      func(*notify.Spec)
	}{
		// Ten calls of one person, a call a second: no task may wait for ten turns.
		"a campaign's own rate": {10, 20, func(s *notify.Spec) { s.Channels, s.Rate = []notify.Channel{notify.Voice}, 1 }},
		// Five calls of a hundred, and the platform takes one a second.
		"the platform's rate": {401, 1, func(*notify.Spec) {}},
	} {
		t.Run(name, func(t *testing.T) {
			eachStore(t, func(t *testing.T, s *Store) {
				putOnFile(t, s, crowd(slow.people)...)
				p := &platform{}
				w, err := notify.NewWorker(notify.WorkerConfig{
					Store: noNotices{s}, Senders: map[notify.Channel]notify.Sender{notify.SMS: p, notify.Voice: p}, Looker: p,
					Redis: asynq.RedisClientOpt{Addr: miniredis.RunT(t).Addr()}, Rules: quickRules(), Looks: notify.Looks{time.Minute}, Validity: p.takesFor(time.Hour),
					SMSQPS: slow.qps, WeChat: slow.qps, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
				})
				if err != nil {
					t.Fatal(err)
				}
				if err := w.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				defer w.Shutdown()
				id := approved(t, s, slow.change)
				until(t, s, id, "sent to everybody", func(st notify.Status) bool { return st.Accepted == int64(slow.people) })
				if got := len(p.texts()); got != slow.people {
					t.Errorf("the carrier has %d people, want %d", got, slow.people)
				}
			})
		})
	}
}

func TestStillQueuedAreCallsThatWaitToBeClaimed(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(3)...)
		id := approved(t, s, func(s *notify.Spec) { s.Channels = []notify.Channel{notify.Voice} })
		calls := dispatched(t, s, id, notify.Voice)
		if len(calls) != 3 {
			t.Fatal(calls)
		}
		begun(t, s, calls[:1])
		want := func(list ...int64) {
			t.Helper()
			if got, err := s.StillQueued(t.Context(), calls); err != nil || !slices.Equal(got, list) {
				t.Error(got, err, "want", list)
			}
		}
		want(calls[1:]...)
		settled(t, s, notify.CallResult{CallID: calls[0], Event: notify.Accept, Code: "OK"})
		want(calls[1:]...)
		if _, err := s.MoveCampaign(t.Context(), id, notify.CampaignMoved{Event: notify.Cancel, At: time.Now(), By: staff.Member{ID: 2}}); err != nil {
			t.Fatal(err)
		}
		ended(t, s)
		want()
	})
}
