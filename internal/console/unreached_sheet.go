package console

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
)

// sheetLimit is how many rows are printed or exported at once: more than a township visits, and a bound on what one click
// costs. A sheet that holds no more says so.
const sheetLimit = 2000

// sheetPage is a visit sheet in large type: masked, with a code for each row that the worker reports back.
type sheetPage struct {
	frame
	unreachedAsked
	Here  string // the region's name
	Today string
	Rows  []unreachedRow
	More  bool
}

// sheetRows reads what a sheet or an export holds.
func (v *visit) sheetRows() (a unreachedAsked, rows []unreachedRow, more bool, err error) {
	if a, err = v.unreachedAsked(); err != nil {
		return a, nil, false, err
	}
	if a.Wide() {
		return a, nil, false, errNotFound
	}
	for after := int64(0); len(rows) <= sheetLimit; {
		page, err := v.unreachedRows(a, after, 500)
		if err != nil {
			return a, nil, false, err
		}
		if len(page) == 0 {
			return a, rows, false, nil
		}
		rows, after = append(rows, page...), page[len(page)-1].Person.ID
	}
	return a, rows[:sheetLimit], true, nil
}

func (v *visit) printUnreached() error {
	asked, rows, more, err := v.sheetRows()
	if err != nil {
		return err
	}
	page := sheetPage{frame: v.frame("unreached.sheet", "unreached"), unreachedAsked: asked, Today: v.today(), Rows: rows, More: more}
	way, err := v.regionWay(asked.Region, "/console/unreached")
	if err != nil {
		return err
	}
	page.Here = way.Here
	if err := v.note(staff.DidPrintMissed, asked.object(), asked.detail(len(rows))); err != nil {
		return err
	}
	return v.render(http.StatusOK, "sheet", page)
}

// Results are the boxes to tick.
func (p sheetPage) Results() []register.VisitResult { return register.VisitResults() }

// exportUnreached writes the list as CSV: codes and masked values alone.
func (v *visit) exportUnreached() error {
	asked, rows, _, err := v.sheetRows()
	if err != nil {
		return err
	}
	if err := v.note(staff.DidExport, asked.object(), asked.detail(len(rows))); err != nil {
		return err
	}
	f := v.frame("unreached.title", "unreached")
	var b bytes.Buffer
	b.WriteString("\ufeff") // by it a spreadsheet knows UTF-8
	out := csv.NewWriter(&b)
	var head []string
	for _, key := range []string{"code", "name", "phone", "region", "place", "campaign", "channel", "why", "at"} {
		head = append(head, f.Word("unreached", key))
	}
	if err := out.Write(head); err != nil {
		return fmt.Errorf("console: export: %w", err)
	}
	for _, row := range rows {
		if err := out.Write(csvRow(f, row)); err != nil {
			return fmt.Errorf("console: export: %w", err)
		}
	}
	if out.Flush(); out.Error() != nil {
		return fmt.Errorf("console: export: %w", out.Error())
	}
	v.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	v.w.Header().Set("Content-Disposition", `attachment; filename="unreached-`+v.today()+`.csv"`)
	_, _ = v.w.Write(b.Bytes())
	return nil
}

func csvRow(f frame, row unreachedRow) []string {
	why, _ := f.Why(row.Reason) // the words of a key never fail
	list := []string{row.Code, row.Name, row.Phone, row.Person.RegionCode, row.Place, row.Campaign, f.Word("channel", row.Channel), why, f.Time(row.At)}
	for i, value := range list {
		list[i] = tame(value)
	}
	return list
}

// tame keeps a spreadsheet from taking a value for a formula.
func tame(value string) string {
	if value != "" && strings.ContainsAny(value[:1], "=+-@\t\r") {
		return "'" + value
	}
	return value
}

// more adds a pair to an address.
func more(address, name, value string) string {
	path, asked := cutQuery(address)
	pairs := name + "=" + value
	if asked != "" {
		pairs = asked + "&" + pairs
	}
	return path + "?" + pairs
}

func cutQuery(address string) (path, asked string) {
	path, asked, _ = strings.Cut(address, "?")
	return path, asked
}

// Row numbers a line of the sheet from 1.
func (p sheetPage) Row(i int) string { return strconv.Itoa(i + 1) }
