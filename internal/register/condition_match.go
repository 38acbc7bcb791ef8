package register

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Match is the reading of one person. today is an instant in the zone whose civil day and year are meant.
func (c Condition) Match(r Record, today time.Time) bool {
	switch {
	case c.Test != nil:
		return c.Test.match(r, today)
	case c.Not != nil:
		return !c.Not.Match(r, today)
	case c.Any != nil:
		return slices.ContainsFunc(c.Any, func(sub Condition) bool { return sub.Match(r, today) })
	case c.All != nil:
		return !slices.ContainsFunc(c.All, func(sub Condition) bool { return !sub.Match(r, today) })
	}
	return false
}

func (t Test) match(r Record, today time.Time) bool {
	field, found := FindField(t.Field)
	if !found || len(t.Values) == 0 {
		return false
	}
	if t.Op == Known {
		return isKnown(r, field, today) == (t.Values[0] == "true")
	}
	switch field.kindOf(t.Values[0]) {
	case Area:
		return strings.HasPrefix(r.Person.RegionCode, t.Values[0])
	case Text, Enum:
		return t.matchText(textsOf(r, t.Field))
	case Number:
		n, known := numberOf(r, t.Field, today)
		low, high := t.bounds()
		return known && n >= low && n <= high
	case Date:
		low, high := t.dateBounds(today)
		date := dateOf(r, t.Field, today)
		return date != "" && date >= low && date <= high
	case YesNo:
		return yesNoOf(r, t.Field, today) == triOf(t.Values[0] == "true")
	case Due:
	}
	return false
}

func isKnown(r Record, field Field, today time.Time) bool {
	switch field.Type {
	case Area:
		return r.Person.RegionCode != ""
	case Text, Enum:
		return len(textsOf(r, field.Name)) > 0
	case Number:
		_, known := numberOf(r, field.Name, today)
		return known
	case Date:
		return dateOf(r, field.Name, today) != ""
	case YesNo, Due:
	}
	return yesNoOf(r, field.Name, today) != Unknown
}

func (t Test) matchText(have []string) bool {
	common := slices.ContainsFunc(have, func(v string) bool { return slices.Contains(t.Values, v) })
	if t.Op == NotIn {
		return len(have) > 0 && !common
	}
	return common
}

// textsOf gives the values of a text field, none where it is unknown.
func textsOf(r Record, field string) []string {
	p := r.Person
	switch field {
	case "category":
		return p.Categories
	case "skills":
		return p.Skills
	case "subsidy.kind", "subsidy.state":
		list := make([]string, 0, len(r.Subsidies))
		for _, s := range r.Subsidies {
			if field == "subsidy.kind" {
				list = append(list, s.Kind)
			} else {
				list = append(list, string(s.State))
			}
		}
		return list
	}
	one := map[string]string{
		"sex": string(p.Sex), "education": p.Education, "student": p.Student, "labour": p.Labour,
		"employment": p.Employment, "disability.kind": p.DisabilityKind, "health": p.Health,
		"language": p.Language, "status": string(p.Status),
	}[field]
	if one == "" {
		return nil
	}
	return []string{one}
}

func numberOf(r Record, field string, today time.Time) (n int, known bool) {
	switch field {
	case "age":
		return r.Person.Age(today), true
	case "disability.level":
		return r.Person.DisabilityLevel, r.Person.DisabilityLevel > 0
	case "household.size":
		return r.Household.Size, true
	case "household.employed":
		return r.Household.Employed, true
	case "household.pupils":
		return r.Household.Pupils, true
	case "reached.days":
		return daysBetween(r.Contact.LastReachedAt, today), !r.Contact.LastReachedAt.IsZero()
	}
	return 0, false
}

// Age in full years on the civil day of today.
func (p Person) Age(today time.Time) int {
	born, err := time.Parse(time.DateOnly, p.BirthDate)
	if err != nil {
		return 0
	}
	age := today.Year() - born.Year()
	if today.Format("01-02") < born.Format("01-02") {
		age--
	}
	return age
}

func dateOf(r Record, field string, today time.Time) string {
	switch field {
	case "birthday":
		return r.Person.BirthDate
	case "graduated_on":
		return r.Person.GraduatedOn
	case "placed_on":
		placed := r.Person.PlacedOn
		for _, p := range r.Placements {
			if p.LeftOn == "" {
				placed = max(placed, p.PlacedOn)
			}
		}
		return placed
	case "medical.due", "pension.due":
		if m, found := r.Premium(insuranceOf(field), today.Year()); found && m.Due() {
			return m.Deadline
		}
	}
	return ""
}

func yesNoOf(r Record, field string, today time.Time) Tri {
	switch field {
	case "phone.mobile":
		return triOf(r.Person.Phone.IsMobile())
	case "wechat.bound":
		return triOf(r.Contact.WeChatBound)
	case "wechat.subscribed":
		return triOf(r.Contact.WeChatSubscribed)
	case "opted_out":
		return triOf(r.Contact.OptedOut)
	case "wants.work":
		return r.Person.WantsWork
	case "wants.training":
		return r.Person.WantsTraining
	case "wants.business":
		return r.Person.WantsBusiness
	case "trained.ever":
		return triOf(slices.ContainsFunc(r.Services, func(s Service) bool { return s.Name == "training" }))
	}
	if name, isService := serviceName(field); isService {
		return triOf(slices.Contains(r.Services, Service{Name: name, Year: today.Year()}))
	}
	if field == "medical.enrolled" || field == "pension.enrolled" || field == "pension.claiming" {
		return coverYesNo(r, field, today.Year())
	}
	return premiumYesNo(r, field, today.Year())
}

func coverYesNo(r Record, field string, year int) Tri {
	c, found := r.Cover(insuranceOf(field), year)
	claiming := strings.HasSuffix(field, ".claiming")
	switch {
	case !found, claiming && c.BenefitState == "":
		return Unknown
	case claiming:
		return triOf(c.Claiming())
	}
	return triOf(c.State == Enrolled)
}

func premiumYesNo(r Record, field string, year int) Tri {
	m, found := r.Premium(insuranceOf(field), year)
	_, what, _ := strings.Cut(field, ".")
	switch {
	case !found:
	case what == "paid":
		return triOf(m.State == Paid)
	case what == "due":
		return triOf(m.Due())
	case what == "subsidised" && m.SubsidyFen >= 0:
		return triOf(m.SubsidyFen > 0)
	}
	return Unknown
}

// Due says whether something is neither paid nor paid for.
func (p Premium) Due() bool { return p.State != Paid && p.DueFen > 0 && p.DueFen > p.SubsidyFen }

// Cover finds the enrolment in one insurance for one year.
func (r Record) Cover(insurance Insurance, year int) (Cover, bool) {
	i := slices.IndexFunc(r.Covers, func(c Cover) bool { return c.Insurance == insurance && c.Year == year })
	if i < 0 {
		return Cover{}, false
	}
	return r.Covers[i], true
}

// Premium finds what is owed for one insurance and year.
func (r Record) Premium(insurance Insurance, year int) (Premium, bool) {
	i := slices.IndexFunc(r.Premiums, func(p Premium) bool { return p.Insurance == insurance && p.Year == year })
	if i < 0 {
		return Premium{}, false
	}
	return r.Premiums[i], true
}

// unbounded is beyond every number that a condition may name.
const unbounded = 9_999_999

// bounds turns the operator on a number into a range, both ends included.
func (t Test) bounds() (low, high int) {
	n := make([]int, 2)
	for i, v := range t.Values[:min(2, len(t.Values))] {
		n[i], _ = strconv.Atoi(v)
	}
	switch t.Op {
	case GTE:
		return n[0], unbounded
	case LTE:
		return math.MinInt32, n[0]
	case Between:
		return n[0], n[1]
	case Is, In, NotIn, Within, Known:
	}
	return n[0], n[0]
}

// dateBounds turns the operator on a date into a range of civil dates, both ends included.
func (t Test) dateBounds(today time.Time) (low, high string) {
	d := make([]string, 2)
	for i, v := range t.Values[:min(2, len(t.Values))] {
		d[i], _ = resolveDate(v, today)
	}
	switch t.Op {
	case GTE:
		return d[0], "9999-12-31"
	case LTE:
		return "0000-01-01", d[0]
	case Between:
		return d[0], d[1]
	case Is, In, NotIn, Within, Known:
	}
	return d[0], d[0]
}

// yearsBefore is the last birth date of those who are at least n years old today. It need not exist (29 February).
func yearsBefore(today time.Time, n int) string {
	year := today.Year() - n
	if year < 0 {
		return ""
	}
	return fmt.Sprintf("%04d-%s", min(year, 9999), today.Format("01-02"))
}

// dayStart is the beginning of the civil day so many days from today, at most about three centuries away.
func dayStart(today time.Time, days int) time.Time {
	const far = 100_000
	y, m, d := today.Date()
	return time.Date(y, m, d+max(-far, min(far, days)), 0, 0, 0, 0, today.Location())
}

// daysBetween counts the civil days from then to today in today's zone.
func daysBetween(then, today time.Time) int {
	y1, m1, d1 := then.In(today.Location()).Date()
	y2, m2, d2 := today.Date()
	return int(time.Date(y2, m2, d2, 0, 0, 0, 0, time.UTC).Sub(time.Date(y1, m1, d1, 0, 0, 0, 0, time.UTC)) / (24 * time.Hour))
}
