package store

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

func failedWith(code string) notify.Found {
	return notify.Found{State: notify.FoundFailed, ErrCode: code}
}

func delivered() notify.Found { return notify.Found{State: notify.FoundDelivered} }

// tells says what the carrier knows from now on.
func (p *platform) tells(knows map[register.Phone]notify.Found) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.knows = knows
}

// askedFor counts the questions about each phone.
func (p *platform) askedFor() map[register.Phone]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.questions)
}

func row(t *testing.T, s *Store, query string, dest ...any) {
	t.Helper()
	if err := s.read(t.Context(), "test", func(tx *tx) error { return tx.row(query).Scan(dest...) }); err != nil {
		t.Fatal(err)
	}
}

func TestBeforeSilenceLeadsToATelephoneCallTheCarrierIsAsked(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		p, id, w := threeTexted(t, s)
		defer w.Shutdown()
		p.tells(map[register.Phone]notify.Found{phoneOf(0): delivered(), phoneOf(1): failedWith("MOBILE_NOT_ON_SERVICE")})
		pass(t, s, time.Hour)
		st := until(t, s, id, "called", func(st notify.Status) bool { return st.ByChannel[notify.Voice] == 2 })
		if st.Delivered != 1 || st.ByChannel[notify.SMS] != 1 {
			t.Errorf("%+v", st)
		}
		if got := p.rung(phoneOf(0)); len(got) != 1 {
			t.Errorf("who has the text was telephoned: %v", got)
		}
		var kept int
		row(t, s, `SELECT count(*) FROM receipts WHERE applied_at > 0 AND kind = 'push'`, &kept)
		if kept != 1 {
			t.Errorf("%d rows of receipts keep what the carrier said", kept)
		}
	})
}

func TestWhoHasNoReceiptIsAskedForThreeTimesThoughNoOtherChannelIsLeft(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(3)...)
		p := &platform{}
		id := approved(t, s, nil)
		w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr())
		defer w.Shutdown()
		until(t, s, id, "finished", finished)
		push(t, s, report(p.outIDs()[phoneOf(0)], phoneOf(0), "DELIVERED"))
		until(t, s, id, "delivered", func(st notify.Status) bool { return st.Delivered == 1 })
		waits := func() time.Duration {
			var begun, wake int64
			row(t, s, `SELECT begun_at, wake_at FROM calls`, &begun, &wake)
			if wake == 0 {
				return 0
			}
			return time.Duration(max(wake, begun-1)-begun) * time.Microsecond
		}
		if at := waits(); at != 2*time.Hour {
			t.Errorf("it is asked for after %s", at)
		}
		until := func(after, want time.Duration) {
			t.Helper()
			pass(t, s, after)
			eventually(t, fmt.Sprintf("asked, and again after %s", want), func() bool { return waits() == want })
		}
		p.tells(map[register.Phone]notify.Found{phoneOf(1): delivered()})
		until(2*time.Hour, 24*time.Hour)
		wantCounts(t, statusOf(t, s, id), map[string]int64{"delivered": 2, "accepted": 1})
		until(22*time.Hour, 72*time.Hour)
		p.tells(map[register.Phone]notify.Found{phoneOf(2): failedWith("MOBILE_NOT_ON_SERVICE")})
		until(48*time.Hour, 0)
		wantCounts(t, statusOf(t, s, id), map[string]int64{"delivered": 2, "failed": 1})
		if a := p.askedFor(); a[phoneOf(0)] != 0 || a[phoneOf(1)] != 1 || a[phoneOf(2)] != 3 {
			t.Errorf("asked for %v", a)
		}
	})
}

func TestWhatALookFindsCountsAsAReceipt(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(2)...)
		p := &platform{knows: map[register.Phone]notify.Found{phoneOf(0): failedWith("MOBILE_NOT_ON_SERVICE"), phoneOf(1): failedWith("MOBILE_NOT_ON_SERVICE")}}
		p.answer = func(c notify.Outgoing, _ int) (notify.Answer, bool) {
			if c.Channel == notify.SMS {
				return notify.Answer{Outcome: notify.Unknown}, true
			}
			return notify.Answer{Outcome: notify.Accepted}, true
		}
		id := approved(t, s, func(spec *notify.Spec) { spec.Channels = []notify.Channel{notify.SMS, notify.Voice} })
		w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr())
		defer w.Shutdown()
		until(t, s, id, "called", func(st notify.Status) bool { return st.ByChannel[notify.Voice] >= 1 })
	})
}

func TestCallsToBeAskedForHoldUpNothingElse(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(12)...)
		id := approved(t, s, func(spec *notify.Spec) { spec.Rate = 4 }) // calls of one
		calls := dispatched(t, s, id, notify.SMS)
		begun(t, s, calls)
		var results []notify.CallResult
		for _, call := range calls[:11] {
			results = append(results, notify.CallResult{CallID: call, Event: notify.Accept})
		}
		last := calls[11]
		settled(t, s, append(results, notify.CallResult{CallID: last, Event: notify.Lose, WakeAt: time.Now().Add(-time.Second)})...)
		pass(t, s, time.Hour)
		due, _, err := s.DueCalls(t.Context(), 10, time.Minute)
		if err != nil || len(due) != 1 || due[0].ID != last {
			t.Errorf("%+v, %v", due, err)
		}
		if due, _, err = s.SilentCalls(t.Context(), 10, time.Minute); err != nil || len(due) != 10 {
			t.Errorf("%d to be asked for, %v", len(due), err)
		}
	})
}
