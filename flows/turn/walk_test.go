package turn_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/traditionalchinese"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/flows/turn/turntest"
	"github.com/lingjuli/lingjuli/internal/hanzi"
	"github.com/lingjuli/lingjuli/locales"
)

// What one answer holds at most: WeChat's own bounds, and for whom short words were asked for, less.
const (
	mostRunes = 600
	mostBytes = 1800
	mostElder = 220 // in Chinese, without the choices
)

// Every flow of the definitions is gone through in every language, in ordinary and in simple words, by people for whom
// things stand differently: from its first words, with every answer to every question, to its ends. With WALK_OUT=folder
// what was said is written there, to be read.
func TestEveryFlowCanBeWalkedToItsEndsInEveryLanguage(t *testing.T) {
	files, err := filepath.Glob("../testdata/walk/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	engine := turntest.Engine(t)
	for _, locale := range locales.All() {
		t.Run(string(locale), func(t *testing.T) {
			t.Parallel()
			said, answers := make(map[string]bool), 0
			for _, file := range files {
				for _, elder := range []bool{false, true} {
					r := newReader(t, engine, turntest.ReadWorld(t, file), locale, elder)
					w := turntest.Walker{World: r.world, Locale: locale, Elder: elder, Hear: func(h turntest.Heard) {
						answers++
						for _, key := range h.Texts {
							said[key] = true
						}
						r.read(h)
					}}
					w.Walk(t, engine)
					r.keep(t, file)
				}
			}
			for _, s := range engine.Book().Shapes() {
				for _, key := range s.Says {
					if !said[key] && !s.SMS {
						t.Errorf("the walk of %s never came to %s", s.ID, key)
					}
				}
			}
			t.Logf("%d answers", answers)
		})
	}
}

// reader reads answers as the person would to whom they are said.
type reader struct {
	t          testing.TB
	world      turntest.World
	locale     locales.Locale
	elder      bool
	settings   flows.Settings
	texts      *locales.Localizer
	ids        []string
	simplified map[rune]bool
	names      map[string]bool // pairs of characters that stand in the register, and single ones that are a record
	transcript strings.Builder
	heard      map[string]bool
}

func newReader(t testing.TB, engine *flows.Engine, world turntest.World, locale locales.Locale, elder bool) *reader {
	t.Helper()
	all, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{
		t: t, world: world, locale: locale, elder: elder, settings: engine.Book().Settings(), texts: all.Localizer(locale),
		ids: all.Localizer(locale).IDs(), heard: make(map[string]bool), simplified: make(map[rune]bool), names: make(map[string]bool),
	}
	r.learn(world.Text)
	for _, word := range r.settings.Words {
		r.learn(word)
	}
	return r
}

// learn takes up names, which no language changes.
func (r *reader) learn(records string) {
	text := []rune(records)
	for i := range len(text) - 1 {
		r.names[string(text[i:i+2])] = true
		if i > 0 && text[i-1] == ',' && text[i+1] == ',' {
			r.names[string(text[i])] = true
		}
	}
}

func (r *reader) read(h turntest.Heard) {
	text := h.Answer.Text
	if r.heard[text] {
		return
	}
	r.heard[text] = true
	fmt.Fprintf(&r.transcript, "▶ %s\n%s\n\n", strings.Join(h.Path, " ▶ "), text)
	for _, wrong := range slices.Concat(r.form(h), r.language(h)) {
		r.t.Errorf("%s, %s, elder %v: %s:\n%s", r.locale, strings.Join(h.Path, " ▶ "), r.elder, wrong, text)
	}
}

var (
	unfilled = regexp.MustCompile(`<no value>|\{\{|\}\}|%!|map\[|\$\{|<nil>`)
	keyLike  = regexp.MustCompile(`[a-z][a-z_]*\.[a-z_]+`)
	phone    = regexp.MustCompile(`\b(?:12345|12333|12366|12393|96110|110|0\d{2,3}-\d{7,8})\b`)
	waysBack = regexp.MustCompile(`回复“|回覆「|[Rr]eply `)
)

// form is what is wrong with an answer in any language.
func (r *reader) form(h turntest.Heard) (wrong []string) {
	text := h.Answer.Text
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if n := utf8.RuneCountInString(text); n == 0 || n > mostRunes || len(text) > mostBytes {
		say("%d characters in %d bytes", n, len(text))
	}
	if unfilled.MatchString(text) {
		say("a text is not filled")
	}
	for _, word := range keyLike.FindAllString(text, -1) {
		if slices.Contains(r.ids, word) {
			say("the key %s instead of its text", word)
		}
	}
	if len(h.Answer.Choices) == 0 && !h.Open && !phone.MatchString(text) && !waysBack.MatchString(text) {
		say("a dead end")
	}
	lines := strings.Split(text, "\n")
	words := strings.Join(lines[:max(0, len(lines)-len(h.Answer.Choices))], "")
	if n := utf8.RuneCountInString(words); r.elder && r.locale != locales.English && n > mostElder {
		say("%d characters for whom short words were asked for", n)
	}
	for i, c := range h.Answer.Choices {
		want := fmt.Sprintf("%d %s", c.Number, c.Label)
		if at := len(lines) - len(h.Answer.Choices) + i; at < 0 || lines[at] != want {
			say("the choices are not its last lines: %s", want)
			break
		}
	}
	return wrong
}

// language is what is wrong with an answer in this language. Names out of the register have one form in all of them, and
// so do the names of the languages.
func (r *reader) language(h turntest.Heard) (wrong []string) {
	if slices.ContainsFunc(h.Texts, func(key string) bool { return strings.HasPrefix(key, "language.") }) {
		return nil
	}
	text := []rune(strings.ReplaceAll(h.Answer.Text, r.texts.Text("title.language", nil), ""))
	for i, c := range text {
		if !unicode.Is(unicode.Han, c) && !strings.ContainsRune("，。：；！？（）、", c) {
			continue
		}
		switch {
		case r.locale != locales.English && !r.foreign(c), r.named(text, i):
		default:
			wrong = append(wrong, fmt.Sprintf("%c does not belong to %s", c, r.locale))
		}
	}
	if r.locale == locales.YueHant && r.wordy(h, text) && !strings.ContainsAny(string(text), r.settings.Cantonese+"喇係啱啦") {
		wrong = append(wrong, "nothing in it is Cantonese")
	}
	return wrong
}

// foreign says whether a character may be wrong where Chinese is written.
func (r *reader) foreign(c rune) bool {
	if r.locale == locales.ZhHans {
		return hanzi.Traditional(c)
	}
	if r.locale == locales.YueHant && strings.ContainsRune(r.settings.Mandarin, c) {
		return true
	}
	known, ok := r.simplified[c]
	if !ok {
		known = simplifiedOnly(c)
		r.simplified[c] = known
	}
	return known
}

// named says whether a character stands in a name of the register, or in a state in its own words.
func (r *reader) named(text []rune, i int) bool {
	for _, pair := range [][2]int{{i, i + 1}, {i - 1, i + 1}, {i, i + 2}} {
		if pair[0] < 0 || pair[1] > len(text) {
			continue
		}
		if r.names[string(text[pair[0]:pair[1]])] {
			return true
		}
	}
	return strings.HasPrefix(string(text[i+1:]), "**") || strings.HasSuffix(string(text[:i]), "**") // a masked name
}

// wordy says whether an answer, without its choices, holds enough words to hear how it speaks.
func (r *reader) wordy(h turntest.Heard, text []rune) bool {
	n := 0
	for i, c := range text {
		if unicode.Is(unicode.Han, c) && !r.named(text, i) {
			n++
		}
	}
	for _, c := range h.Answer.Choices {
		n -= utf8.RuneCountInString(c.Label)
	}
	return n >= 16
}

// simplifiedOnly says whether Traditional writing does without a character.
func simplifiedOnly(c rune) bool {
	_, err := traditionalchinese.Big5.NewEncoder().String(string(c))
	return err != nil && unicode.Is(unicode.Han, c)
}

func (r *reader) keep(t *testing.T, file string) {
	t.Helper()
	dir := os.Getenv("WALK_OUT")
	if dir == "" {
		return
	}
	name := fmt.Sprintf("%s_%s_%v.txt", strings.TrimSuffix(filepath.Base(file), ".yaml"), r.locale, r.elder)
	if err := os.WriteFile(filepath.Join(dir, name), []byte(r.transcript.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
