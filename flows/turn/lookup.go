package turn

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/internal/register"
)

// The bounds of what an SMS may ask in a day.
const (
	statesADay  = 5
	repliesADay = 20
	itemsShown  = 10
)

// lookUp answers a question about the person: their own by WeChat, that of the number by SMS.
func (t *oneTurn) lookUp(q flows.Request) (flows.Facts, error) {
	topic := map[string]string{"subsidies": "other", "premiums": "paying", "benefits": "work"}[q.Name]
	insurance := register.Insurance(q.With["insurance"])
	if q.Name == "cover" {
		topic = map[register.Insurance]string{register.Medical: "medical", register.Pension: "work"}[insurance]
	}
	facts := flows.Facts{Vars: map[string]string{"known": "no", "phone": t.s.engine.Book().Line(topic, "")}}
	people := []int64{t.personID}
	if t.in.Channel == SMS {
		people = t.onPhone
		if t.contact.StatusUsed >= statesADay || t.strange && len(people) > 1 {
			facts.Vars["known"] = "limited"
			return facts, nil
		}
		t.contact.StatusUsed++
	}
	if people = slices.DeleteFunc(slices.Clone(people), func(id int64) bool { return id == 0 }); len(people) == 0 {
		return facts, nil
	}
	switch q.Name {
	case "cover":
		return facts, t.cover(&facts, people, insurance)
	case "subsidies":
		return facts, t.subsidies(&facts, people, q.With["about"])
	case "premiums":
		return facts, t.premiums(&facts, people)
	}
	return facts, t.benefits(&facts, people)
}

// cover tells the state of one insurance: this year's, else the last one known, and the next year's beside it.
func (t *oneTurn) cover(facts *flows.Facts, people []int64, insurance register.Insurance) error {
	covers, err := t.tx.Covers(people...)
	if err != nil {
		return err
	}
	v := facts.Vars
	year := t.now.In(t.s.zone).Year()
	v["insurance_key"] = "insurance." + string(insurance)
	v["insurance_word"] = t.word(string(insurance))
	v["this_year"] = itoa(year)
	if len(people) > 1 {
		enrolled := 0
		for _, c := range covers {
			if c.Insurance == insurance && c.Year == year && c.State == register.Enrolled {
				enrolled++
			}
		}
		v["known"], v["year"], v["count"], v["enrolled"] = "several", itoa(year), itoa(len(people)), itoa(enrolled)
		return nil
	}
	c, ok := lastCover(covers, insurance, year)
	if !ok {
		return nil
	}
	v["known"], v["year"], v["state"], v["word"], v["benefit"] = "yes", itoa(c.Year), string(c.State), t.word(string(c.State)), c.BenefitState
	v["stale"] = yesNo(c.Year < year)
	if n, ok := coverOf(covers, insurance, year+1); ok && n.Year != c.Year {
		v["next_year"], v["next_word"] = itoa(n.Year), t.word(string(n.State))
	}
	premiums, err := t.tx.Premiums(people...)
	if err != nil {
		return err
	}
	t.premiumOf(v, premiums, c)
	return nil
}

// premiumOf tells what is paid of a cover, and what presses.
func (t *oneTurn) premiumOf(v map[string]string, premiums []register.Premium, c register.Cover) {
	today := civil(t.now, t.s.zone)
	for _, p := range premiums {
		if p.Insurance == c.Insurance && p.Year == c.Year && p.State == register.Paid {
			v["premium"], v["due_year"] = "paid", itoa(p.Year)
		}
	}
	if p, ok := pressing(premiums, c.Insurance, today); ok {
		v["premium"] = "due"
		if p.State == register.PartlyPaid {
			v["premium"] = "part"
		}
		v["due_year"], v["amount"], v["deadline"] = itoa(p.Year), yuan(toPay(p)), p.Deadline
		if late(p, today) {
			v["deadline"], v["overdue"] = "", p.Deadline
		}
	}
}

func coverOf(covers []register.Cover, insurance register.Insurance, year int) (register.Cover, bool) {
	i := slices.IndexFunc(covers, func(c register.Cover) bool { return c.Insurance == insurance && c.Year == year })
	if i < 0 {
		return register.Cover{}, false
	}
	return covers[i], true
}

// lastCover is this year's cover, else the latest before, else the earliest after.
func lastCover(covers []register.Cover, insurance register.Insurance, year int) (best register.Cover, ok bool) {
	distance := func(c register.Cover) int {
		if c.Year <= year {
			return year - c.Year
		}
		return 1000 + c.Year - year
	}
	for _, c := range covers {
		if c.Insurance == insurance && (!ok || distance(c) < distance(best)) {
			best, ok = c, true
		}
	}
	return best, ok
}

// pressing is the premium, not fully paid, whose deadline comes next; those without one come after, those whose
// deadline has passed last. Years gone by no longer press.
func pressing(premiums []register.Premium, insurance register.Insurance, today string) (best register.Premium, ok bool) {
	order := func(p register.Premium) string {
		switch {
		case late(p, today):
			return "2" + p.Deadline
		case p.Deadline == "":
			return "1"
		}
		return "0" + p.Deadline
	}
	for _, p := range premiums {
		if p.State == register.Paid || itoa(p.Year) < today[:4] || insurance != "" && p.Insurance != insurance || toPay(p) == 0 {
			continue
		}
		if !ok || order(p) < order(best) {
			best, ok = p, true
		}
	}
	return best, ok
}

// openUntil is the deadline of what is still to be paid.
func openUntil(p register.Premium) string {
	if p.State == register.Paid {
		return ""
	}
	return p.Deadline
}

func late(p register.Premium, today string) bool { return p.Deadline != "" && p.Deadline < today }

// toPay is what the person pays themselves, in fen.
func toPay(p register.Premium) int64 {
	switch {
	case p.SelfFen >= 0:
		return p.SelfFen
	case p.SubsidyFen > 0:
		return max(0, p.DueFen-p.SubsidyFen)
	}
	return p.DueFen
}

func (t *oneTurn) premiums(facts *flows.Facts, people []int64) error {
	if len(people) > 1 {
		facts.Vars["known"], facts.Vars["count"] = "several", itoa(len(people))
		return nil
	}
	premiums, err := t.tx.Premiums(people...)
	if err != nil || len(premiums) == 0 {
		return err
	}
	premiums = slices.Clone(premiums)
	slices.SortStableFunc(premiums, func(a, b register.Premium) int {
		return cmp.Or(b.Year-a.Year, strings.Compare(string(a.Insurance), string(b.Insurance)))
	})
	first, due := pressing(premiums, "", civil(t.now, t.s.zone))
	if !due {
		first = premiums[0]
	}
	v := facts.Vars
	v["known"], v["due"], v["paid"], v["helped"] = "yes", yesNo(due), yesNo(first.State == register.Paid), ""
	if first.State == register.Paid {
		v["helped"] = yuan(first.SubsidyFen)
	}
	v["year"], v["insurance_word"], v["word"] = itoa(first.Year), t.word(string(first.Insurance)), t.word(string(first.State))
	if t.contact.Elder {
		premiums = []register.Premium{first} // one matter
	}
	for _, p := range premiums[:min(len(premiums), itemsShown)] {
		facts.Items = append(facts.Items, map[string]string{
			"year": itoa(p.Year), "insurance_key": "insurance." + string(p.Insurance),
			"state_key": "premium." + string(p.State), "word": t.word(string(p.State)),
			"amount": yuan(p.DueFen), "self": yuan(p.SelfFen), "subsidy": yuan(p.SubsidyFen), "deadline": openUntil(p),
		})
	}
	return nil
}

// subsidies tells the applications, or those about one thing alone.
func (t *oneTurn) subsidies(facts *flows.Facts, people []int64, about string) error {
	if len(people) > 1 {
		facts.Vars["known"], facts.Vars["count"] = "several", itoa(len(people))
		return nil
	}
	list, err := t.tx.Subsidies(people...)
	if err != nil {
		return err
	}
	if about != "" {
		list = slices.DeleteFunc(slices.Clone(list), func(s register.Subsidy) bool { return s.About() != about })
	}
	if len(list) == 0 {
		return nil
	}
	v := facts.Vars
	v["known"], v["word"], v["date"] = "yes", t.word(string(list[0].State)), list[0].LastMove()
	for _, s := range list[:min(len(list), itemsShown)] {
		facts.Items = append(facts.Items, map[string]string{
			"kind": s.Kind, "state_key": "subsidy." + string(s.State), "word": t.word(string(s.State)),
			"applied": s.AppliedOn, "amount": yuan(s.AmountFen), "note": s.Note, "office": s.Office, "phone": s.OfficePhone,
		})
	}
	return nil
}

// benefits tells what an insurance paid last.
func (t *oneTurn) benefits(facts *flows.Facts, people []int64) error {
	if len(people) > 1 {
		facts.Vars["known"], facts.Vars["count"] = "several", itoa(len(people))
		return nil
	}
	work, err := t.tx.Work(people[0])
	if err != nil || len(work.Benefits) == 0 {
		return err
	}
	b, v := work.Benefits[0], facts.Vars
	v["known"], v["month"], v["amount"], v["date"] = "yes", b.Month, yuan(b.AmountFen), b.PaidOn
	v["state_key"] = "benefit." + string(b.State)
	return nil
}

// word is a state in the words of the import.
func (t *oneTurn) word(state string) string { return t.s.engine.Book().Settings().Words[state] }

// yuan writes fen as yuan, without needless digits; nothing where it isn't given or is nothing.
func yuan(fen int64) string {
	switch {
	case fen <= 0:
		return ""
	case fen%100 == 0:
		return strconv.FormatInt(fen/100, 10)
	}
	return fmt.Sprintf("%d.%02d", fen/100, fen%100)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func itoa(n int) string { return strconv.Itoa(n) }

// civil is the date at the office.
func civil(at time.Time, zone *time.Location) string { return at.In(zone).Format(time.DateOnly) }
