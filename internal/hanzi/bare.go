package hanzi

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// Bare is a text without what changes when it is copied, forwarded or typed anew: Simplified, width and case folded, no
// spaces, no marks of punctuation. What carries meaning stays: every letter and digit, and the signs within figures and
// addresses (. - / @ % +).
func Bare(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x80:
		case r >= 0x4e00 && r <= 0x9fff:
			return simplify(r)
		default:
			if folded := width.LookupRune(r).Folded(); folded != 0 {
				r = folded
			}
		}
		switch {
		case unicode.IsSpace(r), strings.ContainsRune(punctuation, r), unicode.Is(unicode.Cf, r), unicode.IsControl(r):
			return -1
		}
		return unicode.ToLower(r)
	}, text)
}

// punctuation is what people drop, add and exchange without changing what is said.
const punctuation = ",;:!?\"'`()[]<>{}|~\u3001\u3002\u2018\u2019\u201c\u201d\u300a\u300b\u3008\u3009\u300c\u300d\u3010\u3011\u00b7\u2026\u2014"
