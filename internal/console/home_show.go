package console

import (
	"net/http"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// homeCampaigns is how far back the home page looks for what is open.
const homeCampaigns = 100

// homePage is where the day begins: figures of the visitor's region, and what waits to be done.
type homePage struct {
	frame
	Region  string
	Figures register.Figures
	Groups  []taskGroup
	Books   []notify.Reconciliation // those that differ
	Inbox   *register.InboxFigures  // nil: none of the visitor's
}

// taskGroup is a list of campaigns that wait for the same thing.
type taskGroup struct {
	Key  string
	Rows []campaignRow
}

func (v *visit) showHome() error {
	page := homePage{frame: v.frame("home.title", "home")}
	way, err := v.regionWay(v.who.Region, "/console/people")
	if err != nil {
		return err
	}
	page.Region = way.Here
	if page.Figures, err = v.Counts.PeopleFigures(v.ctx(), v.who.Scope()); err != nil {
		return err
	}
	if v.who.May(staff.ReadCampaigns, false) {
		if page.Groups, err = v.tasks(); err != nil {
			return err
		}
	}
	if page.Books, err = v.bookDifferences(); err != nil {
		return err
	}
	if page.Inbox, err = v.inboxTally(); err != nil {
		return err
	}
	return v.render(http.StatusOK, "home", page)
}

// tasks sorts the open campaigns by what they wait for; each stands once.
func (v *visit) tasks() ([]taskGroup, error) {
	list, err := v.Campaigns.ListCampaigns(v.ctx(), v.who.Scope(), 0, homeCampaigns)
	if err != nil {
		return nil, err
	}
	byKey := map[string][]notify.Campaign{}
	for _, c := range list {
		if key := v.waitsFor(c); key != "" {
			byKey[key] = append(byKey[key], c)
		}
	}
	var groups []taskGroup
	for _, key := range []string{"to_approve", "stopped", "running", "my_drafts", "waiting"} {
		if len(byKey[key]) == 0 {
			continue
		}
		rows, err := v.campaignRows(byKey[key])
		if err != nil {
			return nil, err
		}
		groups = append(groups, taskGroup{key, rows})
	}
	return groups, nil
}

// waitsFor says what an open campaign waits for, seen from the visitor's desk; empty: nothing of theirs.
func (v *visit) waitsFor(c notify.Campaign) string {
	own := c.WrittenBy(v.who)
	switch c.State {
	case notify.Submitted:
		if !own && v.who.May(staff.ApproveCampaign, false) {
			return "to_approve"
		}
		return "waiting"
	case notify.Draft:
		if own {
			return "my_drafts"
		}
	case notify.Halted, notify.Paused:
		return "stopped"
	case notify.Running, notify.Approved:
		return "running"
	case notify.Finished, notify.Cancelled:
	}
	return ""
}
