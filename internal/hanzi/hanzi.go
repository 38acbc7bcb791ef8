// Package hanzi knows which Chinese characters are Traditional and what they are in Simplified writing.
//
// One character at a time: no phrases, no context. A character that is also proper Simplified writing (in
// GB 2312) is never called Traditional.
package hanzi

import (
	_ "embed"
	"strings"
)

// simplified holds records of seven bytes in the order of the first character: Traditional, Simplified, newline.
//
//go:embed simplified.txt
var simplified string

const record = 7

// Simplify writes a text in Simplified characters.
func Simplify(text string) string {
	return strings.Map(simplify, text)
}

// Traditional tells whether a character belongs to Traditional writing alone.
func Traditional(r rune) bool { return simplify(r) != r }

func simplify(r rune) rune {
	if r < 0x4e00 || r > 0x9fff {
		return r
	}
	low, high := 0, len(simplified)/record
	for low < high {
		middle := (low + high) / 2
		switch c := character(middle * record); {
		case c == r:
			return character(middle*record + 3)
		case c < r:
			low = middle + 1
		default:
			high = middle
		}
	}
	return r
}

// character reads one of three bytes, as all in the table are.
func character(at int) rune {
	s := simplified[at : at+3]
	return rune(s[0]&0x0f)<<12 | rune(s[1]&0x3f)<<6 | rune(s[2]&0x3f)
}
