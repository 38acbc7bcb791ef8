package flows

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"

	"github.com/lingjuli/lingjuli/internal/register"
)

// validators is the closed list of what an answer can be checked for.
func validators() []string {
	return []string{"name", "id_number", "code", "words", "text", "amount", "mobile"}
}

// answer is what somebody said to an open question.
type answer struct {
	text  string
	guess func() Guess
	again bool // they said something that did not fit just before
}

// validate checks an answer. The value under "" is the answer itself; others are what came along with it, or instead
// of it (an ID number where the name was asked for).
func (e *Engine) validate(as string, a answer) (map[string]string, bool) {
	switch as {
	case "name":
		return e.validName(a)
	case "id_number":
		return e.validID(a.text)
	case "code":
		return validCode(a.text)
	case "words":
		return e.validWords(a.text)
	case "text":
		return e.validText(a)
	case "mobile":
		return e.validMobile(a.text)
	case "amount":
		return e.book.settings.validAmount(a.text)
	}
	return nil, false
}

// idLike finds 17 digits and a check character, however they are spaced.
var idLike = regexp.MustCompile(`\d(?:[\s-]*\d){16}[\s-]*[\dxX]`)

// findID takes a valid ID number out of a message and gives what is left.
func findID(text string) (id, rest string, found bool) {
	folded := width.Fold.String(text)
	at := idLike.FindStringIndex(folded)
	if at == nil {
		return "", folded, false
	}
	raw := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '-' {
			return -1
		}
		return r
	}, folded[at[0]:at[1]])
	parsed, _, err := register.ParseIDNumber(raw)
	if err != nil {
		return "", folded, false
	}
	return string(parsed), folded[:at[0]] + " " + folded[at[1]:], true
}

// bareID says whether an ID number was said.
func (r *run) bareID() bool {
	_, _, found := findID(r.in.Text)
	return found
}

func (e *Engine) validID(text string) (map[string]string, bool) {
	id, rest, found := findID(text)
	if !found {
		return nil, false
	}
	values := map[string]string{"": id}
	if name := e.book.settings.nameIn(rest, true); name != "" {
		values["name"] = name
	}
	return values, true
}

// validName takes a name, unless the words are rather a wish: one said plainly, or less plainly by what doesn't begin
// with a surname. Whoever says it twice means it.
func (e *Engine) validName(a answer) (map[string]string, bool) {
	id, rest, found := findID(a.text)
	name := e.book.settings.nameIn(rest, found)
	switch {
	case name == "" && found:
		return map[string]string{"id_number": id}, true // not what was asked, but not to be asked for again
	case name == "":
		return nil, false
	case found:
		return map[string]string{"": name, "id_number": id}, true
	case strings.ContainsRune(name, nameDot):
		return map[string]string{"": name}, true
	}
	g := a.guess()
	flow := e.book.flows[e.book.byIntent[g.Intent]]
	length := utf8.RuneCountInString(name)
	likely := length <= 4 && e.surname(name) || length <= 3 && flow != nil && flow.Vague // no list has every surname
	switch {
	case flow == nil, likely && (flow.Vague || a.again), flow.Vague && a.again:
	case likely && g.Score >= e.book.settings.Certain, !likely && g.Score >= e.book.settings.Sure:
		return nil, false
	}
	return map[string]string{"": name}, true
}

func (e *Engine) surname(name string) bool {
	first, _ := utf8.DecodeRuneInString(name)
	return strings.ContainsRune(e.book.settings.Surnames, first)
}

// nameIn takes a person's name out of a message: 2 to 15 Han characters with the dot of minority names.
// besideID: the message held an ID number too, and the words that announce it are no part of the name.
func (s Settings) nameIn(text string, besideID bool) string {
	text = trimMarks(strings.ToLower(text))
	for _, lead := range s.NameLead {
		if after, ok := strings.CutPrefix(text, lead); ok {
			text = trimMarks(after)
		}
	}
	for _, tail := range s.NameTail {
		if besideID {
			text = trimMarks(strings.TrimSuffix(text, tail))
		}
	}
	name := strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\u3000', '\t', '\n', '\r':
			return -1
		case '.', '\u2022', '\u30fb', '\uff65', '\uff0e', '\u2027':
			return nameDot
		}
		return r
	}, text)
	n := utf8.RuneCountInString(name)
	if n < 2 || n > 15 || holds(name, s.NoName) || strings.HasPrefix(name, string(nameDot)) || strings.HasSuffix(name, string(nameDot)) {
		return ""
	}
	for _, r := range name {
		if r != nameDot && !unicode.Is(unicode.Han, r) {
			return ""
		}
	}
	return name
}

// nameDot stands between the parts of a minority name.
const nameDot = '\u00b7'

func trimMarks(text string) string {
	return strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) })
}

var sixDigits = regexp.MustCompile(`(?:^|\D)(\d{6})(?:\D|$)`)

func validCode(text string) (map[string]string, bool) {
	folded := width.Fold.String(text)
	if m := sixDigits.FindStringSubmatch(folded); m != nil {
		return map[string]string{"": m[1]}, true
	}
	// "1 2 3 4 5 6" and "123-456" are a code read aloud.
	bare := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '-' {
			return -1
		}
		return r
	}, folded)
	if len(bare) == 6 && !slices.ContainsFunc([]rune(bare), func(r rune) bool { return r < '0' || r > '9' }) {
		return map[string]string{"": bare}, true
	}
	return nil, false
}

// mobileLike finds a mobile number, however it is spaced.
var mobileLike = regexp.MustCompile(`(?:^|\D)1[3-9](?:[\s-]*\d){9}(?:\D|$)`)

// validMobile takes words that hold a mobile number, with what is said around it.
func (e *Engine) validMobile(text string) (map[string]string, bool) {
	if !mobileLike.MatchString(width.Fold.String(text)) {
		return nil, false
	}
	return e.validWords(text)
}

// maxWords bounds a free answer; what is longer is cut.
const maxWords = 500

// validWords takes a free answer, in which there is a word. A number belongs to a list that they still see.
func (e *Engine) validWords(text string) (map[string]string, bool) {
	text = strings.TrimSpace(text)
	if e.book.settings.numberIn(normalise(text)) > 0 || !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		return nil, false
	}
	return map[string]string{"": clip(text)}, true
}

// shortText is how long words are that are rather a wish than a text which somebody got.
const shortText = 10

// validText takes a text that somebody got and wants looked at, unless they have thought of something else.
func (e *Engine) validText(a answer) (map[string]string, bool) {
	g := a.guess()
	flow := e.book.flows[e.book.byIntent[g.Intent]]
	if utf8.RuneCountInString(a.text) <= shortText && flow != nil && !flow.Vague && g.Score >= e.book.settings.Certain && !isCheckCode(a.text) {
		return nil, false
	}
	return e.validWords(a.text)
}

func clip(text string) string {
	if r := []rune(text); len(r) > maxWords {
		return string(r[:maxWords])
	}
	return text
}
