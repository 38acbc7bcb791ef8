package store

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// second is a worker's store to which something happens between a claim and its last look.
type second struct {
	noNotices
	after  int64 // so many looks; 0: between the first claim and its look
	happen func()
	looks  atomic.Int64
}

func (s *second) LastLook(ctx context.Context, ids []int64, owner string, outs int64) (notify.LastLook, error) {
	if s.looks.Add(1) == s.after+1 {
		s.happen()
	}
	return s.Store.LastLook(ctx, ids, owner, outs)
}

func TestWhoOptsOutAfterTheClaimIsFoundByTheLastLookAndTheOthersGetTheirText(t *testing.T) {
	for name, what := range map[string]struct {
		says    string // by the third villager's phone
		exec    string
		doubt   bool
		channel notify.Channel
		want    map[string]int64
	}{
		"nobody":             {"", "", false, notify.SMS, map[string]int64{"accepted": 5}},
		"all of it":          {"退订", "", false, notify.SMS, map[string]int64{"accepted": 4, "opted_out": 1}},
		"its kind":           {"", `INSERT INTO mutes (phone_idx, kind, at) VALUES ($1, 'premium_reminder', 1)`, false, notify.SMS, map[string]int64{"accepted": 4, "opted_out": 1}},
		"another kind":       {"", `INSERT INTO mutes (phone_idx, kind, at) VALUES ($1, 'job_posting', 1)`, false, notify.SMS, map[string]int64{"accepted": 5}},
		"and no phone rings": {"退订", "", false, notify.Voice, map[string]int64{"accepted": 4, "opted_out": 1}},
		"another's by now":   {"", "", true, notify.SMS, map[string]int64{"accepted": 4, "doubted": 1}},
		"nor rings another":  {"", "", true, notify.Voice, map[string]int64{"accepted": 4, "doubted": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			eachStore(t, func(t *testing.T, s *Store) {
				putOnFile(t, s, crowd(5)...)
				third := phoneOf(3)
				talk := host(t, s, nil)
				store := &second{noNotices: noNotices{s}, happen: func() {
					if what.says != "" {
						if _, err := talk.Turn(t.Context(), turn.Inbound{Key: "k", Channel: turn.SMS, Who: string(third), Kind: turn.Text, Text: what.says}); err != nil {
							t.Error(err)
						}
					}
					if what.doubt {
						doubtNumber(t, s, third, 0)
					}
					if what.exec != "" {
						exec(t, s, what.exec, phoneIdx(s, third))
						if err := s.write(t.Context(), "note", func(tx *tx) error {
							return errors.Join(tx.refreshOptedOutPhone(phoneIdx(s, third)), tx.outsChanged())
						}); err != nil {
							t.Error(err)
						}
					}
				}}
				p := &platform{}
				st := sentAfterALook(t, store, p, what.channel, what.want)
				wantCounts(t, st, what.want)
				for phone, n := range p.texts() {
					if n != 1 || phone == third && what.want["accepted"] == 4 {
						t.Errorf("%s got %d", phone, n)
					}
				}
			})
		})
	}
}

// sentAfterALook is a campaign by one channel once all whom it may reach have it, or are left out by the last look.
func sentAfterALook(t *testing.T, store *second, p *platform, channel notify.Channel, want map[string]int64) notify.Status {
	t.Helper()
	id := approved(t, store.Store, func(spec *notify.Spec) { spec.Channels = []notify.Channel{channel} })
	startLooking(t, store, p, channel)
	var n int64
	for _, k := range want {
		n += k
	}
	return until(t, store.Store, id, "sent", func(st notify.Status) bool {
		return st.Accepted+st.Skipped[notify.OptedOut]+st.Skipped[notify.PhoneDoubted] == n
	})
}

// startLooking starts a worker by one channel that looks after lost answers a minute later.
func startLooking(t *testing.T, store notify.Store, p *platform, channel notify.Channel) {
	t.Helper()
	w, err := notify.NewWorker(notify.WorkerConfig{
		Store: store, Senders: map[notify.Channel]notify.Sender{channel: p}, Looker: p, Redis: asynq.RedisClientOpt{Addr: miniredis.RunT(t).Addr()},
		Rules: quickRules(), Looks: notify.Looks{time.Minute}, Validity: time.Hour, SMSQPS: 400, WeChat: 400, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Shutdown)
}

func TestACampaignThatIsStoppedAfterTheClaimSendsNothingUntilItGoesOn(t *testing.T) {
	for stop, want := range map[notify.CampaignEvent]notify.Status{
		notify.Pause:  {State: notify.Paused, Planned: 5},
		notify.Cancel: {State: notify.Cancelled, Skipped: map[notify.SkipReason]int64{notify.WasCancelled: 5}},
	} {
		t.Run(string(stop), func(t *testing.T) {
			eachStore(t, func(t *testing.T, s *Store) {
				putOnFile(t, s, crowd(5)...)
				id, p := approved(t, s, nil), &platform{}
				startLooking(t, &second{noNotices: noNotices{s}, happen: func() { moved(t, s, id, stop) }}, p, notify.SMS)
				st := until(t, s, id, "held", func(st notify.Status) bool {
					return st.State == want.State && st.Planned == want.Planned && st.Skipped[notify.WasCancelled] == want.Skipped[notify.WasCancelled]
				})
				if got := p.texts(); len(got) != 0 || st.Accepted+st.Unconfirmed != 0 {
					t.Errorf("%v, %+v", got, st)
				}
				if stop == notify.Cancel {
					return
				}
				time.Sleep(1500 * time.Millisecond) // its rows have come due
				if st := statusOf(t, s, id); st.Planned != 5 {
					t.Errorf("%+v", st)
				}
				moved(t, s, id, notify.Resume)
				wantCounts(t, until(t, s, id, "finished", finished), map[string]int64{"accepted": 5})
				onceEach(t, p, 5)
			})
		})
	}
}

// ahead is a worker's store whose clock goes ahead between the first claim and its last look.
type ahead struct {
	noNotices
	by   time.Duration
	goes atomic.Int64 // by so much
	once sync.Once
}

func (a *ahead) Running(ctx context.Context) ([]notify.Campaign, time.Time, error) {
	list, now, err := a.Store.Running(ctx)
	return list, now.Add(time.Duration(a.goes.Load())), err
}

func (a *ahead) LastLook(ctx context.Context, ids []int64, owner string, outs int64) (notify.LastLook, error) {
	a.once.Do(func() { a.goes.Store(int64(a.by)) })
	look, err := a.Store.LastLook(ctx, ids, owner, outs)
	look.Now = look.Now.Add(time.Duration(a.goes.Load()))
	return look, err
}

func TestWhatWasClaimedBeforeTheHoursEndedWaitsForTheNextDay(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(5)...)
		now := time.Now().UTC()
		opens := now.Add(-time.Hour).Truncate(time.Minute)
		hours := opens.Format("15:04") + "-" + now.Add(time.Hour).Format("15:04")
		store, p := &ahead{noNotices: noNotices{s}, by: 2 * time.Hour}, &platform{}
		id := approved(t, s, func(spec *notify.Spec) { spec.Window = &hours })
		startLooking(t, store, p, notify.SMS)
		until(t, s, id, "held", func(st notify.Status) bool {
			return st.Planned == 5 && count(t, s, `SELECT count(*) FROM calls WHERE state = 'refused'`) == 1
		})
		asked := notify.Service{Campaigns: s, Figures: s, Rules: quickRules(), Now: func() time.Time { return time.Now().Add(store.by) }}
		st, err := asked.Status(t.Context(), id)
		if got := p.texts(); err != nil || len(got) != 0 || st.NextAt == nil || !st.NextAt.Equal(opens.AddDate(0, 0, 1)) {
			t.Errorf("%v, %v, goes at %v", got, err, st.NextAt)
		}
		store.goes.Store(0)
		wantCounts(t, until(t, s, id, "finished", finished), map[string]int64{"accepted": 5})
		onceEach(t, p, 5)
	})
}

// An account stops what comes to its own person by every channel, and nobody else's.
func TestWhoOptsOutByWeChatAfterTheClaimIsFoundByTheLastLookOfEachChannel(t *testing.T) {
	for _, channel := range []notify.Channel{notify.SMS, notify.WeChat} {
		t.Run(string(channel), func(t *testing.T) {
			eachStore(t, func(t *testing.T, s *Store) {
				const people, third = 5, 3
				putOnFile(t, s, crowd(people)...)
				opens := map[int64]register.OpenID{}
				for person := int64(1); person <= people; person++ {
					opens[person] = bind(t, s, person, true)
				}
				talk := host(t, s, nil)
				store := &second{noNotices: noNotices{s}, happen: func() {
					if _, err := talk.Turn(t.Context(), said("k", string(opens[third]), "退订")); err != nil {
						t.Error(err)
					}
				}}
				got := map[int64]int{}
				p := &platform{answer: func(call notify.Outgoing, _ int) (notify.Answer, bool) {
					for _, m := range call.Members {
						got[m.PersonID]++
					}
					return notify.Answer{Outcome: notify.Accepted, Code: "0"}, true
				}}
				want := map[string]int64{"accepted": people - 1, "opted_out": 1}
				wantCounts(t, sentAfterALook(t, store, p, channel, want), want)
				p.mu.Lock()
				defer p.mu.Unlock()
				for person := range opens {
					if n := got[person]; person == third && n != 0 || person != third && n != 1 {
						t.Errorf("person %d got %d", person, n)
					}
				}
			})
		})
	}
}
