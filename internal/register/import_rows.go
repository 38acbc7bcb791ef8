package register

import (
	"strings"
	"unicode"
)

// isNoData says whether a row below the header is blank, a repeated header or title, a total, a note or a signature.
func (run *importRun) isNoData(l line) bool {
	texts := l.filled()
	switch {
	case len(texts) == 0:
		return true
	case run.looksLikeData(l):
		return false
	case run.header.isRepeated(run.Kind, l):
		return true
	case opens(wordTotalRow, texts[0]), opens(wordNoteRow, texts[0]), opens(wordSignatureRow, texts[0]):
		return true
	case len(texts) == 1 && (run.titles[squeeze(texts[0])] || len([]rune(texts[0])) > 12):
		return true
	}
	return !run.anyMapped(l)
}

// looksLikeData: a row with something like an ID number is a person's, whatever else stands there.
func (run *importRun) looksLikeData(l line) bool {
	for _, at := range run.header.columns[columnName(run.Kind, fID)] {
		if len(strings.Join(numbersIn(squeeze(l.at(at).text)), "")) >= 15 {
			return true
		}
	}
	return false
}

// opens says whether a text begins with a word of the list, and the word ends there: a colon, a bracket, a number.
func opens(list wordList, text string) bool {
	text = squeeze(text)
	for _, word := range vocabulary()[list].longest {
		rest, found := strings.CutPrefix(text, word)
		if !found {
			continue
		}
		if rest == "" || strings.IndexFunc(rest, func(r rune) bool { return !unicode.Is(unicode.Han, r) && !letter(r) }) == 0 {
			return true
		}
	}
	return false
}

// anyMapped says whether a column that is read holds something: a row with a running number alone is a blank form.
func (run *importRun) anyMapped(l line) bool {
	for _, cells := range run.header.columns {
		for _, at := range cells {
			if fold(l.at(at).text) != "" {
				return true
			}
		}
	}
	return false
}

// readTitle takes the year, the insurance and the kind of subsidy from a line above the header.
func (run *importRun) readTitle(l line) {
	for _, text := range l.filled() {
		run.titles[squeeze(text)] = true
		if year := yearIn(text); year != "" && run.title[fYear] == "" {
			run.title[fYear] = year
		}
		if month, err := parseMonth(text); err == nil && run.title[fMonth] == "" {
			run.title[fMonth] = month
		}
		run.fromTitle(fInsurance, wordInsurance, text)
		run.fromTitle(fSubsidy, wordSubsidyKind, text)
	}
}

func (run *importRun) fromTitle(f field, list wordList, text string) {
	if run.title[f] != "" {
		return
	}
	if spelling, found := vocabulary()[list].spelled(text); found {
		run.title[f] = spelling
	}
}

// spelled gives the longest spelling that stands inside the text; short ones are found in too many texts.
func (w *words) spelled(text string) (string, bool) {
	text = squeeze(text)
	for _, spelling := range w.longest {
		if len([]rune(spelling)) >= 2 && !digits(spelling) && strings.Contains(text, spelling) {
			return spelling, true
		}
	}
	return "", false
}

// yearIn finds the first number of four digits that is a year.
func yearIn(text string) string {
	for _, n := range numbersIn(fold(text)) {
		if y, err := parseYear(n); err == nil {
			return itoa(y)
		}
	}
	return ""
}
