package register

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// What a cell can be besides right.
var (
	errOpen  = errors.New("register: left open") // 待定 and the like
	errValue = errors.New("register: not such a value")
)

// parseDate reads a civil date in the shapes people write: 2024-1-5, 2024/1/5, 2024.1.5, 20240105, 2024年1月5日,
// with or without a time, and the serial number of a spreadsheet. A month alone is its first day, or its last where
// the date ends something. errOpen: written as open.
func parseDate(raw string, ends bool) (string, error) {
	s := fold(raw)
	if isWord(wordOpenDate, s) {
		return "", errOpen
	}
	if i := strings.IndexAny(s, " T"); i > 0 && strings.Contains(s[i:], ":") {
		s = s[:i]
	}
	parts := numbersIn(s)
	switch {
	case strings.IndexFunc(s, letter) >= 0:
		return "", errValue
	case len(parts) == 3 && len(parts[0]) == 4:
		return civilDate(parts[0], parts[1], parts[2])
	case len(parts) == 2 && len(parts[0]) == 4 && len(parts[1]) <= 2:
		return monthDate(parts[0], parts[1], ends)
	case len(parts) == 1 && len(s) == 8 && len(parts[0]) == 8:
		return civilDate(s[:4], s[4:6], s[6:])
	case len(parts) == 1 && len(s) == 6 && len(parts[0]) == 6:
		return monthDate(s[:4], s[4:], ends)
	case len(parts) >= 1 && len(parts[0]) == 5 && digits(strings.Replace(s, ".", "", 1)):
		return serialDate(parts[0])
	}
	return "", errValue
}

// parseFirstDay reads the first day of several, 2026年12月5日至7日, or of a day with its hours, 2026-12-05 9:00-11:30.
func parseFirstDay(raw string) (string, error) {
	parts := numbersIn(fold(raw))
	if len(parts) < 3 || len(parts[0]) != 4 || len(parts[1]) > 2 || len(parts[2]) > 2 || strings.IndexFunc(fold(raw), letter) >= 0 {
		return "", errValue
	}
	return civilDate(parts[0], parts[1], parts[2])
}

// parseMonth reads 2026-11, 202611, 2026年11月, or the month of a day.
func parseMonth(raw string) (string, error) {
	date, err := parseDate(raw, false)
	if err != nil {
		return "", errValue
	}
	return date[:len("2006-01")], nil
}

// parsePercent reads 75%, 75.5, 0.755 as hundredths of a per cent. A number up to one is a fraction unless it bears
// the sign.
func parsePercent(raw string) (int, error) {
	s := squeeze(raw)
	s, signed := strings.CutSuffix(s, "%")
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || strings.ContainsAny(s, "eExXpPnN_") {
		return 0, errValue
	}
	if !signed && f <= 1 {
		f *= 100
	}
	if f < 0 || f > 100 {
		return 0, errValue
	}
	return int(math.Round(f * 100)), nil
}

// letter: a Latin letter, which no date holds.
func letter(r rune) bool { return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' }

// numbersIn gives the runs of digits.
func numbersIn(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

func civilDate(year, month, day string) (string, error) {
	y, m, d := atoi(year), atoi(month), atoi(day)
	date := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if y < 1900 || y > 2100 || date.Day() != d || int(date.Month()) != m {
		return "", errValue
	}
	return date.Format(time.DateOnly), nil
}

func monthDate(year, month string, ends bool) (string, error) {
	first, err := civilDate(year, month, "1")
	if err != nil || !ends {
		return first, err
	}
	return time.Date(atoi(year), time.Month(atoi(month)+1), 0, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), nil
}

// serialDate counts days as spreadsheets do, from 30 December 1899.
func serialDate(serial string) (string, error) {
	date := time.Date(1899, 12, 30+atoi(serial), 0, 0, 0, 0, time.UTC)
	if date.Year() < 1930 || date.Year() > 2100 {
		return "", errValue
	}
	return date.Format(time.DateOnly), nil
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}

// parseYear reads 2024, 2024年, 2024年度.
func parseYear(raw string) (int, error) {
	parts := numbersIn(fold(strings.TrimSuffix(raw, ".0")))
	if len(parts) != 1 || len(parts[0]) != 4 {
		return 0, errValue
	}
	if y := atoi(parts[0]); y >= 1990 && y <= 2100 {
		return y, nil
	}
	return 0, errValue
}

// amountUnits are what may stand behind an amount; the code is the factor.
func amountUnits() *words { return vocabulary()[wordAmountUnit] }

// parseFen reads an amount of yuan as fen: 380, 380.50元, ￥1,200, 3k, 1.2万.
func parseFen(raw string) (int64, error) {
	s := strings.ReplaceAll(squeeze(raw), ",", "")
	factor := 1.0
	for trimmed := true; trimmed; {
		trimmed = false
		for _, unit := range amountUnits().longest {
			if rest, found := strings.CutSuffix(s, unit); found {
				s, trimmed = rest, true
				if n := atoi(amountUnits().byText[unit]); n > 1 {
					factor = float64(n)
				}
			}
		}
	}
	s = strings.TrimLeft(s, "\u00a5\uffe5")
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || strings.ContainsAny(s, "eExXpPnN_") || f < 0 || f*factor > 1e11 {
		return 0, errValue
	}
	return int64(math.Round(f * factor * 100)), nil
}

// parseFenRange reads 3000-5000元; the upper end is -1 where there is one number.
func parseFenRange(raw string) (low, high int64, err error) {
	from, to, isRange := cutRange(squeeze(raw))
	if !isRange {
		low, err = parseFen(from)
		return low, -1, err
	}
	high, err = parseFen(to)
	if err != nil {
		return 0, 0, err
	}
	// 3-5k: the unit stands behind the second number alone.
	if from == strings.TrimRight(from, "kKwW") && high > 0 && len(numbersIn(from)) == 1 {
		if low, err = parseFen(from + strings.TrimLeft(to, "0123456789.")); err == nil && low <= high {
			return low, high, nil
		}
	}
	low, err = parseFen(from)
	return low, high, err
}

func cutRange(s string) (from, to string, found bool) {
	for i, r := range s {
		switch r {
		case '-', '~', '\u2014', '\u2013', '\uff5e', '\u81f3', '\u5230', '\u301c': // to, in its signs and words
			if i > 0 {
				return s[:i], strings.TrimLeft(s[i:], string(r)), true
			}
		}
	}
	return s, "", false
}

// parseCount reads a number of people or places, the lower one of a range. errOpen: 若干, 不限.
func parseCount(raw string) (int, error) {
	s := squeeze(raw)
	if isWord(wordOpenNumber, s) {
		return -1, errOpen
	}
	parts := numbersIn(strings.TrimSuffix(s, ".0"))
	if len(parts) == 0 {
		if code, found := vocabulary()[wordNumeral].within(s); found {
			return atoi(code), nil
		}
		if _, open := vocabulary()[wordOpenNumber].within(s); open {
			return -1, errOpen
		}
		return 0, errValue
	}
	low := -1
	for _, p := range parts[:min(2, len(parts))] {
		n := atoi(p)
		if len(p) > 6 || n < 0 {
			return 0, errValue
		}
		if low < 0 || n < low {
			low = n
		}
	}
	if s[0] == '-' || low == 0 {
		return 0, errValue
	}
	return low, nil
}
