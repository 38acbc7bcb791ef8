package turn

import (
	"strings"
	"unicode"

	"github.com/lingjuli/lingjuli/internal/hanzi"
	"github.com/lingjuli/lingjuli/locales"
)

// plainSimplified is how many Han characters without a Traditional one among them show Simplified writing.
const plainSimplified = 8

// englishLetters is how many letters in plain words show English.
const englishLetters = 5

// letters counts those of plain words: an address, a piece of markup or a code is no language.
func letters(text string) (n int) {
	for word := range strings.FieldsSeq(text) {
		word = strings.Trim(word, `,.!?;:'"()`)
		if strings.IndexFunc(word, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) && r != '\'' && r != '-' }) < 0 {
			n += len(word)
		}
	}
	return n
}

// heard guesses the language of a text by how it is written; now is what was heard before, "" nothing.
// A text that shows nothing leaves it as it is.
func heard(text, now, cantonese string) string {
	han, traditional := 0, false
	for _, r := range text {
		if strings.ContainsRune(cantonese, r) {
			return string(locales.YueHant)
		}
		if unicode.Is(unicode.Han, r) {
			han++
			traditional = traditional || hanzi.Traditional(r)
		}
	}
	switch {
	case traditional && now != string(locales.YueHant):
		return string(locales.ZhHant)
	case traditional:
		return now
	case han == 0 && letters(text) >= englishLetters:
		return string(locales.English)
	case han >= plainSimplified:
		return string(locales.ZhHans)
	}
	return now
}
