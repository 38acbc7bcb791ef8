package understand

import (
	"fmt"
	"strings"
	"unicode"
)

// english turns English words and phrases into Mandarin, so that whoever writes English gains from what was learnt of
// Chinese. It is a word list, no translation: the order of the words stays.
type english struct {
	mandarin map[string]string // by the words with blanks between, and by their stems
	longest  map[string]int    // the words of the longest phrase, by the stem of its first
	maimed   map[string]string // words with a letter gone or as they are, to the word that was meant
	spells   func(string) bool // whether letters can be read as Chinese syllables
}

func newEnglish(s *sounds) (*english, error) {
	file, err := readText("english.txt")
	if err != nil {
		return nil, err
	}
	e := &english{
		mandarin: map[string]string{}, longest: map[string]int{}, maimed: map[string]string{},
		spells: func(word string) bool { return len(word) <= longestSpelt && s.syllables(word) != nil },
	}
	other := map[string]string{} // forms that give way to what is listed
	for _, line := range lines(file) {
		to, list, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("understand: english.txt: %q", line)
		}
		to = strings.Trim(to, "-")
		for phrase := range strings.SplitSeq(list, ",") {
			words := latinWords([]rune(phrase))
			if len(words) == 0 {
				return nil, fmt.Errorf("understand: english.txt: no words in %q", line)
			}
			e.mandarin[joined(words, plainly)] = to
			other[joined(words, stem)] = to
			other[joined(words, run)] = to
			if len(words) == 1 {
				e.maim(words[0].text)
			}
			first := stem(words[0].text)
			e.longest[first] = max(e.longest[first], len(words))
		}
	}
	for phrase, to := range other {
		if _, ok := e.mandarin[phrase]; !ok {
			e.mandarin[phrase] = to
		}
	}
	return e, nil
}

// leastMended is the length from which on a word with a slip is still told from others.
const leastMended = 5

// maim notes each way to lose a letter of a word but its first.
func (e *english) maim(word string) {
	if len(word) < leastMended || strings.Contains(word, "'") {
		return
	}
	for i := 1; i <= len(word); i++ {
		without := word[:i] + word[min(i+1, len(word)):]
		if _, ok := e.maimed[without]; !ok {
			e.maimed[without] = word
		}
	}
}

// mend gives the word that was meant by one that is not known: a letter too many, too few or another, or two that
// changed places.
func (e *english) mend(word string) string {
	if len(word) < leastMended-1 || len(word) > longestSpelt || e.knows(word) || e.spells(word) {
		return word
	}
	for i := len(word); i > 0; i-- {
		if meant, ok := e.maimed[word[:i]+word[min(i+1, len(word)):]]; ok && len(word) >= len(meant)-1 {
			return meant
		}
	}
	return word
}

func (e *english) knows(word string) bool {
	return e.longest[stem(word)] > 0 || e.mandarin[word] != "" || e.mandarin[stem(word)] != ""
}

// word is a run of Latin letters, and where it stands.
type word struct {
	text     string
	from, to int
	joins    bool // nothing but blanks or hyphens stands between it and the word before
}

// latinWords finds the words; every kind of apostrophe within one is written '.
func latinWords(in []rune) []word {
	var out []word
	joins := false
	for i := 0; i < len(in); {
		if !isLatin(in[i]) {
			joins = joins && (unicode.IsSpace(in[i]) || in[i] == '-')
			i++
			continue
		}
		from := i
		var text []rune
		for ; i < len(in) && (isLatin(in[i]) || isApostrophe(in[i]) && i+1 < len(in) && isLatin(in[i+1])); i++ {
			switch {
			case !isLatin(in[i]):
				text = append(text, '\'')
			case !stretched(text, in[i]):
				text = append(text, in[i])
			}
		}
		out = append(out, word{string(text), from, i, joins})
		joins = true
	}
	return out
}

func isApostrophe(r rune) bool { return r == '\'' || r == '\u2019' || r == '\u2018' || r == '`' }

// in writes what is English in Mandarin. Letters that can all be read as syllables are left to the ear, unless each
// word is English as well.
func (e *english) in(text []rune) []rune {
	words := latinWords(text)
	if len(words) == 0 || e.isSpelt(words) {
		return text
	}
	for i := range words {
		words[i].text = e.mend(words[i].text)
	}
	out := make([]rune, 0, len(text))
	done := 0
	for i := 0; i < len(words); {
		to, n := e.phrase(words[i:])
		if n == 0 {
			i++
			continue
		}
		out = append(out, text[done:words[i].from]...)
		out = append(out, []rune(to)...)
		done = words[i+n-1].to
		i += n
	}
	return append(out, text[done:]...)
}

// phrase gives the Mandarin of the longest phrase that the words begin with, and how many words it has.
func (e *english) phrase(words []word) (string, int) {
	n := min(e.longest[stem(words[0].text)], len(words))
	for i := 1; i < n; i++ {
		if !words[i].joins {
			n = i
		}
	}
	for ; n > 0; n-- {
		for _, form := range []func(string) string{plainly, stem} {
			if to, ok := e.mandarin[joined(words[:n], form)]; ok {
				return to, n
			}
		}
	}
	return "", 0
}

func (e *english) isSpelt(words []word) bool {
	known := true
	for i := range words {
		if !e.spells(run(words[i].text)) {
			return false
		}
		_, n := e.phrase(words[i : i+1])
		known = known && n > 0
	}
	return !known
}

func joined(words []word, form func(string) string) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(form(w.text))
	}
	return b.String()
}

func plainly(word string) string { return word }

// run is a word as hurried people write it: "dont".
func run(word string) string { return strings.ReplaceAll(word, "'", "") }

// stem takes the endings of grammar off a word.
func stem(word string) string {
	word = run(strings.TrimSuffix(word, "'s"))
	s := word
	switch {
	case strings.HasSuffix(s, "ies") && len(s) > 4:
		s = s[:len(s)-3] + "y"
	case strings.HasSuffix(s, "s") && len(s) > 3 && !strings.HasSuffix(s, "ss") && !strings.HasSuffix(s, "us"):
		s = s[:len(s)-1]
	case strings.HasSuffix(s, "ing") && len(s) > 5:
		s = s[:len(s)-3]
	case strings.HasSuffix(s, "ed") && len(s) > 4:
		s = s[:len(s)-2]
	}
	if n := len(s); n < len(word) && n > 3 && s[n-1] == s[n-2] && s[n-1] != 's' && s[n-1] != 'l' {
		s = s[:n-1]
	}
	if len(s) > 3 {
		s = strings.TrimSuffix(s, "e")
	}
	return s
}
