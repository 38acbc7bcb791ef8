package console

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// Unreached is whom no channel reached, and what came of visiting them.
type Unreached interface {
	ListUnreached(ctx context.Context, scope register.Scope, q notify.UnreachedQuery) ([]notify.Unreached, error)
	// NoteVisit finds the person by the code of a row: register.ErrNotFound.
	NoteVisit(ctx context.Context, scope register.Scope, code string, campaignID int64, result register.VisitResult, by string, at time.Time) (personID int64, err error)
}

// unreachedRow is one of them, masked: what a worker who knows the village needs to find the door.
type unreachedRow struct {
	notify.Unreached
	Name, Phone string // masked
	Sex         register.Sex
	Age         int
	Place       string
}

// unreachedAsked is which of them the visitor asks for.
type unreachedAsked struct {
	Region   string // a prefix within the visitor's own
	Campaign int64  // 0: over all campaigns
	Name     string // of the campaign
}

// countyDigits is the length of a county's code: a list over all campaigns is of a county at most.
const countyDigits = 6

// Wide says whether a list over all campaigns would be of more than a county.
func (a unreachedAsked) Wide() bool { return a.Campaign == 0 && len(a.Region) < countyDigits }

// Query is the address of a page for what is asked.
func (a unreachedAsked) Query(address string, after int64) string {
	number := func(n int64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10)
	}
	return query(address, "campaign", number(a.Campaign), "region", a.Region, "after", number(after))
}

// unreachedAsked reads the address. A campaign of another region names nobody of the visitor's own: no more than its name
// is seen of it.
func (v *visit) unreachedAsked() (a unreachedAsked, err error) {
	q := v.r.URL.Query()
	a.Region = v.within(q.Get("region"))
	if q.Get("campaign") == "" {
		return a, nil
	}
	if a.Campaign, err = strconv.ParseInt(q.Get("campaign"), 10, 64); err != nil || a.Campaign <= 0 {
		return a, errNotFound
	}
	c, err := v.Campaigns.FindCampaign(v.ctx(), a.Campaign)
	if err == nil && !strings.HasPrefix(c.Scope.Prefix, v.who.Region) && !strings.HasPrefix(v.who.Region, c.Scope.Prefix) {
		err = errNotFound
	}
	a.Name = c.Spec.Name
	return a, err
}

// unreachedRows reads a page of them.
func (v *visit) unreachedRows(a unreachedAsked, after int64, limit int) ([]unreachedRow, error) {
	list, err := v.Unreached.ListUnreached(v.ctx(), register.Scope{Prefix: a.Region}, notify.UnreachedQuery{CampaignID: a.Campaign, After: after, Limit: limit})
	if err != nil {
		return nil, err
	}
	rows := make([]unreachedRow, 0, len(list))
	places := map[string]string{}
	for _, u := range list {
		p := u.Person
		place, ok := places[p.RegionCode]
		if !ok {
			if place, err = v.place(p.RegionCode); err != nil {
				return nil, err
			}
			places[p.RegionCode] = place
		}
		rows = append(rows, unreachedRow{u, maskName(p.Name), maskPhone(p.Phone), p.Sex, ageOn(p.BirthDate, v.today()), place})
	}
	return rows, nil
}

// Why is the reason in words: a platform's code that has none stands beside words that say what it is.
func (f frame) Why(reason string) (string, error) {
	if reason == "" {
		return f.T("skip.unknown")
	}
	key := strings.ReplaceAll(reason, ".", "_")
	if text, ok := f.v.texts.Text(f.v.lang, "skip."+key, nil); ok {
		return text, nil
	}
	if text, ok := f.v.texts.Shared(f.v.lang, "code."+key, nil); ok {
		return text, nil
	}
	return f.T("skip.unlisted", "code", reason)
}
