package store

import (
	"database/sql"
	"slices"
	"testing"
)

func TestANumberThatASecondPersonGetsIsKnownToBeShared(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		shared := func() (list []string) {
			t.Helper()
			err := s.read(t.Context(), "shared", func(tx *tx) error {
				return tx.each(`SELECT DISTINCT p.id FROM people p WHERE `+maybeShared("p")+` ORDER BY p.id`, func(rows *sql.Rows) error {
					var id string
					err := rows.Scan(&id)
					list = append(list, id)
					return err
				})
			})
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		is := func(want ...string) {
			t.Helper()
			if got := shared(); !slices.Equal(got, want) {
				t.Errorf("the numbers of %v may be shared, want %v", got, want)
			}
		}
		putOnFile(t, s, villager{id: 1, phone: phoneOf(1)}, villager{id: 2, phone: phoneOf(2)}, villager{id: 3}, villager{id: 4})
		is()
		putOnFile(t, s, villager{id: 5, phone: phoneOf(1)}) // as somebody who was there
		is("1", "5")
		putOnFile(t, s, villager{id: 6, phone: phoneOf(6)}, villager{id: 7, phone: phoneOf(6)}) // both come at once
		is("1", "5", "6", "7")
		exec(t, s, `UPDATE people SET phone_idx = (SELECT phone_idx FROM people WHERE id = 2) WHERE id = 3`)
		is("1", "2", "3", "5", "6", "7")
		exec(t, s, `UPDATE people SET phone_idx = NULL WHERE id = 3`) // once is enough to look again
		is("1", "2", "5", "6", "7")
	})
}
