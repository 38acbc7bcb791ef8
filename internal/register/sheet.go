package register

import (
	"slices"
	"strings"
)

// cell is one cell of a sheet as it stands there.
type cell struct {
	text    string
	numeric bool // a number in the spreadsheet, not a text: an ID number in it has lost digits
}

// line is one row of a sheet with the number a person sees.
type line struct {
	number int
	cells  []cell
}

func (l line) blank() bool {
	for _, c := range l.cells {
		if fold(c.text) != "" {
			return false
		}
	}
	return true
}

func (l line) at(i int) cell {
	if i < 0 || i >= len(l.cells) {
		return cell{}
	}
	return l.cells[i]
}

// filled gives the texts of the cells that hold something.
func (l line) filled() []string {
	var texts []string
	for _, c := range l.cells {
		if t := fold(c.text); t != "" {
			texts = append(texts, t)
		}
	}
	return texts
}

// workbook is an opened file: one or more sheets, read row by row.
type workbook interface {
	// sheets names the visible sheets in their order; a csv file has one without a name.
	sheets() []string
	// rows reads one sheet from its beginning and hands over every row, blank ones too, until visit says stop.
	rows(sheet int, visit func(line) (more bool, err error)) error
}

// Limits of what a file may hold. A zip may unpack to far more than it weighs.
const (
	maxFileBytes   = 200 << 20
	maxSheetBytes  = 2 << 30
	maxTextBytes   = 256 << 20 // shared strings are held in memory
	maxRowCells    = 1000
	maxCellBytes   = 64 << 10
	maxLeadingRows = 30 // the header is looked for in so many rows
)

// header is where the columns of a kind stand.
type header struct {
	row     int
	columns map[string][]int  // canonical column → cells in order of preference
	names   map[string]string // canonical column → the header that is read first
}

// findHeader matches one row against the names of a kind's columns. ok: it is the header of such a sheet.
func findHeader(kind Kind, l line) (h header, ok bool) {
	h = header{row: l.number, columns: map[string][]int{}, names: map[string]string{}}
	at := headersAt(l)
	for _, c := range columnsOf(kind) {
		for _, name := range c.names {
			if i, found := at[name]; found {
				h.take(c.name, i, l.cells[i].text)
			}
		}
		for _, name := range c.last {
			if i, found := at[name]; found && len(h.columns[c.name]) == 0 {
				h.take(c.name, i, l.cells[i].text)
			}
		}
	}
	return h, h.enough(kind, len(l.filled()))
}

// headersAt tells where each header stands. Of two equal ones the first is read; a whole one goes before a part.
func headersAt(l line) map[string]int {
	at := map[string]int{}
	for i := len(l.cells) - 1; i >= 0; i-- {
		for _, part := range headerNames(l.cells[i].text)[1:] {
			at[part] = i
		}
	}
	for i := len(l.cells) - 1; i >= 0; i-- {
		at[headerNames(l.cells[i].text)[0]] = i
	}
	delete(at, "")
	return at
}

func (h header) take(column string, i int, text string) {
	for _, have := range h.columns[column] {
		if have == i {
			return
		}
	}
	if len(h.columns[column]) == 0 {
		h.names[column] = fold(text)
	}
	h.columns[column] = append(h.columns[column], i)
}

// unread are the headers that no column goes by, in the order of the sheet: whoever filled them in ought to know.
func (h header) unread(l line) []string {
	read := map[int]bool{}
	for _, cells := range h.columns {
		for _, i := range cells {
			read[i] = true
		}
	}
	names := []string{}
	for i, c := range l.cells {
		if name := fold(c.text); name != "" && !read[i] && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// enough: the columns that tell the kind apart are there, and most sheets have a second one.
func (h header) enough(kind Kind, filled int) bool {
	for _, name := range keyColumns(kind) {
		if len(h.columns[name]) == 0 {
			return false
		}
	}
	return len(h.columns) >= 2 || len(h.columns) == filled
}

// headerNames gives the forms a header is compared in: as written, without marks, and without what stands in brackets.
func headerNames(text string) []string {
	full := strings.TrimRight(strings.TrimLeft(squeeze(text), "*"), "*:")
	names := []string{full}
	if i := strings.IndexAny(full, "(["); i > 0 {
		names = append(names, full[:i])
	}
	if i := strings.IndexByte(full, '/'); i > 0 {
		names = append(names, full[:i])
	}
	return names
}

// isRepeated says whether a row repeats the header, as sheets printed on several pages do.
func (h header) isRepeated(kind Kind, l line) bool {
	again, ok := findHeader(kind, l)
	if !ok || len(again.columns) < len(h.columns) {
		return false
	}
	for name, cells := range h.columns {
		if len(again.columns[name]) == 0 || again.columns[name][0] != cells[0] {
			return false
		}
	}
	return true
}
