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

// Campaigns writes and steers campaigns under the rules of who may do what.
type Campaigns interface {
	Create(ctx context.Context, by staff.Member, spec notify.Spec) (int64, error)
	// Change: seen is the version that the form showed, zero where it doesn't say. notify.ErrChanged.
	Change(ctx context.Context, by staff.Member, id int64, spec notify.Spec, seen time.Time) error
	// Act: notify.ErrWrongState, notify.ErrChanged, notify.ErrSameColleague, staff.ErrForbidden.
	Act(ctx context.Context, by staff.Member, id int64, event notify.CampaignEvent, j notify.Judgment) error
	FindCampaign(ctx context.Context, id int64) (notify.Campaign, error)
	ListCampaigns(ctx context.Context, scope register.Scope, before int64, limit int) ([]notify.Campaign, error)
}

// Forecast tells what a campaign would do, and what it has done.
type Forecast interface {
	Preview(ctx context.Context, by staff.Member, spec notify.Spec) (notify.Preview, error)
	PreviewCampaign(ctx context.Context, c notify.Campaign) (notify.Preview, error)
	CampaignStatus(ctx context.Context, id int64) (notify.Status, error)
	ListTemplates(ctx context.Context) ([]notify.Template, error)
}

// campaign finds the campaign in the address, if it lies within the visitor's region.
func (v *visit) campaign() (notify.Campaign, error) {
	id, err := v.pathID()
	if err != nil {
		return notify.Campaign{}, err
	}
	c, err := v.Campaigns.FindCampaign(v.ctx(), id)
	if err != nil {
		return notify.Campaign{}, err
	}
	if !strings.HasPrefix(c.Scope.Prefix, v.who.Region) {
		return notify.Campaign{}, errNotFound
	}
	return c, nil
}

// campaignAct is one thing that staff do with a campaign.
type campaignAct struct {
	Event notify.CampaignEvent
	Act   staff.Act // what the role must allow
	Path  string    // last part of the address, and of the texts' keys
	Done  string    // key of what is said afterwards
	Tone  string    // of the button
}

// campaignActs lists the acts in the order of their buttons.
func campaignActs() []campaignAct {
	return []campaignAct{
		{notify.Submit, staff.WriteCampaign, "submit", "submitted", "primary"},
		{notify.Approve, staff.ApproveCampaign, "approve", "approved", "primary"},
		{notify.Return, staff.ApproveCampaign, "return", "returned", ""},
		{notify.Resume, staff.ResumeCampaign, "resume", "resumed", "primary"},
		{notify.Pause, staff.PauseCampaign, "pause", "paused", ""},
		{notify.Cancel, staff.CancelCampaign, "cancel", "cancelled", "danger"},
	}
}

// allowed says whether the visitor may do the act with the campaign as it stands.
func (v *visit) allowed(act campaignAct, c notify.Campaign) bool {
	_, moves := c.State.On(act.Event)
	if !moves || !v.who.May(act.Act, c.AuthorID == v.who.ID) {
		return false
	}
	return act.Event != notify.Approve || !c.WrittenBy(v.who)
}

// changeable says whether the visitor may change the campaign's text, audience and time.
func (v *visit) changeable(c notify.Campaign) bool {
	_, moves := c.State.On(notify.Change)
	return moves && v.who.May(staff.WriteCampaign, c.AuthorID == v.who.ID)
}

func campaignAddress(id int64) string { return "/console/campaigns/" + strconv.FormatInt(id, 10) }

func campaignObject(id int64) string { return "campaign:" + strconv.FormatInt(id, 10) }

// staffNames gives the names of members by id.
func (v *visit) staffNames() (map[int64]string, error) {
	list, err := v.Staff.ListStaff(v.ctx())
	if err != nil {
		return nil, err
	}
	names := make(map[int64]string, len(list))
	for _, m := range list {
		names[m.ID] = m.Name
	}
	return names, nil
}
