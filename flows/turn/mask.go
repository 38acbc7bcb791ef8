package turn

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// longDigits are runs that may be a code, a phone or an ID number, however they are spaced.
var longDigits = regexp.MustCompile(`[0-9\x{FF10}-\x{FF19}](?:[\s-]*[0-9\x{FF10}-\x{FF19}]){4,}(?:[\s-]*[xX\x{FF38}\x{FF58}])?`)

// mask hides numbers of five and more digits, so that a transcript holds no code, phone or ID number.
func mask(text string) string { return longDigits.ReplaceAllString(text, "*****") }

// maskName shows the first character of a name.
func maskName(name string) string {
	first, size := utf8.DecodeRuneInString(name)
	if size == 0 {
		return ""
	}
	return string(first) + strings.Repeat("*", max(1, utf8.RuneCountInString(name)-1))
}
