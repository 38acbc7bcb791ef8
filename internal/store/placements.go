package store

import (
	"database/sql"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

type placementKey struct {
	person             int64
	employer, placedOn string
}

type placementOnFile struct {
	register.Placement
	byHand []string
}

// placementsOf reads the placements of people by the end of a statement; its first parameter are the people.
func (t *tx) placementsOf(tail string, args ...any) (list []placementOnFile, err error) {
	err = t.each(`SELECT person_id, employer, placed_on, title, place, left_on, hand_fields FROM placements
		WHERE `+t.among("person_id", 1)+tail,
		func(rows *sql.Rows) error {
			var v placementOnFile
			var byHand string
			err := rows.Scan(&v.PersonID, &v.Employer, &v.PlacedOn, &v.Title, &v.Place, &v.LeftOn, &byHand)
			v.byHand = register.SplitList(byHand)
			list = append(list, v)
			return err
		}, args...)
	return list, err
}

func placementTable() importTable {
	return importTable{
		name: "placements", key: []string{"person_id", "employer", "placed_on"},
		columns: []string{"person_id", "employer", "placed_on", "title", "place", "left_on", "hand_fields", "updated_at"},
		set:     []string{"title", "place", "left_on", "updated_at"},
	}
}

func placementRow(v placementOnFile, at time.Time) []any {
	return []any{v.PersonID, v.Employer, v.PlacedOn, v.Title, v.Place, v.LeftOn, register.JoinList(v.byHand), toMicros(at)}
}

// addPlacements adds to each of the people where they were placed, the latest first.
func (t *tx) addPlacements(at map[int64]*register.Record, ids any) error {
	found, err := t.placementsOf(` ORDER BY person_id, placed_on DESC, employer`, ids)
	for _, v := range found {
		at[v.PersonID].Placements = append(at[v.PersonID].Placements, v.Placement)
	}
	return err
}

// importPlacements writes the placements of entries whose people are known. Their own rows stay as the sheets of people
// have them: conditions read both.
func (t *tx) importPlacements(b register.Batch, people []knownPerson, w *batchWriter) error {
	found, err := t.placementsOf("", t.idList(idsOf(people)))
	if err != nil {
		return err
	}
	onFile := make(map[placementKey]*placementOnFile, len(found))
	for i, v := range found {
		onFile[placementKey{v.PersonID, v.Employer, v.PlacedOn}] = &found[i]
	}
	for _, k := range people {
		given := *b.Entries[k.entry].Placement
		given.PersonID = k.id
		have, found := onFile[placementKey{k.id, given.Employer, given.PlacedOn}]
		if !found {
			w.add(k.entry, placementRow(placementOnFile{Placement: given}, b.At))
			continue
		}
		changed, kept := have.Merge(given, have.byHand)
		w.change(k.entry, changed, kept, placementRow(*have, b.At))
	}
	return nil
}
