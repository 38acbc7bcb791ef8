package register

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// row reads the cells of one data row by field and collects what is wrong with it.
type row struct {
	kind   Kind
	line   line
	header header
	given  map[field]string // for what the row leaves empty: --set, then the title
	within string
	now    time.Time

	reason   Reason // the first thing for which the row is refused
	value    string // what stood there, masked
	warnings []Reason
}

// raw gives the first cell of a field that holds something, else what is given for the whole file.
func (r *row) raw(f field) cell {
	for _, at := range r.header.columns[columnName(r.kind, f)] {
		if c := r.line.at(at); fold(c.text) != "" {
			return c
		}
	}
	return cell{text: r.given[f]}
}

func (r *row) has(f field) bool { return len(r.header.columns[columnName(r.kind, f)]) > 0 }

func (r *row) refuse(reason Reason, value string) {
	if r.reason == "" {
		r.reason, r.value = reason, value
	}
}

func (r *row) invalid(f field, raw string) {
	r.refuse(ValueInvalid+":"+Reason(columnName(r.kind, f)), maskValue(raw))
}

func (r *row) warn(reason Reason) {
	if !slices.Contains(r.warnings, reason) {
		r.warnings = append(r.warnings, reason)
	}
}

// maxText bounds what a text may hold; names of things are shorter.
const (
	maxText = 2000
	maxName = 200
)

// text gives what is written, "" where that says nothing.
func (r *row) text(f field) string {
	s := fold(r.raw(f).text)
	if isWord(wordNone, s) {
		return ""
	}
	if len(s) > maxText {
		r.invalid(f, s)
	}
	return s
}

// required gives a text that must be there.
func (r *row) required(f field) string {
	s := r.text(f)
	if s == "" {
		r.refuse(RequiredMissing+":"+Reason(columnName(r.kind, f)), "")
	}
	if len(s) > maxName {
		r.invalid(f, s)
	}
	return s
}

// word gives the code of a word of a list; a word may say more than "nothing" even where it looks like it.
func (r *row) word(f field, list wordList) string {
	raw := r.raw(f).text
	if fold(raw) == "" {
		return ""
	}
	if code, known := vocabulary()[list].find(raw); known {
		return code
	}
	if isWord(wordNone, raw) {
		return ""
	}
	code, ok := vocabulary()[list].canonical(strings.TrimSuffix(raw, ".0"))
	if !ok || len(code) > maxName {
		r.invalid(f, raw)
		return ""
	}
	return code
}

func (r *row) requiredWord(f field, list wordList) string {
	code := r.word(f, list)
	if code == "" {
		r.refuse(RequiredMissing+":"+Reason(columnName(r.kind, f)), "")
	}
	return code
}

// list gives the several words of a cell.
func (r *row) list(f field, words wordList) []string {
	raw := r.text(f)
	var list []string
	for _, part := range strings.FieldsFunc(raw, listSeparator) {
		part = strings.ReplaceAll(squeeze(part), "|", "")
		if words != "" {
			part, _ = vocabulary()[words].canonical(part)
		}
		if part != "" && !slices.Contains(list, part) {
			list = append(list, part)
		}
	}
	return list
}

func listSeparator(r rune) bool { return strings.ContainsRune(",;/|+ \u3001\n", r) }

func (r *row) yesNo(f field) Tri {
	switch r.word(f, wordYesNo) {
	case "yes":
		return Yes
	case "no":
		return No
	}
	return Unknown
}

// date gives a civil date, "" where it is not given or open.
func (r *row) date(f field, ends bool) string {
	raw := r.raw(f).text
	if fold(raw) == "" {
		return ""
	}
	date, err := parseDate(raw, ends)
	switch {
	case errors.Is(err, errOpen):
		r.warn(DateOpen)
	case err != nil && !isWord(wordNone, raw):
		r.invalid(f, raw)
	}
	return date
}

// requiredDate gives a date that must be there, be it left open.
func (r *row) requiredDate(f field) string {
	date := r.date(f, false)
	if raw := r.raw(f).text; date == "" && !isWord(wordOpenDate, raw) {
		r.refuse(RequiredMissing+":"+Reason(columnName(r.kind, f)), "")
	}
	return date
}

// fen gives an amount, -1 where it is not given. A zero is an amount.
func (r *row) fen(f field) int64 {
	raw := fold(r.raw(f).text)
	if raw == "" {
		return -1
	}
	n, err := parseFen(raw)
	if err == nil {
		return n
	}
	if !isWord(wordNone, raw) && !isWord(wordNoWage, raw) {
		r.invalid(f, raw)
	}
	return -1
}

func (r *row) requiredFen(f field) int64 {
	n := r.fen(f)
	if n < 0 {
		r.refuse(RequiredMissing+":"+Reason(columnName(r.kind, f)), "")
	}
	return n
}

func (r *row) year(f field) int {
	raw := r.raw(f).text
	if fold(raw) == "" {
		r.refuse(RequiredMissing+":"+Reason(columnName(r.kind, f)), "")
		return 0
	}
	y, err := parseYear(raw)
	if err != nil {
		r.invalid(f, raw)
	}
	return y
}

func (r *row) count(f field) int {
	raw := r.raw(f).text
	if fold(raw) == "" {
		r.refuse(RequiredMissing+":"+Reason(columnName(r.kind, f)), "")
		return 0
	}
	n, err := parseCount(raw)
	switch {
	case errors.Is(err, errOpen):
		r.warn(NumberOpen)
	case err != nil:
		r.invalid(f, raw)
	}
	return n
}

// idNumber reads the number that a row of a person must have.
func (r *row) idNumber() IDNumber {
	c := r.raw(fID)
	if isWord(wordNone, c.text) {
		c.text = ""
	}
	id, normalised, err := parseIDNumber(c.text, r.now)
	switch {
	case errors.Is(err, ErrIDMissing):
		r.refuse(IDMissing, "")
	case c.numeric, errors.Is(err, ErrIDMangled):
		r.refuse(IDMangled, maskMiddle(fold(c.text), 4, 2))
	case err != nil:
		r.refuse(IDInvalid, maskMiddle(fold(c.text), 4, 2))
	case normalised:
		r.warn(IDNormalised)
	}
	return id
}

// phone reads the number that a person can be reached at, "" where there is none.
func (r *row) phone() Phone {
	if !r.has(fPhone) && r.given[fPhone] == "" {
		return ""
	}
	phone, err := ParsePhone(r.raw(fPhone).text)
	switch {
	case errors.Is(err, ErrPhoneMissing):
		r.warn(PhoneMissing)
	case err != nil:
		r.warn(PhoneInvalid)
	case !phone.IsMobile():
		r.warn(PhoneLandline)
	}
	return phone
}

// place finds the county of the row; where the row names none it is the one that the import is for.
func (r *row) place() Place {
	w := written{code: fold(r.raw(fRegion).text), city: r.text(fCity), county: r.text(fCounty), town: r.text(fTown), village: r.text(fVillage)}
	if isWord(wordNone, w.code) {
		w.code = ""
	}
	place, err := w.resolve(r.within)
	if err != nil {
		r.refuse(RegionUnknown, maskValue(strings.Join(filled(w.code, w.city, w.county, w.town, w.village), " ")))
		return Place{}
	}
	if place.Code == "" && r.within != "" {
		place.Code = pad(r.within)
	}
	// Below the county the store decides: it alone knows the codes behind names.
	if place.Code != "" && !reaches(place.Code, r.within) {
		r.refuse(RegionOutside, place.Code)
	}
	return place
}

// reaches says whether a place lies inside the prefix, or the prefix inside it.
func reaches(code, within string) bool {
	inside := trimZeros(code)
	return strings.HasPrefix(inside, within) || strings.HasPrefix(within, inside)
}

func filled(texts ...string) []string {
	return slices.DeleteFunc(texts, func(s string) bool { return s == "" })
}

// maskValue shows a value that is no person's own; a long run of digits in it may be one in the wrong column.
func maskValue(raw string) string {
	const long = 7
	runes := []rune(fold(raw))
	for i := 0; i < len(runes); {
		j := i
		for j < len(runes) && (runes[j] >= '0' && runes[j] <= '9' || runes[j] == 'X' || runes[j] == 'x') {
			j++
		}
		if j-i >= long {
			for k := i + 2; k < j-2; k++ {
				runes[k] = '*'
			}
		}
		i = max(j, i+1)
	}
	const most = 60
	if len(runes) > most {
		runes = append(runes[:most:most], '\u2026')
	}
	return string(runes)
}
