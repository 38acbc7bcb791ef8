package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lingjuli/lingjuli/internal/register"
)

// errDryRun undoes a dry run's transaction.
var errDryRun = errors.New("store: dry run")

// ImportBatch writes the entries of a batch in one transaction and says what became of each. Imports that run at the
// same time take turns, batch by batch.
func (s *Store) ImportBatch(ctx context.Context, b register.Batch) ([]register.Result, error) {
	if len(b.Entries) > register.MaxBatch {
		return nil, fmt.Errorf("store: import %d rows at once, at most %d", len(b.Entries), register.MaxBatch)
	}
	var results []register.Result
	err := s.write(ctx, "store: import "+string(b.Kind), func(t *tx) error {
		if err := t.lockPeople(); err != nil {
			return err
		}
		if err := t.planAnew(); err != nil {
			return err
		}
		w := &batchWriter{results: make([]register.Result, len(b.Entries)), table: tableOf(b.Kind)}
		if err := t.importBatch(b, w); err != nil {
			return err
		}
		if err := w.flush(t); err != nil {
			return err
		}
		results = w.results
		if b.DryRun {
			return errDryRun
		}
		if b.Kind == register.KindPeople {
			if err := t.numbersChanged(); err != nil {
				return err
			}
		}
		if len(w.phones) > 0 {
			return t.refreshOptedOut(w.phones)
		}
		return nil
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return results, err
}

func (t *tx) importBatch(b register.Batch, w *batchWriter) error {
	switch b.Kind {
	case register.KindPeople:
		return t.importPeople(b, w)
	case register.KindJobs:
		return t.importJobs(b, w)
	case register.KindCourses:
		return t.importCourses(b, w)
	case register.KindCover, register.KindPremiums, register.KindSubsidies, register.KindBenefits, register.KindPlacements:
		known, err := t.knownPeople(b, w)
		if err != nil || len(known) == 0 {
			return err
		}
		switch b.Kind {
		case register.KindCover:
			return t.importCovers(b, known, w)
		case register.KindPremiums:
			return t.importPremiums(b, known, w)
		case register.KindBenefits:
			return t.importBenefits(b, known, w)
		case register.KindPlacements:
			return t.importPlacements(b, known, w)
		}
		return t.importSubsidies(b, known, w)
	}
	return t.importGuides(b, w)
}

func tableOf(kind register.Kind) importTable {
	switch kind {
	case register.KindPeople:
		return peopleTable()
	case register.KindCover:
		return coverTable()
	case register.KindPremiums:
		return premiumTable()
	case register.KindSubsidies:
		return subsidyTable()
	case register.KindJobs:
		return jobTable()
	case register.KindCourses:
		return courseTable()
	case register.KindBenefits:
		return benefitTable()
	case register.KindPlacements:
		return placementTable()
	}
	return importTable{} // importNamed brings its own
}

// importTable says how the rows of a kind are written.
type importTable struct {
	name    string
	key     []string // what a changed row is found by
	columns []string
	set     []string // what a changed row takes from the import
}

// batchWriter collects what becomes of a batch's entries and writes new and changed rows in one statement each.
type batchWriter struct {
	table   importTable
	results []register.Result
	added   [][]any
	changed [][]any
	phones  []int64 // people who got a number
}

func (w *batchWriter) refuse(entry int, reason register.Reason) {
	w.results[entry] = register.Result{Outcome: register.Refused, Reason: reason}
}

func (w *batchWriter) add(entry int, row []any) {
	w.results[entry].Outcome = register.Added
	w.added = append(w.added, row)
}

// change notes a row that is on file, to be written where something of it changed.
func (w *batchWriter) change(entry int, changed, kept bool, row []any) {
	w.results[entry].Outcome, w.results[entry].KeptByHand = register.Same, kept
	if changed {
		w.results[entry].Outcome = register.Changed
		w.changed = append(w.changed, row)
	}
}

func (w *batchWriter) flush(t *tx) error {
	if err := t.bulkInsert(w.table.name, w.table.columns, w.added); err != nil {
		return err
	}
	const step = 250 // rows a statement; 42 columns of them stay below both databases' number of parameters
	for from := 0; from < len(w.changed); from += step {
		if err := t.overwrite(w.table, w.changed[from:min(from+step, len(w.changed))]); err != nil {
			return err
		}
	}
	return nil
}

// overwrite writes rows that are there already.
func (t *tx) overwrite(table importTable, rows [][]any) error {
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES ", table.name, strings.Join(table.columns, ", "))
	args := make([]any, 0, len(rows)*len(table.columns))
	for i, row := range rows {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		for j, v := range row {
			if j > 0 {
				b.WriteString(", ")
			}
			args = append(args, v)
			fmt.Fprintf(&b, "$%d", len(args))
		}
		b.WriteByte(')')
	}
	fmt.Fprintf(&b, " ON CONFLICT (%s) DO UPDATE SET ", strings.Join(table.key, ", "))
	for i, column := range table.set {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s = excluded.%s", column, column)
	}
	if _, err := t.exec(b.String(), args...); err != nil {
		return fmt.Errorf("change %s: %w", table.name, err)
	}
	return nil
}

func peopleTable() importTable {
	columns := peopleColumns()
	return importTable{name: "people", key: []string{"id"}, columns: columns, set: columns[1:importedColumns]}
}

// importPeople adds people and changes those on file under the same ID number and name.
func (t *tx) importPeople(b register.Batch, w *batchWriter) error {
	onFile, err := t.peopleByNumber(b.Entries)
	if err != nil {
		return err
	}
	newID, err := t.ids("people", len(b.Entries))
	if err != nil {
		return err
	}
	places := placeFinder{t: t}
	for i, e := range b.Entries {
		have, found := onFile[e.IDNumber]
		if found && register.NormaliseName(have.Name) != e.Name {
			w.refuse(i, register.NameConflict)
			continue
		}
		given := *e.Person
		if given.RegionCode, err = places.code(e.Place); err != nil {
			return err
		}
		if reason := outside(b, given.RegionCode, have.RegionCode); reason != "" {
			w.refuse(i, reason)
			continue
		}
		if !found {
			given.ID, given.IDNumber, given.Name = newID+int64(i), e.IDNumber, e.Name
			t.addPerson(i, given, b, w)
			continue
		}
		t.changePerson(i, have, given, b, w)
	}
	return nil
}

func (t *tx) addPerson(i int, p register.Person, b register.Batch, w *batchWriter) {
	p.BirthDate, p.Sex = p.IDNumber.BirthDate(), p.IDNumber.Sex()
	if p.Status == "" {
		p.Status = register.Alive
	}
	row, household := t.personRow(p, b.At)
	w.add(i, row)
	w.results[i].Household = household
	if p.Phone != "" {
		w.phones = append(w.phones, p.ID)
	}
}

func (t *tx) changePerson(i int, have, given register.Person, b register.Batch, w *batchWriter) {
	phone := have.Phone
	changed, kept := have.Merge(given)
	row, household := t.personRow(have, b.At)
	w.change(i, changed, kept, row)
	w.results[i].Household = household
	if have.Phone != phone {
		w.phones = append(w.phones, have.ID)
	}
}

// outside says why an entry is not this import's business: it lies, or the person on file lies, outside its region.
func outside(b register.Batch, codes ...string) register.Reason {
	for _, code := range codes {
		if code != "" && !strings.HasPrefix(code, b.Within) {
			return register.RegionOutside
		}
	}
	return ""
}

func (t *tx) peopleByNumber(entries []register.Entry) (map[register.IDNumber]register.Person, error) {
	list := make([][]byte, len(entries))
	for i, e := range entries {
		list[i] = t.keys.Index(idDomain, string(e.IDNumber))
	}
	found, err := t.people(`WHERE `+t.amongBytes("p.id_idx", 1), t.byteList(list))
	onFile := make(map[register.IDNumber]register.Person, len(found))
	for _, p := range found {
		onFile[p.IDNumber] = p.Person
	}
	return onFile, err
}

// knownPerson is whom an entry is about.
type knownPerson struct {
	entry int
	id    int64
}

func idsOf(people []knownPerson) []int64 {
	ids := make([]int64, len(people))
	for i, k := range people {
		ids[i] = k.id
	}
	return ids
}

// knownPeople finds whom the entries are about and refuses the entries of nobody on file, of another name, or of
// another region.
func (t *tx) knownPeople(b register.Batch, w *batchWriter) ([]knownPerson, error) {
	onFile, err := t.peopleByNumber(b.Entries)
	if err != nil {
		return nil, err
	}
	known := make([]knownPerson, 0, len(b.Entries))
	for i, e := range b.Entries {
		p, found := onFile[e.IDNumber]
		switch {
		case !found:
			w.refuse(i, register.PersonUnknown)
		case e.Name != "" && e.Name != register.NormaliseName(p.Name):
			w.refuse(i, register.NameConflict)
		case !strings.HasPrefix(p.RegionCode, b.Within):
			w.refuse(i, register.RegionOutside)
		default:
			known = append(known, knownPerson{entry: i, id: p.ID})
		}
	}
	return known, nil
}

// RefreshStatistics has the database count what an import has changed, so that audiences are planned by what is there.
func (s *Store) RefreshStatistics(ctx context.Context) error {
	statement := "PRAGMA optimize" //nolint:misspell // SQLite spells it so
	if s.d == postgresDialect {
		statement = "ANALYZE people, covers, premiums, subsidies, benefits, placements, jobs, courses, institutions" //nolint:misspell // SQL spells it so
	}
	return s.write(ctx, "store: refresh statistics", func(t *tx) error {
		_, err := t.exec(statement)
		return err
	})
}
