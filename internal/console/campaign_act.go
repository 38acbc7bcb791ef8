package console

import (
	"strings"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// noteLimit bounds the word that goes with a return.
const noteLimit = 300

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
			note = shortened(strings.TrimSpace(v.r.PostForm.Get("note")), noteLimit)
		}
		if err := v.Campaigns.Act(v.ctx(), v.who, campaign.ID, act.Event, note); err != nil {
			return err
		}
		if note != "" {
			if err := v.note(staff.DidExplain, campaignObject(campaign.ID), map[string]string{"note": note}); err != nil {
				return err
			}
		}
		return v.redirect(query(campaignAddress(campaign.ID), "done", act.Done))
	}
}

func shortened(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + "…"
}
