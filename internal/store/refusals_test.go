package store

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

const missingParameters = "isv.TEMPLATE_MISSING_PARAMETERS"

// refuses has the platform refuse whoever's message is at fault, as it refuses a text that may be everybody's.
func (p *platform) refuses(code string, bad func(call notify.Outgoing, m notify.Member) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = func(call notify.Outgoing, _ int) (notify.Answer, bool) {
		for _, m := range call.Members {
			if bad(call, m) {
				return notify.Answer{Outcome: notify.Refused, Verdict: notify.MemberFinal, Code: code, Common: true}, false
			}
		}
		return notify.Answer{Outcome: notify.Accepted}, true
	}
}

func everybody(notify.Outgoing, notify.Member) bool { return true }
func nobody(notify.Outgoing, notify.Member) bool    { return false }

func goOn(t *testing.T, s *Store, id int64) {
	t.Helper()
	_, err := s.MoveCampaign(t.Context(), id, notify.CampaignMoved{Event: notify.Resume, At: time.Now(), Audit: staff.Entry{At: time.Now(), Act: "x"}})
	if err != nil {
		t.Fatal(err)
	}
}

// haltsFor waits until a campaign is halted because everybody is refused, and nothing is under way.
func haltsFor(t *testing.T, s *Store, id int64, code string) notify.Status {
	t.Helper()
	st := until(t, s, id, "halted", func(st notify.Status) bool {
		return (st.State == notify.Halted || st.State == notify.Finished) && st.Sending == 0
	})
	c, err := s.FindCampaign(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if st.State != notify.Halted || st.Reason != "halt.everybody" || c.Detail != code || st.Failed != 0 {
		t.Fatalf("%q: %+v", c.Detail, st)
	}
	return st
}

func TestARefusalThatMeetsEverybodyHaltsTheCampaignAndLosesNobody(t *testing.T) {
	for name, channel := range map[string]notify.Channel{"in hundreds": notify.SMS, "one by one": notify.Voice} {
		t.Run(name, func(t *testing.T) {
			eachStore(t, func(t *testing.T, s *Store) {
				putOnFile(t, s, crowd(330)...)
				p := &platform{}
				p.refuses(missingParameters, everybody)
				id := approved(t, s, func(spec *notify.Spec) { spec.Channels = []notify.Channel{channel} })
				redis := miniredis.RunT(t).Addr()
				for range 2 {
					w := startWorker(t, s, p, quickRules(), redis)
					defer w.Shutdown()
				}
				if st := haltsFor(t, s, id, missingParameters); st.Planned+st.Queued != 330 {
					t.Errorf("%+v", st)
				}
				p.refuses(missingParameters, nobody)
				goOn(t, s, id)
				st := until(t, s, id, "all taken", func(st notify.Status) bool { return st.Accepted == 330 })
				if st.Failed != 0 || st.Total != 330 {
					t.Errorf("%+v", st)
				}
				onceEach(t, p, 330)
				if c, err := s.FindCampaign(t.Context(), id); err != nil || c.Raised != 1 {
					t.Errorf("raised %d times, %v", c.Raised, err)
				}
			})
		})
	}
}

func TestATemplateThatIsChangedInTheMiddleHaltsAndThoseRefusedSinceAreStillThere(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(600)...)
		p := &platform{}
		p.refuses(missingParameters, func(_ notify.Outgoing, _ notify.Member) bool { return p.calls > 2 })
		id := approved(t, s, nil)
		redis := miniredis.RunT(t).Addr()
		w := startWorker(t, s, p, quickRules(), redis)
		until(t, s, id, "refused", func(notify.Status) bool { p.mu.Lock(); defer p.mu.Unlock(); return p.calls > 6 })
		w.Shutdown() // the next process knows what this one was answered
		w = startWorker(t, s, p, quickRules(), redis)
		defer w.Shutdown()
		if st := haltsFor(t, s, id, missingParameters); st.Accepted != 200 {
			t.Errorf("%+v", st)
		}
		p.refuses(missingParameters, nobody)
		goOn(t, s, id)
		wantCounts(t, until(t, s, id, "finished", finished), map[string]int64{"accepted": 600})
		onceEach(t, p, 600)
	})
}

func TestWhereSomeAreRefusedForTheirOwnTextTheOthersGetTheirs(t *testing.T) {
	for name, c := range map[string]struct {
		code string
		each int64 // every so many is at fault
	}{"one of a hundred": {missingParameters, 100}, "one of ten": {"isv.UNSUPPORTED_CONTENT", 10}, "one of twenty by WeChat's like": {"47003", 20}} {
		t.Run(name, func(t *testing.T) {
			eachStore(t, func(t *testing.T, s *Store) {
				const people = 400
				putOnFile(t, s, crowd(people)...)
				p := &platform{}
				p.refuses(c.code, func(_ notify.Outgoing, m notify.Member) bool { return m.PersonID%c.each == 0 })
				id := approved(t, s, func(spec *notify.Spec) {
					if c.code == "47003" {
						spec.Channels = []notify.Channel{notify.Voice}
					}
				})
				w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr())
				defer w.Shutdown()
				st := until(t, s, id, "settled", func(st notify.Status) bool {
					return st.State == notify.Halted || st.Accepted+st.Failed == people
				})
				if st.State == notify.Halted || st.Failed != people/c.each {
					t.Errorf("%+v", st)
				}
				onceEach(t, p, int(people-people/c.each))
			})
		})
	}
}

func TestAVillageWhoseRowsAreAtFaultHaltsNothingWhileOthersAreTaken(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(130)...)
		p := &platform{}
		village := func(_ notify.Outgoing, m notify.Member) bool { return m.PersonID > 100 }
		p.refuses("", village)
		refused := p.answer
		p.answer = func(call notify.Outgoing, n int) (notify.Answer, bool) {
			if answer, taken := refused(call, n); taken {
				return answer, taken
			}
			return notify.Answer{Outcome: notify.NotSent, Verdict: notify.RetryLater}, false
		}
		id := approved(t, s, nil)
		w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr())
		defer w.Shutdown()
		until(t, s, id, "taken", func(st notify.Status) bool { return st.Accepted == 100 })
		// The others go on being taken, in calls that were planned long before.
		exec(t, s, `UPDATE calls SET begun_at = begun_at + 3600000000 WHERE state = 'accepted'`)
		if err := s.write(t.Context(), "test", func(tx *tx) error { _, err := tx.newIDs("calls", 5000); return err }); err != nil {
			t.Fatal(err)
		}
		p.refuses(missingParameters, village)
		st := until(t, s, id, "settled", func(st notify.Status) bool { return st.State == notify.Halted || st.Accepted+st.Failed == 130 })
		if st.State == notify.Halted || st.Failed != 30 {
			t.Errorf("%+v", st)
		}
	})
}

func TestAPersonsCodeHaltsNothingHoweverManyItMeets(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(100)...)
		p := &platform{}
		p.answer = func(call notify.Outgoing, _ int) (notify.Answer, bool) {
			for _, m := range call.Members {
				if m.PersonID != 42 {
					return notify.Answer{Outcome: notify.Refused, Verdict: notify.MemberFinal, Code: "isv.MOBILE_NUMBER_ILLEGAL", OfPhone: true}, false
				}
			}
			return notify.Answer{Outcome: notify.Accepted}, true
		}
		st := play(t, s, p, approved(t, s, nil), quickRules(), finished)
		wantCounts(t, st, map[string]int64{"accepted": 1, "failed": 99})
	})
}

func TestWhereTooFewAreRefusedToTellEachIsTriedOnceMoreAndThenFails(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(3)...)
		p := &platform{}
		p.refuses(missingParameters, everybody)
		st := play(t, s, p, approved(t, s, nil), quickRules(), finished)
		wantCounts(t, st, map[string]int64{"failed": 3})
		if n := p.calls; n != 5+3 {
			t.Errorf("%d calls, want five for the halves of three and one more each", n)
		}
	})
}
