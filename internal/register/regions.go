package register

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Levels of a region.
const (
	LevelProvince = 1
	LevelCity     = 2
	LevelCounty   = 3
	LevelTown     = 4
	LevelVillage  = 5
)

// Region is one place of the province. Towns and villages come into being as they are imported; the rest is data.
type Region struct {
	Code   string // 12 digits
	Parent string // "" for the province
	Name   string // "" where only the code is known
	Level  int
}

// ErrRegionUnknown: no county of Guangdong stands behind the code or the names.
var ErrRegionUnknown = errors.New("register: region unknown")

//go:embed data/regions.tsv
var regionsTSV string

// gazetteer is data/regions.tsv, read once. It never changes.
var gazetteer = sync.OnceValue(func() *places {
	p, err := readPlaces(regionsTSV)
	if err != nil {
		panic(err) // the file is part of the program; a test reads it
	}
	return p
})

// places holds province, cities and counties by their six digits.
type places struct {
	names     map[string]string   // in use and abolished
	successor map[string]string   // abolished → in use; "" where there is none alone
	counties  map[string][]string // name and stem → codes in use
	cities    map[string]string   // name and stem → code
	order     []string            // codes in use
}

func readPlaces(text string) (*places, error) {
	p := &places{names: map[string]string{}, successor: map[string]string{}, counties: map[string][]string{}, cities: map[string]string{}}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 3 || len(f[0]) != 6 || !digits(f[0]) {
			return nil, fmt.Errorf("register: regions.tsv: %q", line)
		}
		p.add(f[0], f[1], f[2])
	}
	p.addFormer()
	return p, nil
}

// addFormer lets a county be found by a name that it gave up, as older sheets have it, where no county has that name now
// nor a city, and only one ever had it.
func (p *places) addFormer() {
	former := map[string][]string{} // name → whatever became of those of that name
	for code, name := range p.names {
		next, abolished := p.successor[code]
		_, county := p.counties[name]
		if _, city := p.cities[name]; abolished && !county && !city && isCounty(code) {
			former[name] = append(former[name], next)
		}
	}
	for name, codes := range former {
		slices.Sort(codes)
		if codes = slices.Compact(codes); len(codes) == 1 && codes[0] != "" {
			p.counties[name] = codes
		}
	}
}

func (p *places) add(code, name, successor string) {
	p.names[code] = name
	if successor != "" {
		p.successor[code] = strings.TrimPrefix(successor, "-")
		return
	}
	p.order = append(p.order, code)
	if isCity(code) {
		p.cities[name], p.cities[stem(name)] = code, code
	}
	if isCounty(code) {
		for _, n := range slices.Compact([]string{name, stem(name)}) {
			p.counties[n] = append(p.counties[n], code)
		}
	}
}

// Dongguan and Zhongshan have no counties: their city code stands for both levels.
func countyless(code string) bool { return code == "441900" || code == "442000" }
func isCity(code string) bool     { return code[4:] == "00" && code[2:] != "0000" }
func isCounty(code string) bool   { return code[4:] != "00" || countyless(code) }

// stem drops the kind of place from a name, as people do when they write it.
func stem(name string) string {
	runes := []rune(name)
	if len(runes) < 3 {
		return name
	}
	for _, suffix := range placeSuffixes() {
		if s, found := strings.CutSuffix(name, suffix); found && len([]rune(s)) >= 2 {
			return s
		}
	}
	return name
}

// placeSuffixes come from the data: the kinds of place in order of length, first line of regions.tsv.
var placeSuffixes = sync.OnceValue(func() []string {
	line, _, _ := strings.Cut(regionsTSV, "\n")
	_, list, _ := strings.Cut(line, ":")
	return strings.Fields(list)
})

// ParseRegion reads a code of 6, 9 or 12 digits and gives the 12-digit one. A county abolished in favour of one
// other is read as that. ErrRegionUnknown where the first six digits are no county of Guangdong.
func ParseRegion(code string) (string, error) {
	code = squeeze(code)
	if !digits(code) || len(code) != 6 && len(code) != 9 && len(code) != 12 {
		return "", ErrRegionUnknown
	}
	county, known := gazetteer().county(code[:6])
	if !known {
		return "", ErrRegionUnknown
	}
	return pad(county + code[6:]), nil
}

func (p *places) county(code string) (string, bool) {
	if _, known := p.names[code]; !known || !isCounty(code) {
		return "", false
	}
	if next := p.successor[code]; next != "" {
		return next, true
	}
	return code, true
}

func pad(code string) string { return code + strings.Repeat("0", 12-len(code)) }

// RegionPrefix reads a code of 2, 4, 6, 9 or 12 digits, or the 12 digits of a larger place with zeros behind it, and
// gives the prefix that all codes inside it share: 441802000000 → 441802, 441800 → 4418.
func RegionPrefix(code string) (string, error) {
	code = squeeze(code)
	if !digits(code) {
		return "", ErrRegionUnknown
	}
	switch len(code) {
	case 2, 4:
	case 6, 9, 12:
		code = trimZeros(code)
	default:
		return "", ErrRegionUnknown
	}
	p := gazetteer()
	if len(code) < 6 {
		if _, known := p.names[(code + "0000")[:6]]; !known {
			return "", ErrRegionUnknown
		}
		return code, nil
	}
	county, known := p.county(code[:6])
	if !known {
		return "", ErrRegionUnknown
	}
	return county + code[6:], nil
}

// trimZeros drops the groups of zeros that stand for "all of it".
func trimZeros(code string) string {
	for len(code) > 6 && strings.HasSuffix(code, "000") {
		code = code[:len(code)-3]
	}
	if len(code) == 6 && !countyless(code) {
		for len(code) > 2 && strings.HasSuffix(code, "00") {
			code = code[:len(code)-2]
		}
	}
	return code
}

// RegionLevel tells the level of a 12-digit code.
func RegionLevel(code string) int {
	switch prefix := trimZeros(code); {
	case len(prefix) == 2:
		return LevelProvince
	case len(prefix) == 4:
		return LevelCity
	case len(prefix) == 6:
		return LevelCounty
	case len(prefix) == 9:
		return LevelTown
	}
	return LevelVillage
}

// RegionParent gives the 12-digit code one level up, "" above the province.
func RegionParent(code string) string {
	prefix := trimZeros(code)
	switch len(prefix) {
	case 0, 2: // nowhere has no parent either
		return ""
	case 4:
		return pad(prefix[:2])
	case 6:
		if countyless(prefix) {
			return pad(prefix[:2])
		}
		return pad(prefix[:4])
	}
	return pad(prefix[:len(prefix)-3])
}

// PlaceName names a province, city or county by any code inside it, "" where there is none.
func PlaceName(code string) string {
	if len(code) < 6 {
		code = (code + "0000")[:6]
	}
	return gazetteer().names[code[:6]]
}

// Places lists province, cities and counties in use, in order of their codes.
func Places() []Region {
	p := gazetteer()
	list := make([]Region, 0, len(p.order))
	for _, code := range p.order {
		full := pad(code)
		list = append(list, Region{Code: full, Parent: RegionParent(full), Name: p.names[code], Level: RegionLevel(full)})
	}
	return list
}

// FindCounty finds a county in use by its name, with or without its kind; city may be empty or decide between two.
// Dongguan and Zhongshan are found by their own name as either.
func FindCounty(city, county string) (string, error) {
	p := gazetteer()
	city, county = squeeze(city), squeeze(county)
	cityCode := p.cities[city]
	if county == "" && countyless(cityCode) {
		return pad(cityCode), nil
	}
	var found []string
	for _, code := range p.counties[county] {
		if cityCode == "" || code[:4] == cityCode[:4] {
			found = append(found, code)
		}
	}
	if len(found) != 1 {
		return "", ErrRegionUnknown
	}
	return pad(found[0]), nil
}

// FindPlace finds the province, a city or a county by one text: a code of 2, 4, 6 or more digits, or a name, alone or
// behind those of the places it lies in. 12 digits; "" and no error for no text.
func FindPlace(text string) (string, error) {
	p := gazetteer()
	rest := squeeze(text)
	switch {
	case rest == "":
		return "", nil
	case digits(rest):
		prefix, err := RegionPrefix(rest)
		if err != nil || len(prefix) > 6 {
			return "", ErrRegionUnknown
		}
		return pad(prefix), nil
	}
	province := p.names["440000"]
	for _, name := range []string{province, string([]rune(province)[:2])} { // with its kind, and without
		if cut, found := strings.CutPrefix(rest, name); found {
			if cut == "" {
				return pad("44"), nil
			}
			rest = cut
			break
		}
	}
	city := longestPrefix(rest, p.cities)
	if code, err := FindCounty(city, rest[len(city):]); err == nil {
		return code, nil
	}
	if city == rest {
		return pad(trimZeros(pad(p.cities[city]))), nil
	}
	return FindCounty("", rest)
}

// CountyOf is the county that a region belongs to, as a code of 12 digits; "" above the county.
func CountyOf(code string) string {
	if len(code) < 6 || !isCounty(code[:6]) {
		return ""
	}
	return pad(code[:6])
}
