package sandbox

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// fieldRules are the limits of a notice's fields, by kind: the key without its number.
type fieldRules map[string]fieldRule

type fieldRule struct {
	most  int // characters
	shape *regexp.Regexp
}

func newFieldRules() fieldRules {
	const (
		clock = `([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?`
		day   = `(\d{4}\x{5e74}\d{1,2}\x{6708}(\d{1,2}\x{65e5})?|\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?)`
		one   = `(` + day + `( ?` + clock + `)?|` + clock + `)`
	)
	moment := fieldRule{60, regexp.MustCompile(`^` + one + `( ?~ ?` + one + `)?$`)}
	return fieldRules{
		"thing": {20, nil}, "enum": {20, nil}, "const": {20, nil}, "keyword": {20, nil}, "car_number": {8, nil},
		"number":           {32, regexp.MustCompile(`^\d+(\.\d+)?$`)},
		"letter":           {32, regexp.MustCompile(`^[A-Za-z]+$`)},
		"symbol":           {5, regexp.MustCompile(`^[^\pL\pN]+$`)},
		"character_string": {32, regexp.MustCompile(`^[\x20-\x7e]+$`)},
		"time":             moment,
		"date":             moment,
		"amount":           {16, regexp.MustCompile(`^[^\d\s]?\d{1,10}(\.\d+)?\x{5143}?$`)},
		"phone_number":     {17, regexp.MustCompile(`^[\d+\-() ]+$`)},
		"phrase":           {5, regexp.MustCompile(`^\p{Han}+$`)},
		"name":             {20, regexp.MustCompile(`^\PN+$`)},
	}
}

// valid judges one field. A name of Han has half the room.
func (rules fieldRules) valid(key, value string) bool {
	kind := strings.TrimRight(key, "0123456789")
	rule, ok := rules[kind]
	n := utf8.RuneCountInString(value)
	if !ok || n == 0 || n > rule.most || strings.ContainsAny(value, "\r\n") {
		return false
	}
	if kind == "name" && n > 10 && strings.ContainsFunc(value, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		return false
	}
	return rule.shape == nil || rule.shape.MatchString(value)
}
