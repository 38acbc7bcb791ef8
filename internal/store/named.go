package store

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// named is a table of things that are told apart by their names: what is on offer and who is where.
type named[T any] struct {
	table   string
	columns []string       // between id and hand_fields; the first of them tell the rows apart
	keys    int            // how many
	fields  func(*T) []any // pointers, to the id and to what the columns hold
	of      func(register.Entry) *T
	region  func(*T) *string // nil: the thing is nowhere
	merge   func(have *T, given T, byHand []string) (changed, kept bool)
}

type namedOnFile[T any] struct {
	thing  T
	byHand []string
}

func (n named[T]) importTable() importTable {
	columns := append(append([]string{"id"}, n.columns...), "hand_fields", "updated_at", "created_at")
	return importTable{name: n.table, key: []string{"id"}, columns: columns, set: columns[1+n.keys : len(columns)-1]}
}

// list reads rows by the end of a statement.
func (n named[T]) list(t *tx, tail string, args ...any) (list []namedOnFile[T], err error) {
	query := `SELECT id, ` + strings.Join(n.columns, ", ") + `, hand_fields FROM ` + n.table + ` ` + tail
	err = t.each(query, func(rows *sql.Rows) error {
		var v namedOnFile[T]
		var byHand string
		err := rows.Scan(append(n.fields(&v.thing), &byHand)...)
		v.byHand = register.SplitList(byHand)
		list = append(list, v)
		return err
	}, args...)
	return list, err
}

// things are list without what was corrected.
func (n named[T]) things(t *tx, tail string, args ...any) ([]T, error) {
	found, err := n.list(t, tail, args...)
	list := make([]T, len(found))
	for i, v := range found {
		list[i] = v.thing
	}
	return list, err
}

func (n named[T]) key(v *T) string { return fmt.Sprintln(values(n.fields(v)[1 : 1+n.keys])...) }

func (n named[T]) row(v *T, byHand []string, at time.Time) []any {
	return append(values(n.fields(v)), register.JoinList(byHand), toMicros(at), toMicros(at))
}

// values reads through pointers, and drops the names of types that the drivers don't know.
func values(pointers []any) []any {
	list := make([]any, len(pointers))
	for i, p := range pointers {
		switch v := reflect.ValueOf(p).Elem(); {
		case v.CanInt():
			list[i] = v.Int()
		case v.Kind() == reflect.String:
			list[i] = v.String()
		default:
			list[i] = v.Interface()
		}
	}
	return list
}

// importNamed adds the things of a batch and changes those on file under the same names.
func importNamed[T any](t *tx, b register.Batch, w *batchWriter, n named[T]) error {
	w.table = n.importTable()
	first := make([]string, len(b.Entries))
	for i, e := range b.Entries {
		first[i] = fmt.Sprint(values(n.fields(n.of(e))[1:2])...)
	}
	found, err := n.list(t, `WHERE `+t.amongTexts(n.columns[0], 1), t.textList(first))
	if err != nil {
		return err
	}
	onFile := make(map[string]*namedOnFile[T], len(found))
	for i := range found {
		onFile[n.key(&found[i].thing)] = &found[i]
	}
	newID, err := t.ids(n.table, len(b.Entries))
	if err != nil {
		return err
	}
	places := placeFinder{t: t}
	for i, e := range b.Entries {
		if err := n.importOne(&places, i, e, onFile, newID, b, w); err != nil {
			return err
		}
	}
	return nil
}

func (n named[T]) importOne(places *placeFinder, i int, e register.Entry, onFile map[string]*namedOnFile[T], newID int64, b register.Batch, w *batchWriter) (err error) {
	given := *n.of(e)
	if n.region != nil {
		if *n.region(&given), err = places.code(e.Place); err != nil {
			return err
		}
	}
	have, found := onFile[n.key(&given)]
	switch {
	case n.region != nil && (outside(b, *n.region(&given)) != "" || found && outside(b, *n.region(&have.thing)) != ""):
		w.refuse(i, register.RegionOutside)
	case !found:
		*n.fields(&given)[0].(*int64) = newID + int64(i)
		w.add(i, n.row(&given, nil, b.At))
	default:
		changed, kept := n.merge(&have.thing, given, have.byHand)
		w.change(i, changed, kept, n.row(&have.thing, have.byHand, b.At))
	}
	return nil
}

func employersTable() named[register.Employer] {
	return named[register.Employer]{
		table: "employers", columns: []string{"name", "place", "credit_code", "contact", "phone"}, keys: 2,
		fields: func(v *register.Employer) []any {
			return []any{&v.ID, &v.Name, &v.Place, &v.CreditCode, &v.Contact, &v.Phone}
		},
		of:    func(e register.Entry) *register.Employer { return e.Employer },
		merge: (*register.Employer).Merge,
	}
}

func fairsTable() named[register.Fair] {
	return named[register.Fair]{
		table: "fairs", columns: []string{"name", "place", "held_on", "region", "host", "phone"}, keys: 2,
		fields: func(v *register.Fair) []any {
			return []any{&v.ID, &v.Name, &v.Place, &v.HeldOn, &v.RegionCode, &v.Host, &v.Phone}
		},
		of:     func(e register.Entry) *register.Fair { return e.Fair },
		region: func(v *register.Fair) *string { return &v.RegionCode },
		merge:  (*register.Fair).Merge,
	}
}

func schoolsTable() named[register.School] {
	return named[register.School]{
		table: "schools", columns: []string{"name", "place", "subjects", "phone", "admission"}, keys: 2,
		fields: func(v *register.School) []any {
			return []any{&v.ID, &v.Name, &v.Place, &v.Subjects, &v.Phone, &v.Admission}
		},
		of:    func(e register.Entry) *register.School { return e.School },
		merge: (*register.School).Merge,
	}
}

func pairsTable() named[register.Pair] {
	return named[register.Pair]{
		table: "pairs", columns: []string{"giver", "region", "county", "kind"}, keys: 2,
		fields: func(v *register.Pair) []any { return []any{&v.ID, &v.Giver, &v.RegionCode, &v.County, &v.Kind} },
		of:     func(e register.Entry) *register.Pair { return e.Pair },
		region: func(v *register.Pair) *string { return &v.RegionCode },
		merge:  (*register.Pair).Merge,
	}
}

func institutionsTable() named[register.Institution] {
	return named[register.Institution]{
		table: "institutions", columns: []string{"name", "place", "kind", "region", "phone", "remote"}, keys: 2,
		fields: func(v *register.Institution) []any {
			return []any{&v.ID, &v.Name, &v.Place, &v.Kind, &v.RegionCode, &v.Phone, &v.Remote}
		},
		of:     func(e register.Entry) *register.Institution { return e.Institution },
		region: func(v *register.Institution) *string { return &v.RegionCode },
		merge:  (*register.Institution).Merge,
	}
}

func tiersTable() named[register.Tier] {
	return named[register.Tier]{
		table:   "tiers",
		columns: []string{"item", "region", "year", "for_group", "from_fen", "region_name", "to_fen", "deductible_fen", "percent", "source", "published_on"}, keys: 5,
		fields: func(v *register.Tier) []any {
			return []any{
				&v.ID, &v.Item, &v.RegionCode, &v.Year, &v.Group, &v.FromFen, &v.Region, &v.ToFen, &v.DeductibleFen, &v.Percent, &v.Source, &v.PublishedOn,
			}
		},
		of:     func(e register.Entry) *register.Tier { return e.Tier },
		region: func(v *register.Tier) *string { return &v.RegionCode },
		merge:  (*register.Tier).Merge,
	}
}

// importGuides is the import of what is told apart by name.
func (t *tx) importGuides(b register.Batch, w *batchWriter) error {
	switch b.Kind {
	case register.KindEmployers:
		return importNamed(t, b, w, employersTable())
	case register.KindFairs:
		return importNamed(t, b, w, fairsTable())
	case register.KindSchools:
		return importNamed(t, b, w, schoolsTable())
	case register.KindPairs:
		return importNamed(t, b, w, pairsTable())
	case register.KindInstitutions:
		return importNamed(t, b, w, institutionsTable())
	case register.KindTiers:
		return importNamed(t, b, w, tiersTable())
	}
	return fmt.Errorf("no import of kind %q", b.Kind)
}

// listNamed reads a whole table of one kind, for staff and for exports.
func listNamed[T any](ctx context.Context, s *Store, n named[T]) (list []T, err error) {
	err = s.read(ctx, "store: list "+n.table, func(t *tx) error {
		list, err = n.things(t, `ORDER BY id`)
		return err
	})
	return list, err
}

// ListEmployers lists the employers on file.
func (s *Store) ListEmployers(ctx context.Context) ([]register.Employer, error) {
	return listNamed(ctx, s, employersTable())
}

// ListFairs lists the job fairs on file.
func (s *Store) ListFairs(ctx context.Context) ([]register.Fair, error) {
	return listNamed(ctx, s, fairsTable())
}

// ListSchools lists the technical schools on file.
func (s *Store) ListSchools(ctx context.Context) ([]register.School, error) {
	return listNamed(ctx, s, schoolsTable())
}

// ListPairs lists who helps which county.
func (s *Store) ListPairs(ctx context.Context) ([]register.Pair, error) {
	return listNamed(ctx, s, pairsTable())
}

// ListInstitutions lists the institutions on file.
func (s *Store) ListInstitutions(ctx context.Context) ([]register.Institution, error) {
	return listNamed(ctx, s, institutionsTable())
}

// ListTiers lists the tiers on file.
func (s *Store) ListTiers(ctx context.Context) ([]register.Tier, error) {
	return listNamed(ctx, s, tiersTable())
}
