package store

import (
	"database/sql"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

type benefitKey struct {
	person      int64
	insurance   register.Insurance
	month, item string
}

type benefitOnFile struct {
	register.Benefit
	byHand []string
}

// benefitsOf reads the benefits of people by the end of a statement; its first parameter are the people.
func (t *tx) benefitsOf(tail string, args ...any) (list []benefitOnFile, err error) {
	err = t.each(`SELECT person_id, insurance, month, item, amount_fen, state, paid_on, hand_fields FROM benefits
		WHERE `+t.among("person_id", 1)+tail,
		func(rows *sql.Rows) error {
			var v benefitOnFile
			var byHand string
			err := rows.Scan(&v.PersonID, &v.Insurance, &v.Month, &v.Item, &v.AmountFen, &v.State, &v.PaidOn, &byHand)
			v.byHand = register.SplitList(byHand)
			list = append(list, v)
			return err
		}, args...)
	return list, err
}

func benefitTable() importTable {
	return importTable{
		name: "benefits", key: []string{"person_id", "insurance", "month", "item"},
		columns: []string{"person_id", "insurance", "month", "item", "amount_fen", "state", "paid_on", "hand_fields", "updated_at"},
		set:     []string{"amount_fen", "state", "paid_on", "updated_at"},
	}
}

func benefitRow(v benefitOnFile, at time.Time) []any {
	return []any{v.PersonID, string(v.Insurance), v.Month, v.Item, v.AmountFen, string(v.State), v.PaidOn, register.JoinList(v.byHand), toMicros(at)}
}

// importBenefits writes the benefits of entries whose people are known.
func (t *tx) importBenefits(b register.Batch, people []knownPerson, w *batchWriter) error {
	found, err := t.benefitsOf("", t.idList(idsOf(people)))
	if err != nil {
		return err
	}
	onFile := make(map[benefitKey]*benefitOnFile, len(found))
	for i, v := range found {
		onFile[benefitKey{v.PersonID, v.Insurance, v.Month, v.Item}] = &found[i]
	}
	for _, k := range people {
		given := *b.Entries[k.entry].Benefit
		given.PersonID = k.id
		have, found := onFile[benefitKey{k.id, given.Insurance, given.Month, given.Item}]
		if !found {
			w.add(k.entry, benefitRow(benefitOnFile{Benefit: given}, b.At))
			continue
		}
		changed, kept := have.Merge(given, have.byHand)
		w.change(k.entry, changed, kept, benefitRow(*have, b.At))
	}
	return nil
}
