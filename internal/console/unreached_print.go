package console

import (
	"net/http"
	"time"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// sheetPage is the list on paper, in large type, for whoever goes from door to door. Names stay masked: a sheet gets
// lost. The row code leads back to the person.
type sheetPage struct {
	frame
	unreachedQuery
	Where   string
	Rows    []unreachedRow
	Printed time.Time
	Next    string
	Back    string
}

func (v *visit) printUnreached() error {
	q, err := v.unreachedAsked()
	if err != nil {
		return err
	}
	found, err := v.unreachedPage(q, sheetSize)
	if err != nil {
		return err
	}
	page := sheetPage{
		frame: v.frame("unreached.sheet", "unreached"), unreachedQuery: q, Printed: v.Now(), Back: q.address("/console/unreached", notify.UnreachedFrom{}),
	}
	if found.Next != (notify.UnreachedFrom{}) {
		page.Next = q.address("/console/unreached/sheet", found.Next)
	}
	if page.Rows, err = v.unreachedRows(found.List); err != nil {
		return err
	}
	way, err := v.regionWay(q.Region, "")
	if err != nil {
		return err
	}
	page.Where = way.Here
	if err := v.note(staff.DidPrint, q.object(), q.detail(len(page.Rows))); err != nil {
		return err
	}
	return v.render(http.StatusOK, "unreached_sheet", page)
}
