package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

type visitCmd struct {
	Code     string `arg:""`
	Outcome  string `arg:"" enum:"reached,not_home,wrong_number,moved_away,died,refused"`
	Campaign int64  `name:"campaign" placeholder:"ID"`
	Phone    string `name:"phone" placeholder:"NUMBER"`
	As       string `name:"as" required:"" placeholder:"STAFF"`
}

// Run records what came of a visit to the person of a row code, under the rules of the console.
func (c *visitCmd) Run(a *app) error {
	id, ok := notify.ReadRowCode(c.Code)
	if !ok {
		return &saying{key: "visit_code", data: []any{"Code", c.Code}, err: errUsage}
	}
	v := notify.Visit{PersonID: id, CampaignID: c.Campaign, Outcome: notify.VisitOutcome(c.Outcome), At: time.Now()}
	if c.Phone != "" {
		var err error
		if v.Phone, err = register.ParsePhone(c.Phone); err != nil {
			return &saying{key: "visit_phone", err: errUsage}
		}
	}
	if v.Check() != nil {
		return &saying{key: "visit_no_phone", err: errUsage}
	}
	return withCampaigns(a, func(r campaignRun) error {
		by, err := staffByName(a, r.store, c.As)
		if err != nil {
			return err
		}
		if !by.May(staff.RecordVisit, false) {
			return staff.ErrForbidden
		}
		v.By = by.Name
		entry := staff.Entry{
			At: v.At, Actor: by.Name, Act: staff.DidVisit, Object: "person:" + strconv.FormatInt(id, 10), Detail: map[string]string{"via": r.all.Via},
		}
		if v.Phone != "" {
			entry.Detail["number"] = "new"
		}
		_, err = r.store.RecordVisit(a.ctx, by.Scope(), v, entry)
		if errors.Is(err, register.ErrNotFound) {
			return say("visit_nobody", "Code", c.Code)
		}
		if err != nil {
			return err
		}
		fmt.Fprintln(a.stdout, a.texts.t("visit_done", "Code", notify.RowCode(id), "Outcome", a.texts.word("visit", c.Outcome)))
		return nil
	})
}
