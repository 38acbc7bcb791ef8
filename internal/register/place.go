package register

import "strings"

// Place is where a row says it is: a code, or the names that lead to one. The county is known; town and village may
// be new, and the store finds or makes their codes.
type Place struct {
	Code    string // 12 digits; "" says nothing. With names below it, the code of the county alone
	Town    string // in the form of NormalisePlace, "" not named
	Village string
}

// NormalisePlace brings the name of a town or village to the form it is kept in: one of the spellings of its kind
// at the end, no spaces.
func NormalisePlace(name string) string {
	name = squeeze(name)
	kinds := vocabulary()[wordPlaceKind]
	for _, ending := range kinds.longest {
		if rest, found := strings.CutSuffix(name, ending); found && rest != "" {
			return rest + kinds.byText[ending]
		}
	}
	return name
}

// PlaceStem drops the kind from a normalised name.
func PlaceStem(name string) string {
	for _, kind := range vocabulary()[wordPlaceKind].list {
		if rest, found := strings.CutSuffix(name, kind.Code); found && len([]rune(rest)) >= 2 {
			return rest
		}
	}
	return name
}

// SamePlace says whether two normalised names may be one place: equal, or equal but for a kind that one leaves out.
func SamePlace(a, b string) bool {
	return a == b || PlaceStem(a) == b || a == PlaceStem(b)
}

// written are the cells of a row that name a place.
type written struct{ code, city, county, town, village string }

// resolve finds the county behind what is written. The zero Place and no error: nothing is written.
func (w written) resolve(within string) (Place, error) {
	if digits(squeeze(w.code)) {
		code, err := ParseRegion(w.code)
		return Place{Code: code, Town: NormalisePlace(w.town), Village: NormalisePlace(w.village)}, err
	}
	if w.code != "" {
		w = w.split()
	}
	if w == (written{}) {
		return Place{}, nil
	}
	code, err := w.countyCode(within)
	if err != nil {
		return Place{}, err
	}
	place := Place{Code: code, Town: NormalisePlace(w.town), Village: NormalisePlace(w.village)}
	if place.Village != "" && place.Town == "" {
		place.Code, place.Village = townOf(within, code, place.Village)
	}
	return place, nil
}

// countyCode: the county named, or the one that the import is for.
func (w written) countyCode(within string) (string, error) {
	if w.county != "" {
		return FindCounty(w.city, w.county)
	}
	if code, err := FindCounty(w.city, ""); err == nil {
		return code, nil
	}
	if len(within) >= 6 && (w.town != "" || w.village != "") {
		return pad(within[:6]), nil
	}
	return "", ErrRegionUnknown
}

// townOf places a village that names no town: in the town the import is for, else it stays at the county's level.
func townOf(within, county, village string) (code, name string) {
	if len(within) >= 9 && within[:6] == county[:6] {
		return pad(within[:9]), village
	}
	return county, ""
}

// split reads one cell that names county, town and village in a row.
func (w written) split() written {
	p := gazetteer()
	rest := strings.TrimPrefix(squeeze(w.code), p.names["440000"])
	w.code = ""
	if name := longestPrefix(rest, p.cities); name != "" {
		w.city, rest = name, rest[len(name):]
	}
	if name := longestPrefix(rest, p.counties); name != "" {
		w.county, rest = name, rest[len(name):]
	} else if !countyless(p.cities[w.city]) {
		if w.county == "" {
			w.county = rest // no county opens the cell: the lookup will refuse it
		}
		return w
	}
	town, village := splitTown(rest)
	if town != "" {
		w.town = town
	}
	if village != "" {
		w.village = village
	}
	return w
}

// longestPrefix finds the longest key that opens the text.
func longestPrefix[V any](text string, names map[string]V) (longest string) {
	for name := range names {
		if len(name) > len(longest) && strings.HasPrefix(text, name) {
			longest = name
		}
	}
	return longest
}

// splitTown cuts after the first kind of town.
func splitTown(text string) (town, village string) {
	kinds, end := vocabulary()[wordPlaceKind], 0
	for _, ending := range kinds.longest {
		if !kinds.flagged[kinds.byText[ending]] {
			continue
		}
		if i := strings.Index(text, ending); i > 0 && (end == 0 || i+len(ending) < end) {
			end = i + len(ending)
		}
	}
	return text[:end], text[end:]
}
