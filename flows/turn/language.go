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

// englishLetters is how many letters in plain words show English.
const englishLetters = 5

// letters counts those of plain words: an address, a piece of markup or a code is no language. Who writes Mandarin by its
// sound alone writes no English.
func letters(text string, pinyin func(word string) bool) (n int) {
	english := false
	for word := range strings.FieldsSeq(text) {
		word = strings.Trim(word, `,.!?;:'"()`)
		if strings.IndexFunc(word, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) && r != '\'' && r != '-' }) < 0 {
			n += len(word)
			english = english || word != "" && !pinyin(word)
		}
	}
	if !english {
		return 0
	}
	return n
}

// signs is what tells the two ways of speaking apart.
type signs struct {
	characters string   // that only Cantonese uses
	cantonese  []string // words of Cantonese in characters that Mandarin has too
	mandarin   string   // characters that spoken Cantonese does without

	pinyin func(word string) bool // says that a word in letters is Mandarin
}

// heard guesses the language of a text by how it is written; now is what was heard before, "" nothing.
// A text that shows nothing leaves it as it is, and somebody who writes Cantonese is not taken out of it by a sentence
// that both would write alike.
func heard(text, now string, by signs) string {
	if strings.ContainsAny(text, by.characters) || slices.ContainsFunc(by.cantonese, func(word string) bool { return strings.Contains(text, word) }) {
		return string(locales.YueHant)
	}
	han, traditional := 0, false
	for _, r := range text {
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
	case han == 0 && letters(text, by.pinyin) >= englishLetters:
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
	return signs{characters: s.Cantonese, cantonese: s.CantoneseWords, mandarin: s.Mandarin, pinyin: s.Pinyin}
}

func (t *oneTurn) locale() locales.Locale {
	if t.in.Channel == SMS {
		return locales.ZhHans
	}
	return localeOf(t.contact.Language)
}

// localeOf is the locale of a contact; the default where none is known.
func localeOf(language string) locales.Locale {
	if l, ok := locales.Parse(language); ok {
		return l
	}
	return locales.ZhHans
}
