package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/notify"
)

type budgetCmd struct {
	Set  budgetSetCmd  `cmd:"" name:"set"`
	List budgetListCmd `cmd:"" name:"list"`
}

type budgetSetCmd struct {
	Region string `name:"region" required:"" placeholder:"CODE"`
	Month  string `name:"month" required:"" placeholder:"2026-12"`
	Yuan   string `name:"yuan" required:"" placeholder:"N"`
}

// Run sets what a region may spend on campaigns in a month. A running server follows within seconds.
func (c *budgetSetCmd) Run(a *app) error {
	var b notify.Budget
	var err error
	if b.Month, err = notify.ParseMonth(c.Month); err != nil {
		return &saying{key: "budget_month", data: []any{"Month", c.Month}, err: errUsage}
	}
	if b.Amount, err = notify.ParseYuan(c.Yuan); err != nil {
		return &saying{key: "budget_yuan", data: []any{"Yuan", c.Yuan}, err: errUsage}
	}
	if b.Region, err = register.RegionPrefix(c.Region); err != nil {
		return &saying{key: "budget_region", data: []any{"Region", c.Region}, err: errUsage}
	}
	return withBudgets(a, func(s *store.Store, cfg config) error {
		peopled, err := s.Peopled(a.ctx, b.Region)
		if err != nil {
			return err
		}
		if !peopled { // money may be given before the register comes
			fmt.Fprintln(a.stderr, a.texts.t("budget_nobody", "Region", b.Region))
		}
		if err := s.SetBudget(a.ctx, b, cfg.Zone, time.Now(), osActor()); err != nil {
			return err
		}
		return printBudgets(a, s, b.Month, cfg.Zone)
	})
}

type budgetListCmd struct {
	Month string `name:"month" placeholder:"2026-12"`
}

// Run prints the budgets that apply in a month, this one where none is named.
func (c *budgetListCmd) Run(a *app) error {
	return withBudgets(a, func(s *store.Store, cfg config) error {
		month := notify.MonthOf(time.Now().In(cfg.Zone))
		if c.Month != "" {
			var err error
			if month, err = notify.ParseMonth(c.Month); err != nil {
				return &saying{key: "budget_month", data: []any{"Month", c.Month}, err: errUsage}
			}
		}
		return printBudgets(a, s, month, cfg.Zone)
	})
}

func withBudgets(a *app, do func(*store.Store, config) error) error {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	s, err := readyStore(a.ctx, cfg)
	if err != nil {
		return err
	}
	defer s.Close()
	return do(s, cfg)
}

func printBudgets(a *app, s *store.Store, month int, zone *time.Location) error {
	list, err := s.ListBudgets(a.ctx, month)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(a.stdout, a.texts.t("budget_none", "Month", notify.FormatMonth(month)))
	}
	for _, b := range list {
		place, err := placeName(a.ctx, s, b.Region)
		if err != nil {
			return err
		}
		if b.Amount == notify.NoLimit {
			fmt.Fprintln(a.stdout, a.texts.t("budget_free", "Region", b.Region, "Place", place, "Month", notify.FormatMonth(b.Month), "Used", notify.Yuan(b.Used)))
		} else {
			fmt.Fprintln(a.stdout, a.texts.t("budget_line", "Region", b.Region, "Place", place, "Month", notify.FormatMonth(b.Month),
				"Yuan", notify.Yuan(b.Amount), "Used", notify.Yuan(b.Used), "Left", notify.Yuan(b.Left())))
		}
		if since, late := b.Late(zone); late {
			fmt.Fprintln(a.stdout, a.texts.t("budget_since", "Time", since.Format("2006-01-02 15:04")))
		}
	}
	return nil
}

// placeName names a region: a code that was mistyped shows itself by it. A town that nobody has named stays a number.
func placeName(ctx context.Context, s *store.Store, prefix string) (string, error) {
	path, err := s.RegionPath(ctx, prefix+strings.Repeat("0", 12-len(prefix)))
	var names []string
	for _, r := range path {
		if r.Name != "" && (r.Level > register.LevelProvince || len(path) == 1) {
			names = append(names, r.Name)
		}
	}
	return strings.Join(names, ""), err
}
