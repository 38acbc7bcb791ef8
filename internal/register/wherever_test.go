package register

import (
	"slices"
	"testing"
)

func TestPlacesAreTakenOutOfSomebodysWords(t *testing.T) {
	for text, want := range map[string]struct {
		places []Wherever
		rest   string
	}{
		"深圳有电工的工吗":   {[]Wherever{{"深圳", "4403"}}, " 有电工的工吗"},
		"东莞市缝纫":      {[]Wherever{{"东莞", "441900"}}, " 缝纫"},
		"英德或者清新区的保洁": {[]Wherever{{"清新", "441803"}, {"英德", "441881"}}, " 或者 的保洁"},
		"广州番禺电子厂":    {[]Wherever{{"广州", "4401"}, {"番禺", "440113"}}, "  电子厂"},
		"城区附近有没有活":   {nil, "城区附近有没有活"},
		"普工":         {nil, "普工"},
	} {
		got, rest := PlacesIn(text)
		if !sameWherever(got, want.places) || rest != want.rest {
			t.Errorf("%s: %v and %q", text, got, rest)
		}
	}
}

func sameWherever(a, b []Wherever) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(p Wherever) bool { return !slices.Contains(b, p) })
}

func TestEveryPlaceCanBeWrittenInLetters(t *testing.T) {
	for word, want := range map[string]Wherever{
		"guangzhou": {"广州", "4401"}, "panyu": {"番禺", "440113"}, "dongguan": {"东莞", "441900"}, "foshan": {"佛山", "4406"}, "dabu": {"大埔", "441422"},
	} {
		if got := PlacesLettered(word); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %v", word, got)
		}
	}
	if got := PlacesLettered("yunan"); len(got) != 2 {
		t.Errorf("two counties are called so: %v", got)
	}
	have := make(map[string]bool)
	for _, places := range lettered() {
		for _, p := range places {
			have[p.Prefix] = true
		}
	}
	for _, place := range sayable() {
		if place.Prefix != "" && !have[place.Prefix] {
			t.Errorf("%s has no name in letters", place.Name)
		}
	}
}
