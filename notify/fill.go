package notify

import (
	"fmt"
	"strings"
	"text/template"
	"text/template/parse"
)

// filling is one text of a template, ready to be filled for each of many people.
type filling struct {
	parsed *template.Template
	pieces []piece // the same text where it is words and plain names alone, which are filled without reflection
}

// piece is some words of a text, or the name of what stands there.
type piece struct {
	words string
	name  []string
}

func newFilling(t *template.Template) filling {
	f := filling{parsed: t}
	var pieces []piece
	for _, node := range t.Root.Nodes {
		switch n := node.(type) {
		case *parse.TextNode:
			pieces = append(pieces, piece{words: string(n.Text)})
		case *parse.ActionNode:
			name, plain := plainName(n)
			if !plain {
				return f
			}
			pieces = append(pieces, piece{name: name})
		default:
			return f
		}
	}
	f.pieces = pieces
	return f
}

// plainName is the name that an action writes, where it does nothing else.
func plainName(n *parse.ActionNode) ([]string, bool) {
	if len(n.Pipe.Decl) > 0 || len(n.Pipe.Cmds) != 1 || len(n.Pipe.Cmds[0].Args) != 1 {
		return nil, false
	}
	field, ok := n.Pipe.Cmds[0].Args[0].(*parse.FieldNode)
	if !ok {
		return nil, false
	}
	return field.Ident, true
}

// onlyOf says whether the text is words, and plain names under one other.
func (f filling) onlyOf(head string) bool {
	for _, p := range f.pieces {
		if p.name != nil && p.name[0] != head {
			return false
		}
	}
	return f.pieces != nil
}

// fill writes the text for one person. ErrTexts where something that it names is missing.
func (f filling) fill(data Data) (string, error) {
	if len(f.pieces) == 1 { // a variable of a short message, as a rule
		if value, ok := data.word(f.pieces[0]); ok {
			return value, nil
		}
	}
	var b strings.Builder
	for i, p := range f.pieces {
		value, ok := data.word(p)
		if !ok {
			b.Reset()
			break
		}
		b.WriteString(value)
		if i == len(f.pieces)-1 {
			return b.String(), nil
		}
	}
	if err := f.parsed.Execute(&b, map[string]any(data)); err != nil {
		return "", fmt.Errorf("%w: %s", ErrTexts, f.parsed.Name())
	}
	return b.String(), nil
}

// word is what a piece stands for, where that is known without reflection.
func (d Data) word(p piece) (string, bool) {
	if p.name == nil {
		return p.words, true
	}
	var value any
	switch of := d[p.name[0]].(type) {
	case string:
		if len(p.name) == 1 {
			value = of
		}
	case map[string]any:
		if len(p.name) == 2 {
			value = of[p.name[1]]
		}
	case map[string]string:
		if len(p.name) == 2 {
			if word, ok := of[p.name[1]]; ok {
				value = word
			}
		}
	case PersonData:
		if len(p.name) == 2 && p.name[1] == "ShortName" {
			value = of.ShortName
		}
		if len(p.name) == 2 && p.name[1] == "Name" {
			value = of.Name
		}
	}
	word, ok := value.(string)
	return word, ok
}
