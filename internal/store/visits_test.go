package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// visited records what came of a visit, by a worker of a town.
func visited(t *testing.T, s *Store, campaign, person int64, o notify.VisitOutcome, phone register.Phone) error {
	t.Helper()
	now := time.Now()
	_, err := s.RecordVisit(t.Context(), register.Scope{Prefix: "441802"}, notify.Visit{PersonID: person, CampaignID: campaign, Outcome: o, Phone: phone, At: now, By: "he"},
		staff.Entry{At: now, Actor: "he", Act: staff.DidVisit, Object: fmt.Sprint("person:", person), Detail: map[string]string{}})
	return err
}

// unreachedTown is a campaign that reached none of some people without a usable number.
func unreachedTown(t *testing.T, s *Store, people int) int64 {
	t.Helper()
	codes := map[int64]string{}
	var list []villager
	for i := 1; i <= people; i++ {
		list = append(list, villager{id: int64(i), phone: phoneOf(i), household: fmt.Sprint("h", i)})
		codes[int64(i)] = "isv.MOBILE_NUMBER_ILLEGAL"
	}
	putOnFile(t, s, list...)
	id := approved(t, s, nil)
	play(t, s, refusing(codes), id, quickRules(), finished)
	return id
}

func openOf(t *testing.T, s *Store, id int64) (open []int64) {
	t.Helper()
	page, err := s.Unreached(t.Context(), register.Scope{}, id, notify.OpenUnreached, notify.UnreachedFrom{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range page.List {
		open = append(open, u.PersonID)
	}
	return open
}

func TestAVisitTakesPeopleOffTheListAndChangesTheRegister(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		id := unreachedTown(t, s, 8)
		const number = register.Phone("13900008888")
		outcomes := []notify.VisitOutcome{notify.VisitReached, notify.VisitNotHome, notify.VisitWrongNumber, notify.VisitMoved, notify.VisitDied, notify.VisitRefused}
		for i, o := range outcomes {
			if err := visited(t, s, id, int64(i+1), o, ""); err != nil {
				t.Fatal(o, err)
			}
		}
		if err := visited(t, s, id, 7, notify.VisitReached, number); err != nil {
			t.Fatal(err)
		}
		if got := openOf(t, s, id); !slices.Equal(got, []int64{2, 3, 8}) {
			t.Errorf("open are %v", got)
		}
		all := map[int64]notify.VisitOutcome{}
		for _, u := range s.listOf(t, id, "", 3) {
			all[u.PersonID] = u.Visit
		}
		want := map[int64]notify.VisitOutcome{7: notify.VisitReached, 8: ""}
		for i, o := range outcomes {
			want[int64(i+1)] = o
		}
		if diff := cmp.Diff(want, all); diff != "" {
			t.Error(diff)
		}
		people, err := s.PeopleByID(t.Context(), register.Scope{}, []int64{1, 2, 3, 4, 5, 6, 7, 8})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range people {
			if want := map[int64]register.LifeStatus{4: register.MovedOut, 5: register.Deceased}[p.ID]; p.Status != want && (want != "" || p.Status != register.Alive) {
				t.Errorf("person %d is %s", p.ID, p.Status)
			}
			if (p.Phone == number) != (p.ID == 7) {
				t.Errorf("person %d has %s", p.ID, p.Phone)
			}
			doubt, err := s.PhoneDoubt(t.Context(), register.Scope{}, p.ID)
			if err != nil || (doubt == doubtVisited) != (p.ID == 3) {
				t.Errorf("the number of person %d: %q, %v", p.ID, doubt, err)
			}
		}
		f, err := s.UnreachedFigures(t.Context(), register.Scope{Prefix: "441802"}, id)
		if err != nil {
			t.Fatal(err)
		}
		visits := map[notify.VisitOutcome]int64{
			notify.VisitReached: 2, notify.VisitNotHome: 1, notify.VisitWrongNumber: 1, notify.VisitMoved: 1, notify.VisitDied: 1, notify.VisitRefused: 1,
		}
		if diff := cmp.Diff(visits, f.Visits); diff != "" || f.Total() != 6 || f.Settled != 3 || f.LeftOut[notify.OptedOut] != 1 || f.LeftOut[notify.IsDeceased] != 1 {
			t.Errorf("%+v: %s", f, diff)
		}
		if diff := cmp.Diff([]notify.PlaceCount{{Region: "441802103", Open: 3, Visited: 5}}, f.Places); diff != "" {
			t.Error(diff)
		}
		if st := statusOf(t, s, id); st.Visits[notify.VisitReached] != 2 || st.Failed != 8 {
			t.Errorf("%+v", st)
		}
	})
}

func TestALaterVisitCorrectsWhatAnEarlierOneSaid(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		id := unreachedTown(t, s, 2)
		for person, first := range map[int64]notify.VisitOutcome{1: notify.VisitDied, 2: notify.VisitRefused} {
			for _, o := range []notify.VisitOutcome{first, notify.VisitNotHome} {
				if err := visited(t, s, id, person, o, ""); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := openOf(t, s, id); !slices.Equal(got, []int64{1, 2}) {
			t.Errorf("open are %v", got)
		}
		if f, err := s.PeopleFigures(t.Context(), register.Scope{}); err != nil || f.People != 2 || f.OptedOut != 0 {
			t.Errorf("%+v, %v", f, err)
		}
	})
}

func TestAVisitIsRecordedOfOnesOwnPeopleAloneAndWhole(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		id := unreachedTown(t, s, 2)
		exec(t, s, `UPDATE people SET region = '441803100200' WHERE id = 2`)
		for name, c := range map[string]struct {
			person int64
			o      notify.VisitOutcome
			phone  register.Phone
			want   error
		}{
			"another county's":               {2, notify.VisitReached, "", register.ErrNotFound},
			"nobody":                         {99, notify.VisitReached, "", register.ErrNotFound},
			"no outcome":                     {1, "told", "", notify.ErrVisit},
			"the number of somebody dead":    {1, notify.VisitDied, "13900008888", notify.ErrVisit},
			"a number that goes with nobody": {1, notify.VisitRefused, "13900008888", notify.ErrVisit},
		} {
			if err := visited(t, s, id, c.person, c.o, c.phone); !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		other := approved(t, s, func(spec *notify.Spec) { spec.Name = "another" })
		if err := visited(t, s, other, 1, notify.VisitReached, ""); !errors.Is(err, register.ErrNotFound) {
			t.Errorf("a campaign that was not for them: %v", err)
		}
		if got := openOf(t, s, id); !slices.Equal(got, []int64{1, 2}) {
			t.Errorf("open are %v", got)
		}
	})
}

func TestPlacesOfARegionAreCountedAsTheListHasThem(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		const people = 40
		id := unreachedTown(t, s, people)
		scatter(t, s, people)
		for person := int64(1); person <= people; person += 3 {
			o := notify.VisitOutcomes()[person%6]
			if err := visited(t, s, 0, person, o, ""); err != nil { // for the campaign that did not reach them
				t.Fatal(o, err)
			}
		}
		if got := s.listOf(t, id, "", 100); len(got) != people {
			t.Fatalf("%d on the list", len(got))
		}
		since := time.Now().Add(-time.Hour)
		for _, region := range []string{"441802", "441802103"} {
			scope, want := register.Scope{Prefix: region}, map[string]notify.PlaceCount{}
			for _, u := range wholeList(t, 7, func(from notify.UnreachedFrom) (notify.UnreachedPage, error) {
				return s.UnreachedSince(t.Context(), scope, since, notify.AllUnreached, from, 7)
			}) {
				c := want[placeIn(scope, u.Region)]
				c.Region = placeIn(scope, u.Region)
				if u.Visit.Settles() {
					c.Visited++
				} else {
					c.Open++
				}
				want[c.Region] = c
			}
			for name, read := range map[string]func() ([]notify.PlaceCount, error){
				"region": func() ([]notify.PlaceCount, error) { return s.UnreachedPlaces(t.Context(), scope, since) },
				"campaign": func() ([]notify.PlaceCount, error) {
					f, err := s.UnreachedFigures(t.Context(), scope, id)
					return f.Places, err
				},
			} {
				got, err := read()
				counted := map[string]notify.PlaceCount{}
				for _, c := range got {
					counted[c.Region] = c
				}
				if diff := cmp.Diff(want, counted); err != nil || diff != "" || len(got) != len(want) {
					t.Errorf("%s %s: %v %s", region, name, err, diff)
				}
			}
		}
	})
}
