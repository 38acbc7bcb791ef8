package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/notify"
	"github.com/lingjuli/lingjuli/notify/aliyun"
)

type reconcileCmd struct {
	Day  string `name:"day" placeholder:"2026-11-22"`
	JSON bool   `name:"json"`
}

// newReconciler compares our books with the SMS platform's.
func newReconciler(s *store.Store, sms *aliyun.SMS) *notify.Reconciler {
	return &notify.Reconciler{Books: s, Carrier: sms, Keys: s, Now: time.Now}
}

// Run compares our book of a day with the carrier's; without a day, of yesterday. Differences are no failure.
func (c *reconcileCmd) Run(a *app) error {
	day := time.Now().In(notify.CarrierZone()).AddDate(0, 0, -1)
	if c.Day == "" {
		c.Day = day.Format(time.DateOnly)
	}
	day, err := notify.ParseDay(c.Day)
	if err != nil || day.After(time.Now()) {
		return &saying{key: "bad_day", data: []any{"Day", c.Day}, err: errUsage}
	}
	return withCampaigns(a, func(r campaignRun) error {
		if !r.cfg.Aliyun.on() {
			return &settingError{envName("aliyun-access-key-id"), "must_given", ""}
		}
		sms, err := newSMS(r.cfg)
		if err != nil {
			return err
		}
		found, err := newReconciler(r.store, sms).Reconcile(a.ctx, day, 0)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(a.stdout).Encode(found)
		}
		c.print(a, found)
		return nil
	})
}

func (c *reconcileCmd) print(a *app, r notify.Reconciliation) {
	line := func(key string, n notify.DayCount) {
		fmt.Fprintln(a.stdout, a.texts.t(key, "Total", n.Total, "Delivered", n.Delivered, "Failed", n.Failed, "Waiting", n.Waiting))
	}
	fmt.Fprintln(a.stdout, a.texts.t("reconcile_day", "Day", r.Day))
	line("reconcile_ours", r.Ours)
	line("reconcile_theirs", r.Theirs)
	if r.Unconfirmed > 0 {
		fmt.Fprintln(a.stdout, a.texts.t("reconcile_unconfirmed", "Count", r.Unconfirmed))
	}
	words := map[string]string{"total": "reconcile_differs_total", "delivered": "reconcile_differs_delivered", "failed": "reconcile_differs_failed"}
	for _, d := range r.Differences {
		fmt.Fprintln(a.stdout, a.texts.t(words[d.What], "Ours", d.Ours, "Theirs", d.Theirs))
	}
	if len(r.Differences) == 0 {
		fmt.Fprintln(a.stdout, a.texts.t("reconcile_same"))
	}
}
