package store

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/lingjuli/lingjuli/internal/register"
)

// Person implements turn.Files.
func (t *turnTx) Person(id int64) (register.Person, error) {
	found, err := t.people(`WHERE p.id = $1`, id)
	if err != nil {
		return register.Person{}, fmt.Errorf("read person %d: %w", id, err)
	}
	if len(found) == 0 {
		return register.Person{}, fmt.Errorf("read person %d: %w", id, register.ErrNotFound)
	}
	return found[0].Person, nil
}

// Covers implements turn.Files.
func (t *turnTx) Covers(people ...int64) ([]register.Cover, error) {
	found, order, err := t.coversOf(t.idList(people))
	if err != nil {
		return nil, fmt.Errorf("read covers: %w", err)
	}
	list := make([]register.Cover, len(order))
	for i, key := range order {
		list[i] = found[key].Cover
	}
	return list, nil
}

// Premiums implements turn.Files.
func (t *turnTx) Premiums(people ...int64) ([]register.Premium, error) {
	found, order, err := t.premiumsOf(t.idList(people))
	if err != nil {
		return nil, fmt.Errorf("read premiums: %w", err)
	}
	list := make([]register.Premium, len(order))
	for i, key := range order {
		list[i] = found[key].Premium
	}
	return list, nil
}

// Subsidies implements turn.Files.
func (t *turnTx) Subsidies(people ...int64) ([]register.Subsidy, error) {
	found, order, err := t.subsidiesOf(t.idList(people))
	if err != nil {
		return nil, fmt.Errorf("read subsidies: %w", err)
	}
	list := make([]register.Subsidy, len(order))
	for i, key := range order {
		list[i] = found[key].Subsidy
	}
	slices.SortStableFunc(list, register.NewerSubsidy)
	return list, nil
}

// monthsShown bounds how many benefits of a person are read: two years of one each month.
const monthsShown = 24

// Work implements turn.Files.
func (t *turnTx) Work(personID int64) (w register.Work, err error) {
	ids := t.idList([]int64{personID})
	placements, err := t.placementsOf(` ORDER BY placed_on DESC, employer`, ids)
	for _, v := range placements {
		w.Placements = append(w.Placements, v.Placement)
	}
	benefits, benefitsErr := t.benefitsOf(` ORDER BY month DESC, insurance, item LIMIT $2`, ids, monthsShown)
	for _, v := range benefits {
		w.Benefits = append(w.Benefits, v.Benefit)
	}
	err = errors.Join(err, benefitsErr)
	if err == nil {
		w.CheckUps, err = t.checkUps(personID)
	}
	if err == nil {
		w.Interests, err = t.interests(`WHERE i.person_id = $1 ORDER BY i.at DESC, i.id DESC`, personID)
	}
	if err != nil {
		return w, fmt.Errorf("read the work of person %d: %w", personID, err)
	}
	return w, nil
}

func (t *tx) checkUps(personID int64) (list []register.CheckUp, err error) {
	err = t.each(`SELECT id, person_id, employer, placed_on, answer, words_sealed, at FROM checkups WHERE person_id = $1 ORDER BY at DESC, id DESC`,
		func(rows *sql.Rows) error {
			var c register.CheckUp
			var words []byte
			var at int64
			err := rows.Scan(&c.ID, &c.PersonID, &c.Employer, &c.PlacedOn, &c.Answer, &words, &at)
			c.At = fromMicros(at)
			list = append(list, c)
			return errors.Join(err, t.unseal(&list[len(list)-1].Words, words, "checkups", "words_sealed", c.ID))
		}, personID)
	return list, err
}

// interests reads what people want of "job_interests i" with their postings, by the end of a statement.
func (t *tx) interests(tail string, args ...any) (list []register.JobInterest, err error) {
	err = t.each(`SELECT i.id, i.job_id, i.person_id, i.state, i.at, i.told_at, j.employer, j.title, j.kind, j.place, j.region, j.wage_min_fen,
			j.wage_max_fen, j.contact, j.contact_phone, j.closes_on
		FROM job_interests i JOIN jobs j ON j.id = i.job_id JOIN people p ON p.id = i.person_id `+tail,
		func(rows *sql.Rows) error {
			var v register.JobInterest
			var at, told int64
			j := &v.Job
			err := rows.Scan(&v.ID, &v.JobID, &v.PersonID, &v.State, &at, &told, &j.Employer, &j.Title, &j.Kind, &j.Place, &j.RegionCode, &j.WageMinFen,
				&j.WageMaxFen, &j.Contact, &j.ContactPhone, &j.ClosesOn)
			v.At, v.ToldAt, j.ID = fromMicros(at), fromMicros(told), v.JobID
			list = append(list, v)
			return err
		}, args...)
	return list, err
}
