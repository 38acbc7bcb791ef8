package bot

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// FieldError says which field of a template WeChat would refuse, and why, without saying what is in it.
type FieldError struct {
	Field string
	Rule  string
}

// Error names field and rule.
func (e *FieldError) Error() string { return fmt.Sprintf("field %s: %s", e.Field, e.Rule) }

var errNoFields = errors.New("a template message without fields")

// checkFields holds the values of a template against WeChat's rules. Nothing is cut to fit: half a name is
// another person's.
// https://developers.weixin.qq.com/doc/service/api/notify/message/api_sendnewsubscribemsg.html
func checkFields(fields map[string]string) error {
	if len(fields) == 0 {
		return errNoFields
	}
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names) // the same fault is named at each try
	for _, name := range names {
		if rule := brokenRule(strings.TrimRight(name, "0123456789"), fields[name]); rule != "" {
			return &FieldError{Field: name, Rule: rule}
		}
	}
	return nil
}

// brokenRule names the rule that a value of a kind of field breaks; "" for none.
func brokenRule(kind, value string) string {
	n := utf8.RuneCountInString(value)
	switch {
	case strings.TrimSpace(value) == "":
		return "is empty"
	case strings.ContainsFunc(value, unicode.IsControl):
		return "has a line break or control character"
	}
	switch kind {
	case "thing":
		return over(n, 20)
	case "number":
		return either(over(n, 32), unlike(value, `^[0-9]+(\.[0-9]+)?$`))
	case "letter":
		return either(over(n, 32), unlike(value, `^[A-Za-z]+$`))
	case "symbol":
		return over(n, 5)
	case "character_string":
		return either(over(n, 32), unlike(value, `^[\x20-\x7e]+$`))
	case "time", "date":
		return either(over(n, 64), unlike(value, `[0-9]`))
	case "amount":
		return unlike(value, `^[^0-9.]?[0-9]{1,10}(\.[0-9]{1,2})?\x{5143}?$`)
	case "phone_number":
		return either(over(n, 17), unlike(value, `^[0-9+() -]+$`))
	case "car_number":
		return over(n, 8)
	case "name":
		return overName(value)
	case "phrase":
		return either(over(n, 5), unlike(value, `^\p{Han}+$`))
	case "const", "enum":
		return "" // the list of values is known to WeChat alone
	}
	return over(n, 20) // templates of the old kind have keyword1 and the like
}

// over says that a value is too long.
func over(n, limit int) string {
	if n > limit {
		return fmt.Sprintf("has %d characters, the limit is %d", n, limit)
	}
	return ""
}

// overName: ten characters where Han is among them, else twenty.
func overName(value string) string {
	if strings.ContainsFunc(value, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		return over(utf8.RuneCountInString(value), 10)
	}
	return over(utf8.RuneCountInString(value), 20)
}

func unlike(value, pattern string) string {
	if !regexp.MustCompile(pattern).MatchString(value) {
		return "has characters this kind of field does not take"
	}
	return ""
}

func either(first, second string) string {
	if first != "" {
		return first
	}
	return second
}
