package register

import (
	"cmp"
	"slices"
	"strings"
)

// PageSize is how many offers a conversation shows at once where it doesn't say.
const PageSize = 3

// JobSearch says which postings. Held and closed ones never come.
type JobSearch struct {
	Near     string   // 12-digit code: nearest first
	Within   string   // prefix; "" everywhere
	Kinds    []string // none: all
	NotKinds []string
	MinWage  int64      // fen; postings without a wage drop out
	Keywords []string   // any of them in employer, title, place or demands
	Places   []Wherever // in any of them; none: everywhere
	PairedTo string     // county: those of its paired cities alone
	Slack    bool       // work for the slack season
	Today    string
	Offset   int
	Limit    int // 0: PageSize
}

// JobPage is one page of what was found.
type JobPage struct {
	Jobs  []Job
	Total int
	Next  int // offset of the next page, 0: none
}

// JobOffer is a posting with what belongs to it. Where the posting names nobody the employer's contact stands in it.
type JobOffer struct {
	Job
	Courses []Course // that lead to it
}

// CourseSearch says which courses. Those that have begun never come.
type CourseSearch struct {
	Near     string
	Within   string
	Remote   Tri  // Yes: by phone alone; No: not by phone
	ForJob   bool // with a posting at the end
	Keywords []string
	Places   []Wherever // in any of them; none: everywhere
	Today    string
	Offset   int
	Limit    int
}

// CoursePage is one page of what was found.
type CoursePage struct {
	Courses []CourseOffer
	Total   int
	Next    int
}

// CourseOffer is a course with its places.
type CourseOffer struct {
	Course
	Taken   int
	Waiting int
	Job     *Job // the posting it leads to, nil: none on file
}

// Left is how many places are free, -1 where they are open.
func (c CourseOffer) Left() int {
	if c.Places < 0 {
		return -1
	}
	return max(0, c.Places-c.Taken)
}

// LeadsTo says whether a posting is the one that stands behind the course: by its title, or by employer and title.
func (c Course) LeadsTo(j Job) bool {
	return c.JobTitle != "" && (c.JobTitle == j.Title || strings.Contains(c.JobTitle, j.Title) && strings.Contains(c.JobTitle, j.Employer))
}

// Remote says whether the course is given by phone.
func (c Course) Remote() bool { return flagged(wordCourseMode, c.Mode) }

// RemoteModes are the words of 方式 that mean by phone.
func RemoteModes() []string { return flaggedCodes(wordCourseMode) }

// SlackWords are what postings for the slack season say.
func SlackWords() []string { return slices.Clone(vocabulary()[wordSlackSeason].longest) }

// FairSearch says which fairs. Those that are over never come.
type FairSearch struct {
	Near   string
	Within string
	Today  string
	Limit  int
}

// InstitutionSearch says which institutions.
type InstitutionSearch struct {
	Near   string
	Within string
	Kinds  []string
	Name   string
	Remote Tri // Yes: those that settle directly
	Offset int
	Limit  int
}

// TierSearch says which tiers: of an item (its name or a part of it, "" all), where Near lies, for a year.
type TierSearch struct {
	Item  string
	Near  string
	Year  int
	Group string
}

// Page cuts a page out of a list and says where the next begins.
func Page[T any](list []T, offset, limit int) (page []T, next int) {
	if limit <= 0 {
		limit = PageSize
	}
	from := min(max(offset, 0), len(list))
	to := min(from+limit, len(list))
	if to < len(list) {
		next = to
	}
	return list[from:to], next
}

// levels are the lengths of the prefixes of a region code, the smallest place first.
func levels() []int { return []int{12, 9, 6, 4, 2} }

// Nearness is how many levels two 12-digit codes share: 5 one village, 0 nothing.
func Nearness(a, b string) int {
	if len(a) != 12 || len(b) != 12 {
		return 0
	}
	for i, n := range levels() {
		if a[:n] == b[:n] {
			return 5 - i
		}
	}
	return 0
}

// Names says whether a text holds one of the words; no words: yes.
func names(words []string, texts ...string) bool {
	if len(words) == 0 {
		return true
	}
	text := strings.ToLower(strings.Join(texts, " "))
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, strings.ToLower(w)) })
}

// Among is the search over a list in memory: what the store's SQL finds, in its order.
func (q JobSearch) Among(jobs []Job, pairs []Pair) JobPage {
	var found []Job
	for _, j := range jobs {
		if q.fits(j) && (q.PairedTo == "" || fromPaired(j, PairsOf(q.PairedTo, pairs))) {
			found = append(found, j)
		}
	}
	slices.SortFunc(found, func(a, b Job) int {
		return cmp.Or(Nearness(q.Near, b.RegionCode)-Nearness(q.Near, a.RegionCode), cmp.Compare(b.ID, a.ID))
	})
	page := JobPage{Total: len(found)}
	page.Jobs, page.Next = Page(found, q.Offset, q.Limit)
	return page
}

func (q JobSearch) fits(j Job) bool {
	wage := j.WageMaxFen
	if wage < 0 {
		wage = j.WageMinFen
	}
	switch {
	case j.Held, j.ClosesOn != "" && j.ClosesOn < q.Today, !strings.HasPrefix(j.RegionCode, q.Within):
		return false
	case len(q.Kinds) > 0 && !slices.Contains(q.Kinds, j.Kind), slices.Contains(q.NotKinds, j.Kind), wage < q.MinWage && q.MinWage > 0:
		return false
	case q.Slack && !names(SlackWords(), j.Title, j.Demands), !anywhereIn(q.Places, j.RegionCode, j.Place, j.SourceCity):
		return false
	}
	return names(q.Keywords, j.Employer, j.Title, j.Place, j.Demands)
}

func fromPaired(j Job, pairs []Pair) bool {
	return slices.ContainsFunc(pairs, func(p Pair) bool {
		if p.Is() != PairCity {
			return false
		}
		name, prefix := p.City()
		return strings.Contains(j.SourceCity, name) || strings.Contains(j.Place, name) || prefix != "" && strings.HasPrefix(j.RegionCode, prefix)
	})
}

// PairsOf are those of the pairs that help the county: it, or the whole of its city.
func PairsOf(county string, pairs []Pair) []Pair {
	var of []Pair
	for _, p := range pairs {
		if inside := trimZeros(p.RegionCode); p.RegionCode != "" && strings.HasPrefix(county, inside) {
			of = append(of, p)
		}
	}
	return of
}

// Among is the search over a list in memory.
func (q CourseSearch) Among(courses []CourseOffer) CoursePage {
	var found []CourseOffer
	for _, c := range courses {
		if q.fits(c.Course) {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b CourseOffer) int {
		return cmp.Or(Nearness(q.Near, b.RegionCode)-Nearness(q.Near, a.RegionCode), cmp.Compare(lateIfEmpty(a.StartsOn), lateIfEmpty(b.StartsOn)), cmp.Compare(a.ID, b.ID))
	})
	page := CoursePage{Total: len(found)}
	page.Courses, page.Next = Page(found, q.Offset, q.Limit)
	return page
}

func (q CourseSearch) fits(c Course) bool {
	switch {
	case c.StartsOn != "" && c.StartsOn < q.Today, !strings.HasPrefix(c.RegionCode, q.Within), q.ForJob && c.JobTitle == "":
		return false
	case q.Remote == Yes && !c.Remote(), q.Remote == No && c.Remote(), !anywhereIn(q.Places, c.RegionCode, c.Place):
		return false
	}
	return names(q.Keywords, c.Name, c.Trade, c.Place)
}

// lateIfEmpty sorts a day that is open behind all others.
func lateIfEmpty(day string) string {
	if day == "" {
		return ":"
	}
	return day
}

// Among is the search over a list in memory: those of the county first, then by day.
func (q FairSearch) Among(fairs []Fair) []Fair {
	var found []Fair
	for _, f := range fairs {
		if (f.HeldOn == "" || f.HeldOn >= q.Today) && strings.HasPrefix(f.RegionCode, q.Within) {
			found = append(found, f)
		}
	}
	county := func(f Fair) int { return min(Nearness(q.Near, f.RegionCode), 3) }
	slices.SortFunc(found, func(a, b Fair) int {
		return cmp.Or(county(b)-county(a), cmp.Compare(lateIfEmpty(a.HeldOn), lateIfEmpty(b.HeldOn)), cmp.Compare(a.ID, b.ID))
	})
	page, _ := Page(found, 0, q.Limit)
	return page
}

// Among is the search over a list in memory.
func (q InstitutionSearch) Among(list []Institution) []Institution {
	var found []Institution
	for _, i := range list {
		if strings.HasPrefix(i.RegionCode, q.Within) && (len(q.Kinds) == 0 || slices.Contains(q.Kinds, i.Kind)) &&
			(q.Remote == Unknown || i.Remote == q.Remote) && names(filled(q.Name), i.Name) {
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(a, b Institution) int {
		return cmp.Or(Nearness(q.Near, b.RegionCode)-Nearness(q.Near, a.RegionCode), cmp.Compare(a.ID, b.ID))
	})
	page, _ := Page(found, q.Offset, q.Limit)
	return page
}

// Among picks of each item the rows that hold for the place and the year: those of the smallest place that has some,
// of its latest year, of the group where there are such and else of everybody; in the order of their steps.
func (q TierSearch) Among(list []Tier) []Tier {
	best := map[string]Tier{}
	better := func(a, b Tier) bool {
		return cmp.Or(len(trimZeros(a.RegionCode))-len(trimZeros(b.RegionCode)), a.Year-b.Year, groupRank(q.Group, a)-groupRank(q.Group, b)) > 0
	}
	var fit []Tier
	for _, t := range list {
		if !q.fits(t) {
			continue
		}
		fit = append(fit, t)
		if have, seen := best[t.Item]; !seen || better(t, have) {
			best[t.Item] = t
		}
	}
	fit = slices.DeleteFunc(fit, func(t Tier) bool {
		b := best[t.Item]
		return t.RegionCode != b.RegionCode || t.Year != b.Year || t.Group != b.Group
	})
	slices.SortFunc(fit, func(a, b Tier) int {
		return cmp.Or(cmp.Compare(a.Item, b.Item), cmp.Compare(a.FromFen, b.FromFen), cmp.Compare(a.ID, b.ID))
	})
	return fit
}

func (q TierSearch) fits(t Tier) bool {
	return strings.Contains(t.Item, q.Item) && t.Year <= q.Year && (t.Group == "" || t.Group == q.Group) &&
		(q.Near == "" || strings.HasPrefix(q.Near, trimZeros(t.RegionCode)))
}

func groupRank(group string, t Tier) int {
	if group != "" && t.Group == group {
		return 1
	}
	return 0
}

// SchoolsFor marks the schools that are paired with a county and puts them first.
func SchoolsFor(schools []School, pairs []Pair) []School {
	list := slices.Clone(schools)
	for i := range list {
		list[i].Paired = slices.ContainsFunc(pairs, func(p Pair) bool {
			return p.Is() == PairSchool && (p.Giver == list[i].Name || strings.Contains(list[i].Name, p.Giver) || strings.Contains(p.Giver, list[i].Name))
		})
	}
	slices.SortStableFunc(list, func(a, b School) int {
		switch {
		case a.Paired == b.Paired:
			return cmp.Compare(a.ID, b.ID)
		case a.Paired:
			return -1
		}
		return 1
	})
	return list
}
