package register

import (
	"errors"
	"log/slog"
	"strings"
)

// Phone is a mainland phone number in digits: 11 for a mobile, a landline with its area code where it was given.
// It is personal data: it prints masked.
type Phone string

// Why a written phone number was not taken.
var (
	ErrPhoneMissing = errors.New("register: no phone number")
	ErrPhoneInvalid = errors.New("register: not a phone number")
)

// ParsePhone reads a phone number as people type it: +86, 0086, spaces, dashes, brackets and full-width digits are put
// right. Of several numbers in one cell the first mobile is taken, else the first landline.
func ParsePhone(raw string) (Phone, error) {
	s := fold(raw)
	if s == "" || isWord(wordNone, s) {
		return "", ErrPhoneMissing
	}
	if p, ok := onePhone(s); ok {
		return p, nil
	}
	var landline Phone
	for _, part := range strings.FieldsFunc(s, phoneSeparator) {
		p, ok := onePhone(part)
		if ok && p.IsMobile() {
			return p, nil
		}
		if ok && landline == "" && len(p) >= 10 {
			landline = p
		}
	}
	if landline != "" {
		return landline, nil
	}
	return "", ErrPhoneInvalid
}

func phoneSeparator(r rune) bool { return strings.ContainsRune(" /\\,;|\u3001", r) }

// onePhone reads one number, with all that may stand between its digits.
func onePhone(s string) (Phone, bool) {
	s = strings.TrimSuffix(s, ".0") // a numeric cell written as text
	s = strings.NewReplacer(" ", "", "-", "", "\u2014", "", "\u2013", "", "(", "", ")", "", "'", "").Replace(s)
	s = strings.TrimPrefix(s, "+")
	if rest, found := strings.CutPrefix(s, "0086"); found {
		s = rest
	} else if rest, found := strings.CutPrefix(s, "86"); found && len(s) >= 12 {
		s = rest
	}
	if !digits(s) {
		return "", false
	}
	if p := Phone(s); p.IsMobile() || landline(s) {
		return p, true
	}
	return "", false
}

// landline: 010 and 02x with eight digits, other areas with seven or eight; or seven or eight digits alone.
func landline(s string) bool {
	if s[0] == '0' {
		return len(s) >= 10 && len(s) <= 12 && s[1] != '0'
	}
	return (len(s) == 7 || len(s) == 8) && s[0] >= '2'
}

// IsMobile says whether the number can receive texts.
func (p Phone) IsMobile() bool {
	return len(p) == 11 && p[0] == '1' && p[1] >= '3' && digits(string(p))
}

// String shows nothing of the number.
func (p Phone) String() string { return strings.Repeat("*", len(p)) }

// LogValue masks the number in logs.
func (p Phone) LogValue() slog.Value { return slog.StringValue(p.String()) }

// Masked is the number as pages and reports show it, 138****0000.
func (p Phone) Masked() string { return maskMiddle(string(p), 3, 4) }
