package store

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// Jobs implements turn.Offers.
func (t *turnTx) Jobs(q register.JobSearch) (page register.JobPage, err error) {
	var w where
	w.and("NOT held AND (closes_on = '' OR closes_on >= %s)", q.Today)
	w.within("region", q.Within)
	w.oneOf("kind", q.Kinds, false)
	w.oneOf("kind", q.NotKinds, true)
	if q.MinWage > 0 {
		w.and("CASE WHEN wage_max_fen >= 0 THEN wage_max_fen ELSE wage_min_fen END >= %s", q.MinWage)
	}
	w.names(q.Keywords, "employer", "title", "place", "demands")
	w.anywhereIn(q.Places, "region", "place", "source_city")
	if q.Slack {
		w.names(register.SlackWords(), "title", "demands")
	}
	if q.PairedTo != "" {
		if found, err := t.fromPaired(&w, q.PairedTo); err != nil || !found {
			return page, err
		}
	}
	count := len(w.args)
	tail := w.sql()
	found, err := t.jobs(tail+" ORDER BY "+w.nearness("region", q.Near)+" DESC, id DESC"+w.page(q.Offset, q.Limit), w.args...)
	if err != nil {
		return page, fmt.Errorf("look for postings: %w", err)
	}
	for _, j := range found {
		page.Jobs = append(page.Jobs, j.Job)
	}
	if err := t.row(`SELECT COUNT(*) FROM jobs`+tail, w.args[:count]...).Scan(&page.Total); err != nil {
		return page, fmt.Errorf("count postings: %w", err)
	}
	page.Next = next(q.Offset, len(page.Jobs), page.Total)
	return page, nil
}

// fromPaired narrows to the postings of a county's paired cities. found is false where it has none.
func (t *turnTx) fromPaired(w *where, county string) (found bool, err error) {
	pairs, err := t.Pairs(county)
	if err != nil {
		return false, err
	}
	either := ""
	for _, p := range pairs {
		if p.Is() != register.PairCity {
			continue
		}
		name, prefix := p.City()
		like := w.arg(pattern(name))
		either += ` OR lower(source_city) LIKE ` + like + ` ESCAPE '\' OR lower(place) LIKE ` + like + ` ESCAPE '\'`
		if prefix != "" {
			either += ` OR region >= ` + w.arg(prefix) + ` AND region < ` + w.arg(register.NextPrefix(prefix))
		}
	}
	if either == "" {
		return false, nil
	}
	w.parts = append(w.parts, "("+either[len(" OR "):]+")")
	return true, nil
}

// today is the civil date of this turn. Offices are east of Greenwich: what closed yesterday may still be shown at night.
func (t *turnTx) today() string { return t.who.At.UTC().Format(time.DateOnly) }

// Job implements turn.Offers.
func (t *turnTx) Job(id int64) (offer register.JobOffer, err error) {
	found, err := t.jobs(`WHERE id = $1 AND NOT held AND (closes_on = '' OR closes_on >= $2)`, id, t.today())
	if err != nil {
		return offer, fmt.Errorf("read posting %d: %w", id, err)
	}
	if len(found) == 0 {
		return offer, fmt.Errorf("read posting %d: %w", id, register.ErrNotFound)
	}
	offer.Job = found[0].Job
	if offer.ContactPhone == "" {
		e, _, err := t.Employer(offer.Employer)
		if err != nil {
			return offer, err
		}
		if offer.ContactPhone = e.Phone; offer.Contact == "" {
			offer.Contact = e.Contact
		}
	}
	courses, err := t.courses(`WHERE job_title LIKE $1 ESCAPE '\' AND (starts_on = '' OR starts_on >= $2) ORDER BY starts_on, id`, pattern(offer.Title), t.today())
	if err != nil {
		return offer, fmt.Errorf("read the courses of posting %d: %w", id, err)
	}
	for _, c := range courses {
		if c.LeadsTo(offer.Job) {
			offer.Courses = append(offer.Courses, c.Course)
		}
	}
	return offer, nil
}

// places counts who has a place in "courses c" and who waits for one.
const places = `(SELECT COUNT(*) FROM signups s WHERE s.course_id = c.id AND s.state IN ('signed_up', 'attended')),
	(SELECT COUNT(*) FROM signups s WHERE s.course_id = c.id AND s.state = 'waiting')`

func (t *turnTx) courseOffers(tail string, args ...any) (list []register.CourseOffer, err error) {
	err = t.each(`SELECT c.id, c.name, c.trade, c.provider, c.place, c.region, c.starts_on, c.ends_on, c.places, c.allowance_fen, c.mode,
			c.phone, c.job_title, `+places+` FROM courses c`+tail,
		func(rows *sql.Rows) error {
			var c register.CourseOffer
			err := rows.Scan(&c.ID, &c.Name, &c.Trade, &c.Provider, &c.Place, &c.RegionCode, &c.StartsOn, &c.EndsOn, &c.Places,
				&c.AllowanceFen, &c.Mode, &c.Phone, &c.JobTitle, &c.Taken, &c.Waiting)
			list = append(list, c)
			return err
		}, args...)
	return list, err
}

// Courses implements turn.Offers.
func (t *turnTx) Courses(q register.CourseSearch) (page register.CoursePage, err error) {
	var w where
	w.and("(c.starts_on = '' OR c.starts_on >= %s)", q.Today)
	w.within("c.region", q.Within)
	if q.Remote != register.Unknown {
		w.oneOf("c.mode", register.RemoteModes(), q.Remote == register.No)
	}
	if q.ForJob {
		w.and("c.job_title <> ''")
	}
	w.names(q.Keywords, "c.name", "c.trade", "c.place")
	w.anywhereIn(q.Places, "c.region", "c.place")
	count := len(w.args)
	tail := w.sql()
	page.Courses, err = t.courseOffers(tail+" ORDER BY "+w.nearness("c.region", q.Near)+" DESC, CASE c.starts_on WHEN '' THEN ':' ELSE c.starts_on END"+
		t.bytewise()+", c.id"+w.page(q.Offset, q.Limit), w.args...)
	if err == nil {
		err = t.row(`SELECT COUNT(*) FROM courses c`+tail, w.args[:count]...).Scan(&page.Total)
	}
	if err != nil {
		return page, fmt.Errorf("look for courses: %w", err)
	}
	page.Next = next(q.Offset, len(page.Courses), page.Total)
	return page, nil
}

// Course implements turn.Offers.
func (t *turnTx) Course(id int64) (register.CourseOffer, error) {
	found, err := t.courseOffers(` WHERE c.id = $1`, id)
	if err != nil {
		return register.CourseOffer{}, fmt.Errorf("read course %d: %w", id, err)
	}
	if len(found) == 0 {
		return register.CourseOffer{}, fmt.Errorf("read course %d: %w", id, register.ErrNotFound)
	}
	c := found[0]
	if c.JobTitle == "" {
		return c, nil
	}
	jobs, err := t.jobs(`WHERE $1 LIKE '%' || title || '%' AND NOT held AND (closes_on = '' OR closes_on >= $2) ORDER BY id DESC`, c.JobTitle, t.today())
	for _, j := range jobs {
		if c.LeadsTo(j.Job) {
			c.Job = &j.Job
			break
		}
	}
	if err != nil {
		return c, fmt.Errorf("read the posting of course %d: %w", id, err)
	}
	return c, nil
}

// Fairs implements turn.Offers.
func (t *turnTx) Fairs(q register.FairSearch) ([]register.Fair, error) {
	var w where
	w.and("(held_on = '' OR held_on >= %s)", q.Today)
	w.within("region", q.Within)
	list, err := fairsTable().things(t.tx, w.sql()+` ORDER BY id`, w.args...)
	if err != nil {
		return nil, fmt.Errorf("look for fairs: %w", err)
	}
	return q.Among(list), nil // upcoming ones are few
}

// Schools implements turn.Guides.
func (t *turnTx) Schools(county string) ([]register.School, error) {
	schools, err := schoolsTable().things(t.tx, `ORDER BY id`)
	pairs, pairsErr := t.Pairs(county)
	if err := errors.Join(err, pairsErr); err != nil {
		return nil, fmt.Errorf("look for schools: %w", err)
	}
	return register.SchoolsFor(schools, pairs), nil
}

// Pairs implements turn.Guides.
func (t *turnTx) Pairs(county string) ([]register.Pair, error) {
	list, err := pairsTable().things(t.tx, `ORDER BY id`) // a hundred in the whole province
	if err != nil {
		return nil, fmt.Errorf("look for pairs: %w", err)
	}
	return register.PairsOf(county, list), nil
}

// Institutions implements turn.Guides.
func (t *turnTx) Institutions(q register.InstitutionSearch) ([]register.Institution, error) {
	var w where
	w.within("region", q.Within)
	w.oneOf("kind", q.Kinds, false)
	if q.Remote != register.Unknown {
		w.and("remote = %s", int(q.Remote))
	}
	if q.Name != "" {
		w.names([]string{q.Name}, "name")
	}
	tail := w.sql() + " ORDER BY " + w.nearness("region", q.Near) + " DESC, id"
	list, err := institutionsTable().things(t.tx, tail+w.page(q.Offset, q.Limit), w.args...)
	if err != nil {
		return nil, fmt.Errorf("look for institutions: %w", err)
	}
	return list, nil
}

// Tiers implements turn.Guides.
func (t *turnTx) Tiers(q register.TierSearch) ([]register.Tier, error) {
	var w where
	w.and("year <= %s", q.Year)
	if q.Item != "" {
		w.names([]string{q.Item}, "item")
	}
	list, err := tiersTable().things(t.tx, w.sql()+` ORDER BY id`, w.args...)
	if err != nil {
		return nil, fmt.Errorf("look for tiers: %w", err)
	}
	return q.Among(list), nil
}

// Employer implements turn.Guides.
func (t *turnTx) Employer(name string) (e register.Employer, found bool, err error) {
	list, err := employersTable().things(t.tx, `WHERE name = $1 ORDER BY phone = '', id LIMIT 1`, name)
	if err != nil {
		return e, false, fmt.Errorf("look for an employer: %w", err)
	}
	if len(list) == 0 {
		return e, false, nil
	}
	return list[0], true, nil
}
