package register

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// Wherever is a place as somebody says it: its name as offers may write it, and the region codes that begin with Prefix.
type Wherever struct{ Name, Prefix string }

// sayable are the names of cities and counties as people say them, the longest first. A name that could be any place's, such as
// the bare word for a district, is none.
var sayable = sync.OnceValue(func() []Wherever {
	p := gazetteer()
	var list []Wherever
	add := func(name, prefix string) {
		if len([]rune(name)) > 2 || !slices.ContainsFunc(placeSuffixes(), func(kind string) bool { return strings.HasSuffix(name, kind) }) {
			list = append(list, Wherever{name, prefix})
		}
	}
	for name, code := range p.cities {
		add(name, trimZeros(pad(code)))
	}
	for name, codes := range p.counties {
		prefix := ""
		if len(codes) == 1 {
			prefix = codes[0]
		}
		if _, city := p.cities[name]; !city {
			add(name, prefix)
		}
	}
	slices.SortFunc(list, func(a, b Wherever) int { return cmp.Or(len(b.Name)-len(a.Name), strings.Compare(a.Name, b.Name)) })
	return list
})

// PlacesIn takes the cities and counties of the province out of somebody's words. What is left has spaces where they stood.
func PlacesIn(text string) (found []Wherever, rest string) {
	for _, place := range sayable() {
		if strings.Contains(text, place.Name) {
			text = strings.ReplaceAll(text, place.Name, " ")
			found = append(found, Wherever{stem(place.Name), place.Prefix})
		}
	}
	return found, text
}

// anywhereIn says whether an offer lies in one of the places; no places: yes.
func anywhereIn(places []Wherever, region string, texts ...string) bool {
	if len(places) == 0 {
		return true
	}
	text := strings.Join(texts, " ")
	return slices.ContainsFunc(places, func(p Wherever) bool {
		return strings.Contains(text, p.Name) || p.Prefix != "" && strings.HasPrefix(region, p.Prefix)
	})
}

//go:embed data/letters.tsv
var lettersTSV string

// lettered are the cities and counties by their names in letters. Of one name there may be several.
var lettered = sync.OnceValue(func() map[string][]Wherever {
	p, byName := gazetteer(), make(map[string][]Wherever)
	for line := range strings.Lines(lettersTSV) {
		code, names, found := strings.Cut(strings.TrimSpace(line), "\t")
		if !found || line[0] == '#' {
			continue
		}
		place := Wherever{stem(p.names[code]), code}
		if isCity(code) {
			place.Prefix = trimZeros(pad(code))
		}
		for name := range strings.FieldsSeq(names) {
			byName[name] = append(byName[name], place)
		}
	}
	return byName
})

// PlacesLettered are the cities and counties that a word in small letters without spaces names.
func PlacesLettered(word string) []Wherever { return lettered()[word] }
