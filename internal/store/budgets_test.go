package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// paidRules: a text costs ten fen.
func paidRules() notify.Rules {
	return notify.Rules{Zone: time.UTC, PriceFen: map[notify.Channel]float64{notify.SMS: 10, notify.Voice: 6}}
}

const tenFen = 100_000 // in millionths of a yuan

func setBudget(t *testing.T, s *Store, region string, month int, amount int64) {
	t.Helper()
	if err := s.SetBudget(t.Context(), notify.Budget{Region: region, Month: month, Amount: amount}, time.UTC, time.Now(), "os:test"); err != nil {
		t.Fatal(err)
	}
}

func thisMonth() int { return notify.MonthOf(time.Now().UTC()) }

func usedOf(t *testing.T, s *Store, region string) int64 {
	t.Helper()
	list, err := s.ListBudgets(t.Context(), thisMonth())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range list {
		if b.Region == region {
			return b.Used
		}
	}
	t.Fatalf("no budget of %s in %+v", region, list)
	return 0
}

// eventually waits for what a sweep does.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}

func TestTheBudgetIsNeverExceededByCampaignsThatRunAtOnceAndTheRestWaits(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(300)...)
		setBudget(t, s, "4418", thisMonth(), 170*tenFen+tenFen/2)
		setBudget(t, s, "441802", thisMonth(), 1000*tenFen)
		setBudget(t, s, "4401", thisMonth(), 0) // another city's
		p := &platform{}
		first, second := approved(t, s, nil), approved(t, s, nil)
		redis := miniredis.RunT(t).Addr()
		for range 2 {
			w := startWorker(t, s, p, paidRules(), redis)
			defer w.Shutdown()
		}
		var one, two notify.Status
		eventually(t, "170 texts have gone and the rest waits", func() bool {
			one, two = statusOf(t, s, first), statusOf(t, s, second)
			return one.Accepted+two.Accepted == 170 && one.Waiting[notify.ForBudget]+two.Waiting[notify.ForBudget] == 430
		})
		if used := usedOf(t, s, "4418"); used != 170*tenFen {
			t.Errorf("%d used of the city's budget", used)
		}
		if used := usedOf(t, s, "441802"); used != 170*tenFen {
			t.Errorf("%d used of the county's budget", used)
		}
		wake := notify.BudgetWake(time.Now(), time.UTC)
		for _, st := range []notify.Status{one, two} {
			if st.Planned > 0 && (st.NextAt == nil || !st.NextAt.Equal(wake)) {
				t.Errorf("next at %v, want %v", st.NextAt, wake)
			}
		}

		setBudget(t, s, "4418", thisMonth(), notify.NoLimit)
		until(t, s, first, "finished", finished)
		until(t, s, second, "finished", finished)
		if used := usedOf(t, s, "441802"); used != 600*tenFen {
			t.Errorf("%d used of the county's budget", used)
		}
	})
}

func TestWhatSentNothingGivesItsMoneyBackAndWakesWhoWaits(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(12)...)
		setBudget(t, s, "44", thisMonth(), 10*tenFen)
		p := &platform{}
		p.answer = func(call notify.Outgoing, _ int) (notify.Answer, bool) {
			for _, m := range call.Members {
				if m.PersonID <= 3 { // one bad number refuses the batch; it is halved until the bad ones stand alone
					return notify.Answer{Outcome: notify.Refused, Verdict: notify.MemberFinal, Code: "isv.MOBILE_NUMBER_ILLEGAL", OfPhone: true}, false
				}
			}
			return notify.Answer{Outcome: notify.Accepted, Code: "OK"}, true
		}
		st := play(t, s, p, approved(t, s, nil), paidRules(), finished)
		wantCounts(t, st, map[string]int64{"accepted": 9, "failed": 3})
		eventuallyBalanced(t, s, "44", 9*tenFen)
	})
}

// An outage over, many calls give their money back at once, after those they were to have been put off for want of it.
func TestWhatManyCallsGiveBackReachesAllWhoWaitForIt(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(600)...)
		setBudget(t, s, "44", thisMonth(), 500*tenFen)
		exec(t, s, `UPDATE budgets SET used = amount`)
		id, p := approved(t, s, nil), &platform{}
		play(t, s, p, id, paidRules(), func(st notify.Status) bool { return st.Waiting[notify.ForBudget] == 600 })
		for call := range 5 {
			exec(t, s, `INSERT INTO calls (id, month, campaign_id, channel, state, members, marks, begun_at, created_at, updated_at)
				VALUES ($1, 202611, 999, 'sms', 'refused', '', '', 1, 1, 1)`, 900000+call)
			exec(t, s, `INSERT INTO budget_uses (call_id, region, month, amount, at) VALUES ($1, '44', $2, $3, 1)`, 900000+call, thisMonth(), 100*tenFen)
		}
		eventuallyBalanced(t, s, "44", 0)
		st := play(t, s, p, id, paidRules(), func(st notify.Status) bool { return st.Accepted == 500 && st.Waiting[notify.ForBudget] == 100 })
		wantCounts(t, st, map[string]int64{"accepted": 500, "planned": 100})
	})
}

func eventuallyBalanced(t *testing.T, s *Store, region string, want int64) {
	t.Helper()
	for range 3 {
		if _, err := s.BalanceBudgets(t.Context(), time.UTC); err != nil {
			t.Fatal(err)
		}
	}
	if used := usedOf(t, s, region); used != want {
		t.Errorf("%d used, want %d", used, want)
	}
}

// Budgets of province, city and county lie within one another: the end of a portion falls between the uses of one call.
func TestAllMoneyComesBackThoughAPortionEndsWithinACall(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		id, now := approved(t, s, nil), toMicros(time.Now())
		regions := []string{"44", "4418", "441802"}
		const calls = balanceBatch/3 + 1
		for _, region := range regions {
			setBudget(t, s, region, thisMonth(), 1000*tenFen)
		}
		exec(t, s, `UPDATE budgets SET used = $1`, int64(calls*tenFen))
		if err := s.write(t.Context(), "test", func(tx *tx) error {
			for call := range int64(calls) {
				if _, err := tx.exec(`INSERT INTO calls (id, month, campaign_id, channel, state, members, marks, begun_at, created_at, updated_at)
					VALUES ($1, 202611, $2, 'sms', 'refused', '', '', $3, $3, $3)`, 1000+call, id, now); err != nil {
					return err
				}
				for _, region := range regions {
					if _, err := tx.exec(`INSERT INTO budget_uses (call_id, region, month, amount, at) VALUES ($1, $2, $3, $4, $5)`,
						1000+call, region, thisMonth(), int64(tenFen), now); err != nil {
						return err
					}
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for more, passes := true, 0; more; passes++ {
			var err error
			if more, err = s.BalanceBudgets(t.Context(), time.UTC); err != nil || passes > 2 {
				t.Fatal(err, passes)
			}
			if more == (passes > 0) {
				t.Fatalf("pass %d: more is %t", passes, more)
			}
		}
		for _, region := range regions {
			if used := usedOf(t, s, region); used != 0 {
				t.Errorf("%d of %s never came back", used, region)
			}
		}
	})
}

func TestALateAnswerOfACallThatSeemedLostIsPaidAfterAll(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(1)...)
		setBudget(t, s, "441802103", thisMonth(), 5*tenFen)
		id := approved(t, s, nil)
		st := play(t, s, &platform{}, id, paidRules(), finished)
		wantCounts(t, st, map[string]int64{"accepted": 1})
		// As a look that found nothing leaves it.
		exec(t, s, `UPDATE calls SET state = 'absent'`)
		exec(t, s, `UPDATE budget_uses SET state = 0`)
		eventuallyBalanced(t, s, "441802103", 0)
		exec(t, s, `UPDATE calls SET state = 'accepted'`)
		eventuallyBalanced(t, s, "441802103", tenFen)
	})
}

func TestAMonthWithoutABudgetOfItsOwnHasTheLastOne(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		setBudget(t, s, "44", 202601, 7*tenFen)
		setBudget(t, s, "44", 202602, 3*tenFen)
		setBudget(t, s, "4418", 202601, tenFen)
		setBudget(t, s, "4418", 202605, notify.NoLimit)
		list, err := s.ListBudgets(t.Context(), 202604)
		if err != nil {
			t.Fatal(err)
		}
		want := []notify.Budget{{Region: "44", Month: 202604, Amount: 3 * tenFen}, {Region: "4418", Month: 202604, Amount: tenFen}}
		if diff := cmp.Diff(want, list, cmpopts.IgnoreFields(notify.Budget{}, "Since")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWhoWaitsForMoneyWhenTheCampaignExpiresIsSkippedForIt(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(5)...)
		setBudget(t, s, "44", thisMonth(), 2*tenFen)
		id := approved(t, s, func(spec *notify.Spec) { spec.Expires = time.Now().Add(time.Hour) })
		p := &platform{}
		play(t, s, p, id, paidRules(), func(st notify.Status) bool { return st.Accepted == 2 && st.Waiting[notify.ForBudget] == 3 })
		exec(t, s, `UPDATE campaigns SET expires_at = 1`) // the hour is over
		wantCounts(t, play(t, s, p, id, paidRules(), finished), map[string]int64{"accepted": 2, "budget": 3})
	})
}

// The worker's clock is in another month than the database's, as it is for a moment each month where it is a little behind
// or ahead.
func TestTheMoneyIsThatOfTheDatabasesMonthWhateverTheWorkersClockSays(t *testing.T) {
	for name, days := range map[string]int{"behind": -40, "ahead": 40} {
		t.Run(name, func(t *testing.T) {
			eachStore(t, func(t *testing.T, s *Store) {
				clock := func() time.Time { return time.Now().AddDate(0, 0, days) }
				putOnFile(t, s, crowd(5)...)
				setBudget(t, s, "44", notify.MonthOf(time.Now().UTC().AddDate(0, 0, -40)), 1*tenFen)
				setBudget(t, s, "44", thisMonth(), 2*tenFen)
				setBudget(t, s, "44", notify.MonthOf(time.Now().UTC().AddDate(0, 0, 40)), 3*tenFen)
				id := approved(t, s, nil)
				w := startWorkerBy(t, clock, s, &platform{}, paidRules(), miniredis.RunT(t).Addr())
				defer w.Shutdown()
				st := until(t, s, id, "this month's money is spent", func(st notify.Status) bool {
					return st.Waiting[notify.ForBudget] > 0 && st.Queued == 0 && st.Sending == 0
				})
				if wake := notify.BudgetWake(time.Now(), time.UTC); st.Accepted != 2 || st.Waiting[notify.ForBudget] != 3 || st.NextAt == nil || !st.NextAt.Equal(wake) {
					t.Errorf("%d gone, %v wait until %v, want %v", st.Accepted, st.Waiting, st.NextAt, wake)
				}
			})
		})
	}
}

func TestLongTextsCostTheirSegments(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(2)...)
		setBudget(t, s, "44", thisMonth(), 5*tenFen)
		template := templateOf(notify.SMS)
		template.SMS.Content = "${name}您好，" + fmt.Sprintf("%080d", 0) + "请缴费。" // beyond 70 characters: two segments
		spec := notify.Spec{Name: "长", Kind: notify.PremiumReminder, Audience: register.Everybody(), Channels: []notify.Channel{notify.SMS}, Template: "due", Window: new(string)}
		st := play(t, s, &platform{}, approvedWith(t, s, spec, template), paidRules(), finished)
		wantCounts(t, st, map[string]int64{"accepted": 2})
		if used := usedOf(t, s, "44"); used != 4*tenFen {
			t.Errorf("%d used", used)
		}
	})
}

func TestABudgetSaysSinceWhenItCounts(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		first := time.Date(2027, 3, 17, 9, 30, 0, 0, time.UTC)
		set := func(region string, month int, at time.Time) {
			if err := s.SetBudget(t.Context(), notify.Budget{Region: region, Month: month, Amount: tenFen}, time.UTC, at, "os:test"); err != nil {
				t.Fatal(err)
			}
		}
		set("441802", 202703, first)
		set("441802", 202703, first.AddDate(0, 0, 5)) // the amount changes, what is counted does not
		set("441802", 202705, first.AddDate(0, 0, 6))
		set("441881", 202704, first)
		for _, want := range []struct {
			month  int
			region string
			late   bool
		}{{202703, "441802", true}, {202704, "441802", false}, {202704, "441881", false}, {202705, "441802", false}} {
			list, err := s.ListBudgets(t.Context(), want.month)
			if err != nil {
				t.Fatal(err)
			}
			at := slices.IndexFunc(list, func(b notify.Budget) bool { return b.Region == want.region })
			if at < 0 {
				t.Fatalf("%d has no budget of %s: %+v", want.month, want.region, list)
			}
			if since, late := list[at].Late(time.UTC); late != want.late || !since.Equal(first) {
				t.Errorf("%d %s: counts since %v (late %v)", want.month, want.region, since, late)
			}
		}
	})
}

func TestAnUpgradeKeepsSinceWhenABudgetCounts(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		first := time.Date(2027, 3, 17, 9, 30, 0, 0, time.UTC)
		for i, month := range []int{202703, 202703, 202704} { // set, changed, and set for another month
			b := notify.Budget{Region: "441802", Month: month, Amount: tenFen}
			if err := s.SetBudget(t.Context(), b, time.UTC, first.AddDate(0, 0, i), "os:test"); err != nil {
				t.Fatal(err)
			}
		}
		p, err := s.provider()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.ApplyVersion(t.Context(), 32, false); err != nil {
			t.Fatal(err)
		}
		exec(t, s, `INSERT INTO budgets (region, month, amount, updated_at) VALUES ('44', 202703, 1, $1)`, toMicros(first)) // the audit of it is gone
		if _, err := p.ApplyVersion(t.Context(), 32, true); err != nil {
			t.Fatal(err)
		}
		exec(t, s, `INSERT INTO budgets (region, month, amount, updated_at) VALUES ('4418', 202703, 1, $1)`, toMicros(first)) // as the version before does
		list, err := s.ListBudgets(t.Context(), 202704)
		if err != nil || len(list) != 3 {
			t.Fatalf("%+v %v", list, err)
		}
		for _, b := range list {
			if !b.Since.Equal(first) {
				t.Errorf("%s counts since %v, want %v", b.Region, b.Since, first)
			}
		}
		var since int64
		err = s.read(t.Context(), "since", func(x *tx) error {
			return x.row(`SELECT since FROM budgets WHERE region = '441802' AND month = 202704`).Scan(&since)
		})
		if want := toMicros(first.AddDate(0, 0, 2)); err != nil || since != want {
			t.Errorf("a month has the time of another: %d, want %d, %v", since, want, err)
		}
	})
}

func TestAPreviewWarnsOfTheBudgetOfEveryPlaceThatItsAudienceLivesIn(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		people := crowd(10)
		people[8].household, people[8].phone = people[7].household, people[7].phone // one text for two
		putOnFile(t, s, people...)
		exec(t, s, `UPDATE people SET region = '441881100200' WHERE id > 6`) // four of them, three texts
		exec(t, s, `UPDATE people SET region = '440103001001' WHERE id = 1`)
		template := templateOf(notify.SMS)
		if err := s.ApplyTemplates(t.Context(), []notify.Template{template}, time.Now(), staff.Entry{At: time.Now(), Act: "x"}); err != nil {
			t.Fatal(err)
		}
		service := &notify.Service{Campaigns: s, Templates: s, Figures: s, Budgets: s, Keys: s, Now: time.Now, Rules: paidRules()}
		warned := func(scope, audience string) (out []string) {
			t.Helper()
			spec := notify.Spec{Name: "x", Kind: notify.PremiumReminder, Audience: register.Everybody(), Channels: []notify.Channel{notify.SMS}, Template: "due"}
			if audience != "" {
				var err error
				if spec.Audience, err = register.ParseCondition([]byte("region: {within: \"" + audience + "\"}")); err != nil {
					t.Fatal(err)
				}
			}
			p, err := service.Preview(t.Context(), register.Scope{Prefix: scope}, spec)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range p.Warnings {
				if strings.HasPrefix(w.Key, "warn.budget") {
					out = append(out, fmt.Sprintln(w.Key, w.Data["region"], w.Data["left"], w.Data["cost"], w.Data["places"]))
				}
			}
			return out
		}
		want := func(got []string, want ...string) {
			t.Helper()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		}
		want(warned("", ""))
		setBudget(t, s, "441881", thisMonth(), 2*tenFen)
		setBudget(t, s, "441802", thisMonth(), 5*tenFen) // exactly what its five texts cost
		want(warned("", ""), "warn.budget_part 441881 0.20 0.30 \n")
		want(warned("", "441881"), "warn.budget_part 441881 0.20 0.30 \n")
		want(warned("", "441802"))
		want(warned("441881", ""), "warn.budget 441881 0.20 0.30 \n")
		want(warned("441802", ""))
		setBudget(t, s, "4418", thisMonth(), 0)
		setBudget(t, s, "441881100", thisMonth(), notify.NoLimit)
		want(warned("", ""), "warn.budget_part 4418 0.00 0.80 \n", "warn.budget_part 441881 0.20 0.30 \n")
		want(warned("441881", ""), "warn.budget 4418 0.00 0.30 \n", "warn.budget 441881 0.20 0.30 \n")
		want(warned("", "4401"))
		setBudget(t, s, "44", thisMonth(), 0)
		for i := range 9 { // a town of their own for each but one; the household's text counts in one of its two
			setBudget(t, s, fmt.Sprintf("44188110%d", i), thisMonth(), 0)
			exec(t, s, fmt.Sprintf(`UPDATE people SET region = '44188110%d200' WHERE id = %d`, i, i+2))
		}
		want(warned("", ""), "warn.budget 44 0.00 0.90 \n", "warn.budget_part 4418 0.00 0.80 \n", "warn.budget_part 441881 0.20 0.80 \n",
			"warn.budget_part 441881100 0.00 0.10 \n", "warn.budget_part 441881101 0.00 0.10 \n", "warn.budget_part 441881102 0.00 0.10 \n",
			"warn.budget_part 441881103 0.00 0.10 \n", "warn.budget_part 441881104 0.00 0.10 \n", "warn.budget_more    3\n")
	})
}

func TestAPlaceIsPeopledBySomebodyWhoLivesThere(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(1)...)
		for prefix, want := range map[string]bool{"44": true, "441802": true, "441802103201": true, "441881": false, "441802104": false} {
			if yes, err := s.Peopled(t.Context(), prefix); err != nil || yes != want {
				t.Errorf("%s: %v, %v", prefix, yes, err)
			}
		}
		exec(t, s, `UPDATE people SET status = 'deceased'`)
		if yes, err := s.Peopled(t.Context(), "441802"); err != nil || yes {
			t.Errorf("who died lives nowhere: %v %v", yes, err)
		}
	})
}
