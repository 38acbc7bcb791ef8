package console

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// Unreached lists whom no channel reached, within a scope.
type Unreached interface {
	// Unreached lists those of one campaign; notify.ErrNoCampaign.
	Unreached(ctx context.Context, scope register.Scope, campaignID int64, which notify.WhichUnreached, from notify.UnreachedFrom, limit int) (notify.UnreachedPage, error)
	// UnreachedFigures counts them by reason.
	UnreachedFigures(ctx context.Context, scope register.Scope, campaignID int64) (notify.UnreachedFigures, error)
	// UnreachedSince lists those whom none of the campaigns reached that began since a moment.
	UnreachedSince(ctx context.Context, scope register.Scope, since time.Time, which notify.WhichUnreached, from notify.UnreachedFrom, limit int) (notify.UnreachedPage, error)
	// UnreachedPlaces counts them by the places below the scope.
	UnreachedPlaces(ctx context.Context, scope register.Scope, since time.Time) ([]notify.PlaceCount, error)
	// RecordVisit writes down what came of a visit. register.ErrNotFound.
	RecordVisit(ctx context.Context, scope register.Scope, v notify.Visit, by staff.Entry) (notify.Visit, error)
}

const (
	unreachedPageSize = 50
	sheetSize         = 100 // lines printed at once
	exportPageSize    = 500
	unreachedDays     = 90 // how far a list over a region goes back where no date is given
)

// unreachedQuery is which list an address asks for.
type unreachedQuery struct {
	Campaign notify.Campaign // ID 0: over the region
	Region   string          // prefix, within the visitor's own
	Since    string          // civil date, of a list over the region
	Which    notify.WhichUnreached
	since    time.Time
	from     notify.UnreachedFrom
}

// unreachedAsked reads the address. What it names wrongly is as if it named nothing, but a campaign that isn't there for
// the visitor.
func (v *visit) unreachedAsked() (q unreachedQuery, err error) {
	asked := v.r.URL.Query()
	q.Region, q.from, q.Which = v.within(asked.Get("region")), readFrom(asked.Get("after")), notify.OpenUnreached
	if asked.Get("which") == string(notify.AllUnreached) {
		q.Which = notify.AllUnreached
	}
	if asked.Has("campaign") {
		q.Campaign, err = v.campaignListed(asked.Get("campaign"))
		return q, err
	}
	q.since, err = time.ParseInLocation(time.DateOnly, asked.Get("since"), v.Location)
	if err != nil {
		q.since, _ = time.ParseInLocation(time.DateOnly, v.Now().In(v.Location).AddDate(0, 0, -unreachedDays).Format(time.DateOnly), v.Location)
	}
	q.Since = q.since.Format(time.DateOnly)
	return q, nil
}

// campaignListed finds a campaign that has begun and lies in the visitor's region, or the visitor's region in it.
func (v *visit) campaignListed(id string) (notify.Campaign, error) {
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return notify.Campaign{}, errNotFound
	}
	c, err := v.Campaigns.FindCampaign(v.ctx(), number)
	if err != nil {
		return c, err
	}
	near := strings.HasPrefix(c.Scope.Prefix, v.who.Region) || strings.HasPrefix(v.who.Region, c.Scope.Prefix)
	if !near || c.StartedAt.IsZero() {
		return notify.Campaign{}, errNotFound
	}
	return c, nil
}

// page reads the next part of the list.
func (v *visit) unreachedPage(q unreachedQuery, limit int) (notify.UnreachedPage, error) {
	scope := register.Scope{Prefix: q.Region}
	if q.Campaign.ID != 0 {
		return v.Unreached.Unreached(v.ctx(), scope, q.Campaign.ID, q.Which, q.from, limit)
	}
	return v.Unreached.UnreachedSince(v.ctx(), scope, q.since, q.Which, q.from, limit)
}

// address is where the same list stands in another form, or from another place on.
func (q unreachedQuery) address(path string, from notify.UnreachedFrom) string {
	campaign := ""
	if q.Campaign.ID != 0 {
		campaign = strconv.FormatInt(q.Campaign.ID, 10)
	}
	which := ""
	if q.Which == notify.AllUnreached {
		which = string(q.Which)
	}
	return query(path, "campaign", campaign, "since", q.Since, "region", q.Region, "which", which, "after", writeFrom(from))
}

// detail is what the audit keeps of a list.
func (q unreachedQuery) detail(count int) map[string]string {
	return map[string]string{"region": q.Region, "since": q.Since, "count": strconv.Itoa(count)}
}

func (q unreachedQuery) object() string {
	if q.Campaign.ID == 0 {
		return ""
	}
	return campaignObject(q.Campaign.ID)
}

func writeFrom(from notify.UnreachedFrom) string {
	if from == (notify.UnreachedFrom{}) {
		return ""
	}
	return from.Region + "." + strconv.FormatInt(from.PersonID, 10)
}

// readFrom reads a place in a list; anything else is the beginning.
func readFrom(text string) notify.UnreachedFrom {
	region, id, _ := strings.Cut(text, ".")
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil || len(region) > len("441802103201") || strings.Trim(region, "0123456789") != "" {
		return notify.UnreachedFrom{}
	}
	return notify.UnreachedFrom{Region: region, PersonID: number}
}

// unreachedRow is one line of a list.
type unreachedRow struct {
	notify.Unreached
	RowCode     string
	Name, Phone string // masked
	Place       string
	Age         int
}

// unreachedRows adds what is on file of the people, masked. Who has left the visitor's region meanwhile is left out.
func (v *visit) unreachedRows(list []notify.Unreached) ([]unreachedRow, error) {
	ids := make([]int64, len(list))
	for i, u := range list {
		ids[i] = u.PersonID
	}
	people, err := v.People.PeopleByID(v.ctx(), v.who.Scope(), ids)
	if err != nil {
		return nil, err
	}
	masked, err := v.personRows(people)
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]personRow, len(masked))
	for _, p := range masked {
		byID[p.ID] = p
	}
	rows := make([]unreachedRow, 0, len(list))
	for _, u := range list {
		if p, ok := byID[u.PersonID]; ok {
			rows = append(rows, unreachedRow{u, notify.RowCode(u.PersonID), p.Name, p.Phone, p.Place, p.Age})
		}
	}
	return rows, nil
}
