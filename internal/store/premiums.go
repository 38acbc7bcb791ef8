package store

import (
	"database/sql"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

type premiumOnFile struct {
	register.Premium
	byHand []string
}

func (t *tx) premiumsOf(ids any) (map[coverKey]*premiumOnFile, []coverKey, error) {
	found, order := map[coverKey]*premiumOnFile{}, []coverKey{}
	err := t.each(`SELECT person_id, insurance, year, due_fen, self_fen, subsidy_fen, deadline, state, paid_on, hand_fields FROM premiums
		WHERE `+t.among("person_id", 1)+` ORDER BY person_id, year, insurance`,
		func(rows *sql.Rows) error {
			var p premiumOnFile
			var byHand string
			err := rows.Scan(&p.PersonID, &p.Insurance, &p.Year, &p.DueFen, &p.SelfFen, &p.SubsidyFen, &p.Deadline, &p.State, &p.PaidOn, &byHand)
			p.byHand = register.SplitList(byHand)
			key := coverKey{p.PersonID, p.Insurance, p.Year}
			found[key], order = &p, append(order, key)
			return err
		}, ids)
	return found, order, err
}

func (t *tx) addPremiums(at map[int64]*register.Record, ids any) error {
	found, order, err := t.premiumsOf(ids)
	for _, key := range order {
		at[key.person].Premiums = append(at[key.person].Premiums, found[key].Premium)
	}
	return err
}

func premiumTable() importTable {
	return importTable{
		name: "premiums", key: []string{"person_id", "insurance", "year"},
		columns: []string{"person_id", "insurance", "year", "due_fen", "self_fen", "subsidy_fen", "deadline", "state", "paid_on", "hand_fields", "updated_at"},
		set:     []string{"due_fen", "self_fen", "subsidy_fen", "deadline", "state", "paid_on", "updated_at"},
	}
}

func premiumRow(p premiumOnFile, at time.Time) []any {
	return []any{p.PersonID, string(p.Insurance), p.Year, p.DueFen, p.SelfFen, p.SubsidyFen, p.Deadline, string(p.State), p.PaidOn, register.JoinList(p.byHand), toMicros(at)}
}

// importPremiums writes the premiums of entries whose people are known.
func (t *tx) importPremiums(b register.Batch, people []knownPerson, w *batchWriter) error {
	onFile, _, err := t.premiumsOf(t.idList(idsOf(people)))
	if err != nil {
		return err
	}
	for _, k := range people {
		given := *b.Entries[k.entry].Premium
		given.PersonID = k.id
		have, found := onFile[coverKey{k.id, given.Insurance, given.Year}]
		if !found {
			w.add(k.entry, premiumRow(premiumOnFile{Premium: given}, b.At))
			continue
		}
		changed, kept := have.Merge(given, have.byHand)
		w.change(k.entry, changed, kept, premiumRow(*have, b.At))
	}
	return nil
}
