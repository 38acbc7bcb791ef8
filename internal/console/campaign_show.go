package console

import (
	"net/http"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

const historyShown = 30

// campaignPage is one campaign: what it says to whom and when, how far it is, and what may be done with it.
type campaignPage struct {
	frame
	Campaign   notify.Campaign
	Audience   audienceView
	Author     string
	Editor     string // empty where it is the author
	Approver   string
	Changed    bool          // it is not the one that the visitor approved or returned just now
	Own        bool          // the visitor wrote or last changed it: a colleague must approve
	Acts       []campaignAct // what the visitor may do now
	Changeable bool
	Progress   progressView
	Started    bool
	Live       bool // the figures still move
	Preview    *previewView
	History    []staff.Record
}

func (v *visit) showCampaign() error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	page := campaignPage{
		frame: v.frame("campaign.title", "campaigns"), Campaign: c, Audience: viewAudience(c.Spec.Audience),
		Own: c.WrittenBy(v.who), Changeable: v.changeable(c), Live: v.watchable(c),
		Started: !c.StartedAt.IsZero(), Changed: v.r.URL.Query().Has("changed"),
	}
	for _, act := range campaignActs() {
		if v.allowed(act, c) {
			page.Acts = append(page.Acts, act)
		}
	}
	if err := v.campaignPeople(&page); err != nil {
		return err
	}
	if page.History, err = v.Audit.ListAudit(v.ctx(), "", campaignObject(c.ID), 0, historyShown); err != nil {
		return err
	}
	if err := v.campaignFigures(&page); err != nil {
		return err
	}
	return v.render(http.StatusOK, "campaign", page)
}

// campaignPeople names who wrote, changed and approved it.
func (v *visit) campaignPeople(page *campaignPage) error {
	names, err := v.staffNames()
	if err != nil {
		return err
	}
	c := page.Campaign
	page.Author, page.Approver = names[c.AuthorID], names[c.ApproverID]
	if c.EditorID != c.AuthorID {
		page.Editor = names[c.EditorID]
	}
	return nil
}

// campaignFigures gives the progress of what has begun, and the forecast of what has not.
func (v *visit) campaignFigures(page *campaignPage) error {
	c := page.Campaign
	if page.Started {
		p, err := v.progressOf(c)
		page.Progress = progressView{frame: page.frame, P: p}
		return err
	}
	if c.State == notify.Cancelled {
		return nil
	}
	preview, err := v.forecasts.of(c, v.Now(), func() (*previewView, error) {
		p, err := v.Forecast.PreviewCampaign(v.ctx(), c)
		return v.viewPreview(c.Spec.Channels, p, err)
	})
	page.Preview = preview
	return err
}

// Refresh is how often the page reloads itself where no script runs, in seconds; 0: not at all.
func (p campaignPage) Refresh() int {
	const often, seldom = 5, 60
	switch {
	case p.Live && p.Started:
		return often
	case p.Live: // approved; its time has not come
		return seldom
	}
	return 0
}
