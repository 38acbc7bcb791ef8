package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

type campaignUnreachedCmd struct {
	ID     int64  `arg:""`
	Region string `name:"region" placeholder:"CODE"`
	Open   bool   `name:"open"`
	JSON   bool   `name:"json"`
	CSV    string `name:"csv" placeholder:"FILE"`
}

// unreachedPart is how many people are read at once.
const unreachedPart = 500

// unreachedPerson is one line of the list: nothing of a person but what leads to them and the first letter of a name.
type unreachedPerson struct {
	PersonID int64               `json:"person_id"`
	RowCode  string              `json:"row_code"`
	Name     string              `json:"name"`
	Region   string              `json:"region"`
	Reason   notify.UnreachedWhy `json:"reason"`
	Channel  notify.Channel      `json:"channel,omitempty"`
	Code     string              `json:"code,omitempty"`
	At       time.Time           `json:"at"`
	Visit    notify.VisitOutcome `json:"visit,omitempty"` // the latest
	Visited  time.Time           `json:"visited_at,omitzero"`
}

// unreachedHead is what stands before the people.
type unreachedHead struct {
	Campaign int64                         `json:"campaign"`
	Total    int64                         `json:"total"`
	Reasons  map[notify.UnreachedWhy]int64 `json:"reasons"`
	LeftOut  map[notify.SkipReason]int64   `json:"left_out"`
	Open     int64                         `json:"open"`
	Visits   map[notify.VisitOutcome]int64 `json:"visits"`
	Settled  int64                         `json:"settled"` // of total: by a visit
}

// Run lists whom no channel of a campaign reached, with the reason: names masked, and the audit has it first.
func (c *campaignUnreachedCmd) Run(a *app) error {
	region, err := register.RegionPrefix(c.Region)
	if c.Region != "" && err != nil {
		return &saying{key: "budget_region", data: []any{"Region", c.Region}, err: errUsage}
	}
	if c.Region == "" {
		region = ""
	}
	return withCampaigns(a, func(r campaignRun) error {
		scope := register.Scope{Prefix: region}
		figures, err := r.store.UnreachedFigures(a.ctx, scope, c.ID)
		if err != nil {
			return r.explainMove(err, c.ID)
		}
		act := staff.DidListUnreached
		if c.JSON || c.CSV != "" {
			act = staff.DidExport
		}
		err = r.store.AppendAudit(a.ctx, staff.Entry{
			At: time.Now(), Actor: osActor(), Act: act, Object: "campaign:" + strconv.FormatInt(c.ID, 10),
			Detail: map[string]string{"region": region, "count": strconv.FormatInt(figures.Total(), 10)},
		})
		if err != nil {
			return err
		}
		return c.print(r, scope, figures)
	})
}

func (c *campaignUnreachedCmd) print(r campaignRun, scope register.Scope, f notify.UnreachedFigures) error {
	switch {
	case c.CSV != "":
		if err := writeWhole(c.CSV, func(out io.Writer) error { return c.writeCSV(r, scope, out) }); err != nil {
			return err
		}
		fmt.Fprintln(r.stdout, r.texts.t("unreached_written", "Total", f.Total(), "File", c.CSV))
		return nil
	case c.JSON:
		return c.writeJSON(r, scope, f)
	}
	c.printFigures(r, f)
	return c.each(r, scope, func(p unreachedPerson) error {
		line := fmt.Sprintf("%-8s %s  %s  %s", p.RowCode, p.Region, p.Name, r.texts.word("unreached", string(p.Reason)))
		if p.Visit != "" {
			line += "  → " + r.texts.word("visit", string(p.Visit))
		}
		_, err := fmt.Fprintln(r.stdout, line)
		return err
	})
}

func (c *campaignUnreachedCmd) printFigures(r campaignRun, f notify.UnreachedFigures) {
	fmt.Fprintln(r.stdout, r.texts.t("unreached_total", "Total", f.Total()))
	for _, why := range notify.UnreachedWhys() {
		if n := f.By[why]; n > 0 {
			fmt.Fprintf(r.stdout, "  %d  %s\n", n, r.texts.word("unreached", string(why)))
		}
	}
	for _, why := range notify.LeftOut() {
		if n := f.LeftOut[why]; n > 0 {
			fmt.Fprintln(r.stdout, r.texts.t("unreached_left_out", "Count", n, "Reason", r.texts.word("skip", string(why))))
		}
	}
	for _, o := range notify.VisitOutcomes() {
		if n := f.Visits[o]; n > 0 {
			fmt.Fprintln(r.stdout, r.texts.t("unreached_visited", "Count", n, "Outcome", r.texts.word("visit", string(o))))
		}
	}
	if f.Open > 0 {
		fmt.Fprintln(r.stdout, r.texts.t("unreached_open", "Count", f.Open))
	}
}

// each hands over the people of the list, part by part.
func (c *campaignUnreachedCmd) each(r campaignRun, scope register.Scope, do func(unreachedPerson) error) error {
	which := notify.AllUnreached
	if c.Open {
		which = notify.OpenUnreached
	}
	for from := (notify.UnreachedFrom{}); ; {
		page, err := r.store.Unreached(r.ctx, scope, c.ID, which, from, unreachedPart)
		if err != nil {
			return err
		}
		ids := make([]int64, len(page.List))
		for i, u := range page.List {
			ids[i] = u.PersonID
		}
		people, err := r.store.PeopleByID(r.ctx, scope, ids)
		if err != nil {
			return err
		}
		names := make(map[int64]string, len(people))
		for _, p := range people {
			names[p.ID] = register.MaskName(p.Name)
		}
		for _, u := range page.List {
			if err := do(unreachedPerson{u.PersonID, notify.RowCode(u.PersonID), names[u.PersonID], u.Region, u.Why, u.Channel, u.Code, u.At, u.Visit, u.VisitedAt}); err != nil {
				return err
			}
		}
		if from = page.Next; from == (notify.UnreachedFrom{}) {
			return nil
		}
	}
}

// writeJSON writes one object, its people as they are read.
func (c *campaignUnreachedCmd) writeJSON(r campaignRun, scope register.Scope, f notify.UnreachedFigures) error {
	head, err := json.Marshal(unreachedHead{c.ID, f.Total(), f.By, f.LeftOut, f.Open, f.Visits, f.Settled})
	if err != nil {
		return err
	}
	out := bufio.NewWriter(r.stdout)
	_, _ = out.Write(head[:len(head)-1])
	_, _ = out.WriteString(`,"people":[`)
	first := true
	err = c.each(r, scope, func(p unreachedPerson) error {
		line, err := json.Marshal(p)
		if !first {
			_ = out.WriteByte(',')
		}
		first = false
		_, _ = out.Write(line)
		return err
	})
	_, _ = out.WriteString("]}\n")
	return errors.Join(err, out.Flush())
}

func (c *campaignUnreachedCmd) writeCSV(r campaignRun, scope register.Scope, to io.Writer) error {
	out := csv.NewWriter(to)
	_ = out.Write([]string{"row_code", "person_id", "name", "region", "reason", "why", "channel", "code", "at", "visit", "visited_at"})
	err := c.each(r, scope, func(p unreachedPerson) error {
		return out.Write([]string{
			p.RowCode, strconv.FormatInt(p.PersonID, 10), p.Name, p.Region, string(p.Reason), r.texts.word("unreached", string(p.Reason)),
			string(p.Channel), p.Code, inZone(p.At, r.all.Rules.Zone), string(p.Visit), inZone(p.Visited, r.all.Rules.Zone),
		})
	})
	out.Flush()
	return errors.Join(err, out.Error())
}

// inZone is a time at the office, empty for never.
func inZone(at time.Time, zone *time.Location) string {
	if at.IsZero() {
		return ""
	}
	return at.In(zone).Format("2006-01-02 15:04")
}

// writeWhole writes a file that others may not read, and only as a whole: what breaks off leaves the old one.
func writeWhole(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".lingjuli-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if _, err = f.WriteString("\ufeff"); err == nil { // tells spreadsheets that it is UTF-8
		err = write(f)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
