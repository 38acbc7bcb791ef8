package store

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/lingjuli/lingjuli/internal/register"
)

// The table regions holds towns and villages alone: province, cities and counties are data of the register.

// placeFinder finds, and makes, the codes of towns and villages within one transaction.
type placeFinder struct {
	t        *tx
	children map[string][]register.Region // by parent, as they are read
}

// code gives the 12-digit code of a place and brings into being what of it is new; "" for a row that names none.
func (f *placeFinder) code(p register.Place) (string, error) {
	switch {
	case p.Code == "":
		return "", nil
	case register.RegionLevel(p.Code) == register.LevelVillage:
		if err := f.ensure(register.RegionParent(p.Code), p.Town); err != nil {
			return "", err
		}
		return p.Code, f.ensure(p.Code, p.Village)
	case register.RegionLevel(p.Code) == register.LevelTown:
		if err := f.ensure(p.Code, p.Town); err != nil {
			return "", err
		}
		return f.below(p.Code, p.Village)
	}
	town, err := f.below(p.Code, p.Town)
	if err != nil || p.Town == "" {
		return town, err
	}
	return f.below(town, p.Village)
}

func (f *placeFinder) list(parent string) ([]register.Region, error) {
	if list, read := f.children[parent]; read {
		return list, nil
	}
	if f.children == nil {
		f.children = map[string][]register.Region{}
	}
	list, err := f.t.regionsBelow(parent)
	f.children[parent] = list
	return list, err
}

// ensure makes the region of a code that a sheet gave, and names one that had no name yet.
func (f *placeFinder) ensure(code, name string) error {
	parent := register.RegionParent(code)
	list, err := f.list(parent)
	if err != nil {
		return err
	}
	for i, r := range list {
		if r.Code != code {
			continue
		}
		if r.Name != "" || name == "" {
			return nil
		}
		list[i].Name = name
		_, err := f.t.exec(`UPDATE regions SET name = $1 WHERE code = $2`, name, code)
		return err
	}
	return f.insert(register.Region{Code: code, Parent: parent, Name: name, Level: register.RegionLevel(code)})
}

func (f *placeFinder) insert(r register.Region) error {
	f.children[r.Parent] = append(f.children[r.Parent], r)
	_, err := f.t.exec(`INSERT INTO regions (code, parent, name, level) VALUES ($1, $2, $3, $4)`, r.Code, r.Parent, r.Name, r.Level)
	return err
}

// below finds a name under a parent: the same name, else the one that differs by its kind alone. A new name gets
// a code between 600 and 999, where no official town or village is: by the hash of the name, the next free one
// where that is taken. A name of an official code is preferred to a made one.
func (f *placeFinder) below(parent, name string) (string, error) {
	if name == "" {
		return parent, nil
	}
	list, err := f.list(parent)
	if err != nil {
		return "", err
	}
	if r, found := pickRegion(list, name); found {
		return r.Code, nil
	}
	code, err := freeCode(parent, name, list)
	if err != nil {
		return "", err
	}
	return code, f.insert(register.Region{Code: code, Parent: parent, Name: name, Level: register.RegionLevel(parent) + 1})
}

func pickRegion(list []register.Region, name string) (best register.Region, found bool) {
	similar := 0
	for _, r := range list { // in order of codes: official ones come first
		if r.Name == name {
			return r, true
		}
		if r.Name != "" && register.SamePlace(r.Name, name) {
			best, similar = r, similar+1
		}
	}
	return best, similar == 1
}

const (
	firstMadeCode = 600
	lastMadeCode  = 999
)

func freeCode(parent, name string, list []register.Region) (string, error) {
	at := 6
	if register.RegionLevel(parent) == register.LevelTown {
		at = 9
	}
	taken := make(map[string]bool, len(list))
	for _, r := range list {
		taken[r.Code] = true
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	const codes = lastMadeCode - firstMadeCode + 1
	for i := range codes {
		n := firstMadeCode + (int(h.Sum32()%codes)+i)%codes
		code := parent[:at] + strconv.Itoa(n) + strings.Repeat("0", 9-at)
		if !taken[code] {
			return code, nil
		}
	}
	return "", fmt.Errorf("no code is left below region %s", parent)
}

func (t *tx) regionsBelow(parent string) (list []register.Region, err error) {
	err = t.each(`SELECT code, parent, name, level FROM regions WHERE parent = $1 ORDER BY code`, func(rows *sql.Rows) error {
		var r register.Region
		err := rows.Scan(&r.Code, &r.Parent, &r.Name, &r.Level)
		list = append(list, r)
		return err
	}, parent)
	return list, err
}

// RegionChildren lists the regions directly below one, by code; "" gives the province.
func (s *Store) RegionChildren(ctx context.Context, code string) (list []register.Region, err error) {
	for _, r := range register.Places() {
		if r.Parent == code {
			list = append(list, r)
		}
	}
	if code == "" || register.RegionLevel(code) < register.LevelCounty {
		return list, nil
	}
	err = s.read(ctx, "store: regions below "+code, func(t *tx) error {
		list, err = t.regionsBelow(code)
		return err
	})
	return list, err
}

// RegionPath leads from the province down to a region. Parts that nobody has named have an empty name.
func (s *Store) RegionPath(ctx context.Context, code string) (path []register.Region, err error) {
	for at := code; at != ""; at = register.RegionParent(at) {
		r := register.Region{Code: at, Parent: register.RegionParent(at), Level: register.RegionLevel(at)}
		if r.Level <= register.LevelCounty {
			r.Name = register.PlaceName(at)
		}
		path = append([]register.Region{r}, path...)
	}
	err = s.read(ctx, "store: path of region "+code, func(t *tx) error {
		return t.each(`SELECT code, name FROM regions WHERE code IN ($1, $2)`, func(rows *sql.Rows) error {
			var found, name string
			err := rows.Scan(&found, &name)
			for i := range path {
				if path[i].Code == found {
					path[i].Name = name
				}
			}
			return err
		}, code, register.RegionParent(code))
	})
	return path, err
}

// Peopled says whether anybody on file lives in a place, by the prefix of its code.
func (s *Store) Peopled(ctx context.Context, prefix string) (yes bool, err error) {
	err = s.read(ctx, "store: does anybody live in a region", func(t *tx) error {
		return t.row(`SELECT EXISTS (SELECT 1 FROM people p WHERE `+inScope(1)+` AND p.status <> 'deceased')`,
			scopeArgs(register.Scope{Prefix: prefix})...).Scan(&yes)
	})
	return yes, err
}
