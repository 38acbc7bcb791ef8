package turn

import (
	"slices"
	"strings"
	"unicode"

	"github.com/lingjuli/lingjuli/internal/hanzi"
	"github.com/lingjuli/lingjuli/locales"
)

// plainSimplified is how many Han characters without a Traditional one among them show Simplified writing.
const plainSimplified = 8

// signs is what tells the two ways of speaking apart.
type signs struct {
	characters string   // that only Cantonese uses
	cantonese  []string // words of Cantonese in characters that Mandarin has too
	mandarin   string   // characters that spoken Cantonese does without
}

// heard guesses the language of a text by how it is written; now is what was heard before, "" nothing.
// A text that shows nothing leaves it as it is, and somebody who writes Cantonese is not taken out of it by a sentence
// that both would write alike.
func heard(text, now string, by signs) string {
	if strings.ContainsAny(text, by.characters) || slices.ContainsFunc(by.cantonese, func(word string) bool { return strings.Contains(text, word) }) {
		return string(locales.YueHant)
	}
	han, latin, traditional, words := 0, 0, false, 0
	inWord := false
	for _, r := range text {
		switch {
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
	case now == string(locales.YueHant) && !strings.ContainsAny(text, by.mandarin):
		return now
	case han >= plainSimplified:
		return string(locales.ZhHans)
	}
	return now
}

func (t *oneTurn) signs() signs {
	s := t.s.engine.Book().Settings()
	return signs{characters: s.Cantonese, cantonese: s.CantoneseWords, mandarin: s.Mandarin}
}
