package store

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// costOf is what a campaign has cost, in yuan.
func costOf(t *testing.T, s *Store, id int64) float64 {
	t.Helper()
	st := statusOf(t, s, id)
	paidRules().Bill(&st)
	return st.CostYuan
}

func wantCost(t *testing.T, s *Store, id int64, want float64) {
	t.Helper()
	if got := costOf(t, s, id); math.Abs(got-want) > 1e-9 {
		t.Errorf("it cost %v, want %v", got, want)
	}
}

func TestACampaignCostsWhatItsBudgetPaysAndTheRefusedNothing(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(120)...)
		setBudget(t, s, "44", thisMonth(), notify.NoLimit)
		setBudget(t, s, "4418", thisMonth(), notify.NoLimit) // it pays too, and yet nothing is paid twice
		p := &platform{}
		p.answer = func(call notify.Outgoing, _ int) (notify.Answer, bool) {
			for _, m := range call.Members {
				switch {
				case m.PersonID <= 3: // one bad number refuses the batch; it is halved until the bad ones stand alone
					return notify.Answer{Outcome: notify.Refused, Verdict: notify.MemberFinal, Code: "isv.MOBILE_NUMBER_ILLEGAL", OfPhone: true}, false
				case m.PersonID == 4:
					return notify.Answer{Outcome: notify.Refused, Verdict: notify.MemberFinal, Code: "isv.CUSTOMER_REFUSED"}, false
				}
			}
			return notify.Answer{Outcome: notify.Accepted, Code: "OK"}, true
		}
		template := templateOf(notify.SMS)
		template.SMS.Content = "${name}您好，" + fmt.Sprintf("%080d", 0) + "请缴费。" // two segments
		spec := notify.Spec{Name: "长", Kind: notify.PremiumReminder, Audience: register.Everybody(), Channels: []notify.Channel{notify.SMS}, Template: "due", Window: new(string)}
		id := approvedWith(t, s, spec, template)
		wantCost(t, s, id, 0)
		st := play(t, s, p, id, paidRules(), finished)
		wantCounts(t, st, map[string]int64{"accepted": 116, "failed": 4})
		if diff := cmp.Diff(map[string]int64{"isv.MOBILE_NUMBER_ILLEGAL": 3, "isv.CUSTOMER_REFUSED": 1}, st.FailedReasons); diff != "" {
			t.Error(diff)
		}
		wantCost(t, s, id, 23.2) // 116 texts of two segments at ten fen
		eventuallyBalanced(t, s, "44", 232*tenFen)

		const one = ` WHERE id = (SELECT min(id) FROM calls WHERE state = 'accepted' AND length(replace(marks, 'o', '')) = 20)`
		exec(t, s, `UPDATE calls SET marks = replace(replace(marks, '-', 'd'), '+', 'd') WHERE state = 'accepted'`)
		wantCost(t, s, id, 23.2)                               // whatever receipts say
		for state, want := range map[notify.CallState]float64{ // of the batch of twenty
			notify.CallSending: 23.2, notify.CallUnconfirmed: 23.2, notify.CallAbsent: 19.2, notify.CallRefused: 19.2, notify.CallWithdrawn: 19.2, notify.CallQueued: 19.2,
		} {
			var call int64
			err := s.read(t.Context(), "test", func(tx *tx) error { return tx.row(`SELECT id FROM calls` + one).Scan(&call) })
			if err != nil {
				t.Fatal(err)
			}
			exec(t, s, `UPDATE calls SET state = $1 WHERE id = $2`, string(state), call)
			if got := costOf(t, s, id); math.Abs(got-want) > 1e-9 {
				t.Errorf("one call is %s: it cost %v, want %v", state, got, want)
			}
			exec(t, s, `UPDATE calls SET state = 'accepted' WHERE id = $1`, call)
		}
		exec(t, s, `UPDATE calls SET segments = 0`+one) // as an older version wrote it: one for each member
		wantCost(t, s, id, 21.2)
	})
}

func TestCallsByTelephoneCostOneEachAndMessagesByWeChatNothing(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(3)...)
		id := approved(t, s, func(spec *notify.Spec) { spec.Channels = []notify.Channel{notify.Voice} })
		st := play(t, s, &platform{}, id, paidRules(), func(st notify.Status) bool { return st.Accepted == 3 })
		if diff := cmp.Diff(map[notify.Channel]int64{notify.Voice: 3}, st.Units); diff != "" {
			t.Error(diff)
		}
		wantCost(t, s, id, 0.18)
		exec(t, s, `UPDATE calls SET channel = 'wechat'`)
		wantCost(t, s, id, 0)
	})
}

func TestThePaceIsThatOfTheLastMinutesWhateverANightWas(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(300)...)
		id := approved(t, s, nil)
		if st := play(t, s, &platform{}, id, quickRules(), finished); st.Rate != 0 {
			t.Errorf("%v a second after its end", st.Rate)
		}
		const hours = 3_600_000_000
		exec(t, s, `UPDATE campaigns SET state = 'running', started_at = started_at - $1`, 9*hours)
		exec(t, s, `UPDATE calls SET begun_at = begun_at - $1 WHERE begun_at > 0`, 9*hours)
		if st := statusOf(t, s, id); st.Accepted != 300 || st.Rate != 0 {
			t.Errorf("all went yesterday, and %v go a second", st.Rate)
		}
		begins := func(call string, state notify.CallState, ago time.Duration) {
			t.Helper()
			exec(t, s, `UPDATE calls SET state = $1, wake_at = 1, begun_at = $2 WHERE id = (SELECT `+call+`(id) FROM calls WHERE state = 'accepted')`,
				string(state), toMicros(time.Now().Add(-ago)))
		}
		begins("max", notify.CallQueued, 0)
		begins("min", notify.CallAccepted, 20*time.Second)
		now := time.Now()
		st := statusOf(t, s, id)
		if st.Rate > 5.01 || st.Rate < 2 { // a hundred in twenty seconds, or a little more on a busy machine
			t.Errorf("%v a second this morning", st.Rate)
		}
		if left := st.Left(now); st.Queued != 100 || left < 19*time.Second || left > 50*time.Second {
			t.Errorf("%v left for %d", left, st.Queued)
		}
		exec(t, s, `UPDATE campaigns SET state = 'paused'`)
		if st := statusOf(t, s, id); st.Rate != 0 {
			t.Errorf("%v a second while it is paused", st.Rate)
		}
	})
}
