package console

import "github.com/lingjuli/lingjuli/notify"

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
		if err := v.Campaigns.Act(v.ctx(), v.who, campaign.ID, act.Event, note); err != nil {
			return err
		}
		return v.redirect(query(campaignAddress(campaign.ID), "done", act.Done))
	}
}
