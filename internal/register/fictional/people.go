package fictional

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"strconv"
)

// person is one made-up person with all that the sheets say of them.
type person struct {
	c        County
	w        words
	r        *rand.Rand // the person's own chance: one sheet does not shift another
	name     string
	id       string
	phone    string
	town     string
	village  string
	house    string
	relation string
	age      int
}

// role in a household: relation and the range of ages.
type role struct {
	relation string
	from, to int
}

// households are drawn from these; the first of each is the head.
func households() [][]role {
	return [][]role{
		{{"head", 62, 88}},
		{{"head", 60, 80}, {"spouse", 58, 80}},
		{{"head", 35, 55}, {"spouse", 33, 52}, {"child", 6, 17}, {"child", 8, 22}},
		{{"head", 40, 58}, {"spouse", 38, 55}, {"child", 16, 24}, {"parent", 65, 88}},
		{{"head", 30, 45}, {"child", 3, 15}, {"parent", 60, 75}},
	}
}

// people makes up the county's people, household by household, until there are enough.
func (c County) people(w words) iter.Seq[person] {
	return func(yield func(person) bool) {
		r := c.rand(1)
		made := 0
		used := map[string]bool{}
		for house := 0; made < c.People; house++ {
			members := households()[r.IntN(len(households()))]
			town, village := w.Towns[r.IntN(len(w.Towns))], w.Villages[r.IntN(len(w.Villages))]
			surname := w.Surnames[r.IntN(len(w.Surnames))]
			for i, m := range members {
				if made == c.People {
					return
				}
				p := person{
					c: c, w: w, r: c.rand(1000 + uint64(made)), town: town, village: village,
					house: fmt.Sprintf("H%07d", house+1), relation: m.relation, age: m.from + r.IntN(m.to-m.from+1),
				}
				p.fill(surname, house, i)
				p.id = p.freeID(made, used)
				made++
				if !yield(p) {
					return
				}
			}
		}
	}
}

// fill gives name, number and phone. Children and most spouses of old people share the household's phone; one
// household in thirty has none, and one in forty gave the village shop's.
func (p *person) fill(surname string, house, member int) {
	if p.relation == "spouse" || p.relation == "parent" {
		surname = p.w.Surnames[p.r.IntN(len(p.w.Surnames))]
	}
	p.name = surname + p.pick(p.w.Given) + p.pick(p.w.Given)
	switch {
	case house%30 == 29:
	case house%40 == 39:
		p.phone = Phone(99000000)
	case p.age < 16 || p.age > 70 && member > 0:
		p.phone = Phone(house * 8)
	default:
		p.phone = Phone(house*8 + member)
	}
}

// freeID is an ID number of the person's age that nobody before them has.
func (p *person) freeID(seq int, used map[string]bool) string {
	birth := p.c.Today.AddDate(-p.age, -p.r.IntN(12), -p.r.IntN(28)).Format("2006-01-02")
	for ; ; seq++ {
		id := IDNumber(p.w.CountyCode, birth, seq%1000)
		if !used[id] {
			used[id] = true
			return id
		}
	}
}

func (p *person) pick(list []string) string { return list[p.r.IntN(len(list))] }

// chance is true in so many of a hundred.
func (p *person) chance(percent int) bool { return p.r.IntN(100) < percent }

func (p *person) yesNo(yes bool) string {
	if yes {
		return p.w.Yes
	}
	return p.w.No
}

// rows emits the person's rows of one sheet.
func (p person) rows(kind string, emit func(...string)) {
	p.r = p.c.rand(uint64(len(kind))<<32 + hash(p.id))
	switch kind {
	case "people":
		p.peopleRow(emit)
	case "cover":
		p.coverRows(emit)
	case "premiums":
		p.premiumRows(emit)
	case "subsidies":
		p.subsidyRows(emit)
	case "benefits":
		p.benefitRows(emit)
	case "placements":
		p.placementRows(emit)
	}
}

func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

func (p *person) working() bool { return p.age >= 16 && p.age < 60 && p.relation != "child" }

func (p *person) peopleRow(emit func(...string)) {
	w := p.w
	labour, student, education := "able", "no", "junior"
	switch {
	case p.age < 7:
		labour, education = "none", "none"
	case p.age < 13:
		labour, student, education = "none", "primary", "primary"
	case p.age < 16:
		labour, student = "none", "junior"
	case p.age > 70:
		labour, education = "none", "none"
	case p.age >= 60:
		labour, education = "weak", "primary"
	case p.age < 19 && p.relation == "child":
		student, education = "senior", "senior"
	case p.age < 25:
		education = "college"
	}
	level, disability, health := "", "", "well"
	if p.chance(8) {
		level, disability, health = p.pick(w.Disability), p.pick(w.DisabilityKinds), "chronic"
	}
	job, status, skill := "idle", "alive", ""
	if p.employed() {
		job, skill = "working", p.pick(w.Skills)
	}
	if p.dead() {
		status = "dead"
	}
	adult := labour == "able" && student == "no"
	emit(p.name, p.id, p.phone, w.County, p.town, p.village, p.house, w.Relations[p.relation], p.pick(w.Categories),
		w.Education[education], w.Student[student], skill, w.Labour[labour], p.yesNo(adult && p.chance(60)),
		p.yesNo(adult && p.chance(40)), p.yesNo(adult && p.chance(10)), w.Employment[job], w.Status[status],
		level, disability, w.Health[health], p.pick(w.Languages))
}

// What more than one sheet tells is the person's own, whatever else a sheet draws: the sheets say the same.
func (p *person) own(what string, percent int) bool {
	return p.c.rand(hash(p.id+what)).IntN(100) < percent
}

func (p *person) employed() bool { return p.working() && p.own("job", 55) }
func (p *person) dead() bool     { return p.age > 80 && p.own("dead", 5) }

// insured says whether the person has paid for the year, or was paid for, and so is enrolled.
func (p *person) insured(insurance string) bool { return p.own(insurance, 80) }

func (p *person) coverRows(emit func(...string)) {
	p.coverRow(emit, "medical", p.w.Benefit["normal"])
	switch {
	case p.age < 16:
	case p.age < 60:
		p.coverRow(emit, "pension", p.w.Benefit["young"])
	case p.age == 60:
		p.coverRow(emit, "pension", p.w.Benefit["due"])
	default:
		p.coverRow(emit, "pension", p.w.Benefit["drawing"])
	}
}

// coverRow says of who is not enrolled neither since when nor where; the cover of the dead has stopped.
func (p *person) coverRow(emit func(...string), insurance, benefit string) {
	w, year := p.w, p.c.Today.Year()
	state, since, place := "enrolled", fmt.Sprintf("%d-01-01", year), w.County
	switch {
	case !p.insured(insurance):
		state, since, benefit, place = "not", "", "", ""
	case p.dead():
		state, benefit = "stopped", ""
	}
	emit(p.id, w.Insurance[insurance], strconv.Itoa(year), w.Cover[state], since, benefit, place)
}

// premiumRows: medical premiums are due before the year begins to be covered from its first day, and may be paid late.
func (p *person) premiumRows(emit func(...string)) {
	if p.dead() {
		return
	}
	w, year := p.w, p.c.Today.Year()
	deadline := fmt.Sprintf("%d-12-31", year)
	if p.insured("medical") {
		emit(p.id, w.Insurance["medical"], strconv.Itoa(year), "400", "0", "400", deadline, w.Premium["paid"], fmt.Sprintf("%d-12-15", year-1))
	} else {
		emit(p.id, w.Insurance["medical"], strconv.Itoa(year), "400", "400", "0", deadline, w.Premium["unpaid"], "")
	}
	if p.age >= 16 && p.age < 60 {
		state, on := "unpaid", ""
		if p.insured("pension") {
			state, on = "paid", fmt.Sprintf("%d-01-01", year)
		}
		emit(p.id, w.Insurance["pension"], strconv.Itoa(year), "180", "90", "90", deadline, w.Premium[state], on)
	}
}

func (p *person) subsidyRows(emit func(...string)) {
	w := p.w
	if p.dead() || !p.chance(35) {
		return
	}
	state := p.pick(w.SubsidyStates)
	note := ""
	if state == w.SubsidyStates[len(w.SubsidyStates)-1] {
		note = w.ReturnedNote
	}
	emit(p.id, p.pick(w.Subsidies), p.c.day(-90+p.r.IntN(40)), state, strconv.Itoa(100*(1+p.r.IntN(20))), p.c.day(-p.r.IntN(30)), note,
		w.Office, "0763-2000000")
}

// benefitRows: whoever draws a pension had it paid for three months; this month's is on its way.
func (p *person) benefitRows(emit func(...string)) {
	if p.age <= 60 || p.dead() || !p.insured("pension") {
		return
	}
	w, first := p.w, p.c.Today.AddDate(0, 0, 1-p.c.Today.Day())
	for back := range 4 {
		month := first.AddDate(0, -back, 0)
		state, on := w.Payout["paid"], month.AddDate(0, 0, 14).Format("2006-01-02")
		if back == 0 {
			state, on = w.Payout["pending"], ""
		}
		for i, item := range w.BenefitItems {
			emit(p.id, w.Insurance["pension"], item, month.Format("2006-01"), strconv.Itoa(190-150*i), state, on)
		}
	}
}

// placementRows: some of those who work were led there one to eight months ago, and a few have left again.
func (p *person) placementRows(emit func(...string)) {
	if !p.employed() || !p.chance(36) {
		return
	}
	w := p.w
	job := w.Jobs[p.r.IntN(len(w.Jobs))]
	left := ""
	if p.chance(15) {
		left = p.c.day(-p.r.IntN(20))
	}
	emit(p.id, job["employer"], p.c.day(-30-p.r.IntN(210)), job["title"], p.town, left)
}
