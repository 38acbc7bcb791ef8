package store

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// addAbout adds to each of the people what the campaign's texts speak of: one query a topic for all of them.
func (t *tx) addAbout(topics notify.Topics, facts map[int64]*notify.Facts, today time.Time) error {
	if !topics.Any() || len(facts) == 0 {
		return nil
	}
	a := about{topics, facts, today.Format(time.DateOnly)}
	for _, part := range []struct {
		used bool
		add  func(about) error
	}{{topics.Due, t.addDue}, {topics.Subsidy, t.addSubsidy}, {topics.Job, t.addJob}, {topics.Course, t.addCourse}} {
		if !part.used {
			continue
		}
		if err := part.add(a); err != nil {
			return fmt.Errorf("what the texts speak of: %w", err)
		}
	}
	return nil
}

type about struct {
	notify.Topics
	facts map[int64]*notify.Facts
	today string
}

func (t *tx) addDue(a about) error {
	found, order, err := t.premiumsOf(t.idList(slices.Collect(maps.Keys(a.facts))))
	for _, key := range order {
		p := found[key].Premium
		if p.State == register.Paid || p.DueFen <= 0 || p.DueFen <= p.SubsidyFen || a.Insurance != "" && p.Insurance != a.Insurance {
			continue
		}
		if of := &a.facts[p.PersonID].About; of.Premium == nil || a.nearer(p, *of.Premium) {
			of.Premium = &p
		}
	}
	return err
}

// nearer says whether one premium presses more than another: the next deadline to come, then none given, then the one
// that went by last.
func (a about) nearer(p, than register.Premium) bool {
	rank := func(p register.Premium) int {
		switch {
		case p.Deadline >= a.today:
			return 0
		case p.Deadline == "":
			return 1
		}
		return 2
	}
	by := cmp.Compare(rank(p), rank(than))
	if by == 0 {
		by = cmp.Compare(p.Deadline, than.Deadline)
		if rank(p) == 2 {
			by = -by
		}
	}
	return by < 0 || by == 0 && p.Year > than.Year
}

func (t *tx) addSubsidy(a about) error {
	found, order, err := t.subsidiesOf(t.idList(slices.Collect(maps.Keys(a.facts))))
	changed := func(s register.Subsidy) string { return max(s.StateOn, s.AppliedOn) }
	for _, key := range order {
		s := found[key].Subsidy
		if a.SubsidyKind != "" && s.Kind != a.SubsidyKind {
			continue
		}
		if of := &a.facts[s.PersonID].About; of.Subsidy == nil || changed(s) >= changed(*of.Subsidy) {
			of.Subsidy = &s
		}
	}
	return err
}

func (t *tx) addJob(a about) error {
	tail, args := t.offered(a, offers{
		table: "jobs", name: "title", open: `NOT held AND (closes_on = '' OR closes_on >= $1)`, order: "created_at DESC, id DESC", named: a.JobNamed,
	})
	list, err := t.jobs(tail, args...)
	places := make([]string, len(list))
	for i, j := range list {
		places[i] = j.RegionCode
	}
	for _, f := range a.facts {
		if i, ok := nearest(places, f.Region, a.JobNamed != ""); ok {
			f.About.Job = &list[i].Job
		}
	}
	return err
}

func (t *tx) addCourse(a about) error {
	tail, args := t.offered(a, offers{
		table: "courses", name: "name", open: `(starts_on = '' OR starts_on >= $1)`, order: "starts_on = '', starts_on, id", named: a.CourseNamed,
	})
	list, err := t.courses(tail, args...)
	places := make([]string, len(list))
	for i, c := range list {
		places[i] = c.RegionCode
	}
	for _, f := range a.facts {
		if i, ok := nearest(places, f.Region, a.CourseNamed != ""); ok {
			f.About.Course = &list[i].Course
		}
	}
	return err
}

// offers is how the postings of one table are chosen.
type offers struct{ table, name, open, order, named string }

// The lengths of a region's code up to county and township.
const (
	countyDigits = 6
	townDigits   = 9
)

// offered is the tail of a query for what is open: of each township, of each county and of all the first in order. Where
// none is named, what lies in none of the people's counties is left out, but for what belongs to the whole province.
func (t *tx) offered(a about, o offers) (tail string, args []any) {
	which, arg := fmt.Sprintf(`(CAST(id AS TEXT) = $2 OR %s = $2)`, o.name), any(o.named)
	if o.named == "" {
		counties := map[string]bool{"": true}
		for _, f := range a.facts {
			counties[f.Region[:min(len(f.Region), countyDigits)]] = true
		}
		which, arg = t.amongTexts(fmt.Sprintf("substr(region, 1, %d)", countyDigits), 2), t.textList(slices.Sorted(maps.Keys(counties)))
	}
	first := func(by string) string { return fmt.Sprintf(`row_number() OVER (%s ORDER BY %s) = 1`, by, o.order) }
	of := func(digits int) string { return fmt.Sprintf(`PARTITION BY substr(region, 1, %d)`, digits) }
	return fmt.Sprintf(`WHERE id IN (SELECT id FROM (SELECT id, %s AS of_town, %s AS of_county, %s AS of_all FROM %s WHERE %s AND %s) o
		WHERE of_town OR of_county OR of_all) ORDER BY %s`,
		first(of(townDigits)), first(of(countyDigits)), first(""), o.table, o.open, which, o.order), []any{a.today, arg}
}

// nearest is the first of the places in the person's township, else county, else the whole province, else, where what
// stands there was named, the first of all.
func nearest(places []string, region string, named bool) (int, bool) {
	for _, digits := range []int{townDigits, countyDigits} {
		if len(region) < digits {
			continue
		}
		if i := slices.IndexFunc(places, func(p string) bool { return strings.HasPrefix(p, region[:digits]) }); i >= 0 {
			return i, true
		}
	}
	if i := slices.Index(places, ""); i >= 0 {
		return i, true
	}
	return 0, named && len(places) > 0
}
