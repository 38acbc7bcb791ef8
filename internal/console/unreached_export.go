package console

import (
	"encoding/csv"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// byteOrderMark tells spreadsheets that a file is UTF-8.
const byteOrderMark = "\ufeff"

// exportUnreached writes the whole list as a file, masked as on the page, part by part. The audit has it before the
// first line goes out.
func (v *visit) exportUnreached() error {
	q, err := v.unreachedAsked()
	if err != nil {
		return err
	}
	q.from = notify.UnreachedFrom{}
	first, err := v.unreachedPage(q, exportPageSize)
	if err != nil {
		return err
	}
	if err := v.note(staff.DidExport, q.object(), map[string]string{"region": q.Region, "since": q.Since}); err != nil {
		return err
	}
	name := "unreached.csv"
	if q.Campaign.ID != 0 {
		name = "unreached-" + strconv.FormatInt(q.Campaign.ID, 10) + ".csv"
	}
	v.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, _ = v.w.Write([]byte(byteOrderMark))
	out := csv.NewWriter(v.w)
	f := v.frame("unreached.title", "")
	if err := writeCSVHead(out, f); err != nil {
		return err
	}
	for page := first; ; {
		rows, err := v.unreachedRows(page.List)
		if err != nil {
			return v.brokenOff(err)
		}
		for _, r := range rows {
			_ = out.Write(csvLine(f, r))
		}
		if out.Flush(); out.Error() != nil || page.Next == (notify.UnreachedFrom{}) {
			return nil //nolint:nilerr // nobody reads any more
		}
		q.from = page.Next
		if page, err = v.unreachedPage(q, exportPageSize); err != nil {
			return v.brokenOff(err)
		}
	}
}

func writeCSVHead(out *csv.Writer, f frame) error {
	var head []string
	for _, column := range []string{"row_code", "place", "name", "phone", "why", "channel", "code", "at", "campaign", "visit", "visited_at"} {
		head = append(head, f.Word("unreached_column", column))
	}
	return out.Write(head)
}

func csvLine(f frame, r unreachedRow) []string {
	line := []string{r.RowCode, r.Place, r.Name, r.Phone, f.Word("unreached_why", r.Why), f.Word("channel", r.Channel), r.Code, f.Time(r.At), r.Campaign, "", ""}
	if r.Visit != "" {
		line[9], line[10] = f.Word("visit", r.Visit), f.Time(r.VisitedAt)
	}
	for i, cell := range line {
		line[i] = inert(cell)
	}
	return line
}

// inert keeps a spreadsheet from taking a text for a formula.
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// brokenOff ends a file that has begun: the connection breaks, so that nobody takes a part for the whole.
func (v *visit) brokenOff(err error) error {
	v.Logger.Error("console export broke off", slog.Any("error", err))
	panic(http.ErrAbortHandler) // net/http breaks the connection
}
