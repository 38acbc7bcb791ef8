package register

import (
	"cmp"
	"hash/maphash"
	"slices"
)

// Report says what became of every row of a file, for those who hand it back to the village. It marshals to the JSON
// of --report; personal data in it is masked.
type Report struct {
	File      string            `json:"file"`
	Sheet     string            `json:"sheet"`
	HeaderRow int               `json:"header_row"`
	Rows      int               `json:"rows"` // accepted, updated, unchanged and rejected
	Accepted  int               `json:"accepted"`
	Updated   int               `json:"updated"`
	Unchanged int               `json:"unchanged"`
	Skipped   []int             `json:"skipped"`
	Rejected  []Rejection       `json:"rejected"`
	Warnings  []Warning         `json:"warnings"`
	Columns   map[string]string `json:"columns"`
	Unread    []string          `json:"unread"` // headers of the sheet that no column goes by

	seed maphash.Seed
}

// Rejection is a row that was not taken.
type Rejection struct {
	Row    int    `json:"row"`
	Reason Reason `json:"reason"`
	Value  string `json:"value"`
	Of     int    `json:"of,omitempty"` // of DuplicateInFile: the row that was taken
}

// Warning is a doubt about a row that was taken.
type Warning struct {
	Row    int    `json:"row"`
	Reason Reason `json:"reason"`
}

func newReport() Report {
	return Report{Skipped: []int{}, Rejected: []Rejection{}, Warnings: []Warning{}, Columns: map[string]string{}, Unread: []string{}, seed: maphash.MakeSeed()}
}

func (r *Report) skip(row int) { r.Skipped = append(r.Skipped, row) }

func (r *Report) reject(row int, reason Reason, value string, of int) {
	r.Rejected = append(r.Rejected, Rejection{Row: row, Reason: reason, Value: value, Of: of})
}

func (r *Report) warn(row int, reason Reason) {
	r.Warnings = append(r.Warnings, Warning{Row: row, Reason: reason})
}

// sort brings rows into the order of the sheet: batches and shared phones are settled later than they are read.
func (r *Report) sort() {
	slices.SortStableFunc(r.Rejected, func(a, b Rejection) int { return cmp.Compare(a.Row, b.Row) })
	slices.SortStableFunc(r.Warnings, func(a, b Warning) int {
		return cmp.Or(cmp.Compare(a.Row, b.Row), cmp.Compare(a.Reason, b.Reason))
	})
}
