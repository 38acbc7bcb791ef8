package understand

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/lingjuli/lingjuli/internal/hanzi"
)

// plainWriter writes an utterance the plain way.
type plainWriter struct {
	words  map[string]string // of dialects, in Simplified characters
	starts map[rune]int      // the length in runes of the longest word beginning with a character
	emoji  map[rune]string
	names  *strings.Replacer // of emoji, as the messenger writes them where it can't draw them
}

func newPlainWriter() (*plainWriter, error) {
	w := &plainWriter{words: map[string]string{}, starts: map[rune]int{}, emoji: map[rune]string{}}
	dialects, err := readText("dialects.txt")
	if err != nil {
		return nil, err
	}
	for _, line := range lines(dialects) {
		from, to, ok := strings.Cut(line, " ")
		from = hanzi.Simplify(from)
		if !ok && from == "" {
			return nil, fmt.Errorf("understand: dialects.txt: %q", line)
		}
		w.words[from] = strings.TrimSpace(to)
		first := []rune(from)
		w.starts[first[0]] = max(w.starts[first[0]], len(first))
	}
	emoji, err := readText("emoji.txt")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, line := range lines(emoji) {
		sign, word, _ := strings.Cut(line, " ")
		if sign[0] == '[' {
			names = append(names, sign, word)
			continue
		}
		w.emoji[[]rune(sign)[0]] = word
	}
	w.names = strings.NewReplacer(names...)
	return w, nil
}

// lines gives a file's lines without comments, headings and blanks.
func lines(file string) []string {
	var out []string
	for line := range strings.Lines(file) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			out = append(out, line)
		}
	}
	return out
}

// plain gives the characters that carry meaning: Simplified, lower case, in Mandarin words, without punctuation and
// spaces; a run of digits is one '0', of four or more '9', each Latin word stands between blanks.
func (w *plainWriter) plain(text string) []rune {
	return w.settled(w.letters(text))
}

// letters gives an utterance in single-width lower-case characters, with words for emoji.
func (w *plainWriter) letters(text string) []rune {
	runes := make([]rune, 0, len(text)/2)
	for _, r := range w.names.Replace(strings.ToLower(norm.NFKC.String(text))) {
		if word, ok := w.emoji[r]; ok {
			runes = append(runes, []rune(word)...)
			continue
		}
		runes = append(runes, variant(r))
	}
	return runes
}

func (w *plainWriter) settled(letters []rune) []rune {
	return tidy(w.mandarin([]rune(hanzi.Simplify(string(letters)))))
}

// variant settles characters that people use for one another and that Simplification leaves alone or would hide.
func variant(r rune) rune {
	switch r {
	case '\u4fc2': // the Cantonese "to be"; as part of a word it is 系 as well, which no longer matters
		return '\u662f'
	case '\u8457', '\u7740':
		return '\u7740'
	case '\u4e7e':
		return '\u5e72'
	case '\u5fb5':
		return '\u5f81'
	case '\u5979', '\u5b83':
		return '\u4ed6'
	case '\u59b3', '\u60a8':
		return '\u4f60'
	case '\u4ee8':
		return '\u4e09'
	}
	return r
}

// mandarin replaces the words of the dialects, the longest first.
func (w *plainWriter) mandarin(in []rune) []rune {
	out := make([]rune, 0, len(in))
next:
	for i := 0; i < len(in); {
		for n := min(w.starts[in[i]], len(in)-i); n > 0; n-- {
			if to, ok := w.words[string(in[i:i+n])]; ok {
				out = append(out, []rune(to)...)
				i += n
				continue next
			}
		}
		out = append(out, in[i])
		i++
	}
	return out
}

// tidy drops what is neither letter nor digit, and makes numbers alike.
func tidy(in []rune) []rune {
	out := make([]rune, 0, len(in))
	for i := 0; i < len(in); {
		r := in[i]
		switch {
		case isNumeral(r):
			j := i
			for j < len(in) && isNumeral(in[j]) {
				j++
			}
			out = append(out, number(in[i:j])...)
			i = j
			continue
		case stretched(out, r):
		case isHan(r):
			if strings.ContainsRune(places, r) {
				out = withoutCode(out)
			}
			out = append(out, r)
		case unicode.IsLetter(r):
			out = append(out, r)
		case len(out) > 0 && isLatin(out[len(out)-1]):
			out = append(out, ' ')
		}
		i++
	}
	return []rune(strings.TrimSpace(string(out)))
}

// stretched tells whether a character only draws out a sound or a laugh: who says it five times means what two say.
func stretched(before []rune, r rune) bool {
	n := len(before)
	return n > 1 && before[n-1] == r && before[n-2] == r
}

// places are the signs of city, county, district, town and village.
const places = "\u5e02\u53bf\u533a\u9547\u6751"

// withoutCode drops the letters and digits by which forums hide a place's name: "L9" of "L9 county".
func withoutCode(out []rune) []rune {
	for n := len(out); n > 0 && (isLatin(out[n-1]) || out[n-1] == '0'); n = len(out) {
		out = out[:n-1]
	}
	return out
}

const numerals = "\u4e00\u4e8c\u4e24\u4e09\u56db\u4e94\u516d\u4e03\u516b\u4e5d\u5341\u767e\u5343\u4e07\u96f6\u3007"

func isNumeral(r rune) bool {
	return r >= '0' && r <= '9' || strings.ContainsRune(numerals, r)
}

// number makes one sign of a number. One Chinese numeral alone stays: it is more often part of a word than a number.
func number(in []rune) []rune {
	if len(in) == 1 && in[0] > '9' {
		return in
	}
	digits := 0
	for _, r := range in {
		if r <= '9' {
			digits++
		}
	}
	if strings.Trim(string(in), "0") == "" && len(in) > 2 {
		return in // an answer to opt out
	}
	if digits >= 4 {
		return []rune{'9'}
	}
	return []rune{'0'}
}
