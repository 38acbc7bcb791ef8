package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// doubtNumber doubts a number of one, or of all who have it.
func doubtNumber(t *testing.T, s *Store, phone register.Phone, person int64) {
	t.Helper()
	err := s.write(t.Context(), "test", func(tx *tx) error { return tx.doubt(phoneIdx(s, phone), person, doubtVisited, time.Now()) })
	if err != nil {
		t.Fatal(err)
	}
}

func TestNoCampaignGoesToADoubtedNumberAndThePreviewSaysSoBefore(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		landline := register.Phone("07633330008")
		putOnFile(t, s,
			villager{id: 1, phone: phoneOf(1), household: "a"},
			villager{id: 2, phone: phoneOf(2), household: "b"}, villager{id: 3, phone: phoneOf(2), household: "b"}, // nobody's any more
			villager{id: 4, phone: phoneOf(4), household: "c"}, villager{id: 5, phone: phoneOf(4), household: "c"}, // the first is in doubt, the second carries it
			villager{id: 6, phone: phoneOf(6), household: "d"}, villager{id: 7, phone: phoneOf(6), household: "e"}, villager{id: 8, phone: phoneOf(6), household: "f"},
			villager{id: 9, phone: landline, household: "g"},     // takes no texts anyway
			villager{id: 10, phone: phoneOf(10), household: "h"}, // is dead
			villager{id: 11, phone: phoneOf(11), household: "i"}, // wants nothing
			villager{id: 12, phone: phoneOf(12), household: "j"}, // the doubt was about a number before this one
			villager{id: 13, phone: phoneOf(13), household: "k"}, // has WeChat
		)
		exec(t, s, `UPDATE people SET phone_mobile = FALSE WHERE id = 9`)
		exec(t, s, `UPDATE people SET status = 'deceased' WHERE id = 10`)
		exec(t, s, `UPDATE people SET wechat_bound = TRUE WHERE id = 13`)
		exec(t, s, `INSERT INTO opt_outs (person_id, via, at) VALUES (11, 'wechat', 1)`)
		for _, d := range []struct {
			phone  register.Phone
			person int64
		}{{phoneOf(2), 0}, {phoneOf(4), 4}, {phoneOf(6), 6}, {landline, 9}, {phoneOf(10), 0}, {phoneOf(11), 0}, {phoneOf(13), 0}} {
			doubtNumber(t, s, d.phone, d.person)
		}
		exec(t, s, `INSERT INTO phone_doubts (phone_idx, person_id, reason, at) VALUES ($1, 12, 'said', 1)`, phoneIdx(s, phoneOf(99)))
		if err := s.write(t.Context(), "test", func(tx *tx) error { return tx.refreshOptedOut([]int64{11, 12}) }); err != nil {
			t.Fatal(err)
		}
		channels := []notify.Channel{notify.SMS}
		count, err := s.PreviewAudience(t.Context(), notify.PreviewQuery{Spec: notify.Spec{Kind: notify.PremiumReminder, Audience: register.Everybody()}, Channels: channels, Now: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		p := &platform{}
		id := approved(t, s, nil)
		st := play(t, s, p, id, quickRules(), finished)
		wantCounts(t, st, map[string]int64{"accepted": 3, "doubted": 4, "no_channel": 4, "deceased": 1, "opted_out": 1})
		if diff := cmp.Diff(count.Unreachable, st.Skipped); diff != "" || count.Reachable[notify.SMS] != st.Accepted {
			t.Errorf("the preview counts otherwise than the plan: %d reached, %s", count.Reachable[notify.SMS], diff)
		}
		if diff := cmp.Diff(map[register.Phone]int{phoneOf(1): 1, phoneOf(4): 1, phoneOf(12): 1}, p.texts()); diff != "" {
			t.Error(diff)
		}
		want := map[int64]notify.UnreachedWhy{
			2: notify.WhyDoubted, 3: notify.WhyDoubted, 13: notify.WhyDoubted, 9: notify.WhyLandline,
			6: notify.WhySharedNumber, 7: notify.WhySharedNumber, 8: notify.WhySharedNumber,
		}
		if diff := cmp.Diff(want, reasons(s.listOf(t, id, "", 3))); diff != "" {
			t.Error(diff)
		}
	})
}

func TestADoubtAfterThePlanHoldsTooAndWhoeverIsTrustedOrHasAnotherNumberIsReachedAgain(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s,
			villager{id: 1, phone: phoneOf(1)}, villager{id: 2, phone: phoneOf(2)}, villager{id: 3, phone: phoneOf(3)}, villager{id: 4, phone: phoneOf(4)},
		)
		ctx, at := t.Context(), time.Now()
		doubted := func(want ...int64) {
			t.Helper()
			err := s.read(ctx, "test", func(tx *tx) error {
				got, err := tx.idsOf(`SELECT id FROM people WHERE doubted ORDER BY id`)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		id := approved(t, s, nil)
		if done, err := s.StartDue(ctx); done != 1 || err != nil {
			t.Fatal(done, err)
		}
		if done, err := s.PlanPage(ctx, id, at, 100); !done || err != nil {
			t.Fatal(done, err)
		}
		for _, n := range []int{1, 2, 3} {
			doubtNumber(t, s, phoneOf(n), 0)
		}
		doubted(1, 2, 3)
		p := &platform{}
		wantCounts(t, play(t, s, p, id, quickRules(), finished), map[string]int64{"accepted": 1, "doubted": 3})
		scope := register.Scope{}
		if err := s.TrustPhone(ctx, scope, 1, by(at, staff.DidTrustPhone)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.CorrectPerson(ctx, scope, 2, register.Person{Phone: phoneOf(20)}, at); err != nil {
			t.Fatal(err)
		}
		doubted(3)
		wantCounts(t, play(t, s, p, approved(t, s, nil), quickRules(), finished), map[string]int64{"accepted": 3, "doubted": 1})
		if diff := cmp.Diff(map[register.Phone]int{phoneOf(1): 1, phoneOf(4): 2, phoneOf(20): 1}, p.texts()); diff != "" {
			t.Error(diff)
		}
		if _, err := s.CorrectPerson(ctx, scope, 2, register.Person{Phone: phoneOf(2)}, at); err != nil { // the doubted one once more
			t.Fatal(err)
		}
		doubted(2, 3)
	})
}

func TestOnlyAReceiptThatCallsANumberInvalidDoubtsItAndOnlyANewDoubtHasClaimsLookAgain(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s,
			villager{id: 1, phone: phoneOf(1)}, villager{id: 2, phone: phoneOf(2)}, villager{id: 3, phone: phoneOf(3)},
			villager{id: 4, phone: phoneOf(4), household: "a"}, villager{id: 5, phone: phoneOf(4), household: "a"},
		)
		p := &platform{}
		id := approved(t, s, nil)
		play(t, s, p, id, quickRules(), finished)
		outs := func() (n int64) {
			t.Helper()
			if err := s.read(t.Context(), "test", func(tx *tx) (err error) { v, err := tx.versions(); n = v.outs; return err }); err != nil {
				t.Fatal(err)
			}
			return n
		}
		before := outs()
		tell := func(codes map[int]string) {
			t.Helper()
			out := p.outIDs()
			for n, code := range codes {
				push(t, s, report(out[phoneOf(n)], phoneOf(n), code))
			}
			applyAll(t, s)
		}
		tell(map[int]string{1: "DELIVERED", 2: "MOBILE_NOT_ON_SERVICE"})
		if n := outs(); n != before {
			t.Errorf("%d, before %d", n, before)
		}
		tell(map[int]string{3: "INVALID_NUMBER", 4: "INVALID_NUMBER"})
		told := outs()
		if told == before {
			t.Error("claims don't look again")
		}
		tell(map[int]string{3: "INVALID_NUMBER", 4: "INVALID_NUMBER"})
		if n := outs(); n != told {
			t.Errorf("what was known is told again: %d, before %d", n, told)
		}
		doubtNumber(t, s, phoneOf(3), 0)
		said := outs()
		if said == told {
			t.Error("what somebody says counts for no more than a receipt")
		}
		doubtNumber(t, s, phoneOf(3), 0)
		if n := outs(); n != said {
			t.Errorf("what was said is told again: %d, before %d", n, said)
		}
		wantCounts(t, play(t, s, p, approved(t, s, nil), quickRules(), finished), map[string]int64{"accepted": 2, "doubted": 3})
		for phone, n := range p.texts() {
			if want := map[register.Phone]int{phoneOf(1): 2, phoneOf(2): 2}[phone]; n != max(want, 1) {
				t.Errorf("%s got %d", phone, n)
			}
		}
	})
}

func TestWhatANumberSaysOnceItIsInDoubtIsNotThePersonsWord(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s,
			villager{id: 1, phone: phoneOf(1)}, villager{id: 2, phone: phoneOf(2)}, villager{id: 3, phone: phoneOf(3)}, villager{id: 4, phone: phoneOf(4)},
		)
		at := time.Now()
		say := func(n int, after time.Duration, do func(turn.Tx) error) {
			turnAt(t, s, turn.SMS, string(phoneOf(n)), at.Add(after), do)
		}
		stop := func(tx turn.Tx) error { return tx.OptOut(0) }
		notMe := func(tx turn.Tx) error { return tx.DoubtPhone() }
		say(1, 1, stop) // they wanted nothing while it was theirs
		for n := 1; n <= 3; n++ {
			say(n, time.Second, notMe)
		}
		say(2, 2*time.Second, stop) // whoever has it now
		p := &platform{}
		id := approved(t, s, nil)
		wantCounts(t, play(t, s, p, id, quickRules(), finished), map[string]int64{"accepted": 1, "doubted": 3})
		if diff := cmp.Diff(map[int64]notify.UnreachedWhy{2: notify.WhyDoubted, 3: notify.WhyDoubted}, reasons(s.listOf(t, id, "", 10))); diff != "" {
			t.Error(diff)
		}
		f, err := s.UnreachedFigures(t.Context(), register.Scope{}, id)
		if err != nil || f.By[notify.WhyDoubted] != 2 || f.LeftOut[notify.OptedOut] != 1 {
			t.Errorf("%+v %v", f, err)
		}
		for person := range int64(3) {
			if err := s.TrustPhone(t.Context(), register.Scope{}, person+1, by(at, staff.DidTrustPhone)); err != nil {
				t.Fatal(err)
			}
		}
		// The third had but said that they are another; the first two said that they want nothing.
		wantCounts(t, play(t, s, p, approved(t, s, nil), quickRules(), finished), map[string]int64{"accepted": 2, "opted_out": 2})
		if diff := cmp.Diff(map[register.Phone]int{phoneOf(3): 1, phoneOf(4): 2}, p.texts()); diff != "" {
			t.Error(diff)
		}
	})
}
