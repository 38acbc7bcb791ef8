package console

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lingjuli/lingjuli/internal/register"
)

// fieldGroups sorts the catalogue's fields under headings, by the first word of their names.
func fieldGroups() []fieldGroup {
	groups := []fieldGroup{{Name: "person"}, {Name: "wishes"}, {Name: "reach"}, {Name: "household"}, {Name: "insurance"}, {Name: "service"}}
	for _, field := range register.Fields() {
		at := slices.IndexFunc(groups, func(g fieldGroup) bool { return g.Name == groupOf(field.Name) })
		groups[at].Fields = append(groups[at].Fields, field.Name)
	}
	return slices.DeleteFunc(groups, func(g fieldGroup) bool { return len(g.Fields) == 0 })
}

func groupOf(name string) string {
	first, _, _ := strings.Cut(name, ".")
	switch first {
	case "wants", "employment", "placed_on", "labour", "skills":
		return "wishes"
	case "phone", "wechat", "opted_out", "reached":
		return "reach"
	case "household":
		return "household"
	case "medical", "pension":
		return "insurance"
	case "subsidy", "service", "trained":
		return "service"
	}
	return "person"
}

// viewField gives the controls of a field; nil: there is no such field. The rows offer what is asked every day;
// the rest (whether something is on file, a deadline) is written as text.
func viewField(name string) *fieldView {
	field, known := register.FindField(name)
	if !known {
		return nil
	}
	view := &fieldView{Name: name, Ops: []register.Operator{register.Is}}
	switch field.Type {
	case register.Number, register.Date:
		view.Control = string(field.Type)
		view.Ops = []register.Operator{register.GTE, register.LTE, register.Between, register.Is}
	case register.YesNo, register.Due:
		view.Control = "yesno"
	case register.Area:
		view.Control, view.Ops = "region", []register.Operator{register.Within}
	case register.Text, register.Enum:
		view.Control = "text"
		view.Ops = []register.Operator{register.In, register.NotIn}
		for _, word := range field.Words() {
			view.Control = "choices"
			view.Words = append(view.Words, choice{word.Code, word.Word})
		}
	}
	return view
}

// rowOf is a comparison as a row; false: rows don't offer it.
func rowOf(t register.Test) (conditionRow, bool) {
	view := viewField(t.Field)
	row := conditionRow{Field: t.Field, Op: string(t.Op), Value: strings.Join(t.Values, ", ")}
	if view == nil {
		return row, false
	}
	if t.Op == register.Is && !slices.Contains(view.Ops, register.Is) {
		row.Op = string(register.In) // the same, for one value
	}
	for _, value := range t.Values {
		offered := len(splitValues(value)) == 1
		switch view.Control {
		case "choices":
			offered = slices.ContainsFunc(view.Words, func(c choice) bool { return c.Code == value })
		case "yesno":
			offered = value == "true" || value == "false"
		}
		if !offered {
			return row, false
		}
	}
	return row, slices.Contains(view.Ops, register.Operator(row.Op))
}

// fillRules makes the rows, and one of each for the script.
func (p *formPage) fillRules() {
	groups := fieldGroups()
	rule := func(i string, row conditionRow) ruleView {
		return ruleView{frame: p.frame, I: i, Row: row, Field: viewField(row.Field), Groups: groups, places: p.places}
	}
	for i, row := range p.Form.Audience.Rows {
		p.Rules = append(p.Rules, rule(strconv.Itoa(i), row))
	}
	p.Blank = rule("x", conditionRow{})
	for _, group := range groups {
		for _, name := range group.Fields {
			p.Blanks = append(p.Blanks, rule("x", conditionRow{Field: name}))
		}
	}
}
