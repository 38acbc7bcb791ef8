package flows

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/lingjuli/lingjuli/internal/register"
)

// TradeName is one trade: the words that offers have for it, and its names in letters, English ones and others.
type TradeName struct {
	Is    []string `yaml:"is"`
	Names []string `yaml:"names"`
}

// Bounds of what is read as one name in letters.
const (
	wordsOfName  = 4 // it has at most so many words
	lettersGlued = 5 // and written together with another, at least so many letters
)

// lettered is what a name in letters means; nothing set: it says nothing.
type lettered struct {
	near   bool
	course bool
	trade  []string
	places []register.Wherever
}

var (
	inLetters = regexp.MustCompile(`[a-z][a-z'’]*`)
	thousands = regexp.MustCompile(`(\d),(\d{3})\b`)
)

// nameLetters collects what names in letters mean.
func (s *Settings) nameLetters() {
	s.letters, s.pinyin = make(map[string]lettered), make(map[string]bool)
	for syllable := range strings.FieldsSeq(s.Syllables) {
		s.pinyin[syllable] = true
	}
	for _, w := range s.LettersFiller {
		s.letters[together(w)] = lettered{}
	}
	for _, w := range s.LettersCourse {
		s.letters[together(w)] = lettered{course: true}
	}
	for _, t := range s.TradeNames {
		for _, name := range t.Names {
			s.letters[together(name)] = lettered{trade: t.Is}
		}
	}
	for _, w := range s.LettersNear {
		s.letters[together(w)] = lettered{near: true}
	}
}

// together writes a name without spaces and marks.
func together(name string) string {
	return strings.NewReplacer(" ", "", "-", "", "'", "", "’", "").Replace(name)
}

// lettersMean is what a name in small letters without spaces means.
func (s Settings) lettersMean(name string) (lettered, bool) {
	for _, form := range []string{name, strings.TrimSuffix(name, "s"), strings.TrimSuffix(name, "es")} {
		if m, ok := s.letters[form]; ok {
			return m, true
		}
		if places := register.PlacesLettered(form); len(places) > 0 {
			return lettered{places: places}, true
		}
	}
	return lettered{}, false
}

// inLetters takes what is written in letters out of somebody's words: places, trades, nearness, and what says nothing.
// What is left has spaces where it stood.
func (s Settings) inLetters(text string, found *Search) string {
	at := inLetters.FindAllStringIndex(text, -1)
	rest, end := strings.Builder{}, 0
	for i := 0; i < len(at); {
		n := s.longestName(text, at[i:])
		from, to := at[i][0], at[i+max(n, 1)-1][1]
		rest.WriteString(text[end:from])
		if n > 0 || s.takeGlued(text[from:to], found) {
			if n > 0 {
				s.take(text[from:to], found)
			}
			rest.WriteByte(' ')
		} else {
			rest.WriteString(text[from:to])
		}
		i, end = i+max(n, 1), to
	}
	return rest.String() + text[end:]
}

// longestName is how many of the words ahead are one name, 0: the first is none.
func (s Settings) longestName(text string, at [][]int) (longest int) {
	for n := 1; n <= min(wordsOfName, len(at)); n++ {
		if n > 1 && strings.Trim(text[at[n-2][1]:at[n-1][0]], " -") != "" {
			break
		}
		if _, known := s.lettersMean(together(text[at[0][0]:at[n-1][1]])); known {
			longest = n
		}
	}
	return longest
}

// takeGlued takes names that are written together: guangzhoudianzichang.
func (s Settings) takeGlued(word string, found *Search) bool {
	for cut := lettersGlued; cut <= len(word)-lettersGlued; cut++ {
		head, known := s.lettersMean(word[:cut])
		if _, also := s.lettersMean(word[cut:]); known && also && len(head.places) > 0 {
			s.take(word[:cut], found)
			s.take(word[cut:], found)
			return true
		}
	}
	return false
}

func (s Settings) take(name string, found *Search) {
	m, _ := s.lettersMean(together(name))
	found.Near = found.Near || m.near
	if len(m.trade) > 0 {
		found.Words = append(found.Words, m.trade...)
		found.Trades = append(found.Trades, name)
	}
	for _, p := range m.places {
		if slices.Contains(found.Places, p) {
			continue
		}
		found.Places = append(found.Places, p)
		if found.Spelt == nil {
			found.Spelt = make(map[string]string)
		}
		found.Spelt[p.Name] = strings.ToUpper(name[:1]) + name[1:]
	}
}

// namesWork says whether words in letters name a place, a trade or both, and nothing else: somebody looks for work.
func (s Settings) namesWork(text string) bool {
	var found Search
	text = normalise(text)
	rest := s.inLetters(text, &found)
	course := slices.ContainsFunc(inLetters.FindAllString(text, -1), func(w string) bool {
		m, _ := s.lettersMean(together(w))
		return m.course
	})
	return len(found.Places)+len(found.Trades) > 0 && !course && strings.IndexFunc(rest, unicode.IsLetter) < 0
}

// namesWork says whether a place or a trade in letters is all that was said. What is taken for another wish with certainty
// is that wish.
func (r *run) namesWork(g Guess) bool {
	d := r.e.book.flows[r.e.book.byIntent[g.Intent]]
	certain := d != nil && !d.Vague && g.Score >= r.e.book.settings.Certain
	return !certain && r.e.book.settings.namesWork(r.in.Text)
}

// longestSyllable of Mandarin has so many letters.
const longestSyllable = 6

// Pinyin says whether a word in letters is Mandarin written by its sound.
func (s Settings) Pinyin(word string) bool {
	word = together(strings.ToLower(word))
	if slices.Contains(s.NotSyllables, word) {
		return false
	}
	reached := make([]bool, len(word)+1)
	reached[0] = true
	for from := range word {
		for to := from + 1; reached[from] && to <= min(len(word), from+longestSyllable); to++ {
			reached[to] = reached[to] || s.pinyin[word[from:to]]
		}
	}
	return reached[len(word)]
}

// alike adds to the words of a search those that other offers have for the same trade.
func (s Settings) alike(words []string) []string {
	all := slices.Clone(words)
	for _, t := range s.TradeNames {
		if !slices.ContainsFunc(words, func(w string) bool { return holds(w, t.Is) }) {
			continue
		}
		for _, w := range t.Is {
			if !slices.ContainsFunc(all, func(have string) bool { return strings.Contains(have, w) }) {
				all = append(all, w)
			}
		}
	}
	return all
}
