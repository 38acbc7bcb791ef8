package sandbox

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// param is one variable of a text.
type param struct{ name, value string }

// paramSet is the variables of one recipient, in the order they were given.
type paramSet []param

func (p paramSet) get(name string) (string, bool) {
	for _, v := range p {
		if v.name == name {
			return v.value, true
		}
	}
	return "", false
}

func (p paramSet) asMap() map[string]string {
	if len(p) == 0 {
		return nil
	}
	m := make(map[string]string, len(p))
	for _, v := range p {
		m[v.name] = v.value
	}
	return m
}

// parseParams reads one JSON object of strings. Empty text is an empty object.
func parseParams(s string) (paramSet, bool) {
	if s == "" {
		return nil, true
	}
	sc := scanner{s: s}
	set, ok := sc.object()
	if ok && sc.end() {
		return set, true
	}
	var slow map[string]string
	if json.Unmarshal([]byte(s), &slow) != nil || slow == nil {
		return nil, false
	}
	return fromMap(slow), true
}

// parseParamList reads a JSON array of objects of strings, and gives each object's own text beside it.
func parseParamList(s string) ([]paramSet, []string, bool) {
	sc := scanner{s: s}
	var sets []paramSet
	var texts []string
	ok := sc.list(func() bool {
		from := sc.space()
		set, ok := sc.object()
		sets, texts = append(sets, set), append(texts, s[from:sc.i])
		return ok
	})
	if ok && sc.end() {
		return sets, texts, true
	}
	return slowParamList(s)
}

func slowParamList(s string) ([]paramSet, []string, bool) {
	var raw []json.RawMessage
	if json.Unmarshal([]byte(s), &raw) != nil {
		return nil, nil, false
	}
	sets, texts := make([]paramSet, 0, len(raw)), make([]string, 0, len(raw))
	for _, one := range raw {
		var m map[string]string
		if json.Unmarshal(one, &m) != nil || m == nil {
			return nil, nil, false
		}
		sets, texts = append(sets, fromMap(m)), append(texts, string(one))
	}
	return sets, texts, true
}

func fromMap(m map[string]string) paramSet {
	set := make(paramSet, 0, len(m))
	for name, value := range m {
		set = append(set, param{name, value})
	}
	return set
}

// parseStrings reads a JSON array of strings.
func parseStrings(s string) ([]string, bool) {
	sc := scanner{s: s}
	var out []string
	ok := sc.list(func() bool {
		sc.space()
		v, ok := sc.str()
		out = append(out, v)
		return ok
	})
	if ok && sc.end() {
		return out, true
	}
	var slow []string
	if json.Unmarshal([]byte(s), &slow) != nil || slow == nil {
		return nil, false
	}
	return slow, true
}

// scanner reads the plain JSON that callers send: strings without escapes, flat objects. Whatever else comes is left to
// encoding/json, which is ten times slower and would make the sandbox the bottleneck of a load test.
type scanner struct {
	s string
	i int
}

func (sc *scanner) space() int {
	for sc.i < len(sc.s) && (sc.s[sc.i] == ' ' || sc.s[sc.i] == '\n' || sc.s[sc.i] == '\t' || sc.s[sc.i] == '\r') {
		sc.i++
	}
	return sc.i
}

func (sc *scanner) is(b byte) bool {
	sc.space()
	if sc.i < len(sc.s) && sc.s[sc.i] == b {
		sc.i++
		return true
	}
	return false
}

func (sc *scanner) end() bool { return sc.space() == len(sc.s) }

func (sc *scanner) str() (string, bool) {
	if !sc.is('"') {
		return "", false
	}
	n := strings.IndexByte(sc.s[sc.i:], '"')
	if n < 0 {
		return "", false
	}
	v := sc.s[sc.i : sc.i+n]
	for i := range len(v) {
		if v[i] == '\\' || v[i] < ' ' {
			return "", false
		}
	}
	if !utf8.ValidString(v) {
		return "", false
	}
	sc.i += n + 1
	return v, true
}

func (sc *scanner) object() (paramSet, bool) {
	if !sc.is('{') {
		return nil, false
	}
	if sc.is('}') {
		return nil, true
	}
	set := make(paramSet, 0, 4)
	for {
		name, ok := sc.str()
		if !ok || !sc.is(':') {
			return nil, false
		}
		value, ok := sc.str()
		if !ok {
			return nil, false
		}
		set = append(set, param{name, value})
		if sc.is('}') {
			return set, true
		}
		if !sc.is(',') {
			return nil, false
		}
	}
}

func (sc *scanner) list(item func() bool) bool {
	if !sc.is('[') {
		return false
	}
	if sc.is(']') {
		return true
	}
	for {
		if !item() {
			return false
		}
		if sc.is(']') {
			return true
		}
		if !sc.is(',') {
			return false
		}
	}
}
