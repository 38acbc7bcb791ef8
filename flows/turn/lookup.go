package turn

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/locales"
)

// The bounds of what an SMS may ask in a day.
const (
	statesADay  = 5
	repliesADay = 20
	itemsShown  = 10
)

// perform does what the engine asks for. The names are flows.Requests.
func (t *oneTurn) perform(q flows.Request) (flows.Facts, error) {
	vars, err := map[string]string(nil), error(nil)
	switch q.Name {
	case "cover", "subsidies", "premiums":
		return t.lookUp(q)
	case "identity":
		vars, err = t.gate()
	case "send_code":
		var sent string
		sent, err = t.sendCode(register.IDNumber(q.With["id_number"]), q.With["name"])
		vars = map[string]string{"sent": sent}
	case "check_code":
		vars, err = t.checkCode(q.With["code"])
	case "office":
		vars = map[string]string{"phone": t.s.engine.Book().Line("office", t.region)}
	case "language_named":
		vars = map[string]string{"language": t.s.engine.Book().Settings().Named(q.With["words"])}
	case "set_language":
		if _, ok := locales.Parse(q.With["language"]); ok {
			t.contact.Language, t.contact.LanguageChosen = q.With["language"], true
		}
	case "opt_out":
		err = t.tx.OptOut(t.personID)
	case "opt_in":
		err = t.tx.OptIn(t.personID)
	case "note":
		err = t.tx.Note(Wish{Topic: q.With["topic"], Words: q.With["words"], PersonID: t.personID, Region: t.region})
	default:
		err = fmt.Errorf("turn: no such request: %s", q.Name)
	}
	return flows.Facts{Vars: vars}, err
}

// lookUp answers a question about the person: their own by WeChat, that of the number by SMS.
func (t *oneTurn) lookUp(q flows.Request) (flows.Facts, error) {
	topic := map[string]string{"subsidies": "other", "premiums": "paying"}[q.Name]
	insurance := register.Insurance(q.With["insurance"])
	if q.Name == "cover" {
		topic = map[register.Insurance]string{register.Medical: "medical", register.Pension: "work"}[insurance]
	}
	facts := flows.Facts{Vars: map[string]string{"known": "no", "phone": t.s.engine.Book().Line(topic, "")}}
	people := []int64{t.personID}
	if t.in.Channel == SMS {
		people = t.onPhone
		if t.contact.StatusUsed >= statesADay {
			facts.Vars["known"] = "limited"
			return facts, nil
		}
		t.contact.StatusUsed++
	}
	records, err := t.records(people)
	if err != nil || len(records) == 0 {
		return facts, err
	}
	switch q.Name {
	case "cover":
		t.cover(&facts, records, insurance)
	case "subsidies":
		t.subsidies(&facts, records)
	case "premiums":
		t.premiums(&facts, records)
	}
	return facts, nil
}

func (t *oneTurn) records(people []int64) ([]register.Record, error) {
	var records []register.Record
	for _, id := range people {
		if id == 0 {
			continue
		}
		r, err := t.tx.Record(id)
		if err != nil {
			return nil, fmt.Errorf("turn: read person %d: %w", id, err)
		}
		records = append(records, r)
	}
	return records, nil
}

// cover tells the state of one insurance: this year's, else the last one known, and the next year's beside it.
func (t *oneTurn) cover(facts *flows.Facts, records []register.Record, insurance register.Insurance) {
	v := facts.Vars
	year := t.now.In(t.s.zone).Year()
	v["insurance_key"] = "insurance." + string(insurance)
	v["insurance_word"] = t.word(string(insurance))
	v["this_year"] = itoa(year)
	if len(records) > 1 {
		enrolled := 0
		for _, r := range records {
			if c, ok := coverOf(r.Covers, insurance, year); ok && c.State == register.Enrolled {
				enrolled++
			}
		}
		v["known"], v["year"], v["count"], v["enrolled"] = "several", itoa(year), itoa(len(records)), itoa(enrolled)
		return
	}
	r := records[0]
	c, ok := lastCover(r.Covers, insurance, year)
	if !ok {
		return
	}
	v["known"], v["year"], v["state"], v["word"], v["benefit"] = "yes", itoa(c.Year), string(c.State), t.word(string(c.State)), c.BenefitState
	v["stale"] = yesNo(c.Year < year)
	if n, ok := coverOf(r.Covers, insurance, year+1); ok && n.Year != c.Year {
		v["next_year"], v["next_word"] = itoa(n.Year), t.word(string(n.State))
	}
	today := civil(t.now, t.s.zone)
	for _, p := range r.Premiums {
		if p.Insurance == insurance && p.Year == c.Year && p.State == register.Paid {
			v["premium"], v["due_year"] = "paid", itoa(p.Year)
		}
	}
	if p, ok := pressing(r.Premiums, insurance, today); ok {
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

func (t *oneTurn) premiums(facts *flows.Facts, records []register.Record) {
	if len(records) > 1 {
		facts.Vars["known"], facts.Vars["count"] = "several", itoa(len(records))
		return
	}
	premiums := slices.Clone(records[0].Premiums)
	if len(premiums) == 0 {
		return
	}
	slices.SortStableFunc(premiums, func(a, b register.Premium) int {
		if a.Year != b.Year {
			return b.Year - a.Year
		}
		return strings.Compare(string(a.Insurance), string(b.Insurance))
	})
	first, due := pressing(premiums, "", civil(t.now, t.s.zone))
	if !due {
		first = premiums[0]
	}
	v := facts.Vars
	v["known"], v["due"] = "yes", yesNo(due)
	v["year"], v["insurance_word"], v["word"] = itoa(first.Year), t.word(string(first.Insurance)), t.word(string(first.State))
	for _, p := range premiums[:min(len(premiums), itemsShown)] {
		facts.Items = append(facts.Items, map[string]string{
			"year": itoa(p.Year), "insurance_key": "insurance." + string(p.Insurance),
			"state_key": "premium." + string(p.State), "word": t.word(string(p.State)),
			"amount": yuan(p.DueFen), "self": yuan(p.SelfFen), "subsidy": yuan(p.SubsidyFen), "deadline": p.Deadline,
		})
	}
}

func (t *oneTurn) subsidies(facts *flows.Facts, records []register.Record) {
	if len(records) > 1 {
		facts.Vars["known"], facts.Vars["count"] = "several", itoa(len(records))
		return
	}
	list := slices.Clone(records[0].Subsidies)
	if len(list) == 0 {
		return
	}
	when := func(s register.Subsidy) string { return max(s.StateOn, s.AppliedOn) }
	slices.SortStableFunc(list, func(a, b register.Subsidy) int { return strings.Compare(when(b), when(a)) })
	v := facts.Vars
	v["known"], v["word"], v["date"] = "yes", t.word(string(list[0].State)), when(list[0])
	for _, s := range list[:min(len(list), itemsShown)] {
		facts.Items = append(facts.Items, map[string]string{
			"kind": s.Kind, "state_key": "subsidy." + string(s.State), "word": t.word(string(s.State)),
			"applied": s.AppliedOn, "amount": yuan(s.AmountFen), "note": s.Note, "office": s.Office, "phone": s.OfficePhone,
		})
	}
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
