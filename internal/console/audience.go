package console

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// How an audience is written in the form: as rows, which cover nearly every campaign, or as the campaign file's
// own text, which covers all of them.
const (
	modeRows = "rows"
	modeText = "text"
	matchAll = "all"
	matchAny = "any"
)

// audienceForm is the audience as it was typed.
type audienceForm struct {
	Mode  string
	Match string // all or any of the rows
	Rows  []conditionRow
	Text  string
}

// conditionRow is one comparison. Several values stand in one text, apart by commas.
type conditionRow struct {
	Field, Op, Value string
	at               string // its number in the form; rows may be missing between two
}

// Has says whether a value is among the row's.
func (r conditionRow) Has(value string) bool { return slices.Contains(splitValues(r.Value), value) }

// rowLimit bounds what a form may hold; longer rules are written as text.
const rowLimit = 40

// readAudience takes the audience out of the form.
func readAudience(post url.Values) audienceForm {
	form := audienceForm{Mode: modeRows, Match: matchAll, Text: post.Get("audience_text")}
	if post.Get("audience_mode") == modeText {
		form.Mode = modeText
	}
	if post.Get("audience_match") == matchAny {
		form.Match = matchAny
	}
	for i := range rowLimit {
		at := strconv.Itoa(i)
		if post.Has("field_" + at) {
			value := strings.TrimSpace(strings.Join(post["value_"+at], ", "))
			form.Rows = append(form.Rows, conditionRow{post.Get("field_" + at), post.Get("op_" + at), value, at})
		}
	}
	return form
}

// condition is the audience as a campaign holds it.
func (f audienceForm) condition() (register.Condition, *problem) {
	text := []byte(f.Text)
	if f.Mode == modeRows {
		tree := f.rowsTree()
		if tree == nil {
			return register.Condition{}, &problem{Key: "form.audience_missing"}
		}
		var err error
		if text, err = yaml.Marshal(tree); err != nil {
			return register.Condition{}, &problem{Key: "form.audience_wrong", Fault: faultOf(notify.ReadFault(err))}
		}
	}
	condition, err := register.ParseCondition(text)
	if err != nil {
		return register.Condition{}, &problem{Key: "form.audience_wrong", Fault: faultOf(notify.ReadFault(err))}
	}
	return condition, nil
}

// rowsTree writes the rows in the shape of the campaign file; rows without a field say nothing. nil: none does.
func (f audienceForm) rowsTree() any {
	list := make([]any, 0, len(f.Rows))
	for _, row := range f.Rows {
		if row.Field == "" {
			continue
		}
		var value any = row.Value
		switch register.Operator(row.Op) {
		case register.In, register.NotIn, register.Between:
			value = splitValues(row.Value)
		}
		list = append(list, map[string]any{row.Field: map[string]any{row.Op: value}})
	}
	if len(list) == 0 {
		return nil
	}
	return map[string]any{f.Match: list}
}

// splitValues parts values at commas, full-width ones and the Chinese list mark too.
func splitValues(text string) []string {
	parts := regexp.MustCompile(`[,，、;；\n]+`).Split(text, -1)
	out := []string{}
	for _, part := range parts {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// audienceFormOf gives the form that writes this audience: rows where rows can say it, else text.
func audienceFormOf(c register.Condition) audienceForm {
	text, err := yaml.Marshal(c)
	form := audienceForm{Mode: modeText, Match: matchAll, Text: string(text)}
	if err != nil {
		return form
	}
	if match, rows, flat := flatten(c); flat {
		form.Mode, form.Match, form.Rows = modeRows, match, rows
	}
	return form
}

// flatten says whether rows can say a condition: one list of comparisons, all or any of which must hold.
func flatten(c register.Condition) (match string, rows []conditionRow, flat bool) {
	match = matchAll
	list := c.All
	switch {
	case c.Test != nil:
		list = []register.Condition{c}
	case len(c.Any) > 0:
		match, list = matchAny, c.Any
	case len(c.All) == 0:
		return match, nil, false
	}
	for _, sub := range list {
		if sub.Test == nil {
			return match, nil, false
		}
		row, ok := rowOf(*sub.Test)
		if !ok {
			return match, nil, false
		}
		rows = append(rows, row)
	}
	return match, rows, len(rows) <= rowLimit
}

// audienceView is an audience to be read.
type audienceView struct {
	Match string
	Rows  []conditionRow
	Text  string // where rows can't say it
}

func viewAudience(c register.Condition) audienceView {
	form := audienceFormOf(c)
	if form.Mode == modeRows {
		return audienceView{Match: form.Match, Rows: form.Rows}
	}
	return audienceView{Text: form.Text}
}

// Values writes a row's values for reading: words for codes, names for regions.
func (f frame) Values(field, op, value string) (string, error) {
	view := viewField(field)
	var out []string
	for _, v := range splitValues(value) {
		switch {
		case view == nil:
		case view.Control == "yesno":
			v = f.Word("word", map[string]string{"true": "yes", "false": "no"}[v])
		case view.Control == "choices":
			if i := slices.IndexFunc(view.Words, func(c choice) bool { return c.Code == v }); i >= 0 {
				v = view.Words[i].Text
			}
		case view.Control == "region":
			place, err := f.v.place(fullCode(v))
			if err != nil {
				return "", err
			}
			v = place
		}
		out = append(out, v)
	}
	separator := ", "
	if op == string(register.Between) {
		separator = " – "
	}
	return strings.Join(out, separator), nil
}
