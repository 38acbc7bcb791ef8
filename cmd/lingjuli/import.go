package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/store"
)

// How many refused rows are printed, and how many rows of one doubt; the report has all.
const (
	shownRejections = 20
	shownDoubts     = 5
)

type importCmd struct {
	Kind   string            `arg:""`
	File   string            `arg:""`
	DryRun bool              `name:"dry-run"`
	Report string            `name:"report" placeholder:"FILE.json"`
	Region string            `name:"region" placeholder:"CODE"`
	Set    map[string]string `name:"set" placeholder:"COLUMN=VALUE" mapsep:"none"`
}

// importRequest is one import, for the command and the demo alike.
type importRequest struct {
	kind, path, region string
	set                map[string]string
	dryRun             bool
	progress           func(register.Progress)
}

func importFile(ctx context.Context, s *store.Store, r importRequest) (register.Report, error) {
	i := register.Importer{Kind: register.Kind(r.kind), Set: r.set, Region: r.region, DryRun: r.dryRun, Progress: r.progress}
	report, err := i.RunFile(ctx, r.path, s)
	if err != nil || r.dryRun {
		return report, err
	}
	return report, s.RefreshStatistics(ctx)
}

// Run imports one sheet. Refused rows are no failure of the command: they are in the report.
func (c *importCmd) Run(a *app) error {
	if !slices.Contains(register.Kinds(), register.Kind(c.Kind)) {
		return c.explain(a.texts, register.ErrUnknownKind)
	}
	cfg, err := a.config()
	if err != nil {
		return err
	}
	s, err := readyStore(a.ctx, cfg)
	if err != nil {
		return err
	}
	defer s.Close()
	if c.Report != "" { // a report that cannot be written is known before anything is imported
		if err := writeJSON(c.Report, register.Report{}); err != nil {
			return &saying{key: "cannot_write", data: []any{"Path", c.Report}, err: err}
		}
	}
	report, err := importFile(a.ctx, s, importRequest{kind: c.Kind, path: c.File, region: c.Region, set: c.Set, dryRun: c.DryRun, progress: a.importProgress()})
	if err != nil {
		return c.explain(a.texts, err)
	}
	if c.Report != "" {
		if err := writeJSON(c.Report, report); err != nil {
			return err
		}
	}
	c.print(a, report)
	return nil
}

// importProgress prints to standard error at most once a second, so that a long import is seen to move.
func (a *app) importProgress() func(register.Progress) {
	last := time.Now()
	return func(p register.Progress) {
		if time.Since(last) < time.Second {
			return
		}
		last = time.Now()
		fmt.Fprintln(a.stderr, a.texts.t("import_progress", "Row", p.Row, "Rejected", p.Rejected))
	}
}

// explain gives an import's error its words and its exit code.
func (c *importCmd) explain(w texts, err error) error {
	var column *register.ColumnError
	var fault *register.UnreadableError
	kinds := make([]string, 0, len(register.Kinds()))
	for _, k := range register.Kinds() {
		kinds = append(kinds, string(k))
	}
	switch {
	case errors.Is(err, register.ErrUnknownKind):
		return &saying{key: "unknown_kind", data: []any{"Kind", c.Kind, "Kinds", strings.Join(kinds, " ")}, err: errUsage}
	case errors.As(err, &column):
		return &saying{key: "unknown_column", data: []any{"Column", column.Name, "Kind", c.Kind}, err: errUsage}
	case errors.Is(err, register.ErrRegionUnknown):
		return &saying{key: "unknown_region", data: []any{"Region", c.Region}, err: errUsage}
	case errors.As(err, &fault):
		return &saying{key: "cannot_read", data: []any{"Path", c.File, "Reason", w.t("unreadable."+string(fault.Why), "Detail", fault.Detail)}, err: err}
	}
	return err
}

func (c *importCmd) print(a *app, r register.Report) {
	for i, x := range r.Rejected {
		if i == shownRejections {
			fmt.Fprintln(a.stdout, a.texts.t("import_more", "Count", len(r.Rejected)-i))
			break
		}
		reason := a.texts.refusal(x.Reason)
		if x.Of > 0 {
			reason = a.texts.t("import_same_as", "Row", x.Of)
		}
		line := a.texts.t("import_rejected", "Row", x.Row, "Reason", reason, "Value", x.Value)
		fmt.Fprintln(a.stdout, strings.TrimSpace(line)) // what is missing has no value
	}
	nowhere := func(x register.Rejection) bool { return x.Reason == register.RegionUnknown }
	if c.Region == "" && slices.ContainsFunc(r.Rejected, nowhere) {
		fmt.Fprintln(a.stdout, a.texts.t("import_region"))
	}
	c.printDoubts(a, r)
	if c.DryRun {
		fmt.Fprintln(a.stdout, a.texts.t("import_dry"))
	}
	fmt.Fprintln(a.stdout, a.texts.t("import_done", "Rows", r.Rows, "Accepted", r.Accepted, "Updated", r.Updated, "Unchanged", r.Unchanged,
		"Rejected", len(r.Rejected), "Skipped", len(r.Skipped), "Warnings", len(r.Warnings)))
}

// printDoubts says what the importer has doubts about in the rows that it took, each reason with the first of its rows, and
// which headers of the sheet it did not read.
func (c *importCmd) printDoubts(a *app, r register.Report) {
	rows := map[register.Reason][]string{}
	var reasons []register.Reason
	for _, x := range r.Warnings {
		if rows[x.Reason] == nil {
			reasons = append(reasons, x.Reason)
		}
		rows[x.Reason] = append(rows[x.Reason], strconv.Itoa(x.Row))
	}
	for _, reason := range reasons {
		list, key := rows[reason], "import_doubt"
		if len(list) > shownDoubts {
			list, key = list[:shownDoubts], "import_doubts"
		}
		fmt.Fprintln(a.stdout, a.texts.t(key, "Reason", a.texts.t("doubt."+string(reason)), "Count", len(rows[reason]), "Rows", strings.Join(list, a.texts.t("comma"))))
	}
	if len(r.Unread) > 0 {
		fmt.Fprintln(a.stdout, a.texts.t("import_unread", "Headers", strings.Join(r.Unread, a.texts.t("comma"))))
	}
}

// refusal is why a row was refused, in words; the report keeps the code.
func (w texts) refusal(reason register.Reason) string {
	code, column, _ := strings.Cut(string(reason), ":")
	return w.t("refusal."+code, "Column", column)
}

func writeJSON(path string, value any) error {
	raw, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, '\n'), 0o600)
}
