package store

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// A day ends in the west of the world 26 hours after it has ended in the east: the two never have the same one.
func TestAClaimJudgesAgesByTheDayThatTheDatabaseHasInTheZone(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(3)...)
		calls := dispatched(t, s, approved(t, s, nil), notify.SMS)
		ages, err := register.ParseCondition([]byte(`age: {gte: 20}`))
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.FindCampaign(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		c.Spec.Audience = ages
		spec, err := json.Marshal(c.Spec)
		if err != nil {
			t.Fatal(err)
		}
		exec(t, s, `UPDATE campaigns SET spec = $1`, string(spec))
		east, west := time.FixedZone("east", 14*3600), time.FixedZone("west", -12*3600)
		exec(t, s, `UPDATE people SET birth_date = $1`, time.Now().In(east).AddDate(-20, 0, 0).Format(time.DateOnly))
		for zone, of := range map[*time.Location]bool{east: true, west: false} {
			looked := errors.New("looked")
			err := s.BeginCalls(t.Context(), notify.ClaimQuery{IDs: calls, Owner: "w", Lease: time.Minute, Zone: zone}, func(f notify.ClaimFacts) ([]notify.Beginning, error) {
				for _, call := range f.Calls {
					for _, m := range call.Members {
						if m.Matches != of {
							t.Errorf("%s: person %d matches: %t", zone, m.PersonID, m.Matches)
						}
					}
				}
				if len(f.Calls) == 0 {
					t.Error("nothing was claimed")
				}
				return nil, looked
			})
			if !errors.Is(err, looked) {
				t.Fatal(err)
			}
		}
	})
}

// What a claim takes for now is the database's word.
func TestTheVersionsAreReadWithTheDatabasesClock(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		err := s.read(t.Context(), "test", func(tx *tx) error {
			before, err := tx.now()
			v, otherwise := tx.versions()
			after, last := tx.now()
			if v.at.Before(before) || v.at.After(after) {
				t.Errorf("%v, between %v and %v", v.at, before, after)
			}
			return errors.Join(err, otherwise, last)
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
