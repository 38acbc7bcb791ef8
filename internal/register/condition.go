package register

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Condition is a rule over what is known of a person. It has two readings that always agree: SQL for an audience and
// Match for one person. Exactly one of the four is set; the zero Condition is invalid, `all: []` is everybody.
//
// What is not known satisfies no comparison, neither "is" nor "not_in": ask `known: false` for it, or negate with not.
type Condition struct {
	All  []Condition // every one holds; an empty list holds for everybody
	Any  []Condition // at least one holds; an empty list holds for nobody
	Not  *Condition  // it does not hold
	Test *Test       // one field against one value
}

// Test compares one field. Values are in canonical form: codes of words, digits of numbers, dates or relative days,
// prefixes of regions, "true" and "false".
type Test struct {
	Field  string
	Op     Operator
	Values []string
}

// Operator compares a field with values.
type Operator string

// The operators. Text and enumerations take Is, In, NotIn; numbers and dates Is, GTE, LTE, Between; yes/no takes Is;
// regions take Within; every field takes Known.
const (
	Is      Operator = "is"
	In      Operator = "in"
	NotIn   Operator = "not_in"
	GTE     Operator = "gte"
	LTE     Operator = "lte"
	Between Operator = "between"
	Within  Operator = "within"
	Known   Operator = "known"
)

// Problem is what is wrong with a condition. Pages show it by its own key in their catalogue.
type Problem string

// The problems.
const (
	ProblemEmpty    Problem = "empty"            // no condition where one must be
	ProblemShape    Problem = "shape"            // neither a combination nor a field
	ProblemField    Problem = "unknown_field"    // not in the catalogue
	ProblemOperator Problem = "unknown_operator" // not one of this field's
	ProblemValue    Problem = "bad_value"        // not a value of this field
	ProblemDeep     Problem = "too_deep"         // nested or listed beyond reason
)

// ConditionError says where a condition is wrong and what would be right.
type ConditionError struct {
	Path    string // audience.all[2].age
	Problem Problem
	Got     string
	Want    string // what may stand there
}

func (e *ConditionError) Error() string {
	text := fmt.Sprintf("%s: %s", e.Path, strings.ReplaceAll(string(e.Problem), "_", " "))
	if e.Got != "" {
		text += fmt.Sprintf(" %q", e.Got)
	}
	if e.Want != "" {
		text += "; want " + e.Want
	}
	return text
}

// Limits that keep a hostile condition from being a burden.
const (
	maxConditionDepth  = 8
	maxConditionTests  = 200
	maxConditionNodes  = 1000
	maxConditionValues = 500
)

// ParseCondition reads the audience of a campaign file: YAML, of which JSON is a part.
func ParseCondition(text []byte) (Condition, error) {
	var c Condition
	dec := yaml.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		var ce *ConditionError
		if errors.As(err, &ce) {
			return Condition{}, ce
		}
		return Condition{}, fmt.Errorf("register: read the condition: %w", err)
	}
	if c.IsZero() {
		return Condition{}, &ConditionError{Path: "audience", Problem: ProblemEmpty, Want: "a condition; all: [] is everybody"}
	}
	return c, nil
}

// UnmarshalYAML reads and checks a condition; errors are *ConditionError.
func (c *Condition) UnmarshalYAML(node *yaml.Node) error {
	p := conditionParser{}
	parsed, err := p.condition(node, "audience", 0)
	if err != nil {
		return err
	}
	*c = parsed
	return nil
}

// UnmarshalJSON reads and checks a condition; errors are *ConditionError.
func (c *Condition) UnmarshalJSON(text []byte) error {
	parsed, err := ParseCondition(text)
	if err != nil {
		return err
	}
	*c = parsed
	return nil
}

// MarshalJSON writes the form that ParseCondition reads.
func (c Condition) MarshalJSON() ([]byte, error) { return json.Marshal(c.plain()) }

// MarshalYAML writes the form that ParseCondition reads.
func (c Condition) MarshalYAML() (any, error) { return c.plain(), nil }

// plain is the condition as maps and lists.
func (c Condition) plain() any {
	switch {
	case c.Test != nil:
		return map[string]any{c.Test.Field: map[string]any{string(c.Test.Op): c.Test.plainValue()}}
	case c.Not != nil:
		return map[string]any{"not": c.Not.plain()}
	case c.All != nil:
		return map[string]any{"all": plainList(c.All)}
	}
	return map[string]any{"any": plainList(c.Any)} // the zero Condition holds for nobody
}

func plainList(list []Condition) []any {
	out := make([]any, 0, len(list))
	for _, c := range list {
		out = append(out, c.plain())
	}
	return out
}

func (t Test) plainValue() any {
	field, known := FindField(t.Field)
	values := make([]any, 0, len(t.Values))
	for _, v := range t.Values {
		switch {
		case t.Op == Known || known && field.kindOf(v) == YesNo:
			values = append(values, v == "true")
		case known && field.Type == Number:
			values = append(values, json.Number(v))
		default:
			values = append(values, v)
		}
	}
	if t.Op == In || t.Op == NotIn || t.Op == Between || len(values) != 1 {
		return values
	}
	return values[0]
}

// Fields lists the fields that the condition asks about, each once, in order of appearance.
func (c Condition) Fields() []string {
	var fields []string
	c.walk(func(t Test) {
		for _, f := range fields {
			if f == t.Field {
				return
			}
		}
		fields = append(fields, t.Field)
	})
	return fields
}

func (c Condition) walk(visit func(Test)) {
	for _, sub := range slices.Concat(c.All, c.Any) {
		sub.walk(visit)
	}
	if c.Not != nil {
		c.Not.walk(visit)
	}
	if c.Test != nil {
		visit(*c.Test)
	}
}

// IsZero says that there is no condition: it holds for nobody.
func (c Condition) IsZero() bool {
	return c.All == nil && c.Any == nil && c.Not == nil && c.Test == nil
}

// Everybody is the condition that holds for every person.
func Everybody() Condition { return Condition{All: []Condition{}} }
