package flows

import (
	"slices"
	"strings"

	"github.com/lingjuli/lingjuli/internal/hanzi"
)

// Asked is what people say around a text that they want checked. Nothing else may stand around it: whatever is added to a
// text of ours makes it another text.
type Asked struct {
	Around    []string  `yaml:"around"`    // like "is this real?", before or after it
	Signature [2]string `yaml:"signature"` // the brackets that a signature stands in
	Refusal   string    `yaml:"refusal"`   // what the platform puts at the end of promotions
}

// longestSignature is the most characters that a signature has.
const longestSignature = 20

// Without is a text without what stands around it, punctuation and spaces apart.
func (a Asked) Without(text string) string {
	all := a.peeled(text)
	return all[len(all)-1]
}

// mostPeeled bounds how many words are taken from an end.
const mostPeeled = 6

// peeled are the text and all that is left of it as what people say is taken from its ends. A text of ours may itself begin
// or end with such words.
func (a Asked) peeled(text string) []string {
	text = hanzi.Bare(text)
	around := make([]string, 0, len(a.Around))
	for _, words := range a.Around {
		around = append(around, hanzi.Bare(words))
	}
	slices.SortFunc(around, func(x, y string) int { return len(y) - len(x) }) // the longest first
	fronts := ends(text, around, strings.TrimPrefix)
	var all []string
	for _, rest := range fronts {
		all = append(all, ends(rest, around, strings.TrimSuffix)...)
	}
	return all
}

// ends are the text and what is left of it as words are cut from one end, one after the other.
func ends(text string, words []string, cut func(text, word string) string) []string {
	all := []string{text}
	for range mostPeeled {
		at := slices.IndexFunc(words, func(word string) bool { return word != "" && cut(text, word) != text })
		if at < 0 {
			break
		}
		text = cut(text, words[at])
		all = append(all, text)
	}
	return all
}

// Texts are the texts of ours that somebody may mean: what they wrote without what they say around it, and without a
// signature, and with or without the line on how to refuse.
func (a Asked) Texts(words string) []string {
	var all []string
	add := func(text string) {
		for _, peeled := range a.peeled(text) {
			all = append(all, peeled)
			if short := strings.TrimSuffix(peeled, hanzi.Bare(a.Refusal)); short != peeled {
				all = append(all, short)
			}
		}
	}
	add(words)
	open, shut := a.Signature[0], a.Signature[1]
	if open == "" || shut == "" {
		return all
	}
	// A signature stands first or last; before the first and after the last nothing but what is said around may stand.
	if from, to := strings.Index(words, open), strings.Index(words, shut); from >= 0 && to > from &&
		len([]rune(words[from:to])) <= longestSignature && a.Without(words[:from]) == "" {
		add(words[to+len(shut):])
	}
	if from, to := strings.LastIndex(words, open), strings.LastIndex(words, shut); from >= 0 && to > from &&
		len([]rune(words[from:to])) <= longestSignature && a.Without(words[to+len(shut):]) == "" {
		add(words[:from])
	}
	return all
}
