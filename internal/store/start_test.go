package store

import (
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
