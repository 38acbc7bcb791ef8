package turntest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lingjuli/lingjuli/internal/register"
)

// shelf is what is on offer and where, and what people asked for.
type shelf struct {
	jobs         []register.Job
	courses      []register.Course
	fairs        []register.Fair
	schools      []register.School
	pairs        []register.Pair
	institutions []register.Institution
	tiers        []register.Tier
	employers    []register.Employer
	benefits     []register.Benefit
	placements   []register.Placement

	signUps      []register.SignUp
	interests    []register.JobInterest
	applications []register.Application
	checkUps     []register.CheckUp
	handovers    []register.Handover
	proxies      []held
}

// FileSheets takes the sheets of a setting, in the import's own form. Towns and villages count by their code alone.
func (m *Memory) FileSheets(sheets map[register.Kind]string) error {
	for _, kind := range register.Kinds() {
		if sheets[kind] == "" {
			continue
		}
		report, err := register.Importer{Kind: kind}.Run(context.Background(), strings.NewReader(sheets[kind]), int64(len(sheets[kind])), (*memorySink)(m))
		if err != nil {
			return err
		}
		if len(report.Rejected) > 0 {
			return fmt.Errorf("turntest: %s: row %d: %s", kind, report.Rejected[0].Row, report.Rejected[0].Reason)
		}
	}
	return nil
}

// memorySink files the rows of sheets.
type memorySink Memory

func (m *memorySink) PhoneHouseholds(context.Context, []register.Phone) (map[register.Phone][]string, error) {
	return nil, nil
}

func (m *memorySink) ImportBatch(_ context.Context, b register.Batch) ([]register.Result, error) {
	results := make([]register.Result, len(b.Entries))
	for i, e := range b.Entries {
		results[i].Outcome = register.Added
		if e.IDNumber != "" {
			person := slices.IndexFunc(m.people, func(r register.Record) bool { return r.Person.IDNumber == e.IDNumber })
			if person < 0 {
				results[i] = register.Result{Outcome: register.Refused, Reason: register.PersonUnknown}
				continue
			}
			m.about(&m.people[person], e)
			continue
		}
		m.file(e)
	}
	return results, nil
}

// about files a row about a person.
func (m *memorySink) about(r *register.Record, e register.Entry) {
	id := r.Person.ID
	switch {
	case e.Person != nil:
		r.Person.Merge(*e.Person)
	case e.Cover != nil:
		e.Cover.PersonID = id
		r.Covers = append(r.Covers, *e.Cover)
	case e.Premium != nil:
		e.Premium.PersonID = id
		r.Premiums = append(r.Premiums, *e.Premium)
	case e.Subsidy != nil:
		e.Subsidy.PersonID = id
		r.Subsidies = append(r.Subsidies, *e.Subsidy)
	case e.Benefit != nil:
		e.Benefit.PersonID = id
		m.benefits = append(m.benefits, *e.Benefit)
	case e.Placement != nil:
		e.Placement.PersonID = id
		m.placements = append(m.placements, *e.Placement)
	}
}

// file files a row of what is on offer and where.
func (m *memorySink) file(e register.Entry) {
	switch {
	case e.Job != nil:
		e.Job.ID, e.Job.RegionCode = int64(len(m.jobs)+1), e.Place.Code
		m.jobs = append(m.jobs, *e.Job)
	case e.Course != nil:
		e.Course.ID, e.Course.RegionCode = int64(len(m.courses)+1), e.Place.Code
		m.courses = append(m.courses, *e.Course)
	case e.Fair != nil:
		e.Fair.ID, e.Fair.RegionCode = int64(len(m.fairs)+1), e.Place.Code
		m.fairs = append(m.fairs, *e.Fair)
	case e.School != nil:
		e.School.ID = int64(len(m.schools) + 1)
		m.schools = append(m.schools, *e.School)
	case e.Pair != nil:
		e.Pair.ID, e.Pair.RegionCode = int64(len(m.pairs)+1), e.Place.Code
		m.pairs = append(m.pairs, *e.Pair)
	case e.Institution != nil:
		e.Institution.ID, e.Institution.RegionCode = int64(len(m.institutions)+1), e.Place.Code
		m.institutions = append(m.institutions, *e.Institution)
	case e.Tier != nil:
		e.Tier.ID, e.Tier.RegionCode = int64(len(m.tiers)+1), e.Place.Code
		m.tiers = append(m.tiers, *e.Tier)
	case e.Employer != nil:
		e.Employer.ID = int64(len(m.employers) + 1)
		m.employers = append(m.employers, *e.Employer)
	}
}

// the looks, by the register's own reading of each search.

func (t *memoryTx) Person(id int64) (register.Person, error) {
	if id < 1 || int(id) > len(t.m.people) {
		return register.Person{}, register.ErrNotFound
	}
	return t.m.people[id-1].Person, nil
}

// of gathers something of several people.
func of[T any](t *memoryTx, people []int64, what func(register.Record) []T) (list []T) {
	for _, r := range t.m.people {
		if slices.Contains(people, r.Person.ID) {
			list = append(list, what(r)...)
		}
	}
	return list
}

func (t *memoryTx) Covers(people ...int64) ([]register.Cover, error) {
	return of(t, people, func(r register.Record) []register.Cover { return r.Covers }), nil
}

func (t *memoryTx) Premiums(people ...int64) ([]register.Premium, error) {
	return of(t, people, func(r register.Record) []register.Premium { return r.Premiums }), nil
}

func (t *memoryTx) Subsidies(people ...int64) ([]register.Subsidy, error) {
	list := of(t, people, func(r register.Record) []register.Subsidy { return r.Subsidies })
	slices.SortStableFunc(list, register.NewerSubsidy)
	return list, nil
}

func (t *memoryTx) Work(personID int64) (w register.Work, err error) {
	w.Benefits = only(t.m.benefits, func(b register.Benefit) bool { return b.PersonID == personID })
	w.Placements = only(t.m.placements, func(p register.Placement) bool { return p.PersonID == personID })
	w.CheckUps = only(t.m.checkUps, func(c register.CheckUp) bool { return c.PersonID == personID })
	w.Interests = only(t.m.interests, func(i register.JobInterest) bool { return i.PersonID == personID })
	slices.SortStableFunc(w.Benefits, func(a, b register.Benefit) int { return strings.Compare(b.Month, a.Month) })
	slices.SortStableFunc(w.Placements, func(a, b register.Placement) int { return strings.Compare(b.PlacedOn, a.PlacedOn) })
	slices.Reverse(w.CheckUps)
	slices.Reverse(w.Interests)
	return w, nil
}

func only[T any](list []T, keep func(T) bool) (kept []T) {
	for _, v := range list {
		if keep(v) {
			kept = append(kept, v)
		}
	}
	return kept
}

func (t *memoryTx) Jobs(q register.JobSearch) (register.JobPage, error) {
	return q.Among(t.m.jobs, t.m.pairs), nil
}

func (t *memoryTx) Job(id int64) (offer register.JobOffer, err error) {
	open := register.JobSearch{Today: t.today(), Limit: len(t.m.jobs)}.Among(t.m.jobs, nil)
	at := slices.IndexFunc(open.Jobs, func(j register.Job) bool { return j.ID == id })
	if at < 0 {
		return offer, register.ErrNotFound
	}
	offer.Job = open.Jobs[at]
	if e, found, _ := t.Employer(offer.Employer); found && offer.ContactPhone == "" {
		if offer.ContactPhone = e.Phone; offer.Contact == "" {
			offer.Contact = e.Contact
		}
	}
	for _, c := range t.m.courses {
		if c.LeadsTo(offer.Job) && (c.StartsOn == "" || c.StartsOn >= t.today()) {
			offer.Courses = append(offer.Courses, c)
		}
	}
	return offer, nil
}

func (t *memoryTx) today() string { return t.who.At.UTC().Format("2006-01-02") }

func (t *memoryTx) offer(c register.Course) register.CourseOffer {
	o := register.CourseOffer{Course: c}
	for _, s := range t.m.signUps {
		if s.CourseID == c.ID && (s.State == register.SignUpTaken || s.State == register.SignUpAttended) {
			o.Taken++
		}
		if s.CourseID == c.ID && s.State == register.SignUpWaiting {
			o.Waiting++
		}
	}
	return o
}

func (t *memoryTx) Courses(q register.CourseSearch) (register.CoursePage, error) {
	var offers []register.CourseOffer
	for _, c := range t.m.courses {
		offers = append(offers, t.offer(c))
	}
	return q.Among(offers), nil
}

func (t *memoryTx) Course(id int64) (register.CourseOffer, error) {
	if id < 1 || int(id) > len(t.m.courses) {
		return register.CourseOffer{}, register.ErrNotFound
	}
	o := t.offer(t.m.courses[id-1])
	for _, j := range slices.Backward(t.m.jobs) {
		if o.LeadsTo(j) && !j.Held && (j.ClosesOn == "" || j.ClosesOn >= t.today()) {
			o.Job = &j
			break
		}
	}
	return o, nil
}

func (t *memoryTx) Fairs(q register.FairSearch) ([]register.Fair, error) {
	return q.Among(t.m.fairs), nil
}

func (t *memoryTx) Schools(county string) ([]register.School, error) {
	return register.SchoolsFor(t.m.schools, register.PairsOf(county, t.m.pairs)), nil
}

func (t *memoryTx) Pairs(county string) ([]register.Pair, error) {
	return register.PairsOf(county, t.m.pairs), nil
}

func (t *memoryTx) Institutions(q register.InstitutionSearch) ([]register.Institution, error) {
	return q.Among(t.m.institutions), nil
}

func (t *memoryTx) Tiers(q register.TierSearch) ([]register.Tier, error) {
	return q.Among(t.m.tiers), nil
}

func (t *memoryTx) Employer(name string) (register.Employer, bool, error) {
	found := only(t.m.employers, func(e register.Employer) bool { return e.Name == name })
	slices.SortStableFunc(found, func(a, b register.Employer) int { return strings.Compare(noPhone(a), noPhone(b)) })
	if len(found) == 0 {
		return register.Employer{}, false, nil
	}
	return found[0], true, nil
}

// noPhone sorts those without a telephone behind the others.
func noPhone(e register.Employer) string {
	if e.Phone == "" {
		return "1"
	}
	return "0"
}
