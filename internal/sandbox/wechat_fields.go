package sandbox

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// fieldValid holds the limits of a notice's field, which its kind (the key without its number) decides.
func fieldValid(key, value string) bool {
	n := utf8.RuneCountInString(value)
	if n == 0 || strings.ContainsAny(value, "\r\n") {
		return false
	}
	kind := strings.TrimRight(key, "0123456789")
	switch kind {
	case "thing":
		return n <= 20
	case "number":
		return n <= 32 && matches(`^\d+(\.\d+)?$`, value)
	case "letter":
		return n <= 32 && matches(`^[A-Za-z]+$`, value)
	case "symbol":
		return n <= 5 && !strings.ContainsFunc(value, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
	case "character_string":
		return n <= 32 && matches(`^[\x20-\x7e]+$`, value)
	case "time", "date":
		return timeValid(value)
	case "amount":
		return matches("^[^\\d\\s]?\\d{1,10}(\\.\\d+)?\u5143?$", value)
	case "phone_number":
		return n <= 17 && matches(`^[\d+\-() ]+$`, value)
	case "car_number":
		return n <= 8
	case "name":
		return nameValid(value, n)
	case "phrase":
		return n <= 5 && !strings.ContainsFunc(value, func(r rune) bool { return !unicode.Is(unicode.Han, r) })
	case "enum", "const":
		return n <= 20
	}
	return strings.HasPrefix(kind, "keyword") && n <= 20
}

func matches(pattern, s string) bool { return regexp.MustCompile(pattern).MatchString(s) }

// timeValid takes 15:01, dates in digits or with their Chinese signs, both together, and ranges with ~.
func timeValid(value string) bool {
	const (
		clock = `([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?`
		day   = "(\\d{4}\u5e74\\d{1,2}\u6708(\\d{1,2}\u65e5)?|\\d{4}[-/.]\\d{1,2}([-/.]\\d{1,2})?)"
		one   = `(` + day + `( ?` + clock + `)?|` + clock + `)`
	)
	return matches(`^`+one+`( ?~ ?`+one+`)?$`, value)
}

// nameValid: 10 Han, or 20 letters and signs; no digit.
func nameValid(value string, n int) bool {
	if strings.ContainsFunc(value, unicode.IsDigit) {
		return false
	}
	if strings.ContainsFunc(value, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		return n <= 10
	}
	return n <= 20
}
