package store

import (
	"database/sql"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

type coverKey struct {
	person    int64
	insurance register.Insurance
	year      int
}

type coverOnFile struct {
	register.Cover
	byHand []string
}

func (t *tx) coversOf(ids any) (map[coverKey]*coverOnFile, []coverKey, error) {
	found, order := map[coverKey]*coverOnFile{}, []coverKey{}
	err := t.each(`SELECT person_id, insurance, year, state, enrolled_on, benefit_state, place, hand_fields FROM covers
		WHERE `+t.among("person_id", 1)+` ORDER BY person_id, year, insurance`,
		func(rows *sql.Rows) error {
			var c coverOnFile
			var byHand string
			err := rows.Scan(&c.PersonID, &c.Insurance, &c.Year, &c.State, &c.EnrolledOn, &c.BenefitState, &c.Place, &byHand)
			c.byHand = register.SplitList(byHand)
			key := coverKey{c.PersonID, c.Insurance, c.Year}
			found[key], order = &c, append(order, key)
			return err
		}, ids)
	return found, order, err
}

func (t *tx) addCovers(at map[int64]*register.Record, ids any) error {
	found, order, err := t.coversOf(ids)
	for _, key := range order {
		at[key.person].Covers = append(at[key.person].Covers, found[key].Cover)
	}
	return err
}

func coverTable() importTable {
	return importTable{
		name: "covers", key: []string{"person_id", "insurance", "year"},
		columns: []string{"person_id", "insurance", "year", "state", "enrolled_on", "benefit_state", "claiming", "place", "hand_fields", "updated_at"},
		set:     []string{"state", "enrolled_on", "benefit_state", "claiming", "place", "updated_at"},
	}
}

func coverRow(c coverOnFile, at time.Time) []any {
	return []any{c.PersonID, string(c.Insurance), c.Year, string(c.State), c.EnrolledOn, c.BenefitState, c.Claiming(), c.Place, register.JoinList(c.byHand), toMicros(at)}
}

// importCovers writes the covers of entries whose people are known.
func (t *tx) importCovers(b register.Batch, people []knownPerson, w *batchWriter) error {
	onFile, _, err := t.coversOf(t.idList(idsOf(people)))
	if err != nil {
		return err
	}
	for _, k := range people {
		given := *b.Entries[k.entry].Cover
		given.PersonID = k.id
		have, found := onFile[coverKey{k.id, given.Insurance, given.Year}]
		if !found {
			w.add(k.entry, coverRow(coverOnFile{Cover: given}, b.At))
			continue
		}
		changed, kept := have.Merge(given, have.byHand)
		w.change(k.entry, changed, kept, coverRow(*have, b.At))
	}
	return nil
}
