package console

import (
	"errors"

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
		note := ""
		if act.Event == notify.Return {
			note = v.r.PostForm.Get("note")
		}
		err = v.Campaigns.Act(v.ctx(), v.who, campaign.ID, act.Event, note)
		if errors.Is(err, notify.ErrWrongState) && v.alreadyDone(act, campaign.ID) {
			err = nil
		}
		if err != nil {
			return err
		}
		return v.redirect(query(campaignAddress(campaign.ID), "done", act.Done))
	}
}

// alreadyDone says whether the campaign stands where the act leads: the button was pressed twice. Of a return that doesn't
// hold, its words may be missing; nor of an approval by somebody else.
func (v *visit) alreadyDone(act campaignAct, id int64) bool {
	c, err := v.Campaigns.FindCampaign(v.ctx(), id)
	other := act.Event == notify.Return || act.Event == notify.Approve && c.ApproverID != v.who.ID
	return err == nil && !other && c.State == act.Event.Move().To
}
