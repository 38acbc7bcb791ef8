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
	Visits  []share                  // what came of visits, for the campaign
	Places  []placeRow
	Visit   visitForm
	Next    string
	First   string
	Sheet   string
	Export  string
	Open    string // the same list without whom a visit settled; with them
	All     string
}

// placeRow counts a list for one place below the region.
type placeRow struct {
	regionLink
	notify.PlaceCount
	Percent int // of the longest bar: those visited
	Width   int // and all
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
	}
	if found.Next != begin {
		page.Next = q.address(path, found.Next)
	}
	if q.from != begin {
		page.First = q.address(path, begin)
	}
	open, all := q, q
	open.Which, all.Which = notify.OpenUnreached, notify.AllUnreached
	page.Open, page.All, page.Sheet = open.address(path, begin), all.address(path, begin), open.address(path+"/sheet", begin)
	page.Export = all.address(path+"/csv", begin)
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
	if page.Visit, err = v.visitForm(q); err != nil {
		return err
	}
	if err := v.note(staff.DidListUnreached, q.object(), q.detail(len(page.Rows))); err != nil {
		return err
	}
	return v.render(http.StatusOK, "unreached", page)
}

// countUnreached counts a campaign's list where its first page is shown.
func (v *visit) countUnreached(page *unreachedPage) error {
	scope := register.Scope{Prefix: page.Region}
	switch {
	case page.First != "":
		return nil
	case page.Campaign.ID == 0:
		if len(page.Region) < countedFrom {
			return nil
		}
		places, err := v.Unreached.UnreachedPlaces(v.ctx(), scope, page.since)
		page.Places = placeRows(places, page.Way)
		return err
	}
	figures, err := v.Unreached.UnreachedFigures(v.ctx(), scope, page.Campaign.ID)
	page.Figures, page.Counts, page.Left = &figures, countShares(figures.By), countShares(figures.LeftOut)
	page.Visits, page.Places = countShares(figures.Visits), placeRows(figures.Places, page.Way)
	return err
}

// countedFrom is the length of a county's code: over more than a county, a list over the region is not counted, for that
// reads every row of every campaign there.
const countedFrom = 6

// placeRows names the places that were counted, in the order of the way down; those where nobody is are left out.
func placeRows(counts []notify.PlaceCount, way regionWay) []placeRow {
	var rows []placeRow
	longest := int64(1)
	for _, c := range counts {
		longest = max(longest, c.Open+c.Visited)
	}
	for _, link := range way.Below {
		for _, c := range counts {
			if c.Region == link.Code && c.Open+c.Visited > 0 {
				rows = append(rows, placeRow{link, c, int(100 * c.Visited / longest), int(100 * (c.Open + c.Visited) / longest)})
			}
		}
	}
	return rows
}

// Line is the list with a line of it chosen, for its visit.
func (p unreachedPage) Line(code string) string { return query(p.Visit.Back, "code", code) + "#visit" }
