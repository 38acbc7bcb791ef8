package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// wholeList reads a list to its end, page by page.
func wholeList(t *testing.T, limit int, read func(notify.UnreachedFrom) (notify.UnreachedPage, error)) (list []notify.Unreached) {
	t.Helper()
	var from notify.UnreachedFrom
	for range 1000 {
		page, err := read(from)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.List) > limit {
			t.Fatalf("%d on a page of %d", len(page.List), limit)
		}
		list = append(list, page.List...)
		if from = page.Next; from == (notify.UnreachedFrom{}) {
			return list
		}
	}
	t.Fatal("the list has no end")
	return nil
}

func (s *Store) listOf(t *testing.T, id int64, region string, limit int) []notify.Unreached {
	t.Helper()
	return wholeList(t, limit, func(from notify.UnreachedFrom) (notify.UnreachedPage, error) {
		return s.Unreached(t.Context(), register.Scope{Prefix: region}, id, notify.AllUnreached, from, limit)
	})
}

func reasons(list []notify.Unreached) map[int64]notify.UnreachedWhy {
	got := map[int64]notify.UnreachedWhy{}
	for _, u := range list {
		got[u.PersonID] = u.Why
	}
	return got
}

// refusing answers for a few people with a code, and takes all others.
func refusing(codes map[int64]string) *platform {
	p := &platform{}
	p.answer = func(call notify.Outgoing, _ int) (notify.Answer, bool) {
		for _, m := range call.Members {
			if code, ok := codes[m.PersonID]; ok {
				return notify.Answer{Outcome: notify.Refused, Verdict: notify.MemberFinal, Code: code, OfPhone: code == "isv.MOBILE_NUMBER_ILLEGAL"}, false
			}
		}
		return notify.Answer{Outcome: notify.Accepted}, true
	}
	return p
}

func TestWhomNoChannelReachedIsOnTheListWithTheReason(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s,
			villager{id: 1, phone: phoneOf(1), household: "a"},
			villager{id: 2, phone: phoneOf(2), household: "b"}, // opted out
			villager{id: 4, phone: phoneOf(4), household: "d", status: register.Deceased},
			villager{id: 5, household: "e"}, // no number
			villager{id: 6, phone: phoneOf(6), household: "f"}, villager{id: 7, phone: phoneOf(6), household: "g"}, villager{id: 8, phone: phoneOf(6), household: "h"},
			villager{id: 9, phone: phoneOf(9), household: "i"}, villager{id: 10, phone: phoneOf(9), household: "i"}, // the second hears from the first
			villager{id: 11, phone: phoneOf(11), household: "j"}, villager{id: 12, phone: phoneOf(11), household: "j"}, // the first is refused, the second carries it
			villager{id: 13, phone: phoneOf(13), household: "k"}, villager{id: 14, phone: phoneOf(13), household: "k"}, // no such number
			villager{id: 15, phone: phoneOf(15), household: "l"}, // a value doesn't fit
			villager{id: 16, phone: phoneOf(16), household: "m"}, // opts out afterwards
		)
		exec(t, s, `INSERT INTO opt_outs (person_id, via, at) VALUES (2, 'wechat', 1)`)
		exec(t, s, `UPDATE people SET opted_out = TRUE WHERE id = 2`)
		p := refusing(map[int64]string{11: "isv.PARAM_LENGTH_LIMIT", 13: "isv.MOBILE_NUMBER_ILLEGAL", 15: "isv.PARAM_LENGTH_LIMIT", 16: "isv.BLACK_KEY_CONTROL_LIMIT"})
		id := approved(t, s, nil)
		play(t, s, p, id, quickRules(), finished)
		exec(t, s, `UPDATE people SET opted_out = TRUE WHERE id = 16`)
		want := map[int64]notify.UnreachedWhy{
			5: notify.WhyNoNumber, 6: notify.WhySharedNumber, 7: notify.WhySharedNumber, 8: notify.WhySharedNumber,
			13: notify.WhyDeadNumber, 14: notify.WhyDeadNumber, 15: notify.WhyText,
		}
		list := s.listOf(t, id, "", 3)
		if diff := cmp.Diff(want, reasons(list)); diff != "" || len(list) != len(want) {
			t.Errorf("%d on the list: %s", len(list), diff)
		}
		f, err := s.UnreachedFigures(t.Context(), register.Scope{}, id)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(notify.UnreachedFigures{
			By:      map[notify.UnreachedWhy]int64{notify.WhyNoNumber: 1, notify.WhySharedNumber: 3, notify.WhyDeadNumber: 2, notify.WhyText: 1},
			LeftOut: map[notify.SkipReason]int64{notify.OptedOut: 2, notify.IsDeceased: 1},
			Visits:  map[notify.VisitOutcome]int64{},
			Places:  []notify.PlaceCount{{Region: "4418", Open: 7}},
		}, f); diff != "" {
			t.Error(diff)
		}
		if _, err := s.Unreached(t.Context(), register.Scope{}, 999, notify.OpenUnreached, notify.UnreachedFrom{}, 10); !errors.Is(err, notify.ErrNoCampaign) {
			t.Errorf("%v", err)
		}
	})
}

func TestAHouseholdWhoseCarrierFailedAfterAllIsOnTheList(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, villager{id: 1, phone: phoneOf(1), household: "a"}, villager{id: 2, phone: phoneOf(1), household: "a"}, villager{id: 3, phone: phoneOf(3), household: "b"})
		id := approved(t, s, nil)
		play(t, s, refusing(nil), id, quickRules(), finished)
		if list := s.listOf(t, id, "", 10); len(list) != 0 {
			t.Fatalf("%+v", list)
		}
		// The receipt comes late: the carrier's text did not arrive.
		err := s.write(t.Context(), "a late receipt", func(t *tx) error {
			calls, err := t.idsOf(`SELECT call_id FROM deliveries WHERE campaign_id = $1 AND person_id = 1`, id)
			if err != nil {
				return err
			}
			c, err := t.holdCall(calls[0])
			if err != nil {
				return err
			}
			if err := t.unfold(c, []int64{1}); err != nil {
				return err
			}
			return t.endAttempts(c, []int64{1}, "failed", "MOBILE_NOT_ON_SERVICE", false, time.Now())
		})
		if err != nil {
			t.Fatal(err)
		}
		want := map[int64]notify.UnreachedWhy{1: notify.WhyDeadNumber, 2: notify.WhyHousehold}
		if diff := cmp.Diff(want, reasons(s.listOf(t, id, "", 1))); diff != "" {
			t.Error(diff)
		}
		f, err := s.UnreachedFigures(t.Context(), register.Scope{Prefix: "441802"}, id)
		if err != nil || f.Total() != 2 || f.By[notify.WhyHousehold] != 1 {
			t.Errorf("%+v, %v", f, err)
		}
	})
}

// scatter moves people into villages of different towns, so that the list's order is not that of the ids.
func scatter(t *testing.T, s *Store, people int) {
	t.Helper()
	for i := 1; i <= people; i++ {
		exec(t, s, `UPDATE people SET region = $1 WHERE id = $2`, fmt.Sprintf("441802%03d%03d", 100+i%7, 200+i%3), i)
	}
}

func TestBothWaysOfReadingAListGiveTheSameInPagesOfAnySizeAndWithinTheRegion(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		const people = 90
		list := crowd(people)
		codes := map[int64]string{}
		for i := range list {
			if i%4 == 0 {
				list[i].phone = ""
			}
			if i%5 == 0 {
				codes[list[i].id] = "isv.MOBILE_NUMBER_ILLEGAL"
			}
		}
		putOnFile(t, s, list...)
		scatter(t, s, people)
		id := approved(t, s, nil)
		play(t, s, refusing(codes), id, quickRules(), finished)
		all := s.listOf(t, id, "", 1000)
		if len(all) != 36 || !slices.IsSortedFunc(all, func(a, b notify.Unreached) int {
			return placeOrder(notify.UnreachedFrom{Region: a.Region, PersonID: a.PersonID}, notify.UnreachedFrom{Region: b.Region, PersonID: b.PersonID})
		}) {
			t.Fatalf("%d on the list: %+v", len(all), all)
		}
		for _, limit := range []int{1, 7, 36} {
			if diff := cmp.Diff(all, s.listOf(t, id, "", limit)); diff != "" {
				t.Errorf("pages of %d: %s", limit, diff)
			}
		}
		along := wholeList(t, 5, func(from notify.UnreachedFrom) (page notify.UnreachedPage, err error) {
			err = s.read(context.Background(), "along", func(tx *tx) error {
				c, err := tx.campaign(id, "")
				if err != nil {
					return err
				}
				page, err = tx.unreachedAlong(register.Scope{}, from, 5, func(ids []int64) ([]notify.Unreached, error) { return tx.unreachedOf(c, ids, false) })
				return err
			})
			return page, err
		})
		if diff := cmp.Diff(all, along); diff != "" {
			t.Errorf("along the region: %s", diff)
		}
		town := s.listOf(t, id, "441802103", 4)
		want := slices.DeleteFunc(slices.Clone(all), func(u notify.Unreached) bool { return u.Region[:9] != "441802103" })
		if diff := cmp.Diff(want, town); diff != "" || len(town) == 0 {
			t.Errorf("a town: %s", diff)
		}
		f, err := s.UnreachedFigures(t.Context(), register.Scope{Prefix: "441802103"}, id)
		if err != nil || f.Total() != int64(len(town)) {
			t.Errorf("%+v for %d: %v", f, len(town), err)
		}
	})
}

func TestOverARegionOneMessageThatArrivedTakesAPersonOffTheList(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, villager{id: 1, phone: phoneOf(1), household: "a"}, villager{id: 2, household: "b"}, villager{id: 3, phone: phoneOf(3), household: "c"},
			villager{id: 4, phone: phoneOf(4), household: "d"}, villager{id: 5, phone: phoneOf(4), household: "d"})
		first := approved(t, s, nil)
		play(t, s, refusing(map[int64]string{1: "isv.MOBILE_NUMBER_ILLEGAL", 3: "isv.BLACK_KEY_CONTROL_LIMIT"}), first, quickRules(), finished)
		between := time.Now()
		second := approved(t, s, nil)
		play(t, s, refusing(map[int64]string{3: "isv.PARAM_LENGTH_LIMIT"}), second, quickRules(), finished)
		since := func(at time.Time) map[int64]notify.UnreachedWhy {
			return reasons(wholeList(t, 1, func(from notify.UnreachedFrom) (notify.UnreachedPage, error) {
				return s.UnreachedSince(t.Context(), register.Scope{Prefix: "441802103"}, at, notify.OpenUnreached, from, 1)
			}))
		}
		want := map[int64]notify.UnreachedWhy{2: notify.WhyNoNumber, 3: notify.WhyText}
		if diff := cmp.Diff(want, since(between.Add(-time.Hour))); diff != "" {
			t.Errorf("both campaigns: %s", diff)
		}
		if got := since(time.Now().Add(time.Hour)); len(got) != 0 {
			t.Errorf("since a day to come: %v", got)
		}
		if got := reasons(s.listOf(t, first, "", 10)); len(got) != 3 || got[1] != notify.WhyDeadNumber {
			t.Errorf("the first alone: %v", got)
		}
	})
}
