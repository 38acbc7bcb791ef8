package flows

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/width"

	"github.com/lingjuli/lingjuli/internal/hanzi"
)

// normalise writes a word as all that it is compared with: folded, in Simplified characters. People mix both kinds.
func normalise(text string) string { return hanzi.Simplify(fold(text)) }

// fold folds width and case and drops spaces and punctuation at the ends, so that a word with a full stop or in
// full-width letters is the word itself.
func fold(text string) string {
	text = strings.ToLower(width.Fold.String(text))
	return strings.TrimFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsControl(r) || r == '\u200b' || r == '\ufeff'
	})
}

// globalWord is one of the things understood in every step.
type globalWord int

const (
	wordOptOut globalWord = iota
	wordOptOutIdle
	wordOptIn
	wordBack
	wordMenu
	wordRepeat
	wordPerson
	wordMore
	wordLeave
	wordYes
	wordNo
	wordInvitedYes
	wordInvitedNo
)

// globalWords maps each normalised word to its meanings.
type globalWords map[string][]globalWord

func newGlobalWords(s Settings) globalWords {
	w := make(globalWords)
	for meaning, words := range map[globalWord][]string{
		wordOptOut: s.OptOut, wordOptIn: s.OptIn, wordBack: s.Back, wordMenu: s.Menu, wordRepeat: s.Repeat,
		wordPerson: s.Person, wordMore: s.More, wordLeave: s.Leave, wordOptOutIdle: s.OptOutIdle,
		wordYes: s.Yes, wordNo: s.No, wordInvitedYes: s.InvitedYes, wordInvitedNo: s.InvitedNo,
	} {
		for _, word := range words {
			w[normalise(word)] = append(w[normalise(word)], meaning)
		}
	}
	return w
}

func (w globalWords) has(meaning globalWord, said string) bool {
	return slices.Contains(w[said], meaning)
}

// optOut says whether the words stop all campaigns. Some count only where no question is open: there they are
// an answer.
func (w globalWords) optOut(said string, asked bool) bool {
	return w.has(wordOptOut, said) || !asked && w.has(wordOptOutIdle, said)
}

// numberIn reads a tapped or typed number: in digits of any width, circled, as a numeral, with the words that
// people put around it. 0: no number.
func (s Settings) numberIn(said string) int {
	for _, before := range s.NumberBefore {
		said = strings.TrimSpace(strings.TrimPrefix(said, hanzi.Simplify(before)))
	}
	for _, after := range s.NumberAfter {
		said = strings.TrimSpace(strings.TrimSuffix(said, hanzi.Simplify(after)))
	}
	runes := []rune(said)
	switch {
	case len(runes) == 1:
		return s.digit(runes[0])
	case len(runes) == 2 && runes[0] == '1' && runes[1] >= '0' && runes[1] <= '9':
		return 10 + int(runes[1]-'0')
	}
	return 0
}

func (s Settings) digit(r rune) int {
	const circledOne, circledNine = '\u2460', '\u2468'
	switch {
	case r >= '1' && r <= '9':
		return int(r - '0')
	case r >= circledOne && r <= circledNine:
		return int(r-circledOne) + 1
	}
	return slices.Index([]rune(s.Numerals), r) + 1
}
