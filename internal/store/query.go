package store

import (
	"fmt"
	"strings"

	"github.com/lingjuli/lingjuli/internal/register"
)

// where collects the conditions of a statement with their parameters.
type where struct {
	parts []string
	args  []any
}

// arg adds a parameter and gives its name.
func (w *where) arg(v any) string {
	w.args = append(w.args, v)
	return fmt.Sprintf("$%d", len(w.args))
}

func (w *where) and(format string, values ...any) {
	names := make([]any, len(values))
	for i, v := range values {
		names[i] = w.arg(v)
	}
	w.parts = append(w.parts, fmt.Sprintf(format, names...))
}

// within: the column lies inside a prefix of regions.
func (w *where) within(column, prefix string) {
	if prefix != "" {
		w.and(column+" >= %s AND "+column+" < %s", prefix, register.NextPrefix(prefix))
	}
}

// oneOf: the column is one of some texts; none: any.
func (w *where) oneOf(column string, list []string, not bool) {
	if len(list) == 0 {
		return
	}
	names := make([]string, len(list))
	for i, v := range list {
		names[i] = w.arg(v)
	}
	in := " IN ("
	if not {
		in = " NOT IN ("
	}
	w.parts = append(w.parts, column+in+strings.Join(names, ", ")+")")
}

// names: one of some words stands in one of the columns; no words: any row.
func (w *where) names(words []string, columns ...string) {
	if len(words) == 0 {
		return
	}
	text := "lower(" + strings.Join(columns, " || ' ' || ") + ")"
	tests := make([]string, len(words))
	for i, word := range words {
		tests[i] = text + " LIKE " + w.arg(pattern(word)) + ` ESCAPE '\'`
	}
	w.parts = append(w.parts, "("+strings.Join(tests, " OR ")+")")
}

// anywhereIn: in one of some places, by the region's code or by what the columns say; no places: any row.
func (w *where) anywhereIn(places []register.Wherever, region string, columns ...string) {
	if len(places) == 0 {
		return
	}
	text := "lower(" + strings.Join(columns, " || ' ' || ") + ")"
	var tests []string
	for _, p := range places {
		tests = append(tests, text+" LIKE "+w.arg(pattern(p.Name))+` ESCAPE '\'`)
		if p.Prefix != "" {
			tests = append(tests, region+" >= "+w.arg(p.Prefix)+" AND "+region+" < "+w.arg(register.NextPrefix(p.Prefix)))
		}
	}
	w.parts = append(w.parts, "("+strings.Join(tests, " OR ")+")")
}

// pattern is a LIKE for texts that hold a word.
func pattern(word string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(strings.ToLower(word)) + "%"
}

func (w *where) sql() string {
	if len(w.parts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.parts, " AND ")
}

// nearness is register.Nearness of a column, for an ORDER BY.
func (w *where) nearness(column, near string) string {
	if len(near) != 12 {
		return "1 - 1" // a bare number would name a column
	}
	var b strings.Builder
	b.WriteString("CASE")
	for i, n := range []int{12, 9, 6, 4, 2} {
		fmt.Fprintf(&b, " WHEN substr(%s, 1, %d) = %s THEN %d", column, n, w.arg(near[:n]), 5-i)
	}
	b.WriteString(" ELSE 0 END")
	return b.String()
}

// page is the end of a statement that gives one page; of what was asked for, the limit has its default.
func (w *where) page(offset, limit int) string {
	if limit <= 0 {
		limit = register.PageSize
	}
	return " LIMIT " + w.arg(limit) + " OFFSET " + w.arg(max(offset, 0))
}

// next is where the next page begins, 0: nowhere.
func next(offset, got, total int) int {
	if end := max(offset, 0) + got; end < total {
		return end
	}
	return 0
}
