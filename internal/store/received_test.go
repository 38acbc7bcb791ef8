package store

import (
	"context"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

func TestAPersonsMessagesAreListedNewestFirstWithinTheScopeAlone(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		ctx, at := context.Background(), time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
		for _, name := range []string{"first", "second"} {
			_, err := s.CreateCampaign(ctx, notify.Campaign{Month: 202603, Spec: notify.Spec{Name: name, Audience: register.Everybody()}, CreatedAt: at},
				staff.Entry{At: at, Actor: "lin", Act: staff.DidWrite})
			if err != nil {
				t.Fatal(err)
			}
		}
		err := s.write(ctx, "fill", func(tx *tx) error {
			row, _ := tx.personRow(register.Person{ID: 1, Name: "林桂英", IDNumber: "441802195803124421", RegionCode: "441802103201", Status: register.Alive}, at)
			if err := tx.bulkInsert("people", peopleColumns(), [][]any{row}); err != nil {
				return err
			}
			for i, state := range []notify.DeliveryState{notify.Delivered, notify.Skipped} {
				_, err := tx.exec(`INSERT INTO deliveries (month, campaign_id, person_id, state, reason, channel, lead, shared, household, updated_at)
					VALUES (202603, $1, 1, $2, $3, 'sms', TRUE, FALSE, '', $4)`, i+1, state, []string{"", "expired"}[i], toMicros(at.Add(time.Duration(i)*time.Hour)))
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		list, err := s.PersonMessages(ctx, register.Scope{Prefix: "441802"}, 1, 10)
		if err != nil || len(list) != 2 || list[0].Campaign != "second" || list[0].Reason != "expired" || list[1].State != notify.Delivered || !list[1].At.Equal(at) {
			t.Fatalf("%+v, %v", list, err)
		}
		if list, err := s.PersonMessages(ctx, register.Scope{Prefix: "441803"}, 1, 10); err != nil || len(list) != 0 {
			t.Fatalf("beyond the scope: %+v, %v", list, err)
		}
	})
}
