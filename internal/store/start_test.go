package store

import (
	"context"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/lingjuli/lingjuli/notify"
)

// A campaign starts when the database says so: of two workers one may be ahead, and one behind.
func TestACampaignStartsByTheDatabasesClockWhateverTheWorkersSays(t *testing.T) {
	for name, off := range map[string]time.Duration{"ahead": 2 * time.Hour, "behind": -2 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			eachStore(t, func(t *testing.T, s *Store) {
				putOnFile(t, s, crowd(3)...)
				due, later := approved(t, s, nil), approved(t, s, nil)
				exec(t, s, `UPDATE campaigns SET starts_at = $2 WHERE id = $1`, due, toMicros(time.Now().Add(-time.Hour)))
				exec(t, s, `UPDATE campaigns SET starts_at = $2 WHERE id = $1`, later, toMicros(time.Now().Add(time.Hour)))
				clock := func() time.Time { return time.Now().Add(off) }
				w := startWorkerBy(t, clock, s, &platform{}, quickRules(), miniredis.RunT(t).Addr())
				defer w.Shutdown()
				until(t, s, due, "what was due has gone", func(st notify.Status) bool { return st.Accepted == 3 })
				if c, err := s.FindCampaign(t.Context(), later); err != nil || c.State != notify.Approved || !c.StartedAt.IsZero() {
					t.Errorf("what is due in an hour is %s, begun at %v: %v", c.State, c.StartedAt, err)
				}
				exec(t, s, `UPDATE campaigns SET starts_at = 1 WHERE id = $1`, later)
				until(t, s, later, "its time has come", func(st notify.Status) bool { return st.Accepted == 3 })
			})
		})
	}
}

// passes is a worker's store that says after each pass that ends campaigns that it was made.
type passes struct {
	noNotices
	made chan struct{}
}

func (p passes) EndCampaigns(ctx context.Context) (more bool, err error) {
	more, err = p.Store.EndCampaigns(ctx)
	if err == nil {
		select {
		case p.made <- struct{}{}:
		case <-ctx.Done():
		}
	}
	return more, err
}

// A campaign expires when the database says so: who waits is not skipped by a worker that is ahead, and reached in time.
func TestACampaignExpiresByTheDatabasesClockWhateverTheWorkersSays(t *testing.T) {
	for name, off := range map[string]time.Duration{"ahead": time.Hour, "behind": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			eachStore(t, func(t *testing.T, s *Store) {
				putOnFile(t, s, crowd(3)...)
				soon := func(spec *notify.Spec) { spec.Expires = time.Now().Add(30 * time.Minute) }
				goes, stands, over := approved(t, s, soon), approved(t, s, soon), approved(t, s, soon)
				if _, err := s.StartDue(t.Context()); err != nil {
					t.Fatal(err)
				}
				for _, id := range []int64{stands, over} {
					if done, err := s.PlanPage(t.Context(), id, time.Now(), 100); !done || err != nil {
						t.Fatal(done, err)
					}
				}
				moved(t, s, stands, notify.Pause)
				exec(t, s, `UPDATE campaigns SET expires_at = $2 WHERE id = $1`, over, toMicros(time.Now().Add(-time.Minute)))
				made := make(chan struct{})
				clock := func() time.Time { return time.Now().Add(off) }
				w := startWorkerOf(t, clock, passes{noNotices{s}, made}, &platform{}, quickRules(), miniredis.RunT(t).Addr())
				for range 3 {
					<-made
				}
				wantCounts(t, statusOf(t, s, stands), map[string]int64{"planned": 3})
				go func() {
					for range made { // until the worker is gone
					}
				}()
				defer close(made)
				defer w.Shutdown()
				wantCounts(t, until(t, s, over, "what expired is over", finished), map[string]int64{"expired": 3})
				wantCounts(t, until(t, s, goes, "who waited is told", func(st notify.Status) bool { return st.Accepted == 3 }), map[string]int64{"accepted": 3})
				exec(t, s, `UPDATE campaigns SET expires_at = 1, check_at = 0 WHERE id = $1`, stands)
				wantCounts(t, until(t, s, stands, "its time is over", finished), map[string]int64{"expired": 3})
			})
		})
	}
}

// A worker a minute behind would have all the tries of a person at once, and one ahead none for as long.
func TestAPauseIsAsLongAsItIsWhateverTheWorkersClockSays(t *testing.T) {
	for name, off := range map[string]time.Duration{"behind": -time.Hour, "ahead": time.Hour} {
		t.Run(name, func(t *testing.T) {
			eachStore(t, func(t *testing.T, s *Store) {
				putOnFile(t, s, crowd(1)...)
				p := &platform{}
				p.answer = func(notify.Outgoing, int) (notify.Answer, bool) {
					return notify.Answer{Outcome: notify.Refused, Verdict: notify.RetryLater, Code: "isp.SYSTEM_ERROR"}, false
				}
				id := approved(t, s, nil)
				w := startWorkerBy(t, func() time.Time { return time.Now().Add(off) }, s, p, quickRules(), miniredis.RunT(t).Addr())
				defer w.Shutdown()
				until(t, s, id, "put off for five seconds", func(st notify.Status) bool {
					return st.NextAt != nil && st.NextAt.After(time.Now().Add(2*time.Second)) && st.NextAt.Before(time.Now().Add(6*time.Second))
				})
			})
		})
	}
}

// Whoever stops a campaign while its audience is still being planned finds everybody in its counts: who would have been told too.
func TestEverybodyHasARowWhateverBecomesOfTheCampaignBeforeItIsPlanned(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(250)...)
		cancelled, paused, halted := approved(t, s, nil), approved(t, s, nil), approved(t, s, nil)
		if _, err := s.StartDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, id := range []int64{cancelled, paused, halted} {
			if done, err := s.PlanPage(t.Context(), id, time.Now(), 100); done || err != nil {
				t.Fatal(done, err)
			}
		}
		never := approved(t, s, nil) // has not begun when it is cancelled
		for id, e := range map[int64]notify.CampaignEvent{cancelled: notify.Cancel, never: notify.Cancel, paused: notify.Pause, halted: notify.Stop} {
			moved(t, s, id, e)
		}
		w := startWorker(t, s, &platform{}, quickRules(), miniredis.RunT(t).Addr())
		defer w.Shutdown()
		all := func(st notify.Status) bool {
			return st.Total == 250 && st.Planned+st.Skipped[notify.WasCancelled] == 250
		}
		wantCounts(t, until(t, s, paused, "planned", all), map[string]int64{"planned": 250})
		wantCounts(t, until(t, s, halted, "planned", all), map[string]int64{"planned": 250})
		wantCounts(t, until(t, s, cancelled, "over", func(st notify.Status) bool { return st.Skipped[notify.WasCancelled] == 250 }), map[string]int64{"cancelled": 250})
		wantCounts(t, statusOf(t, s, never), map[string]int64{})
		moved(t, s, paused, notify.Resume)
		moved(t, s, halted, notify.Cancel)
		wantCounts(t, until(t, s, paused, "told", finished), map[string]int64{"accepted": 250})
		wantCounts(t, until(t, s, halted, "over", func(st notify.Status) bool { return st.Skipped[notify.WasCancelled] == 250 }), map[string]int64{"cancelled": 250})
	})
}

// More households than a transaction can take turns for wait behind nobody: each is settled under its lock, the others in the next pass.
func TestManyHouseholdsThatWaitBehindNobodyAreSettledAsManyAsThereAreTurnsFor(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		id := approved(t, s, nil)
		if _, err := s.StartDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		if done, err := s.PlanPage(t.Context(), id, time.Now(), 100); !done || err != nil {
			t.Fatal(done, err)
		}
		const all = turnsAtOnce + 100
		for person := range all {
			exec(t, s, `INSERT INTO deliveries (month, campaign_id, person_id, channel, lead, shared, household, phone_idx, state, updated_at)
				VALUES (202611, $1, $2, 'sms', FALSE, TRUE, 'h', $3, 'planned', 1)`, id, person+1, phoneIdx(s, phoneOf(person)))
		}
		for pass, want := range []int{turnsAtOnce, all} {
			if pass == 0 {
				exec(t, s, `UPDATE campaigns SET check_at = 0`)
			} // the next pass is due at once
			if _, err := s.EndCampaigns(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := count(t, s, `SELECT count(*) FROM deliveries WHERE lead`); n != want {
				t.Errorf("pass %d: %d go first, want %d", pass+1, n, want)
			}
		}
	})
}
