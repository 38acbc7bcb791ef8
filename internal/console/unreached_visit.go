package console

import (
	"errors"
	"strings"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// visitForm is where the worker's report goes in, a line of the sheet after another.
type visitForm struct {
	May      bool
	Outcomes []notify.VisitOutcome
	Code     string // of a line that was chosen, or of the form that came back
	Outcome  notify.VisitOutcome
	Done     string // the code that was recorded just now
	Number   bool   // with a new number
	Person   int64  // whose code it is
	Who      string // their name, masked, and place: a code that was mistyped shows itself by them
	Problem  string // what was wrong with the form, a locale key
	Back     string // the list
}

// visitForm reads from the address what was recorded just now, or why it was not.
func (v *visit) visitForm(q unreachedQuery) (visitForm, error) {
	asked := v.r.URL.Query()
	f := visitForm{
		May: v.who.May(staff.RecordVisit, false), Outcomes: notify.VisitOutcomes(), Code: asked.Get("code"), Outcome: notify.VisitOutcome(asked.Get("outcome")),
		Back: q.address("/console/unreached", q.from),
	}
	if id, ok := notify.ReadRowCode(asked.Get("done")); ok {
		f.Done, f.Person, f.Number = notify.RowCode(id), id, asked.Get("number") == "new"
	} else if id, ok := notify.ReadRowCode(f.Code); ok {
		f.Person = id
	}
	switch problem := asked.Get("problem"); problem {
	case "code", "outcome", "phone":
		f.Problem = "visit_problem." + problem
	}
	if f.Person == 0 || !f.May {
		return f, nil
	}
	found, err := v.People.PeopleByID(v.ctx(), v.who.Scope(), []int64{f.Person})
	if err != nil || len(found) == 0 {
		return f, err
	}
	place, err := v.place(found[0].RegionCode)
	f.Who = maskName(found[0].Name) + " " + place
	return f, err
}

// recordVisit writes down what came of a visit and leads back to the list.
func (v *visit) recordVisit() error {
	if err := v.r.ParseForm(); err != nil {
		return formError(err)
	}
	form := v.r.PostForm
	back := local(form.Get("back"))
	code, outcome := strings.TrimSpace(form.Get("code")), form.Get("outcome")
	wrong := func(problem string) error {
		return v.redirect(query(back, "problem", problem, "code", code, "outcome", outcome) + "#visit")
	}
	id, ok := notify.ReadRowCode(code)
	if !ok {
		return wrong("code")
	}
	visit := notify.Visit{PersonID: id, Outcome: notify.VisitOutcome(outcome), At: v.Now(), By: v.who.Name}
	if number := strings.TrimSpace(form.Get("phone")); number != "" {
		var err error
		if visit.Phone, err = register.ParsePhone(number); err != nil {
			return wrong("phone")
		}
	}
	if visit.Check() != nil {
		return wrong("outcome")
	}
	if named := form.Get("campaign"); named != "" {
		c, err := v.campaignListed(named)
		if err != nil {
			return err
		}
		visit.CampaignID = c.ID
	}
	by := staff.Entry{At: visit.At, Actor: v.who.Name, Act: staff.DidVisit, Object: personObject(id), Detail: map[string]string{}}
	if visit.Phone != "" {
		by.Detail["number"] = "new"
	}
	_, err := v.Unreached.RecordVisit(v.ctx(), v.who.Scope(), visit, by)
	if errors.Is(err, register.ErrNotFound) {
		return wrong("code")
	}
	if err != nil {
		return err
	}
	return v.redirect(query(back, "done", notify.RowCode(id), "outcome", outcome, "number", by.Detail["number"]) + "#visit")
}
