package register

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// FieldType says which operators and values a field takes.
type FieldType string

// The types. Due is yes/no (something is due) and at once a date (its deadline); the value tells which is meant.
const (
	Text   FieldType = "text"
	Enum   FieldType = "enum"
	Number FieldType = "number"
	Date   FieldType = "date"
	YesNo  FieldType = "yes_no"
	Area   FieldType = "region"
	Due    FieldType = "due"
)

// Field is one entry of the closed catalogue. Words are what a text or enumeration usually holds.
type Field struct {
	Name string
	Type FieldType
	list wordList
}

// Fields lists every field of the catalogue in the order of the interface.
//
// Absent data: a text, date, number or tri-state that nobody has given is unknown. Always known are age, birthday,
// sex, status, phone.mobile (a mobile is on file), wechat.*, opted_out, household.*, service.* and trained.ever.
// region is unknown where a row named none. medical.* and pension.* speak of the year of today and are unknown where
// there is no cover (enrolled, claiming) or premium (paid, due, subsidised) for it. Partly paid is not paid. due is
// true where something is neither paid nor paid for by subsidy. reached.days counts civil days and is unknown for
// whom nothing ever reached. subsidy.* hold where any one application has the value.
func Fields() []Field {
	fields := []Field{
		{"region", Area, ""},
		{"age", Number, ""},
		{"birthday", Date, ""},
		{"sex", Enum, wordSex},
		{"category", Text, wordCategory},
		{"education", Text, wordEducation},
		{"student", Text, wordStudent},
		{"graduated_on", Date, ""},
		{"skills", Text, ""},
		{"labour", Text, wordLabour},
		{"wants.work", YesNo, ""},
		{"wants.training", YesNo, ""},
		{"wants.business", YesNo, ""},
		{"employment", Text, wordEmployment},
		{"placed_on", Date, ""},
		{"disability.level", Number, ""},
		{"disability.kind", Text, wordDisabledBy},
		{"health", Text, wordHealth},
		{"language", Enum, wordLanguage},
		{"status", Enum, wordStatus},
		{"phone.mobile", YesNo, ""},
		{"wechat.bound", YesNo, ""},
		{"wechat.subscribed", YesNo, ""},
		{"opted_out", YesNo, ""},
		{"household.size", Number, ""},
		{"household.employed", Number, ""},
		{"household.pupils", Number, ""},
		{"medical.enrolled", YesNo, ""},
		{"medical.paid", YesNo, ""},
		{"medical.due", Due, ""},
		{"medical.subsidised", YesNo, ""},
		{"pension.enrolled", YesNo, ""},
		{"pension.paid", YesNo, ""},
		{"pension.due", Due, ""},
		{"pension.claiming", YesNo, ""},
		{"subsidy.kind", Text, ""},
		{"subsidy.state", Enum, wordSubsidyState},
		{"reached.days", Number, ""},
	}
	for _, name := range Services() {
		fields = append(fields, Field{"service." + name + ".this_year", YesNo, ""})
	}
	return append(fields, Field{"trained.ever", YesNo, ""})
}

// Services names what service.NAME.this_year may ask about: the six of measure 8, and training.
func Services() []string {
	return []string{"policy", "guidance", "referral", "information", "startup", "projects", "training"}
}

// FindField finds a field of the catalogue by its name.
func FindField(name string) (Field, bool) {
	list := Fields()
	i := slices.IndexFunc(list, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return Field{}, false
	}
	return list[i], true
}

// Words lists the values that a text or enumeration usually holds, empty where any may stand.
func (f Field) Words() []Word {
	if f.list == "" {
		return nil
	}
	return slices.Clone(vocabulary()[f.list].list)
}

// Operators lists what may be asked of the field.
func (f Field) Operators() []Operator { return operatorsOf(f) }

func operatorsOf(f Field) []Operator {
	switch f.Type {
	case Text, Enum:
		return []Operator{Is, In, NotIn, Known}
	case Number, Date, Due:
		return []Operator{Is, GTE, LTE, Between, Known}
	case Area:
		return []Operator{Within, Known}
	case YesNo:
	}
	return []Operator{Is, Known}
}

func (f Field) takes(op Operator) bool { return slices.Contains(operatorsOf(f), op) }

// kindOf tells the two natures of a Due field apart by the canonical value.
func (f Field) kindOf(value string) FieldType {
	if f.Type != Due {
		return f.Type
	}
	if value == "true" || value == "false" {
		return YesNo
	}
	return Date
}

// canonical brings a written value to the form that both readings compare.
func (f Field) canonical(op Operator, raw string) (string, bool) {
	if op == Known {
		return canonicalYesNo(raw)
	}
	switch f.Type {
	case Text, Enum:
		return f.canonicalText(raw)
	case Number:
		return canonicalNumber(raw)
	case Date:
		return canonicalDate(raw)
	case YesNo:
		return canonicalYesNo(raw)
	case Area:
		code, err := RegionPrefix(raw)
		return code, err == nil
	case Due:
		if v, ok := canonicalYesNo(raw); ok && op == Is {
			return v, true
		}
		return canonicalDate(raw)
	}
	return "", false
}

func (f Field) canonicalText(raw string) (string, bool) {
	if f.list == "" {
		text := fold(raw)
		return text, text != "" && len(text) <= 600
	}
	list := vocabulary()[f.list]
	if _, known := list.byCode[raw]; known {
		return raw, true
	}
	code, ok := list.canonical(raw)
	return code, ok && code != "" && len(code) <= 600
}

func canonicalNumber(raw string) (string, bool) {
	raw = squeeze(raw)
	if !digits(raw) || len(raw) > 6 {
		return "", false
	}
	n, err := strconv.Atoi(raw)
	return strconv.Itoa(n), err == nil
}

func canonicalYesNo(raw string) (string, bool) {
	switch code, _ := vocabulary()[wordYesNo].find(strings.ToLower(raw)); code {
	case "yes":
		return "true", true
	case "no":
		return "false", true
	}
	return "", false
}

// canonicalDate takes a civil date, or days counted from the day of asking: today, today-90d, today-60y+3m.
func canonicalDate(raw string) (string, bool) {
	raw = squeeze(raw)
	if _, ok := resolveDate(raw, time.Unix(0, 0).UTC()); !ok {
		return "", false
	}
	return raw, true
}

// resolveDate gives the civil date that a canonical value means today.
func resolveDate(value string, today time.Time) (string, bool) {
	rest, relative := strings.CutPrefix(value, "today")
	if !relative {
		d, err := time.Parse(time.DateOnly, value)
		return value, err == nil && d.Year() > 0
	}
	y, m, d := today.Date()
	for rest != "" {
		sign, n, unit, after, ok := dateStep(rest)
		if !ok {
			return "", false
		}
		switch unit {
		case 'd':
			d += sign * n
		case 'm':
			m += time.Month(sign * n)
		case 'y':
			y += sign * n
		}
		rest = after
	}
	date := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	return date.Format(time.DateOnly), date.Year() > 0 && date.Year() < 10000
}

// dateStep reads +30d from the front.
func dateStep(s string) (sign, n int, unit byte, rest string, ok bool) {
	switch s[0] {
	case '+':
		sign = 1
	case '-':
		sign = -1
	default:
		return 0, 0, 0, "", false
	}
	end := strings.IndexAny(s, "dmy")
	if end < 2 || end > 5 || !digits(s[1:end]) {
		return 0, 0, 0, "", false
	}
	n, err := strconv.Atoi(s[1:end])
	return sign, n, s[end], s[end+1:], err == nil
}

// wants says in words what value would be right.
func (f Field) wants(op Operator) string {
	if op == Known {
		return "true or false"
	}
	switch f.Type {
	case Text:
		return "a text"
	case Enum:
		words := make([]string, 0, 8)
		for _, w := range f.Words() {
			words = append(words, w.Word)
		}
		return "one of " + strings.Join(words, ", ")
	case Number:
		return "a whole number"
	case Date:
		return "a date like 2026-12-31 or today-90d"
	case Area:
		return "a region of Guangdong in 2, 4, 6, 9 or 12 digits"
	case Due:
		return "true, false, or with a date the deadline like 2026-12-31 or today+30d"
	case YesNo:
	}
	return "true or false"
}

// nearest suggests the field that was probably meant.
func nearest(name string) string {
	best, distance := "", 4
	for _, f := range Fields() {
		if d := editDistance(name, f.Name); d < distance {
			best, distance = f.Name, d
		}
	}
	if best == "" {
		return "a field of the catalogue"
	}
	return best
}

// editDistance is Levenshtein's, on bytes: field names are plain letters.
func editDistance(a, b string) int {
	if len(a) > 40 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
