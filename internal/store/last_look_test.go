package store

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// second is a worker's store to which something happens between the first claim and its last look.
type second struct {
	noNotices
	once   sync.Once
	happen func()
}

func (s *second) LastLook(ctx context.Context, ids []int64, owner string, outs int64) (notify.LastLook, error) {
	s.once.Do(s.happen)
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
	w, err := notify.NewWorker(notify.WorkerConfig{
		Store: store, Senders: map[notify.Channel]notify.Sender{channel: p}, Redis: asynq.RedisClientOpt{Addr: miniredis.RunT(t).Addr()},
		Rules: quickRules(), Looks: notify.Looks{time.Minute}, Validity: time.Hour, SMSQPS: 400, WeChat: 400, Now: time.Now, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Shutdown)
	var n int64
	for _, k := range want {
		n += k
	}
	return until(t, store.Store, id, "sent", func(st notify.Status) bool {
		return st.Accepted+st.Skipped[notify.OptedOut]+st.Skipped[notify.PhoneDoubted] == n
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
