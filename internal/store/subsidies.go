package store

import (
	"database/sql"
	"errors"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

type subsidyKey struct {
	person          int64
	kind, appliedOn string
}

type subsidyOnFile struct {
	id int64
	register.Subsidy
	byHand []string
}

func (t *tx) subsidiesOf(ids any) (map[subsidyKey]*subsidyOnFile, []subsidyKey, error) {
	found, order := map[subsidyKey]*subsidyOnFile{}, []subsidyKey{}
	err := t.each(`SELECT id, person_id, kind, applied_on, state, amount_fen, state_on, note_sealed, office, office_phone, hand_fields
		FROM subsidies WHERE `+t.among("person_id", 1)+` ORDER BY person_id, applied_on, id`,
		func(rows *sql.Rows) error {
			var v subsidyOnFile
			var byHand string
			var note []byte
			err := rows.Scan(&v.id, &v.PersonID, &v.Kind, &v.AppliedOn, &v.State, &v.AmountFen, &v.StateOn, &note, &v.Office, &v.OfficePhone, &byHand)
			v.byHand = register.SplitList(byHand)
			key := subsidyKey{v.PersonID, v.Kind, v.AppliedOn}
			found[key], order = &v, append(order, key)
			return errors.Join(err, t.unseal(&v.Note, note, "subsidies", "note_sealed", v.id))
		}, ids)
	return found, order, err
}

func (t *tx) addSubsidies(at map[int64]*register.Record, ids any) error {
	found, order, err := t.subsidiesOf(ids)
	for _, key := range order {
		at[key.person].Subsidies = append(at[key.person].Subsidies, found[key].Subsidy)
	}
	return err
}

func subsidyTable() importTable {
	return importTable{
		name: "subsidies", key: []string{"id"},
		columns: []string{"id", "person_id", "kind", "applied_on", "state", "amount_fen", "state_on", "note_sealed", "office", "office_phone", "hand_fields", "updated_at"},
		set:     []string{"state", "amount_fen", "state_on", "note_sealed", "office", "office_phone", "updated_at"},
	}
}

func (t *tx) subsidyRow(v subsidyOnFile, at time.Time) []any {
	return []any{
		v.id, v.PersonID, v.Kind, v.AppliedOn, string(v.State), v.AmountFen, v.StateOn, t.sealed(v.Note, "subsidies", "note_sealed", v.id),
		v.Office, v.OfficePhone, register.JoinList(v.byHand), toMicros(at),
	}
}

// importSubsidies writes the applications of entries whose people are known.
func (t *tx) importSubsidies(b register.Batch, people []knownPerson, w *batchWriter) error {
	onFile, _, err := t.subsidiesOf(t.idList(idsOf(people)))
	if err != nil {
		return err
	}
	id, err := t.ids("subsidies", len(people))
	if err != nil {
		return err
	}
	for _, k := range people {
		given := *b.Entries[k.entry].Subsidy
		given.PersonID = k.id
		have, found := onFile[subsidyKey{k.id, given.Kind, given.AppliedOn}]
		if !found {
			w.add(k.entry, t.subsidyRow(subsidyOnFile{id: id, Subsidy: given}, b.At))
			id++
			continue
		}
		changed, kept := have.Merge(given, have.byHand)
		w.change(k.entry, changed, kept, t.subsidyRow(*have, b.At))
	}
	return nil
}
