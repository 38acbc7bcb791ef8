package aliyun

import (
	"encoding/json"
	"slices"
	"strings"
)

// jsonList writes a JSON array of texts, or of objects of texts, as encoding/json would, at a third of its cost: a call's
// request has three of them with a hundred members each.
type jsonList struct {
	b     strings.Builder
	names []string // of the object before: as a rule all have the same
	items int
}

func newJSONList(items int) *jsonList {
	l := &jsonList{}
	l.b.Grow(48 * (items + 1))
	return l
}

func (l *jsonList) next() {
	if l.items > 0 {
		l.b.WriteByte(',')
	}
	l.items++
}

func (l *jsonList) text(s string) {
	l.next()
	l.quote(s)
}

func (l *jsonList) object(m map[string]string) {
	l.next()
	if !l.sameNames(m) {
		l.names = l.names[:0]
		for name := range m {
			l.names = append(l.names, name)
		}
		slices.Sort(l.names)
	}
	l.b.WriteByte('{')
	for i, name := range l.names {
		if i > 0 {
			l.b.WriteByte(',')
		}
		l.quote(name)
		l.b.WriteByte(':')
		l.quote(m[name])
	}
	l.b.WriteByte('}')
}

func (l *jsonList) sameNames(m map[string]string) bool {
	return len(l.names) == len(m) && !slices.ContainsFunc(l.names, func(name string) bool { _, ok := m[name]; return !ok })
}

// quote writes a text. What encoding/json would write otherwise than it stands is left to it.
func (l *jsonList) quote(s string) {
	for _, r := range s {
		if r < ' ' || strings.ContainsRune("\"\\<>&\u2028\u2029\ufffd\u007f", r) {
			text, _ := json.Marshal(s) // a text can't fail
			l.b.Write(text)
			return
		}
	}
	l.b.WriteByte('"')
	l.b.WriteString(s)
	l.b.WriteByte('"')
}

func (l *jsonList) String() string { return "[" + l.b.String() + "]" }
