package flows

import (
	"math"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// mostYuan bounds a sum that somebody may name.
const mostYuan = 100_000_000

// validAmount reads a sum of money in whole yuan: in digits, with a unit behind it, or in numerals. Of a range the
// lower end counts.
func (s Settings) validAmount(text string) (map[string]string, bool) {
	folded := strings.ReplaceAll(strings.ToLower(width.Fold.String(text)), ",", "")
	start := strings.IndexFunc(folded, func(r rune) bool { return s.digitOf(r) >= 0 || s.Units[string(r)] > 1 && !isLatin(r) })
	if start < 0 {
		return nil, false
	}
	yuan, ok := s.sum([]rune(folded[start:]))
	if !ok || yuan <= 0 || yuan > mostYuan {
		return nil, false
	}
	return map[string]string{"": strconv.Itoa(int(math.Round(yuan)))}, true
}

func isLatin(r rune) bool { return r < unicode.MaxASCII && unicode.IsLetter(r) }

// sum adds up figures and their units until something else comes: "3.2w", "3000", "三万二千".
func (s Settings) sum(runes []rune) (total float64, ok bool) {
	figure, point, last, digits := 0.0, 0.0, 0, 0
	take := func(unit int) { // takes the figure read so far into the total
		if figure == 0 && digits == 0 {
			figure = 1
		}
		total += figure * float64(unit)
		figure, point, digits, last = 0, 0, 0, unit
	}
	for _, r := range runes {
		d := s.digitOf(r)
		unit := s.Units[string(r)]
		switch {
		case d >= 0 && point > 0:
			figure += float64(d) * point
			point /= 10
			digits++
		case d >= 0:
			figure = figure*10 + float64(d)
			digits++
		case r == '.' && digits > 0 && point == 0:
			point = 0.1
		case unit > 1:
			if unit > last && total > 0 && last > 0 {
				total, last = (total+figure)*float64(unit), unit
				figure, point, digits = 0, 0, 0
				continue
			}
			take(unit)
		default:
			return s.rest(total, figure, digits, last)
		}
	}
	return s.rest(total, figure, digits, last)
}

// rest adds the figure that no unit followed: "three thousand two" means two hundred more.
func (s Settings) rest(total, figure float64, digits, last int) (float64, bool) {
	if digits == 1 && last >= 100 {
		figure *= float64(last) / 10
	}
	return total + figure, total > 0 || digits > 0
}

func (s Settings) digitOf(r rune) int {
	if r >= '0' && r <= '9' {
		return int(r - '0')
	}
	if strings.ContainsRune(s.Two, r) {
		return 2
	}
	for i, n := range []rune(s.Digits) {
		if n == r {
			return i
		}
	}
	return -1
}
