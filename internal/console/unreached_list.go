package console

import (
	"net/http"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// unreachedPage lists whom no channel reached, masked, village by village.
type unreachedPage struct {
	frame
	unreachedQuery
	Way     regionWay
	Rows    []unreachedRow
	Figures *notify.UnreachedFigures // of a campaign, on its first page
	Counts  []share                  // by reason
	Left    []share                  // who isn't on the list
	BadCode bool                     // a row code led to nobody
	Next    string
	First   string
	Sheet   string
	Export  string
}

func (v *visit) listUnreached() error {
	q, err := v.unreachedAsked()
	if err != nil {
		return err
	}
	found, err := v.unreachedPage(q, unreachedPageSize)
	if err != nil {
		return err
	}
	const path = "/console/unreached"
	begin := notify.UnreachedFrom{}
	page := unreachedPage{
		frame: v.frame("unreached.title", "unreached"), unreachedQuery: q, BadCode: v.r.URL.Query().Has("nobody"),
		Sheet: q.address(path+"/sheet", q.from), Export: q.address(path+"/csv", begin),
	}
	if found.Next != begin {
		page.Next = q.address(path, found.Next)
	}
	if q.from != begin {
		page.First = q.address(path, begin)
	}
	if page.Rows, err = v.unreachedRows(found.List); err != nil {
		return err
	}
	up := q
	up.Region = ""
	if page.Way, err = v.regionWay(q.Region, up.address(path, begin)); err != nil {
		return err
	}
	if err := v.countUnreached(&page); err != nil {
		return err
	}
	if err := v.note(staff.DidListUnreached, q.object(), q.detail(len(page.Rows))); err != nil {
		return err
	}
	return v.render(http.StatusOK, "unreached", page)
}

// countUnreached counts a campaign's list where its first page is shown.
func (v *visit) countUnreached(page *unreachedPage) error {
	if page.Campaign.ID == 0 || page.First != "" {
		return nil
	}
	figures, err := v.Unreached.UnreachedFigures(v.ctx(), register.Scope{Prefix: page.Region}, page.Campaign.ID)
	page.Figures, page.Counts, page.Left = &figures, countShares(figures.By), countShares(figures.LeftOut)
	return err
}
