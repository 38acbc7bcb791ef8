package store

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
)

// FillWishes implements turn.Matters.
func (t *turnTx) FillWishes(personID int64, told register.Told) (changed bool, err error) {
	found, err := t.people(`WHERE p.id = $1`+t.forUpdate(), personID)
	if err != nil {
		return false, fmt.Errorf("read person %d: %w", personID, err)
	}
	if len(found) == 0 {
		return false, fmt.Errorf("read person %d: %w", personID, register.ErrNotFound)
	}
	p := found[0].Person
	if !p.Say(told) {
		return false, nil
	}
	row, _ := t.personRow(p, t.who.At)
	if err := t.overwrite(peopleTable(), [][]any{row}); err != nil {
		return false, fmt.Errorf("fill in what person %d says: %w", personID, err)
	}
	return true, nil
}

// Apply implements turn.Matters.
func (t *turnTx) Apply(a register.Application) (already bool, err error) {
	id, err := t.newID("applications")
	if err != nil {
		return false, err
	}
	at := toMicros(t.who.At)
	n, err := t.exec(`INSERT INTO applications (id, person_id, kind, job_id, region, words_sealed, state, at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, 'received', $7, $8)
		ON CONFLICT (person_id, kind, job_id) WHERE state IN ('received', 'reviewing') DO NOTHING`,
		id, a.PersonID, a.Kind, a.JobID, a.Region, t.sealed(a.Words, "applications", "words_sealed", id), at, at)
	if err != nil {
		return false, fmt.Errorf("file an application of person %d: %w", a.PersonID, err)
	}
	return n == 0, nil
}

// Applications implements turn.Matters.
func (t *turnTx) Applications(personID int64) ([]register.Application, error) {
	list, err := t.applications(`WHERE a.person_id = $1 ORDER BY a.at DESC, a.id DESC`, personID)
	if err != nil {
		return nil, fmt.Errorf("read the applications of person %d: %w", personID, err)
	}
	return list, nil
}

// applications reads "applications a" by the end of a statement.
func (t *tx) applications(tail string, args ...any) (list []register.Application, err error) {
	err = t.each(`SELECT a.id, a.person_id, a.kind, a.job_id, a.region, a.words_sealed, a.state, a.at
		FROM applications a JOIN people p ON p.id = a.person_id `+tail,
		func(rows *sql.Rows) error {
			var a register.Application
			var words []byte
			var at int64
			err := rows.Scan(&a.ID, &a.PersonID, &a.Kind, &a.JobID, &a.Region, &words, &a.State, &at)
			if err == nil {
				err = t.unseal(&a.Words, words, "applications", "words_sealed", a.ID)
			}
			a.At = fromMicros(at)
			list = append(list, a)
			return err
		}, args...)
	return list, err
}

// CheckUp implements turn.Matters.
func (t *turnTx) CheckUp(personID int64, answer register.CheckUpAnswer, words string) error {
	id, err := t.newID("checkups")
	if err != nil {
		return err
	}
	var employer, placedOn string
	err = t.row(`SELECT employer, placed_on FROM placements WHERE person_id = $1 ORDER BY placed_on DESC, employer LIMIT 1`, personID).Scan(&employer, &placedOn)
	if errors.Is(err, sql.ErrNoRows) { // the person's own row may know
		err = t.row(`SELECT employer, placed_on FROM people WHERE id = $1`, personID).Scan(&employer, &placedOn)
	}
	if err == nil {
		_, err = t.exec(`INSERT INTO checkups (id, person_id, employer, placed_on, answer, words_sealed, at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			id, personID, employer, placedOn, string(answer), t.sealed(words, "checkups", "words_sealed", id), toMicros(t.who.At))
	}
	if err != nil {
		return fmt.Errorf("keep the check-up of person %d: %w", personID, err)
	}
	return nil
}

// HandOver implements turn.Matters. Its last turns are those of this openid or phone up to now.
func (t *turnTx) HandOver(h register.Handover) (int64, error) {
	id, err := t.newID("wishes")
	if err != nil {
		return 0, err
	}
	_, err = t.exec(`INSERT INTO wishes (id, channel, who_idx, person_id, region_code, topic, words, at, due_at, about_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		id, string(t.who.Channel), t.idx, sql.NullInt64{Int64: h.PersonID, Valid: h.PersonID != 0}, h.Region, h.Topic,
		t.keys.Seal([]byte(h.Words), "wishes", "words", id), toMicros(t.who.At), toMicros(h.Due), h.AboutID)
	if err != nil {
		return 0, fmt.Errorf("hand over: %w", err)
	}
	return id, nil
}

// Note implements turn.Wishes.
func (t *turnTx) Note(w turn.Wish) error {
	_, err := t.HandOver(register.Handover{Topic: w.Topic, Words: w.Words, PersonID: w.PersonID, Region: w.Region})
	return err
}
