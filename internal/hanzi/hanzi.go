// Package hanzi knows which Chinese characters are Traditional and what they are in Simplified writing.
//
// One character at a time: no phrases, no context. A character that is also proper Simplified writing (in
// GB 2312) is never called Traditional.
package hanzi

import (
	_ "embed"
	"sort"
	"strings"
	"unicode/utf8"
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
	key := string(r)
	at := record * sort.Search(len(simplified)/record, func(i int) bool {
		return simplified[i*record:i*record+3] >= key
	})
	if at >= len(simplified) || simplified[at:at+3] != key {
		return r
	}
	out, _ := utf8.DecodeRuneInString(simplified[at+3:])
	return out
}
