package turn

import (
	"errors"
	"strconv"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/internal/register"
)

// pageOf says whether there is more behind a page.
func pageOf(total, next int) found {
	return found{"found": yesNo(total > 0), "total": itoa(total), "next": itoa(next), "more": yesNo(next > 0)}
}

// jobs looks for postings by mode: near, far, paired, slack, public, graduate, or by the person's own words.
func (t *oneTurn) jobs(with map[string]string) (f flows.Facts, err error) {
	book := t.s.engine.Book()
	s := book.Settings()
	q := register.JobSearch{Today: t.today(), Offset: int(number(with["offset"])), NotKinds: s.JobKinds["public"]}
	sought := "" // in their own words
	switch mode := with["mode"]; mode {
	case "near":
		q.Near, q.Within = t.home(), prefixOf(t.region)
	case "paired":
		q.PairedTo = county(t.region)
		if q.PairedTo == "" {
			return flows.Facts{Vars: pageOf(0, 0)}, nil
		}
	case "slack":
		q.Slack, q.Near = true, t.home()
	case "public":
		q.Kinds, q.NotKinds, q.Near, q.Within = s.JobKinds[mode], nil, t.home(), prefixOf(t.region)
	case "graduate", "workshop":
		q.Kinds, q.Near = s.JobKinds[mode], t.home()
	case "words":
		wanted := s.Search(with["words"])
		if wanted.Empty() {
			return flows.Facts{Vars: pageOf(0, 0)}, nil
		}
		sought = wanted.String()
		q.Keywords, q.Places, q.MinWage = wanted.Words, wanted.Places, int64(wanted.Yuan)*100
		if wanted.Near {
			q.Near, q.Within = t.home(), prefixOf(t.region)
		}
	}
	page, eased, err := t.findJobs(q)
	if err != nil {
		return f, err
	}
	for _, j := range page.Jobs {
		f.Items = append(f.Items, map[string]string{
			"id": strconv.FormatInt(j.ID, 10), "title": j.Title, "employer": j.Employer, "place": j.Place, "wage": wage(j),
		})
	}
	f.Vars = pageOf(page.Total, page.Next)
	f.Vars["sought"], f.Vars["eased"] = sought, eased
	if q.Offset > 0 {
		f.Vars["eased"] = "" // said with the first page
	}
	return f, nil
}

// findJobs looks for postings. Where nothing fits all that was said, the wage is given up first, then the place, then the
// trade; eased says which, because what is shown then is not what was asked for.
func (t *oneTurn) findJobs(q register.JobSearch) (page register.JobPage, eased string, err error) {
	page, err = t.tx.Jobs(q)
	for _, ease := range []struct {
		what string
		can  bool
		to   func(*register.JobSearch)
	}{
		{"wage", q.MinWage > 0 && len(q.Keywords)+len(q.Places) > 0, func(q *register.JobSearch) { q.MinWage = 0 }},
		{"place", len(q.Places) > 0 && len(q.Keywords) > 0, func(q *register.JobSearch) { q.MinWage, q.Places = 0, nil }},
		{"trade", len(q.Places) > 0 && len(q.Keywords) > 0, func(q *register.JobSearch) { q.MinWage, q.Keywords = 0, nil }},
	} {
		if err != nil || page.Total > 0 {
			return page, eased, err
		}
		if ease.can {
			wider := q
			ease.to(&wider)
			eased = ease.what
			page, err = t.tx.Jobs(wider)
		}
	}
	if page.Total == 0 {
		eased = ""
	}
	return page, eased, err
}

func (t *oneTurn) today() string { return civil(t.now, t.s.zone) }

// prefixOf is the county's part of a region code; "" is everywhere.
func prefixOf(region string) string {
	if len(region) < 6 {
		return ""
	}
	return region[:6]
}

// wage writes a posting's wage in yuan, as a range where it gives one.
func wage(j register.Job) string {
	low, high := yuan(j.WageMinFen), yuan(j.WageMaxFen)
	switch {
	case low == "" || low == high:
		return high
	case high == "":
		return low
	}
	return low + "–" + high
}

func (t *oneTurn) job(id int64) (found, error) {
	o, err := t.tx.Job(id)
	if errors.Is(err, register.ErrNotFound) {
		return found{"found": "no"}, nil
	}
	if err != nil {
		return nil, err
	}
	v := found{
		"found": "yes", "title": o.Title, "employer": o.Employer, "place": o.Place, "wage": wage(o.Job), "demands": o.Demands,
		"number": "", "contact": o.Contact, "tel": o.ContactPhone, "closes": o.ClosesOn, "course": "",
	}
	if o.Headcount > 0 {
		v["number"] = itoa(o.Headcount)
	}
	if len(o.Courses) > 0 {
		v["course"] = o.Courses[0].Name
	}
	return v, nil
}

func (t *oneTurn) wantJob(id int64) (found, error) {
	already, err := t.tx.WantJob(id, t.personID)
	switch {
	case errors.Is(err, register.ErrNotFound):
		return found{"wanted": "gone"}, nil
	case already:
		return found{"wanted": "again"}, err
	}
	if err == nil {
		err = t.tellOfInterest(id)
	}
	return found{"wanted": "yes"}, err
}

// tellOfInterest puts the wish for a posting into the township's inbox.
func (t *oneTurn) tellOfInterest(job int64) error {
	work, err := t.tx.Work(t.personID)
	for _, i := range work.Interests {
		if i.JobID == job {
			return t.tellStaff(register.TopicJob, i.Job.Title+" · "+i.Job.Employer, i.ID)
		}
	}
	return err
}

// fairsShown and schoolsShown bound what one answer lists.
const (
	fairsShown   = 3
	schoolsShown = 4
)

func (t *oneTurn) fairs() (f flows.Facts, err error) {
	list, err := t.tx.Fairs(register.FairSearch{Near: t.home(), Today: t.today(), Limit: fairsShown})
	for _, x := range list {
		f.Items = append(f.Items, map[string]string{"name": x.Name, "date": x.HeldOn, "place": x.Place, "host": x.Host, "tel": x.Phone})
	}
	f.Vars = found{"found": yesNo(len(list) > 0)}
	return f, err
}

// pairs names the city that helps the person's county.
func (t *oneTurn) pairs() (found, error) {
	v := found{"found": "no", "city": ""}
	if county(t.region) == "" {
		return v, nil
	}
	list, err := t.tx.Pairs(county(t.region))
	for _, p := range list {
		if p.Is() == register.PairCity {
			v["found"], v["city"] = "yes", p.Giver
			break
		}
	}
	return v, err
}

func (t *oneTurn) publicPosts() (found, error) {
	s := t.s.engine.Book().Settings()
	page, err := t.tx.Jobs(register.JobSearch{Today: t.today(), Kinds: s.JobKinds["public"], Within: prefixOf(t.region)})
	if err != nil {
		return nil, err
	}
	applications, err := t.tx.Applications(t.personID)
	applied := false
	for _, a := range applications {
		applied = applied || a.Kind == "public_job" && a.State.Open()
	}
	return found{"posts": itoa(page.Total), "applied": yesNo(applied)}, err
}

func (t *oneTurn) apply(kind string, id int64) (found, error) {
	already, err := t.tx.Apply(register.Application{PersonID: t.personID, Kind: kind, JobID: id, Region: t.region})
	if already {
		return found{"applied": "again"}, err
	}
	if err != nil {
		return nil, err
	}
	list, err := t.tx.Applications(t.personID)
	for _, a := range list {
		if a.Kind == kind && a.JobID == id && a.State.Open() {
			err = t.tellStaff(register.TopicApplication, t.word("application_"+kind), a.ID)
			break
		}
	}
	return found{"applied": "yes"}, err
}

func (t *oneTurn) schools() (f flows.Facts, err error) {
	list, err := t.tx.Schools(county(t.region))
	for _, s := range list[:min(len(list), schoolsShown)] {
		item := map[string]string{"name": s.Name, "place": s.Place, "subjects": s.Subjects, "tel": s.Phone, "admission": s.Admission}
		if s.Paired {
			item["paired_key"] = "school.paired"
		}
		f.Items = append(f.Items, item)
	}
	f.Vars = found{"found": yesNo(len(list) > 0)}
	return f, err
}
