package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/notify"
)

type campaignCmd struct {
	Create  campaignCreateCmd  `cmd:"" name:"create"`
	Submit  campaignSubmitCmd  `cmd:"" name:"submit"`
	Approve campaignApproveCmd `cmd:"" name:"approve"`
	Return  campaignReturnCmd  `cmd:"" name:"return"`
	Pause   campaignPauseCmd   `cmd:"" name:"pause"`
	Resume  campaignResumeCmd  `cmd:"" name:"resume"`
	Cancel  campaignCancelCmd  `cmd:"" name:"cancel"`
	Status  campaignStatusCmd  `cmd:"" name:"status"`
	Preview campaignPreviewCmd `cmd:"" name:"preview"`

	Unreached campaignUnreachedCmd `cmd:"" name:"unreached"`
}

// campaignRun is what every campaign command works with.
type campaignRun struct {
	*app
	cfg   config
	store *store.Store
	all   campaigns
}

// withCampaigns opens the database and the service, and closes them again.
func withCampaigns(a *app, do func(campaignRun) error) error {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	s, err := readyStore(a.ctx, cfg)
	if err != nil {
		return err
	}
	defer s.Close()
	r := campaignRun{app: a, cfg: cfg, store: s, all: newCampaigns(cfg, s, nil)}
	if cfg.Aliyun.on() {
		sms, err := newSMS(cfg)
		if err != nil {
			return err
		}
		r.all.Checker = reviewer{sms, func(code string) { fmt.Fprintln(a.stderr, a.texts.t("asking_platform", "Code", code)) }}
	}
	r.all.Via = osActor()
	return do(r)
}

type campaignCreateCmd struct {
	File string `name:"file" short:"f" required:"" placeholder:"FILE"`
	As   string `name:"as" required:"" placeholder:"STAFF"`
}

// Run creates a draft and prints its id alone on the last line.
func (c *campaignCreateCmd) Run(a *app) error {
	return withCampaigns(a, func(r campaignRun) error {
		spec, err := readSpec(c.File)
		if err != nil {
			return err
		}
		by, err := staffByName(a, r.store, c.As)
		if err != nil {
			return err
		}
		id, err := r.all.Create(a.ctx, by, spec)
		if err != nil {
			return err
		}
		fmt.Fprintln(a.stdout, id)
		return nil
	})
}

func readSpec(path string) (notify.Spec, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return notify.Spec{}, err
	}
	return notify.ParseSpec(raw)
}

// campaignMove is what the commands that only move a campaign are told.
type campaignMove struct {
	ID int64  `arg:""`
	As string `name:"as" required:"" placeholder:"STAFF"`
}

// moveCampaign is the body of the commands that only move a campaign.
func moveCampaign(a *app, id int64, as string, event notify.CampaignEvent, note string) error {
	return withCampaigns(a, func(r campaignRun) error {
		if event == notify.Approve && !r.cfg.CLIApprove {
			return say("cli_approve_off")
		}
		by, err := staffByName(a, r.store, as)
		if err != nil {
			return err
		}
		warnings, err := r.all.act(a.ctx, by, id, event, notify.Judgment{Note: note})
		if err != nil {
			return r.explainMove(err, id)
		}
		for _, w := range warnings {
			fmt.Fprintln(a.stderr, a.texts.warning(w))
		}
		found, err := r.store.FindCampaign(a.ctx, id)
		if err == nil {
			fmt.Fprintln(a.stdout, a.texts.word("state", string(found.State)))
		}
		return err
	})
}

// explainMove gives an error the words that say what stands in the way.
func (r campaignRun) explainMove(err error, id int64) error {
	switch {
	case errors.Is(err, notify.ErrNoCampaign):
		return &saying{key: "unknown_campaign", data: []any{"ID", id}, err: err}
	case errors.Is(err, notify.ErrSameColleague):
		return &saying{key: "approver_is_author", err: err}
	case errors.Is(err, notify.ErrWrongState):
		state := "?"
		if found, err := r.store.FindCampaign(r.ctx, id); err == nil {
			state = r.texts.word("state", string(found.State))
		}
		return &saying{key: "wrong_state", data: []any{"State", state}, err: err}
	}
	return err
}

// warning is a warning in words.
func (w texts) warning(x notify.Warning) string {
	pairs := make([]any, 0, 2*len(x.Data))
	for k, v := range x.Data {
		pairs = append(pairs, k, v)
	}
	return w.t(x.Key, pairs...)
}

type campaignSubmitCmd struct{ campaignMove }

// Run puts a draft before an approver.
func (c *campaignSubmitCmd) Run(a *app) error { return moveCampaign(a, c.ID, c.As, notify.Submit, "") }

type campaignApproveCmd struct{ campaignMove }

// Run approves what a colleague wrote.
func (c *campaignApproveCmd) Run(a *app) error {
	return moveCampaign(a, c.ID, c.As, notify.Approve, "")
}

type campaignReturnCmd struct {
	campaignMove
	Note string `name:"note" placeholder:"TEXT"`
}

// Run sends it back to its author.
func (c *campaignReturnCmd) Run(a *app) error {
	return moveCampaign(a, c.ID, c.As, notify.Return, c.Note)
}

type campaignPauseCmd struct{ campaignMove }

// Run pauses.
func (c *campaignPauseCmd) Run(a *app) error { return moveCampaign(a, c.ID, c.As, notify.Pause, "") }

type campaignResumeCmd struct{ campaignMove }

// Run goes on.
func (c *campaignResumeCmd) Run(a *app) error { return moveCampaign(a, c.ID, c.As, notify.Resume, "") }

type campaignCancelCmd struct{ campaignMove }

// Run ends a campaign for good.
func (c *campaignCancelCmd) Run(a *app) error { return moveCampaign(a, c.ID, c.As, notify.Cancel, "") }

type campaignStatusCmd struct {
	ID    int64 `arg:""`
	JSON  bool  `name:"json"`
	Watch bool  `name:"watch"`
}

// Run prints how many rows are in each state now. Whoever stops a watch has ended it, whatever it was at.
func (c *campaignStatusCmd) Run(a *app) error {
	return withCampaigns(a, func(r campaignRun) error {
		for {
			ended, err := c.show(r)
			stopped := c.Watch && a.ctx.Err() != nil
			if !stopped && (err != nil || ended || !c.Watch) {
				return err
			}
			select {
			case <-a.ctx.Done():
				return nil
			case <-time.After(time.Second):
			}
		}
	})
}

// show prints how a campaign stands. ended: nothing happens to it by itself any more.
func (c *campaignStatusCmd) show(r campaignRun) (ended bool, err error) {
	s, err := r.all.Service.Status(r.ctx, c.ID)
	if err != nil {
		return false, r.explainMove(err, c.ID)
	}
	return s.State.Final() || s.State == notify.Halted, c.print(r, s)
}

func (c *campaignStatusCmd) print(r campaignRun, s notify.Status) error {
	if c.JSON {
		return json.NewEncoder(r.stdout).Encode(s)
	}
	skipped := int64(0)
	for _, n := range s.Skipped {
		skipped += n
	}
	fmt.Fprintln(r.stdout, r.texts.t("status_line", "State", r.texts.word("state", string(s.State)), "Total", s.Total, "Waiting", s.Planned+s.Queued+s.Sending,
		"Accepted", s.Accepted, "Delivered", s.Delivered, "Failed", s.Failed, "Unconfirmed", s.Unconfirmed, "Skipped", skipped))
	c.printProofs(r, s)
	c.printFailures(r, s)
	for _, why := range notify.SkipReasons() {
		if n := s.Skipped[why]; n > 0 {
			fmt.Fprintln(r.stdout, r.texts.t("status_skipped", "Count", n, "Reason", r.texts.word("skip", string(why))))
		}
	}
	for _, why := range notify.WaitReasons() {
		if n := s.Waiting[why]; n > 0 {
			fmt.Fprintln(r.stdout, r.texts.t("status_waiting", "Count", n, "Reason", r.texts.word("wait", string(why))))
		}
	}
	if s.NextAt != nil {
		fmt.Fprintln(r.stdout, r.texts.t("status_next", "Time", s.NextAt.In(r.all.Rules.Zone).Format("2006-01-02 15:04")))
	}
	c.printPace(r, s)
	found, err := r.store.FindCampaign(r.ctx, c.ID)
	switch {
	case err != nil:
		return err
	case found.State == notify.Halted:
		fmt.Fprintln(r.stdout, r.texts.t("status_halted", "Reason", r.texts.t(found.Reason), "Detail", r.texts.halting(found.Detail)))
	case found.State == notify.Draft && found.Detail != "":
		fmt.Fprintln(r.stdout, r.texts.t("status_returned", "Note", found.Detail))
	}
	return nil
}

// printProofs prints how it is known of messages that they arrived.
func (c *campaignStatusCmd) printProofs(r campaignRun, s notify.Status) {
	for _, p := range notify.Proofs() {
		if n := s.Proved()[p]; n > 0 {
			fmt.Fprintln(r.stdout, r.texts.t("status_proved", "Count", n, "Proof", r.texts.word("proof", string(p))))
		}
	}
}

// printFailures prints why messages failed, the most frequent first.
func (c *campaignStatusCmd) printFailures(r campaignRun, s notify.Status) {
	counts := s.FailedReasons
	for _, code := range slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) }) {
		fmt.Fprintln(r.stdout, r.texts.t("status_failed", "Count", counts[code], "Reason", r.texts.failure(code)))
	}
}

// printPace prints how fast it goes, how long the rest takes, and what was spent.
func (c *campaignStatusCmd) printPace(r campaignRun, s notify.Status) {
	switch {
	case s.NextAt != nil && s.NextAt.After(r.all.Now()): // it goes no further now
	case s.Rate >= 1:
		fmt.Fprintln(r.stdout, r.texts.t("status_second", "Rate", strconv.FormatFloat(s.Rate, 'f', 0, 64)))
	case s.Rate > 0:
		fmt.Fprintln(r.stdout, r.texts.t("status_minute", "Rate", strconv.FormatFloat(60*s.Rate, 'f', 1, 64)))
	}
	if minutes := (s.SecondsLeft + 59) / 60; minutes > 0 {
		fmt.Fprintln(r.stdout, r.texts.t("status_left", "Hours", minutes/60, "Minutes", minutes%60))
	}
	if s.CostYuan > 0 {
		fmt.Fprintln(r.stdout, r.texts.t("status_cost", "Yuan", strconv.FormatFloat(s.CostYuan, 'f', 2, 64)))
	}
}

type campaignPreviewCmd struct {
	File string `name:"file" short:"f" required:"" placeholder:"FILE"`
	As   string `name:"as" placeholder:"STAFF"`
	JSON bool   `name:"json"`
}

// Run says whom a file would reach, without writing anything.
func (c *campaignPreviewCmd) Run(a *app) error {
	return withCampaigns(a, func(r campaignRun) error {
		spec, err := readSpec(c.File)
		if err != nil {
			return err
		}
		by := staff.Member{}
		if c.As != "" {
			if by, err = staffByName(a, r.store, c.As); err != nil {
				return err
			}
		}
		p, err := r.all.Preview(a.ctx, by, spec)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(a.stdout).Encode(p)
		}
		c.print(a, p)
		return nil
	})
}

func (c *campaignPreviewCmd) print(a *app, p notify.Preview) {
	unreachable := int64(0)
	for _, n := range p.Unreachable {
		unreachable += n
	}
	fmt.Fprintln(a.stdout, a.texts.t("preview_line", "Matched", p.Matched, "WeChat", p.Reachable[notify.WeChat], "SMS", p.Reachable[notify.SMS],
		"Voice", p.Reachable[notify.Voice], "Unreachable", unreachable, "Segments", p.Segments, "Cost", strconv.FormatFloat(p.CostYuan, 'f', 2, 64)))
	for _, why := range notify.SkipReasons() {
		if n := p.Unreachable[why]; n > 0 {
			fmt.Fprintln(a.stdout, a.texts.t("preview_unreachable", "Count", n, "Reason", a.texts.word("skip", string(why))))
		}
	}
	for _, s := range p.Samples {
		fmt.Fprintf(a.stdout, "  %-6s %s\n", s.Channel, s.Text)
	}
	for _, w := range p.Warnings {
		fmt.Fprintln(a.stdout, a.texts.warning(w))
	}
}
