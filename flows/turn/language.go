package turn

import (
	"strings"
	"unicode"

	"github.com/lingjuli/lingjuli/internal/hanzi"
	"github.com/lingjuli/lingjuli/locales"
)

// plainSimplified is how many Han characters without a Traditional one among them show Simplified writing.
const plainSimplified = 8

// heard guesses the language of a text by how it is written; now is what was heard before, "" nothing.
// A text that shows nothing leaves it as it is.
func heard(text, now, cantonese string) string {
	han, latin, traditional, words := 0, 0, false, 0
	inWord := false
	for _, r := range text {
		switch {
		case strings.ContainsRune(cantonese, r):
			return string(locales.YueHant)
		case unicode.Is(unicode.Han, r):
			han++
			traditional = traditional || hanzi.Traditional(r)
			inWord = false
		case r < unicode.MaxASCII && unicode.IsLetter(r):
			latin++
			if !inWord {
				words++
			}
			inWord = true
		default:
			inWord = false
		}
	}
	switch {
	case traditional && now != string(locales.YueHant):
		return string(locales.ZhHant)
	case traditional:
		return now
	case han == 0 && (words >= 2 && latin >= 5 || words == 1 && latin >= 5):
		return string(locales.English)
	case han >= plainSimplified:
		return string(locales.ZhHans)
	}
	return now
}
