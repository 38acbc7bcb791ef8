package turn

import (
	"errors"
	"strconv"
	"strings"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/internal/register"
)

// The ages that matter to a conversation.
const (
	pensionAge  = 60
	nearPension = 58
	elderAge    = 65 // from here the first conversation after an identity check is in short words
	codeDigits  = 12 // of a whole region code
)

func number(id string) int64 {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// me is what the register says of the person, as far as conversations decide by it.
func (t *oneTurn) me() (found, error) {
	v := found{"age": "", "old": "no", "disability": "", "home": ""}
	if t.personID == 0 {
		return v, nil
	}
	p, err := t.tx.Person(t.personID)
	if err != nil {
		return nil, err
	}
	if age := p.Age(t.now.In(t.s.zone)); age > 0 {
		v["age"] = itoa(age)
		switch {
		case age >= pensionAge:
			v["old"] = "yes"
		case age >= nearPension:
			v["old"] = "near"
		}
	}
	if p.DisabilityLevel > 0 {
		v["disability"] = itoa(p.DisabilityLevel)
	}
	v["home"] = register.PlaceName(county(p.RegionCode))
	return v, nil
}

// county is the code of the county that a region lies in, "" where there is none.
func county(region string) string {
	if len(region) < 6 {
		return ""
	}
	return region[:6] + "000000"
}

// home is where the person lives, as searches for what is near take it.
func (t *oneTurn) home() string {
	if len(t.region) == codeDigits {
		return t.region
	}
	if len(t.region) >= 6 && len(t.region) < codeDigits {
		return t.region + strings.Repeat("0", codeDigits-len(t.region))
	}
	return ""
}

func (t *oneTurn) fillWishes(with map[string]string) (found, error) {
	tri := func(name string) register.Tri {
		return map[string]register.Tri{"yes": register.Yes, "no": register.No}[with[name]]
	}
	told := register.Told{WantsWork: tri("work"), WantsTraining: tri("training"), WantsBusiness: tri("business")}
	if with["skills"] != "" {
		told.Skills = []string{with["skills"]}
	}
	changed, err := t.tx.FillWishes(t.personID, told)
	return found{"changed": yesNo(changed)}, err
}

// placement is the work that the register last heard of.
func (t *oneTurn) placement() (found, error) {
	v := found{"placed": "no", "employer": "", "date": ""}
	work, err := t.tx.Work(t.personID)
	if err != nil {
		return nil, err
	}
	if len(work.Placements) > 0 && work.Placements[0].LeftOn == "" {
		p := work.Placements[0]
		v["placed"], v["employer"], v["date"] = "yes", p.Employer, p.PlacedOn
		return v, nil
	}
	p, err := t.tx.Person(t.personID)
	if err == nil && p.Employer != "" {
		v["placed"], v["employer"], v["date"] = "yes", p.Employer, p.PlacedOn
	}
	return v, err
}

// helpList is what a person has asked for, and where each stands.
func (t *oneTurn) helpList() (f flows.Facts, err error) {
	add := func(what, state, date string) {
		f.Items = append(f.Items, map[string]string{"what": what, "state_key": state, "date": date})
	}
	signUps, err := t.tx.SignUps(t.personID)
	if err != nil {
		return f, err
	}
	for _, s := range signUps {
		if s.Course.Name != "" {
			add(s.Course.Name, "state."+string(s.State), s.Course.StartsOn)
		} else if s.Trade != "" {
			add(s.Trade, "state."+string(s.State), "")
		}
	}
	work, err := t.tx.Work(t.personID)
	if err != nil {
		return f, err
	}
	for _, i := range work.Interests {
		add(i.Job.Title, "state."+string(i.State), civil(i.At, t.s.zone))
	}
	applications, err := t.tx.Applications(t.personID)
	if err != nil {
		return f, err
	}
	for _, a := range applications {
		add(t.word("application_"+a.Kind), "state."+string(a.State), civil(a.At, t.s.zone))
	}
	subsidies, err := t.tx.Subsidies(t.personID)
	for _, s := range subsidies {
		add(s.Kind, "subsidy."+string(s.State), s.LastMove())
	}
	f.Items = f.Items[:min(len(f.Items), itemsShown)]
	f.Vars = found{"found": yesNo(len(f.Items) > 0)}
	return f, err
}

// share finds out who shares the phone.
func (t *oneTurn) share() error {
	people, one, err := t.household()
	t.strange, t.several = !one, one && len(people) > 1 && len(people) <= sharersNamed
	return err
}

// household reads the people on the phone and says whether they are all of one household.
func (t *oneTurn) household() (people []register.Person, one bool, err error) {
	for _, id := range t.onPhone {
		p, err := t.tx.Person(id)
		if errors.Is(err, register.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, false, err
		}
		people = append(people, p)
	}
	for _, p := range people {
		if t.householdOf(p) != t.householdOf(people[0]) {
			return people, false, nil
		}
	}
	return people, true, nil
}

func (t *oneTurn) householdOf(p register.Person) string {
	return register.HouseholdKey(p.HouseholdNo, p.RegionCode, "this one")
}

// sharersNamed is how many people on one phone are asked "who?". They are named by what the household knows anyway.
const sharersNamed = 4

func (t *oneTurn) phonePeople() (f flows.Facts, err error) {
	people, one, err := t.household()
	if err != nil || !one || len(people) < 2 || len(people) > sharersNamed {
		f.Vars = found{"several": "no", "count": "", "who": ""}
		return f, err
	}
	named := make([]register.Named, len(people))
	for i, p := range people {
		named[i] = register.Named{Name: p.Name, Born: p.BirthDate}
	}
	names := register.TellApart(named)
	var who []string
	for i, p := range people {
		name := names[i]
		f.Items = append(f.Items, map[string]string{"id": strconv.FormatInt(p.ID, 10), "who": name})
		who = append(who, itoa(i+1)+name)
	}
	f.Vars = found{"several": "yes", "count": itoa(len(people)), "who": strings.Join(who, " ")}
	return f, nil
}

// regionOf is where somebody lives.
func (t *oneTurn) regionOf(id int64) (string, error) {
	p, err := t.tx.Person(id)
	if errors.Is(err, register.ErrNotFound) {
		return "", nil
	}
	return p.RegionCode, err
}
