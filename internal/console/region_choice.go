package console

import (
	"strings"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
)

// regionLink leads to the same page for another region.
type regionLink struct {
	Name    string
	Address string
	Code    string // prefix
}

// regionWay is the way down to the region shown, and the regions below it.
type regionWay struct {
	Above []regionLink
	Here  string // name of the region shown
	Below []regionLink
}

// within turns a region asked for into a prefix inside the visitor's own; anything else is their own.
func (v *visit) within(asked string) string {
	prefix, err := staff.RegionPrefix(asked)
	if err != nil || !strings.HasPrefix(prefix, v.who.Region) {
		return v.who.Region
	}
	return prefix
}

// regionWay leads from the visitor's own region to the one shown and one step further; address is the page.
func (v *visit) regionWay(shown, address string) (regionWay, error) {
	var way regionWay
	path, err := v.Regions.RegionPath(v.ctx(), fullCode(shown))
	if err != nil {
		return way, err
	}
	for _, region := range path {
		prefix := shortCode(region.Code)
		switch {
		case prefix == shown:
			way.Here = regionName(region)
		case strings.HasPrefix(prefix, v.who.Region):
			way.Above = append(way.Above, regionLink{regionName(region), query(address, "region", prefix), prefix})
		}
	}
	below, err := v.Regions.RegionChildren(v.ctx(), fullCode(shown))
	if err != nil {
		return way, err
	}
	for _, region := range below {
		prefix := shortCode(region.Code)
		way.Below = append(way.Below, regionLink{regionName(region), query(address, "region", prefix), prefix})
	}
	return way, nil
}

// regionName is a region's name, or its code where nobody has named it.
func regionName(region register.Region) string {
	if region.Name == "" {
		return shortCode(region.Code)
	}
	return region.Name
}

// fullCode is the 12-digit code of a prefix; the province for the empty one.
func fullCode(prefix string) string {
	if prefix == "" {
		prefix = "44"
	}
	return prefix + strings.Repeat("0", max(0, 12-len(prefix)))
}

// shortCode is the prefix of a 12-digit code.
func shortCode(code string) string {
	prefix, err := staff.RegionPrefix(code)
	if err != nil {
		return code
	}
	return prefix
}

// place names where somebody lives, as much of it as lies below the visitor's own region, or the last part.
func (v *visit) place(code string) (string, error) {
	path, err := v.Regions.RegionPath(v.ctx(), code)
	if err != nil {
		return "", err
	}
	var names []string
	for _, region := range path {
		if len(shortCode(region.Code)) > len(v.who.Region) {
			names = append(names, regionName(region))
		}
	}
	if len(names) == 0 && len(path) > 0 {
		names = []string{regionName(path[len(path)-1])}
	}
	return strings.Join(names, " "), nil
}
