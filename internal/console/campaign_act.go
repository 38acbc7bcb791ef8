package console

import (
	"errors"
	"strconv"
	"time"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// actOn does one act with a campaign. The rules are the service's; the page only spares useless buttons.
func (c *console) actOn(act campaignAct) action {
	return func(v *visit) error {
		if err := v.r.ParseForm(); err != nil {
			return formError(err)
		}
		campaign, err := v.campaign()
		if err != nil {
			return err
		}
		err = v.Campaigns.Act(v.ctx(), v.who, campaign.ID, act.Event, v.judgment(act))
		if errors.Is(err, notify.ErrChanged) {
			return v.redirect(query(campaignAddress(campaign.ID), "changed", "1"))
		}
		if errors.Is(err, notify.ErrWrongState) && v.alreadyDone(act, campaign.ID) {
			err = nil
		}
		if err != nil {
			return err
		}
		return v.redirect(query(campaignAddress(campaign.ID), "done", act.Done))
	}
}

// judgment reads an approver's word, and which campaign it is about: one approves and returns what one has read. A form that
// doesn't say so is about none that there is.
func (v *visit) judgment(act campaignAct) (j notify.Judgment) {
	if act.Act != staff.ApproveCampaign {
		return j
	}
	seen, err := strconv.ParseInt(v.r.PostForm.Get("seen"), 10, 64)
	if err != nil || seen <= 0 {
		seen = -1
	}
	j.Seen = time.UnixMicro(seen)
	if act.Event == notify.Return {
		j.Note = v.r.PostForm.Get("note")
	}
	return j
}

// alreadyDone says whether the campaign stands where the act leads: the button was pressed twice. Of a return that doesn't
// hold, its words may be missing; nor of an approval by somebody else.
func (v *visit) alreadyDone(act campaignAct, id int64) bool {
	c, err := v.Campaigns.FindCampaign(v.ctx(), id)
	other := act.Event == notify.Return || act.Event == notify.Approve && c.ApproverID != v.who.ID
	return err == nil && !other && c.State == act.Event.Move().To
}
