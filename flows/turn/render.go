package turn

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/locales"
)

// The length of one WeChat text: 600 characters and 1800 bytes, less what the hint at its end takes.
const (
	pageRunes = 600
	pageBytes = 1800
)

// values fills a text's values: the lines to call, what the flow gave, and for "name_key" the text of that key.
func (t *oneTurn) values(l *locales.Localizer, given map[string]string) map[string]string {
	return t.s.values(l, t.region, given)
}

func (s *Service) values(l *locales.Localizer, region string, given map[string]string) map[string]string {
	book := s.engine.Book()
	all := map[string]string{
		"TelMedical": book.Line("medical", ""), "TelPaying": book.Line("paying", ""), "TelWork": book.Line("work", ""),
		"TelFraud": book.Line("fraud", ""), "TelOffice": book.Line("office", region), "SubscribeURL": s.subscribeURL,
	}
	for name, value := range given {
		if plain, isKey := strings.CutSuffix(name, "_key"); isKey {
			all[plain] = l.Text(value, nil)
			continue
		}
		all[name] = inWords(l, value)
	}
	return all
}

// monthOnly is how the register writes a month.
const monthOnly = "2006-01"

// inWords writes a civil date or a month as people do in their language; anything else stays as it is.
func inWords(l *locales.Localizer, value string) string {
	if len(value) < len(monthOnly) || len(value) > len(time.DateOnly) || value[4] != '-' {
		return value
	}
	if d, err := time.Parse(time.DateOnly, value); err == nil {
		return l.Text("date.civil", map[string]int{"year": d.Year(), "month": int(d.Month()), "day": d.Day()})
	}
	if d, err := time.Parse(monthOnly, value); err == nil {
		return l.Text("date.month", map[string]int{"year": d.Year(), "month": int(d.Month())})
	}
	return value
}

// write turns effects into one text with its numbered choices, and the pages that wait for "more".
func (t *oneTurn) write(effects []flows.Effect) (Answer, []string) {
	l := t.s.texts.Localizer(t.locale())
	var lines, menu []string
	var choices []Choice
	how := "choices.how"
	if t.contact.Elder {
		how = "choices.how_elder"
	}
	for _, letter := range t.letters {
		lines = append(lines, l.Text("letter.from_staff", map[string]string{"text": letter.Text}))
		t.given = append(t.given, letter.ID)
	}
	for _, e := range effects {
		switch e := e.(type) {
		case flows.Say:
			if text := l.Text(t.worded(l, e.Key), t.values(l, e.Values)); text != "" {
				lines = append(lines, text)
			}
		case flows.Page:
			t.given = nil // what waits goes with an answer of its own
			return Answer{Text: e.Text}, nil
		case flows.Offer:
			lines = append(lines, menu...)
			choices, menu = nil, []string{l.Text(how, nil)}
			for i, label := range e.Labels {
				choices = append(choices, Choice{Number: i + 1, Label: l.Text(label.Key, t.values(l, label.Values)), Mark: label.Mark})
				menu = append(menu, strconv.Itoa(i+1)+" "+choices[i].Label)
			}
		}
	}
	pages := paginate(clean(strings.Join(lines, "\n")), clean(strings.Join(menu, "\n")), l.Text("more.hint", nil))
	if len(pages) == 0 {
		return Answer{}, nil
	}
	return Answer{Text: pages[0], Choices: choices}, pages[1:]
}

// worded is the text's shorter wording for whom short words were asked for, where it has one.
func (t *oneTurn) worded(l *locales.Localizer, key string) string {
	if short := key + flows.ElderWording; t.contact.Elder && l.Has(short) {
		return short
	}
	return key
}

// clean drops the characters that XML 1.0 forbids: a reply with one of them cannot be read.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r >= 0x20 && r <= 0xd7ff, r >= 0xe000 && r <= 0xfffd, r >= 0x10000 && r <= 0x10ffff:
			return r
		}
		return -1
	}, text)
}

// paginate cuts a text into pages that WeChat takes, at the end of a line where there is one; all but the last
// end with the hint. The choices stand under the first page whole: nobody has to ask for more to see what to choose from.
func paginate(text, menu, hint string) (pages []string) {
	tail := "\n" + hint
	if under := tail + "\n" + menu; menu != "" && !fits(text, "\n"+menu) && utf8.RuneCountInString(under) < pageRunes/2 && len(under) < pageBytes/2 {
		cut := cutAt(text, pageRunes-utf8.RuneCountInString(under), pageBytes-len(under))
		pages, text = []string{strings.TrimRight(text[:cut], "\n") + under}, strings.TrimLeft(text[cut:], "\n")
	} else if menu != "" {
		text = strings.TrimLeft(text+"\n"+menu, "\n")
	}
	for !fits(text, "") {
		cut := cutAt(text, pageRunes-utf8.RuneCountInString(tail), pageBytes-len(tail))
		pages = append(pages, strings.TrimRight(text[:cut], "\n")+tail)
		text = strings.TrimLeft(text[cut:], "\n")
	}
	if text != "" {
		pages = append(pages, text)
	}
	return pages
}

func fits(text, tail string) bool {
	return utf8.RuneCountInString(text)+utf8.RuneCountInString(tail) <= pageRunes && len(text)+len(tail) <= pageBytes
}

// cutAt is the byte at which a page of at most so many runes and bytes ends: after a line, if that leaves half a page.
func cutAt(text string, runes, size int) int {
	end, n := 0, 0
	for i, r := range text {
		if n == runes || i+utf8.RuneLen(r) > size {
			break
		}
		end, n = i+utf8.RuneLen(r), n+1
	}
	// A line that is indented belongs to the one above it.
	for line := strings.LastIndexByte(text[:end], '\n'); line > end/2; line = strings.LastIndexByte(text[:line], '\n') {
		if next, _ := utf8.DecodeRuneInString(text[line+1:]); !unicode.IsSpace(next) {
			return line + 1
		}
	}
	return end
}
