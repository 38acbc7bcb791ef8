package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// missing lists who was not reached and why: "2 no_phone".
func missing(t *testing.T, s *Store, scope register.Scope, campaign int64) (list []string) {
	t.Helper()
	for after := int64(0); ; {
		page, err := s.ListUnreached(t.Context(), scope, notify.UnreachedQuery{CampaignID: campaign, After: after, Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range page {
			list = append(list, fmt.Sprint(u.Person.ID, " ", u.Reason))
			after = u.Person.ID
		}
		if len(page) == 0 {
			return list
		}
	}
}

// refusing takes every text but to some numbers.
func refusing(phones ...register.Phone) *platform {
	return &platform{answer: func(call notify.Outgoing, _ int) (notify.Answer, bool) {
		for _, m := range call.Members {
			if slices.Contains(phones, m.Phone) {
				return notify.Answer{Outcome: notify.Refused, Verdict: notify.MemberFinal, Code: "isv.MOBILE_NUMBER_ILLEGAL", OfPhone: true}, false
			}
		}
		return notify.Answer{Outcome: notify.Accepted, Code: "OK"}, true
	}}
}

func TestWhoNoChannelReachedIsListedWithTheReason(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, villager{id: 1, phone: phoneOf(1), household: "a"}, villager{id: 2, household: "b"}, villager{id: 3, phone: phoneOf(3), household: "c"},
			villager{id: 4, phone: phoneOf(4), household: "d"}, villager{id: 5, phone: phoneOf(4), household: "d"}, // 5 is reached through 4
			villager{id: 6, phone: phoneOf(6), household: "e", status: register.Deceased}, villager{id: 7, phone: phoneOf(7), household: "f"})
		if err := s.OptOutPhone(t.Context(), string(phoneOf(7))); err != nil {
			t.Fatal(err)
		}
		exec(t, s, `UPDATE people SET opted_out = TRUE WHERE id = 7`)
		id := approved(t, s, nil)
		play(t, s, refusing(phoneOf(3)), id, quickRules(), finished)
		want := []string{"2 no_phone", "3 isv.MOBILE_NUMBER_ILLEGAL", "7 opted_out"}
		for _, campaign := range []int64{id, 0} {
			if got := missing(t, s, register.Scope{Prefix: "441802103"}, campaign); !slices.Equal(got, want) {
				t.Errorf("campaign %d: %v, want %v", campaign, got, want)
			}
		}
		if n, err := s.CountUnreached(t.Context(), anywhere, id); err != nil || n != 3 {
			t.Errorf("%d, %v", n, err)
		}
		if got := missing(t, s, register.Scope{Prefix: "441881"}, id); len(got) != 0 {
			t.Errorf("another region sees %v", got)
		}
		// A later campaign reaches 3: over all 3 is missed no more, by the first campaign they were.
		play(t, s, refusing(), approved(t, s, nil), quickRules(), finished)
		if got := missing(t, s, anywhere, 0); !slices.Equal(got, []string{"2 no_phone", "7 opted_out"}) {
			t.Errorf("over all: %v", got)
		}
		if got := missing(t, s, anywhere, id); !slices.Equal(got, want) {
			t.Errorf("by the first: %v", got)
		}
	})
}

func TestAHouseholdIsUnreachedWhereItsCarrierWasNotReachedAfterAll(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, villager{id: 1, phone: phoneOf(1), household: "a"}, villager{id: 2, phone: phoneOf(1), household: "a"})
		id := approved(t, s, nil)
		wantCounts(t, play(t, s, refusing(), id, quickRules(), finished), map[string]int64{"accepted": 1, "household": 1})
		if got := missing(t, s, anywhere, id); len(got) != 0 {
			t.Fatalf("%v", got)
		}
		outID := ""
		err := s.read(t.Context(), "test", func(tx *tx) error {
			var call int64
			err := tx.row(`SELECT id FROM calls WHERE campaign_id = $1`, id).Scan(&call)
			outID = notify.OutID(s, call, notify.SMS)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		report := notify.Report{Channel: notify.SMS, Phone: phoneOf(1), OutID: outID, ErrCode: "MOBILE_NOT_ON_SERVICE"}
		if err := s.StoreReports(t.Context(), []notify.Report{report}, time.Now()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ApplyReports(t.Context(), time.Now(), 10, func(notify.Campaign, string) *notify.Halting { return nil }); err != nil {
			t.Fatal(err)
		}
		if got := missing(t, s, anywhere, id); !slices.Equal(got, []string{"1 MOBILE_NOT_ON_SERVICE", "2 mate_lost"}) {
			t.Errorf("%v", got)
		}
	})
}

func TestAVisitIsReportedByTheRowsCodeAndWhoWasToldIsReached(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, villager{id: 12, household: "a"}, villager{id: 13, household: "b"})
		id := approved(t, s, nil)
		play(t, s, refusing(), id, quickRules(), finished)
		list, err := s.ListUnreached(t.Context(), anywhere, notify.UnreachedQuery{CampaignID: id, Limit: 10})
		if err != nil || len(list) != 2 || list[0].Code == list[1].Code || list[0].Code[:3] != "12-" {
			t.Fatalf("%+v, %v", list, err)
		}
		note := func(scope register.Scope, code string, result register.VisitResult) error {
			_, err := s.NoteVisit(t.Context(), scope, code, id, result, "wang", time.Now())
			return err
		}
		slip := []byte(list[0].Code)
		slip[1] = '3' // the next row's number with this row's digits
		for _, code := range []string{"", "12", string(slip), "abc"} {
			if err := note(anywhere, code, register.VisitTold); !errors.Is(err, register.ErrNotFound) && code != list[1].Code {
				t.Errorf("%q: %v", code, err)
			}
		}
		if err := note(register.Scope{Prefix: "441881"}, list[0].Code, register.VisitTold); !errors.Is(err, register.ErrNotFound) {
			t.Errorf("another township's: %v", err)
		}
		if err := errors.Join(note(anywhere, list[0].Code, register.VisitTold), note(anywhere, " "+list[1].Code, register.VisitAbsent)); err != nil {
			t.Fatal(err)
		}
		list, err = s.ListUnreached(t.Context(), anywhere, notify.UnreachedQuery{CampaignID: id, Limit: 10})
		if err != nil || len(list) != 1 || list[0].Person.ID != 13 || list[0].Visit != register.VisitAbsent {
			t.Errorf("%+v, %v", list, err)
		}
	})
}
