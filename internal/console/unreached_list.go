package console

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
)

const unreachedPageSize = 50

// unreachedPage lists whom no channel reached.
type unreachedPage struct {
	frame
	unreachedAsked
	Way  regionWay
	Rows []unreachedRow
	Next string // address of the next page, empty at the end
	Bad  bool   // a row's code that was typed is none of ours
}

func (v *visit) listUnreached() error {
	asked, err := v.unreachedAsked()
	if err != nil {
		return err
	}
	page := unreachedPage{frame: v.frame("unreached.title", "unreached"), unreachedAsked: asked, Bad: v.r.URL.Query().Get("bad") == "1"}
	if !asked.Wide() {
		after, _ := strconv.ParseInt(v.r.URL.Query().Get("after"), 10, 64) // anything else is the first page
		if page.Rows, err = v.unreachedRows(asked, max(after, 0), unreachedPageSize+1); err != nil {
			return err
		}
	}
	if len(page.Rows) > unreachedPageSize {
		page.Rows = page.Rows[:unreachedPageSize]
		page.Next = asked.Query("/console/unreached", page.Rows[len(page.Rows)-1].Person.ID)
	}
	if page.Way, err = v.regionWay(asked.Region, "/console/unreached"); err != nil {
		return err
	}
	if asked.Campaign != 0 {
		page.Way.carry("campaign", strconv.FormatInt(asked.Campaign, 10))
	}
	if err := v.note(staff.DidListMissed, asked.object(), asked.detail(len(page.Rows))); err != nil {
		return err
	}
	return v.render(http.StatusOK, "unreached", page)
}

// carry adds a pair to every address of a way.
func (w *regionWay) carry(name, value string) {
	for _, links := range [][]regionLink{w.Above, w.Below} {
		for i := range links {
			links[i].Address = more(links[i].Address, name, value)
		}
	}
}

// object and detail are what the audit says of a list.
func (a unreachedAsked) object() string {
	if a.Campaign == 0 {
		return ""
	}
	return campaignObject(a.Campaign)
}

func (a unreachedAsked) detail(count int) map[string]string {
	return map[string]string{"region": a.Region, "count": strconv.Itoa(count)}
}

// Sheet and CSV are the addresses of the visit sheet and of the export.
func (p unreachedPage) Sheet() string { return p.Query("/console/unreached/sheet", 0) }

// CSV is the address of the export.
func (p unreachedPage) CSV() string { return p.Query("/console/unreached/csv", 0) }

// Results are what may come of a visit.
func (p unreachedPage) Results() []register.VisitResult { return register.VisitResults() }

// noteVisit writes down what came of a visit, by the row's code.
func (v *visit) noteVisit() error {
	code, err := v.posted("code")
	if err != nil {
		return err
	}
	form := v.r.PostForm
	result := register.VisitResult(form.Get("result"))
	if !slices.Contains(register.VisitResults(), result) {
		return errBadForm
	}
	v.r.URL.RawQuery = form.Get("asked") // where the form stood
	asked, err := v.unreachedAsked()
	if err != nil {
		return err
	}
	back := asked.Query("/console/unreached", 0)
	id, err := v.Unreached.NoteVisit(v.ctx(), v.who.Scope(), code, asked.Campaign, result, v.who.Name, v.Now())
	if status, _ := verdict(err); err != nil && status == http.StatusNotFound {
		return v.redirect(more(back, "bad", "1"))
	}
	if err != nil {
		return err
	}
	if err := v.note(staff.DidNoteVisit, personObject(id), map[string]string{"result": string(result)}); err != nil {
		return err
	}
	return v.redirect(more(back, "done", "visited"))
}

// Asked is the query of what is asked, for the form to bring along.
func (p unreachedPage) Asked() string {
	_, asked := cutQuery(p.Query("/", 0))
	return asked
}
