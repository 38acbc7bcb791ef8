package register

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// fold narrows full-width characters, turns every kind of white space into a plain one and drops what is invisible.
func fold(raw string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r >= '\uff01' && r <= '\uff5e': // the full-width forms of ! to ~
			return r - '\uff01' + '!'
		case r == '\u200b', r == '\u200c', r == '\u200d', r == '\ufeff', r == '\u2060':
			return -1
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, raw))
}

// squeeze is fold without any space.
func squeeze(raw string) string { return strings.ReplaceAll(fold(raw), " ", "") }

// digits says whether s is made of the digits 0 to 9 alone, and not empty.
func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// maskMiddle keeps head and tail characters and stars the rest; what is too short is all stars.
func maskMiddle(s string, head, tail int) string {
	runes := []rune(s)
	if len(runes) < head+tail+2 {
		return strings.Repeat("*", len(runes))
	}
	return string(runes[:head]) + strings.Repeat("*", len(runes)-head-tail) + string(runes[len(runes)-tail:])
}

// NormaliseName brings a written name to the form it is compared in: no spaces, one kind of middle dot.
func NormaliseName(raw string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '\u2022', '\u30fb', '\u2219', '\u2027', '\uff65', '\u22c5':
			return '\u00b7'
		}
		return r
	}, squeeze(raw))
}

// MaskName keeps the first character of a name.
func MaskName(name string) string {
	runes := []rune(name)
	if len(runes) == 0 {
		return ""
	}
	return string(runes[:1]) + strings.Repeat("*", max(len(runes)-1, 1))
}

// Named is somebody to be told apart from others.
type Named struct {
	Name string
	Born string // a civil date; "": not known
}

// TellApart masks names so that those who know the people can still tell them apart: where two come out alike, their
// last character is shown instead of the first, where that is the same too, the year they were born in beside it, and where
// nothing else differs, a number.
func TellApart(people []Named) []string {
	out := make([]string, len(people))
	for i, p := range people {
		out[i] = MaskName(p.Name)
	}
	alike := func(i int) bool { return slices.Index(out, out[i]) != i || slices.Contains(out[i+1:], out[i]) }
	var twins []int
	for i := range out {
		if alike(i) {
			twins = append(twins, i)
		}
	}
	for _, i := range twins {
		if r := []rune(people[i].Name); len(r) > 1 {
			out[i] = strings.Repeat("*", len(r)-1) + string(r[len(r)-1:])
		}
	}
	twins = slices.DeleteFunc(twins, func(i int) bool { return !alike(i) })
	for _, i := range twins {
		if year, _, known := strings.Cut(people[i].Born, "-"); known {
			out[i] += "(" + year + ")"
		}
	}
	for _, i := range twins {
		if alike(i) {
			out[i] += "(" + strconv.Itoa(i+1) + ")"
		}
	}
	return out
}

// plain says whether s is made of digits and Latin letters alone.
func plain(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && !letter(r) }) < 0
}
