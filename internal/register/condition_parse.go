package register

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// conditionParser counts what it has read, so that no text makes it read without end.
type conditionParser struct{ nodes, tests int }

// condition reads a mapping: all, any, not and fields may stand side by side, and all of them must hold.
// A list is all of its members.
func (p *conditionParser) condition(node *yaml.Node, path string, depth int) (Condition, error) {
	node = resolveAlias(node)
	if p.nodes++; depth > maxConditionDepth || p.nodes > maxConditionNodes {
		return Condition{}, &ConditionError{Path: path, Problem: ProblemDeep, Want: fmt.Sprintf("at most %d levels", maxConditionDepth)}
	}
	switch {
	case node.Kind == yaml.SequenceNode:
		list, err := p.list(node, path, depth)
		return Condition{All: list}, err
	case node.Kind != yaml.MappingNode:
		return Condition{}, &ConditionError{Path: path, Problem: ProblemShape, Got: node.Value, Want: "all, any, not or a field"}
	case len(node.Content) == 0:
		return Condition{}, &ConditionError{Path: path, Problem: ProblemEmpty, Want: "a condition; all: [] is everybody"}
	}
	var parts []Condition
	for i := 0; i+1 < len(node.Content); i += 2 {
		part, err := p.entry(node.Content[i].Value, node.Content[i+1], path, depth)
		if err != nil {
			return Condition{}, err
		}
		parts = append(parts, part)
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return Condition{All: parts}, nil
}

func (p *conditionParser) entry(key string, value *yaml.Node, path string, depth int) (Condition, error) {
	value, at := resolveAlias(value), path+"."+key
	switch key {
	case "all", "any":
		if value.Kind != yaml.SequenceNode {
			return Condition{}, &ConditionError{Path: at, Problem: ProblemShape, Want: "a list of conditions"}
		}
		list, err := p.list(value, at, depth)
		if key == "all" {
			return Condition{All: list}, err
		}
		return Condition{Any: list}, err
	case "not":
		return p.not(value, at, depth)
	}
	return p.field(key, value, at)
}

// not takes a condition, or a list of which none may hold.
func (p *conditionParser) not(value *yaml.Node, at string, depth int) (Condition, error) {
	var inner Condition
	var err error
	if value.Kind == yaml.SequenceNode {
		inner.Any, err = p.list(value, at, depth)
	} else {
		inner, err = p.condition(value, at, depth+1)
	}
	return Condition{Not: &inner}, err
}

func (p *conditionParser) list(node *yaml.Node, path string, depth int) ([]Condition, error) {
	list := make([]Condition, 0, len(node.Content))
	for i, item := range node.Content {
		c, err := p.condition(item, fmt.Sprintf("%s[%d]", path, i), depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// field reads {operator: value}; several operators must all hold.
func (p *conditionParser) field(name string, value *yaml.Node, path string) (Condition, error) {
	field, known := FindField(name)
	if !known {
		return Condition{}, &ConditionError{Path: path, Problem: ProblemField, Got: name, Want: nearest(name)}
	}
	operators := operatorsOf(field)
	if value.Kind != yaml.MappingNode || len(value.Content) == 0 {
		return Condition{}, &ConditionError{Path: path, Problem: ProblemShape, Got: value.Value, Want: fmt.Sprintf("{%s: value}", operators[0])}
	}
	var parts []Condition
	for i := 0; i+1 < len(value.Content); i += 2 {
		test, err := p.test(field, Operator(value.Content[i].Value), resolveAlias(value.Content[i+1]), path)
		if err != nil {
			return Condition{}, err
		}
		test.Field = name
		parts = append(parts, Condition{Test: &test})
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return Condition{All: parts}, nil
}

func (p *conditionParser) test(field Field, op Operator, value *yaml.Node, path string) (Test, error) {
	if p.tests++; p.tests > maxConditionTests {
		return Test{}, &ConditionError{Path: path, Problem: ProblemDeep, Want: fmt.Sprintf("at most %d comparisons", maxConditionTests)}
	}
	if !field.takes(op) {
		return Test{}, &ConditionError{Path: path, Problem: ProblemOperator, Got: string(op), Want: joinOperators(operatorsOf(field))}
	}
	raw, err := scalars(value, path)
	if err != nil {
		return Test{}, err
	}
	if bad := wrongCount(op, len(raw)); bad != "" {
		return Test{}, &ConditionError{Path: path, Problem: ProblemValue, Got: strings.Join(raw, ", "), Want: bad}
	}
	t := Test{Op: op}
	for _, r := range raw {
		v, ok := field.canonical(op, r)
		if !ok {
			return Test{}, &ConditionError{Path: path, Problem: ProblemValue, Got: r, Want: field.wants(op)}
		}
		t.Values = append(t.Values, v)
	}
	return t, nil
}

// scalars gives one value or the members of a list.
func scalars(node *yaml.Node, path string) ([]string, error) {
	if node.Kind == yaml.ScalarNode && node.Tag != "!!null" {
		return []string{node.Value}, nil
	}
	if node.Kind != yaml.SequenceNode || len(node.Content) > maxConditionValues {
		return nil, &ConditionError{Path: path, Problem: ProblemValue, Want: "a value or a list of values"}
	}
	list := make([]string, 0, len(node.Content))
	for _, item := range node.Content {
		item = resolveAlias(item)
		if item.Kind != yaml.ScalarNode || item.Tag == "!!null" {
			return nil, &ConditionError{Path: path, Problem: ProblemValue, Want: "a list of plain values"}
		}
		list = append(list, item.Value)
	}
	return list, nil
}

func wrongCount(op Operator, n int) (want string) {
	switch {
	case op == Between && n != 2:
		return "two values, [from, to]"
	case (op == In || op == NotIn) && n == 0:
		return "at least one value"
	case op != Between && op != In && op != NotIn && n != 1:
		return "one value"
	}
	return ""
}

// resolveAlias follows one alias; yaml.v3 has refused endless ones before.
func resolveAlias(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode && node.Alias != nil {
		return node.Alias
	}
	if node.Kind == yaml.DocumentNode && len(node.Content) == 1 {
		return node.Content[0]
	}
	return node
}

func joinOperators(list []Operator) string {
	texts := make([]string, len(list))
	for i, op := range list {
		texts[i] = string(op)
	}
	return strings.Join(texts, ", ")
}
