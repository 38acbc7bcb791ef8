package register

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// IDNumber is an 18-character resident identity number (GB 11643-1999). It is personal data: it prints masked.
type IDNumber string

// Why a written ID number was refused. Wrapped with the detail; errors.Is tells them apart.
var (
	ErrIDMissing = errors.New("register: no ID number")
	ErrIDInvalid = errors.New("register: not a valid ID number")
	// ErrIDMangled: a spreadsheet took the number for a quantity and its last digits are lost.
	ErrIDMangled = errors.New("register: ID number mangled by a spreadsheet")
)

// ParseIDNumber reads an ID number as people type it: full-width digits, spaces, a leading apostrophe and a lower-case
// x are put right, and normalised says so. 15-digit numbers are refused: they went out of use in 2013.
func ParseIDNumber(raw string) (id IDNumber, normalised bool, err error) {
	return parseIDNumber(raw, time.Now())
}

func parseIDNumber(raw string, now time.Time) (IDNumber, bool, error) {
	s := foldID(raw)
	if s == "" {
		return "", false, ErrIDMissing
	}
	if scientific(s) {
		return "", false, fmt.Errorf("%w: scientific notation", ErrIDMangled)
	}
	if whole, isFloat := strings.CutSuffix(s, ".0"); isFloat && len(whole) >= 15 {
		return "", false, fmt.Errorf("%w: a decimal number", ErrIDMangled)
	}
	if err := checkID(s, now); err != nil {
		return "", false, err
	}
	return IDNumber(s), s != raw, nil
}

func checkID(s string, now time.Time) error {
	if len(s) != 18 {
		return fmt.Errorf("%w: not 18 characters", ErrIDInvalid)
	}
	if !digits(s[:17]) || s[17] != 'X' && (s[17] < '0' || s[17] > '9') {
		return fmt.Errorf("%w: characters other than digits", ErrIDInvalid)
	}
	if s[17] != checkCharacter(s[:17]) {
		// A spreadsheet keeps 15 significant digits and fills up with zeros.
		if strings.HasSuffix(s, "000") {
			return fmt.Errorf("%w: last digits lost", ErrIDMangled)
		}
		return fmt.Errorf("%w: checksum", ErrIDInvalid)
	}
	if !provinceCode(s[:2]) {
		return fmt.Errorf("%w: no such province", ErrIDInvalid)
	}
	born, err := time.Parse("20060102", s[6:14])
	if err != nil || born.Year() < 1900 || born.Format(time.DateOnly) > now.Format(time.DateOnly) {
		return fmt.Errorf("%w: birth date", ErrIDInvalid)
	}
	return nil
}

// checkCharacter computes the 18th character of 17 digits (ISO 7064 MOD 11-2).
func checkCharacter(s string) byte {
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += int(s[i]-'0') * w
	}
	return "10X98765432"[sum%11]
}

// CompleteIDNumber appends the check character to 17 digits. It is how fictional numbers are made.
func CompleteIDNumber(first17 string) (IDNumber, error) {
	if len(first17) != 17 || !digits(first17) {
		return "", fmt.Errorf("%w: want 17 digits", ErrIDInvalid)
	}
	return IDNumber(first17 + string(checkCharacter(first17))), nil
}

// provinceCode says whether two digits open a province, or one of the residence permits of 2018 (81 to 83).
func provinceCode(two string) bool {
	switch two[0] {
	case '1':
		return two[1] >= '1' && two[1] <= '5'
	case '2':
		return two[1] >= '1' && two[1] <= '3'
	case '3':
		return two[1] >= '1' && two[1] <= '7'
	case '4':
		return two[1] >= '1' && two[1] <= '6'
	case '5':
		return two[1] >= '0' && two[1] <= '4'
	case '6':
		return two[1] >= '1' && two[1] <= '5'
	case '7':
		return two[1] == '1'
	case '8':
		return two[1] >= '1' && two[1] <= '3'
	}
	return false
}

// BirthDate gives the civil date inside a valid number, "2006-01-02".
func (n IDNumber) BirthDate() string {
	if len(n) != 18 {
		return ""
	}
	return string(n[6:10] + "-" + n[10:12] + "-" + n[12:14])
}

// Sex as the 17th digit tells it.
func (n IDNumber) Sex() Sex {
	if len(n) != 18 {
		return ""
	}
	if (n[16]-'0')%2 == 1 {
		return Male
	}
	return Female
}

// Area is the county code in front, perhaps one abolished since.
func (n IDNumber) Area() string {
	if len(n) != 18 {
		return ""
	}
	return string(n[:6])
}

// String shows nothing of the number.
func (n IDNumber) String() string { return strings.Repeat("*", len(n)) }

// LogValue masks the number in logs.
func (n IDNumber) LogValue() slog.Value { return slog.StringValue(n.String()) }

// Masked is the number as pages and reports show it: the city in front and two characters behind.
func (n IDNumber) Masked() string { return maskMiddle(string(n), 4, 2) }

// foldID brings full-width characters, spaces and the look-alikes of X to one form.
func foldID(raw string) string {
	s := strings.TrimLeft(squeeze(raw), "'`\u2018\u2019")
	return strings.Map(func(r rune) rune {
		switch r {
		case 'x', '\u00d7', '\u0425', '\u0445', '\u2715': // times signs and Cyrillic letters
			return 'X'
		}
		return r
	}, s)
}

// scientific recognises 4.41802E+17.
func scientific(s string) bool {
	mantissa, exponent, found := strings.Cut(strings.ToUpper(s), "E")
	if !found {
		return false
	}
	return digits(strings.Replace(mantissa, ".", "", 1)) && digits(strings.TrimPrefix(exponent, "+"))
}
