package flows

import (
	"slices"
	"strings"
)

// glossRunes is how long the longest name is that has a word in English.
const glossRunes = 10

// Gloss says in English what a name of the register means, word by word, the longest first: "" where none is known.
func (s Settings) Gloss(name string) string {
	var words []string
	for runes := []rune(name); len(runes) > 0; {
		n := min(glossRunes, len(runes))
		for n > 1 && s.EnglishNames[string(runes[:n])] == "" {
			n--
		}
		if word := s.EnglishNames[string(runes[:n])]; word != "" {
			words = append(words, word)
		}
		runes = runes[n:]
	}
	return strings.Join(slices.Compact(words), " ")
}

// Glossed puts what a name means in English behind it.
func (s Settings) Glossed(name string) string {
	if gloss := s.Gloss(name); gloss != "" {
		return name + glossOpens + gloss + ")"
	}
	return name
}

const glossOpens = " ("

// unglossed is a name without what was put behind it.
func unglossed(name string) string {
	bare, _, _ := strings.Cut(name, glossOpens)
	return bare
}
