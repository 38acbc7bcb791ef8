package aliyun

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// plainItems reads a JSON array of objects that hold nothing but plain values, as pushes do, in one pass: encoding/json
// goes over each byte six times before such an item is read, and that was a fifth of a campaign's CPU. ok is false where
// anything else stands in it (an escape, a value within a value, a fault): then encoding/json judges all of it. field
// names where a value belongs, nil: nowhere. ends are where the items end and begin in the body.
func plainItems[I any](body string, field func(*I, string) *loose) (items []I, ends [][2]int, ok bool) {
	if !utf8.ValidString(body) {
		return nil, nil, false
	}
	p := plain{text: body}
	if !p.take('[') {
		return nil, nil, false
	}
	if p.take(']') {
		return []I{}, nil, p.done()
	}
	set := func(name, value string) {
		if f := field(&items[len(items)-1], name); f != nil {
			*f = loose(value)
		}
	}
	for {
		p.space()
		from := p.at
		items = append(items, *new(I))
		if !p.object(set) {
			return nil, nil, false
		}
		if ends == nil { // the others are as long as the first, as a rule
			most := min(1+len(body)/(p.at-from), 1000)
			items, ends = slices.Grow(items, most), make([][2]int, 0, most)
		}
		ends = append(ends, [2]int{from, p.at})
		if p.take(',') {
			continue
		}
		return items, ends, p.take(']') && p.done()
	}
}

// plain is a place in a text of JSON.
type plain struct {
	text string
	at   int
}

func (p *plain) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\r', '\n':
			p.at++
		default:
			return
		}
	}
}

// take goes past a byte where it comes next, spaces aside.
func (p *plain) take(b byte) bool {
	p.space()
	if p.at >= len(p.text) || p.text[p.at] != b {
		return false
	}
	p.at++
	return true
}

func (p *plain) done() bool {
	p.space()
	return p.at == len(p.text)
}

// object goes through one object's names and values.
func (p *plain) object(set func(name, value string)) bool {
	if !p.take('{') {
		return false
	}
	if p.take('}') {
		return true
	}
	for {
		name, ok := p.quoted()
		if !ok || !snakeCase(name) || !p.take(':') { // encoding/json finds a field by its name in capitals too
			return false
		}
		value, ok := p.value()
		if !ok {
			return false
		}
		set(name, value)
		if p.take(',') {
			continue
		}
		return p.take('}')
	}
}

func snakeCase(name string) bool {
	for i := range len(name) {
		if b := name[i]; (b < 'a' || b > 'z') && b != '_' {
			return false
		}
	}
	return true
}

// quoted reads a text without escapes.
func (p *plain) quoted() (string, bool) {
	if !p.take('"') {
		return "", false
	}
	from := p.at
	for ; p.at < len(p.text); p.at++ {
		switch b := p.text[p.at]; {
		case b == '"':
			p.at++
			return p.text[from : p.at-1], true
		case b == '\\' || b < ' ':
			return "", false
		}
	}
	return "", false
}

// value reads a plain value as loose keeps it: a text, the digits of a whole number, a yes or no, nothing.
func (p *plain) value() (string, bool) {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == '"' {
		text, ok := p.quoted()
		return strings.TrimSpace(text), ok
	}
	from := p.at
	for p.at < len(p.text) && strings.IndexByte(",} \t\r\n", p.text[p.at]) < 0 {
		p.at++
	}
	switch word := p.text[from:p.at]; word {
	case "null":
		return "", true
	case "true", "false", "0":
		return word, true
	default:
		return word, digits(word) && word[0] != '0'
	}
}
