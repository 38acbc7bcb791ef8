package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/locales"
	"github.com/lingjuli/lingjuli/notify"
)

type campaignUnreachedCmd struct {
	ID     int64  `arg:""`
	Region string `name:"region" placeholder:"CODE"`
	JSON   bool   `name:"json" xor:"form"`
	CSV    bool   `name:"csv" xor:"form"`
}

// unreachedLine is one of them as programs read it: masked, by the row's code.
type unreachedLine struct {
	Code    string `json:"code"`
	Name    string `json:"name"`
	Phone   string `json:"phone"`
	Region  string `json:"region"`
	Channel string `json:"channel"`
	Reason  string `json:"reason"` // as the row has it
	Why     string `json:"why"`    // in words
	At      string `json:"at"`
	Visit   string `json:"visit"`
}

// unreachedPage is how many are read at once.
const unreachedPage = 1000

// Run lists whom no channel of a campaign reached: one a line, or as JSON lines, or as CSV. It is written to the audit.
func (c *campaignUnreachedCmd) Run(a *app) error {
	return withCampaigns(a, func(r campaignRun) error {
		prefix, err := staff.RegionPrefix(c.Region)
		if err != nil {
			return say("unknown_region", "Region", c.Region)
		}
		words, err := locales.LoadConsole()
		if err != nil {
			return err
		}
		list, err := c.list(r, register.Scope{Prefix: prefix}, words)
		if err != nil {
			return r.explainMove(err, c.ID)
		}
		err = r.store.AppendAudit(a.ctx, staff.Entry{
			At: time.Now(), Actor: osActor(), Act: staff.DidExport, Object: "campaign:" + strconv.FormatInt(c.ID, 10),
			Detail: map[string]string{"region": prefix, "count": strconv.Itoa(len(list))},
		})
		if err != nil {
			return err
		}
		return c.print(r, list)
	})
}

func (c *campaignUnreachedCmd) list(r campaignRun, scope register.Scope, words *locales.Console) (all []unreachedLine, err error) {
	for after := int64(0); ; {
		page, err := r.store.ListUnreached(r.ctx, scope, notify.UnreachedQuery{CampaignID: c.ID, After: after, Limit: unreachedPage})
		if err != nil || len(page) == 0 {
			return all, err
		}
		for _, u := range page {
			after = u.Person.ID
			all = append(all, unreachedLine{
				Code: u.Code, Name: register.MaskName(u.Person.Name), Phone: u.Person.Phone.Masked(), Region: u.Person.RegionCode,
				Channel: string(u.Channel), Reason: u.Reason, Why: r.texts.why(words, u.Reason),
				At: u.At.In(r.cfg.Zone).Format("2006-01-02 15:04"), Visit: string(u.Visit),
			})
		}
	}
}

// why is a reason in words: those of the console.
func (w texts) why(words *locales.Console, reason string) string {
	key := strings.ReplaceAll(reason, ".", "_")
	if text, ok := words.Text(w.tag, "skip."+key, nil); ok {
		return text
	}
	if text := w.t("code." + key); text != "code."+key {
		return text
	}
	text, _ := words.Text(w.tag, "skip.unlisted", map[string]any{"code": reason})
	return text
}

func (c *campaignUnreachedCmd) print(r campaignRun, list []unreachedLine) error {
	switch {
	case c.JSON:
		out := json.NewEncoder(r.stdout)
		for _, u := range list {
			if err := out.Encode(u); err != nil {
				return err
			}
		}
		return nil
	case c.CSV:
		out := csv.NewWriter(r.stdout)
		if err := out.Write([]string{"code", "name", "phone", "region", "channel", "reason", "why", "at", "visit"}); err != nil {
			return err
		}
		for _, u := range list {
			if err := out.Write([]string{u.Code, u.Name, u.Phone, u.Region, u.Channel, u.Reason, u.Why, u.At, u.Visit}); err != nil {
				return err
			}
		}
		out.Flush()
		return out.Error()
	}
	for _, u := range list {
		fmt.Fprintln(r.stdout, r.texts.t("unreached_line", "Code", u.Code, "Name", u.Name, "Phone", u.Phone, "Region", u.Region, "Why", u.Why))
	}
	fmt.Fprintln(r.stdout, r.texts.t("unreached_total", "Count", len(list)))
	return nil
}
