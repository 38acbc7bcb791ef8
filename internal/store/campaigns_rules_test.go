package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

func exec(t *testing.T, s *Store, query string, args ...any) {
	t.Helper()
	err := s.write(t.Context(), "test", func(tx *tx) error { _, err := tx.exec(query, args...); return err })
	if err != nil {
		t.Fatal(err)
	}
}

func phoneIdx(s *Store, phone register.Phone) []byte { return s.keys.Index("phone", string(phone)) }

// play runs a worker until the campaign is as wanted, and stops it.
func play(t *testing.T, s *Store, p *platform, id int64, rules notify.Rules, done func(notify.Status) bool) notify.Status {
	t.Helper()
	w := startWorker(t, s, p, rules, miniredis.RunT(t).Addr())
	defer w.Shutdown()
	return until(t, s, id, "as wanted", done)
}

func counts(st notify.Status) map[string]int64 {
	m := map[string]int64{}
	for name, n := range map[string]int64{
		"planned": st.Planned, "queued": st.Queued, "sending": st.Sending, "accepted": st.Accepted,
		"delivered": st.Delivered, "failed": st.Failed, "unconfirmed": st.Unconfirmed,
	} {
		if n != 0 {
			m[name] = n
		}
	}
	for why, n := range st.Skipped {
		m[string(why)] = n
	}
	return m
}

func wantCounts(t *testing.T, st notify.Status, want map[string]int64) {
	t.Helper()
	if diff := cmp.Diff(want, counts(st)); diff != "" {
		t.Errorf("state %s (%s):\n%s", st.State, st.Reason, diff)
	}
	total := int64(0)
	for _, n := range counts(st) {
		total += n
	}
	if st.Total != total {
		t.Errorf("total %d, the states add up to %d", st.Total, total)
	}
}

func TestWhoCanNotOrMustNotBeReachedIsSkippedWithTheReason(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s,
			villager{id: 1, phone: phoneOf(1), household: "a"},
			villager{id: 2, phone: phoneOf(2), household: "b"}, // opted out themselves
			villager{id: 3, phone: phoneOf(3), household: "c"}, // their number opted out
			villager{id: 4, phone: phoneOf(4), household: "d", status: register.Deceased},
			villager{id: 5, household: "e"},                                                                        // no phone
			villager{id: 6, phone: phoneOf(6), household: "f"}, villager{id: 7, phone: phoneOf(6), household: "g"}, // one number,
			villager{id: 8, phone: phoneOf(6), household: "h"}, // three households
		)
		exec(t, s, `INSERT INTO opt_outs (person_id, via, at) VALUES (2, 'wechat', 1)`)
		exec(t, s, `INSERT INTO opt_outs (phone_idx, via, at) VALUES ($1, 'sms', 1)`, phoneIdx(s, phoneOf(3)))
		exec(t, s, `UPDATE people SET opted_out = TRUE WHERE id IN (2, 3)`)
		p := &platform{}
		st := play(t, s, p, approved(t, s, nil), quickRules(), finished)
		wantCounts(t, st, map[string]int64{"accepted": 1, "opted_out": 2, "deceased": 1, "no_channel": 4})
		onceEach(t, p, 1)
	})
}

func TestOneTextForEachHouseholdAndPhone(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s,
			villager{id: 1, phone: phoneOf(1), household: "a"}, villager{id: 2, phone: phoneOf(1), household: "a"}, villager{id: 3, phone: phoneOf(1), household: "a"},
			villager{id: 4, phone: phoneOf(4), household: "b"}, villager{id: 5, phone: phoneOf(4), household: "c"}, // a neighbour's phone
			villager{id: 6, phone: phoneOf(6), household: "a"}, // of the household, on a phone of their own
		)
		p := &platform{}
		st := play(t, s, p, approved(t, s, nil), quickRules(), finished)
		wantCounts(t, st, map[string]int64{"accepted": 4, "household": 2})
		if diff := cmp.Diff(map[register.Phone]int{phoneOf(1): 1, phoneOf(4): 2, phoneOf(6): 1}, p.texts()); diff != "" {
			t.Error(diff)
		}
		for out, phones := range p.taken {
			if phones[phoneOf(4)] > 1 {
				t.Errorf("call %s holds a number twice", out)
			}
		}
	})
}

func TestWhereTheCarrierOfAHouseholdFailsTheNextMemberCarriesIt(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, villager{id: 1, phone: phoneOf(1), household: "a"}, villager{id: 2, phone: phoneOf(1), household: "a"},
			villager{id: 3, phone: phoneOf(1), household: "a"}, villager{id: 4, phone: phoneOf(9), household: "b"}, villager{id: 5, phone: phoneOf(9), household: "b"})
		p := &platform{}
		p.answer = func(call notify.Outgoing, _ int) (notify.Answer, bool) {
			for _, m := range call.Members {
				if m.PersonID == 1 { // a name that the platform refuses
					return notify.Answer{Outcome: notify.Refused, Verdict: notify.MemberFinal, Code: "isv.PARAM_LENGTH_LIMIT"}, false
				}
				if m.PersonID == 4 { // the number itself
					return notify.Answer{Outcome: notify.Refused, Verdict: notify.MemberFinal, Code: "isv.MOBILE_NUMBER_ILLEGAL", OfPhone: true}, false
				}
			}
			return notify.Answer{Outcome: notify.Accepted}, true
		}
		st := play(t, s, p, approved(t, s, nil), quickRules(), finished)
		wantCounts(t, st, map[string]int64{"accepted": 1, "household": 1, "failed": 3})
		onceEach(t, p, 1)
	})
}

func TestTheCapHoldsAcrossCampaignsThatRunAtOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		list := crowd(400)
		for i := range 50 {
			list[2*i].phone = list[2*i+1].phone // two households on one number: one text in all
		}
		putOnFile(t, s, list...)
		p := &platform{}
		rules := notify.Rules{Zone: time.UTC, Cap: notify.Cap{{Count: 1, Per: 24 * time.Hour}}}
		first, second := approved(t, s, nil), approved(t, s, nil)
		redis := miniredis.RunT(t).Addr()
		for range 2 {
			w := startWorker(t, s, p, rules, redis)
			defer w.Shutdown()
		}
		one := until(t, s, first, "finished", finished)
		two := until(t, s, second, "finished", finished)
		onceEach(t, p, 350)
		if one.Accepted+two.Accepted != 350 || one.Skipped[notify.FrequencyCap]+two.Skipped[notify.FrequencyCap] != 450 {
			t.Errorf("%+v\n%+v", one, two)
		}
	})
}

func TestTheCapDelaysAndGivesBackWhatWasNotSent(t *testing.T) {
	t.Parallel()
	s := openReady(t, templates().SQLite(t))
	putOnFile(t, s, crowd(1)...)
	p := &platform{}
	p.answer = func(notify.Outgoing, int) (notify.Answer, bool) {
		return notify.Answer{Outcome: notify.Refused, Verdict: notify.MemberFinal, Code: "isv.X"}, false
	}
	rules := notify.Rules{Zone: time.UTC, Cap: notify.Cap{{Count: 1, Per: 24 * time.Hour}}, CapWait: 48 * time.Hour}
	st := play(t, s, p, approved(t, s, nil), rules, finished)
	wantCounts(t, st, map[string]int64{"failed": 1})
	p.answer = nil
	wantCounts(t, play(t, s, p, approved(t, s, nil), rules, finished), map[string]int64{"accepted": 1})
	waits := approved(t, s, nil)
	st = play(t, s, p, waits, rules, func(st notify.Status) bool {
		var n int
		_ = s.read(context.Background(), "test", func(tx *tx) error {
			return tx.row(`SELECT count(*) FROM deliveries WHERE campaign_id = $1 AND state = 'planned' AND waits_from > 0`, waits).Scan(&n)
		})
		return n == 1 && st.Planned == 1 // the status was read a moment before
	})
	wantCounts(t, st, map[string]int64{"planned": 1})
	onceEach(t, p, 1)
}

func TestAClosedWindowAndAPauseHoldRowsAndCancellingTakesThemOut(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(300)...)
		p := &platform{}
		later := time.Now().UTC().Add(2 * time.Hour)
		closed := later.Format("15:04") + "-" + later.Add(time.Hour).Format("15:04")
		id := approved(t, s, func(spec *notify.Spec) { spec.Window = &closed })
		w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr())
		defer w.Shutdown()
		until(t, s, id, "planned", func(st notify.Status) bool { return st.Planned == 300 })
		move := func(id int64, e notify.CampaignEvent) {
			t.Helper()
			if _, err := s.MoveCampaign(t.Context(), id, notify.CampaignMoved{Event: e, At: time.Now(), Audit: staff.Entry{At: time.Now(), Act: "x"}}); err != nil {
				t.Fatal(err)
			}
		}
		move(id, notify.Cancel)
		wantCounts(t, until(t, s, id, "taken out", func(st notify.Status) bool { return st.Planned == 0 }), map[string]int64{"cancelled": 300})

		id = approved(t, s, func(spec *notify.Spec) { spec.Rate = 50 })
		until(t, s, id, "begun", func(st notify.Status) bool { return st.Accepted > 0 })
		move(id, notify.Pause)
		// What was being taken in hand as the pause came still goes; then nothing does.
		went, since := int64(-1), time.Now()
		until(t, s, id, "at rest", func(st notify.Status) bool {
			if st.Accepted != went || st.Sending > 0 {
				went, since = st.Accepted, time.Now()
			}
			return time.Since(since) > 1200*time.Millisecond
		})
		if after := statusOf(t, s, id); after.State != notify.Paused || after.Accepted == 300 {
			t.Errorf("paused: %+v", after)
		}
		move(id, notify.Resume)
		wantCounts(t, until(t, s, id, "finished", finished), map[string]int64{"accepted": 300})
	})
}

func TestWhatHasNotGoneByItsExpiryIsSkipped(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(120)...)
		p := &platform{}
		id := approved(t, s, func(spec *notify.Spec) { spec.Expires = time.Now().Add(-time.Minute) })
		wantCounts(t, play(t, s, p, id, quickRules(), finished), map[string]int64{"expired": 120})
		onceEach(t, p, 0)
	})
}

// One that stood before all of its audience was planned is planned to the end: everybody has a row, and the reason stands in it.
func TestACampaignThatExpiresWhereItStandsHasARowForEverybody(t *testing.T) {
	for state, want := range map[notify.CampaignState]notify.CampaignState{notify.Paused: notify.Finished, notify.Halted: notify.Halted} {
		t.Run(string(state), func(t *testing.T) {
			eachStore(t, func(t *testing.T, s *Store) {
				putOnFile(t, s, crowd(120)...)
				id := approved(t, s, nil)
				if _, err := s.StartDue(t.Context()); err != nil {
					t.Fatal(err)
				}
				if done, err := s.PlanPage(t.Context(), id, time.Now(), 50); err != nil || done {
					t.Fatal(done, err)
				}
				exec(t, s, `UPDATE campaigns SET state = $1, reason = 'halt.numbers', expires_at = 1`, string(state))
				p := &platform{}
				st := play(t, s, p, id, quickRules(), func(st notify.Status) bool { return st.State == want && st.Skipped[notify.Expired] == 120 })
				wantCounts(t, st, map[string]int64{"expired": 120})
				onceEach(t, p, 0)
			})
		})
	}
}

func TestWhoNoLongerFitsTheAudienceIsSkippedAtTheLastMoment(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(5)...)
		audience, err := register.ParseCondition([]byte(`{age: {lte: 100}}`))
		if err != nil {
			t.Fatal(err)
		}
		p := &platform{}
		setBudget(t, s, "44", thisMonth(), tenFen) // for one text: the others are on the list and wait
		id := approved(t, s, func(spec *notify.Spec) { spec.Audience = audience })
		w := startWorker(t, s, p, paidRules(), miniredis.RunT(t).Addr())
		defer w.Shutdown()
		until(t, s, id, "planned", func(st notify.Status) bool { return st.Accepted == 1 && st.Waiting[notify.ForBudget] == 4 })
		exec(t, s, `UPDATE people SET birth_date = '1900-01-01'`)
		setBudget(t, s, "44", thisMonth(), notify.NoLimit)
		wantCounts(t, until(t, s, id, "finished", finished), map[string]int64{"accepted": 1, string(notify.NoLongerMatches): 4})
	})
}

func TestARefusalOfTheAccountHaltsTheCampaignAndLosesNobody(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(250)...)
		p := &platform{}
		broke := true
		p.answer = func(notify.Outgoing, int) (notify.Answer, bool) {
			if broke {
				return notify.Answer{Outcome: notify.Refused, Verdict: notify.Halt, Code: "isv.AMOUNT_NOT_ENOUGH", Message: "no money"}, false
			}
			return notify.Answer{Outcome: notify.Accepted}, true
		}
		id := approved(t, s, nil)
		w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr())
		defer w.Shutdown()
		st := until(t, s, id, "halted", func(st notify.Status) bool { return st.State == notify.Halted && st.Sending == 0 })
		if st.Reason != "halt.refused" || st.Accepted != 0 {
			t.Errorf("%+v", st)
		}
		p.mu.Lock()
		broke = false
		p.mu.Unlock()
		if _, err := s.MoveCampaign(t.Context(), id, notify.CampaignMoved{Event: notify.Resume, At: time.Now(), Audit: staff.Entry{At: time.Now()}}); err != nil {
			t.Fatal(err)
		}
		wantCounts(t, until(t, s, id, "finished", finished), map[string]int64{"accepted": 250})
		onceEach(t, p, 250)
	})
}

func TestAPreviewCountsAsThePlanDoes(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s,
			villager{id: 1, phone: phoneOf(1), household: "a"}, villager{id: 2, phone: phoneOf(1), household: "a"},
			villager{id: 3, phone: phoneOf(3), household: "b"}, villager{id: 4, household: "c"},
			villager{id: 5, phone: phoneOf(5), household: "d", status: register.Deceased},
		)
		bind(t, s, 3, true)
		anyHour := ""
		template := templateOf(notify.WeChat, notify.SMS)
		spec := notify.Spec{Name: "x", Kind: notify.PremiumReminder, Audience: register.Everybody(), Channels: []notify.Channel{notify.WeChat, notify.SMS}, Template: "due", Window: &anyHour}
		service := &notify.Service{
			Campaigns: s, Templates: s, Figures: s, Keys: s, Now: time.Now,
			Rules: notify.Rules{Zone: time.UTC, Signature: "零距离", PriceFen: map[notify.Channel]float64{notify.SMS: 4.5}},
		}
		if err := s.ApplyTemplates(t.Context(), []notify.Template{template}, time.Now(), staff.Entry{At: time.Now(), Act: "x"}); err != nil {
			t.Fatal(err)
		}
		got, err := service.Preview(t.Context(), register.Scope{}, spec)
		if err != nil {
			t.Fatal(err)
		}
		want := notify.Preview{
			Matched: 5, Reachable: map[notify.Channel]int64{notify.WeChat: 1, notify.SMS: 2, notify.Voice: 0},
			Unreachable: map[notify.SkipReason]int64{notify.NoChannel: 1, notify.IsDeceased: 1}, Segments: 1, CostYuan: 0.045,
			Samples:  []notify.PreviewSample{{Channel: notify.WeChat, Text: "王**"}, {Channel: notify.SMS, Text: "王**您好，请缴费。"}, {Channel: notify.SMS, Text: "王**您好，请缴费。"}},
			Warnings: []notify.Warning{{Key: "warn.hours", Data: map[string]string{"hours": "07:00-21:30"}}, {Key: "warn.template_unasked", Data: map[string]string{"code": "SMS_1"}}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestStaffStayWithinTheirRoleTheirRegionAndTheTwoPersonRule(t *testing.T) {
	t.Parallel()
	s := openReady(t, templates().SQLite(t))
	ctx := t.Context()
	member := func(id int64, role staff.Role, region string) staff.Member {
		return staff.Member{ID: id, Name: fmt.Sprint(role, id), Role: role, Region: region}
	}
	author, approver := member(1, staff.Author, "441802"), member(2, staff.Approver, "4418")
	elsewhere, admin := member(3, staff.Approver, "4419"), member(4, staff.Admin, "")
	service := &notify.Service{Campaigns: s, Templates: s, Figures: s, Keys: s, Now: time.Now, Rules: quickRules()}
	spec := notify.Spec{Name: "x", Kind: notify.PremiumReminder, Audience: register.Everybody(), Channels: []notify.Channel{notify.SMS}, Template: "due"}
	wantErr := func(err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	_, err := service.Create(ctx, author, spec)
	wantErr(err, notify.ErrNoTemplate)
	other := templateOf(notify.SMS)
	other.Kind = notify.JobPosting
	wantErr(s.ApplyTemplates(ctx, []notify.Template{other}, time.Now(), staff.Entry{At: time.Now()}), nil)
	_, err = service.Create(ctx, author, spec)
	wantErr(err, notify.ErrKind)
	wantErr(s.ApplyTemplates(ctx, []notify.Template{templateOf(notify.SMS)}, time.Now(), staff.Entry{At: time.Now()}), nil)
	_, err = service.Create(ctx, approver, spec)
	wantErr(err, staff.ErrForbidden)
	id, err := service.Create(ctx, author, spec)
	wantErr(err, nil)
	wantErr(service.Approve(ctx, approver, id, time.Time{}), notify.ErrWrongState)
	_, err = service.Submit(ctx, author, id)
	wantErr(err, nil)
	wantErr(service.Approve(ctx, author, id, time.Time{}), staff.ErrForbidden)
	wantErr(service.Approve(ctx, elsewhere, id, time.Time{}), staff.ErrForbidden)
	wantErr(service.Change(ctx, admin, id, spec, time.Time{}), nil)
	_, err = service.Submit(ctx, author, id)
	wantErr(err, nil)
	wantErr(service.Approve(ctx, admin, id, time.Time{}), notify.ErrSameColleague)
	wantErr(service.Return(ctx, author, id, notify.Judgment{}), staff.ErrForbidden)
	wantErr(service.Return(ctx, approver, id, notify.Judgment{Note: " 截止日期写错了 "}), nil)
	if c, err := service.Find(ctx, author, id); err != nil || c.State != notify.Draft || c.Detail != "截止日期写错了" {
		t.Errorf("what its author reads of a returned campaign: %+v %v", c, err)
	}
	_, err = service.Submit(ctx, admin, id)
	wantErr(err, nil)
	if c, err := service.Find(ctx, author, id); err != nil || c.Detail != "" {
		t.Errorf("the word outlives its return: %+v %v", c, err)
	}
	wantErr(service.Approve(ctx, approver, id, time.Time{}), nil)
	wantErr(service.Approve(ctx, approver, id, time.Time{}), notify.ErrWrongState)
	wantErr(service.Pause(ctx, approver, id), notify.ErrWrongState)
	wantErr(service.Pause(ctx, approver, 99), notify.ErrNoCampaign)
	wantErr(service.Cancel(ctx, author, id), nil)
	c, err := service.Find(ctx, approver, id)
	if err != nil || c.State != notify.Cancelled || c.Scope.Prefix != "441802" {
		t.Errorf("%+v %v", c, err)
	}
	if n, err := s.VerifyAudit(ctx); err != nil || n == 0 {
		t.Error(n, err)
	}
}
