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
				id := approved(t, s, func(spec *notify.Spec) { spec.Channels = []notify.Channel{what.channel} })
				w, err := notify.NewWorker(notify.WorkerConfig{
					Store: store, Senders: map[notify.Channel]notify.Sender{what.channel: p}, Redis: asynq.RedisClientOpt{Addr: miniredis.RunT(t).Addr()},
					Rules: quickRules(), Looks: notify.Looks{time.Minute}, Validity: time.Hour, SMSQPS: 400, Now: time.Now, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
				})
				if err != nil {
					t.Fatal(err)
				}
				if err := w.Start(context.Background()); err != nil {
					t.Fatal(err)
				}
				defer w.Shutdown()
				var n int64
				for _, k := range what.want {
					n += k
				}
				st := until(t, s, id, "sent", func(st notify.Status) bool {
					return st.Accepted+st.Skipped[notify.OptedOut]+st.Skipped[notify.PhoneDoubted] == n
				})
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
