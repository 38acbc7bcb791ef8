package console

import (
	"net/http"
	"strconv"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

const campaignPageSize = 25

// campaignsPage lists the campaigns of the visitor's region, newest first.
type campaignsPage struct {
	frame
	Campaigns []campaignRow
	Next      string
	First     string
}

// campaignRow is one campaign in a list.
type campaignRow struct {
	ID       int64
	Name     string
	Kind     notify.Kind
	State    notify.CampaignState
	Author   string
	At       time.Time // last changed, or begun
	Progress *progress // nil: not begun
}

func (v *visit) listCampaigns() error {
	before, _ := strconv.ParseInt(v.r.URL.Query().Get("before"), 10, 64) // anything else is the newest page
	page := campaignsPage{frame: v.frame("campaigns.title", "campaigns")}
	list, err := v.Campaigns.ListCampaigns(v.ctx(), v.who.Scope(), max(before, 0), campaignPageSize+1)
	if err != nil {
		return err
	}
	if before > 0 {
		page.First = "/console/campaigns"
	}
	if len(list) > campaignPageSize {
		list = list[:campaignPageSize]
		page.Next = query("/console/campaigns", "before", strconv.FormatInt(list[len(list)-1].ID, 10))
	}
	if page.Campaigns, err = v.campaignRows(list); err != nil {
		return err
	}
	return v.render(http.StatusOK, "campaigns", page)
}

func (v *visit) campaignRows(list []notify.Campaign) ([]campaignRow, error) {
	names, err := v.staffNames()
	if err != nil {
		return nil, err
	}
	rows := make([]campaignRow, 0, len(list))
	for _, c := range list {
		row := campaignRow{ID: c.ID, Name: c.Spec.Name, Kind: c.Spec.Kind, State: c.State, Author: names[c.AuthorID], At: c.UpdatedAt}
		if !c.StartedAt.IsZero() {
			if row.Progress, err = v.progressOf(c); err != nil {
				return nil, err
			}
			row.At = c.StartedAt
		}
		rows = append(rows, row)
	}
	return rows, nil
}
