package register

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// Importer reads sheets of one kind into a sink.
type Importer struct {
	Kind     Kind
	Set      map[string]string // column → value for the whole file, where a row leaves it empty
	Region   string            // the place of rows that name none; rows outside are refused. "" the whole province
	DryRun   bool
	Now      func() time.Time // nil: time.Now
	Progress func(Progress)   // may be nil; called after every batch
}

// Progress is how far an import is.
type Progress struct {
	Row      int // the last row read
	Rows     int // data rows so far
	Accepted int
	Updated  int
	Rejected int
}

// Errors of an importer's own settings: wrong usage, nothing was read.
var (
	ErrUnknownKind   = errors.New("register: no such kind of import")
	ErrUnknownColumn = errors.New("register: no such column")
)

// RunFile imports a file. The error is ErrUnreadable where it is no sheet with a known header: then nothing was
// changed. Where the sink fails half-way, batches before it are on file and running it again completes the import.
func (i Importer) RunFile(ctx context.Context, name string, sink Sink) (Report, error) {
	f, err := os.Open(name)
	if err != nil {
		return Report{}, unopened(err)
	}
	defer func() { _ = f.Close() }() // read only
	info, err := f.Stat()
	if err != nil {
		return Report{}, unopened(err)
	}
	if info.IsDir() {
		return Report{}, unreadable(IsFolder, "")
	}
	report, err := i.Run(ctx, f, info.Size(), sink)
	report.File = info.Name()
	return report, err
}

// Run imports what r holds.
func (i Importer) Run(ctx context.Context, r io.ReaderAt, size int64, sink Sink) (Report, error) {
	run, err := i.newRun(sink)
	if err != nil {
		return Report{}, err
	}
	book, err := openWorkbook(r, size)
	if err != nil {
		return Report{}, err
	}
	sheet, err := run.findSheet(book)
	if err != nil {
		return Report{}, err
	}
	if err := run.check(book, sheet); err != nil {
		return Report{}, err
	}
	if err := run.read(ctx, book, sheet); err != nil {
		return run.report, err
	}
	run.report.sort()
	return run.report, nil
}

// importRun is one run of an importer over one file.
type importRun struct {
	Importer
	sink    Sink
	within  string
	set     map[field]string
	title   map[field]string
	titles  map[string]bool // texts of title rows, which pages repeat
	header  header
	report  Report
	batch   []pending
	size    int              // of the next batch
	seen    map[[16]byte]int // row by what counts as the same
	phones  map[Phone]*phoneUse
	started time.Time
}

// pending is an entry that waits for its batch, with the warnings of its row.
type pending struct {
	entry    Entry
	warnings []Reason
}

// phoneUse is where in the file a phone stands, and in which households.
type phoneUse struct {
	rows       []int
	households map[uint64]struct{}
}

func (i Importer) newRun(sink Sink) (*importRun, error) {
	if len(columnsOf(i.Kind)) == 0 {
		return nil, fmt.Errorf("%w: %q", ErrUnknownKind, i.Kind)
	}
	run := &importRun{
		Importer: i, sink: sink, set: map[field]string{}, title: map[field]string{}, titles: map[string]bool{},
		seen: map[[16]byte]int{}, phones: map[Phone]*phoneUse{}, report: newReport(), size: firstBatch,
	}
	if run.Now == nil {
		run.Now = time.Now
	}
	run.started = run.Now()
	for name, value := range i.Set {
		c, known := canonicalColumn(i.Kind, name)
		if !known {
			return nil, &ColumnError{Name: name, Kind: i.Kind}
		}
		run.set[c.field] = value
	}
	if i.Region != "" {
		prefix, err := RegionPrefix(i.Region)
		if err != nil {
			return nil, err
		}
		run.within = prefix
	}
	return run, nil
}

// findSheet takes the first visible sheet with a known header.
func (run *importRun) findSheet(book workbook) (sheet int, err error) {
	for i, name := range book.sheets() {
		found := false
		err := book.rows(i, func(l line) (bool, error) {
			if run.header, found = findHeader(run.Kind, l); found {
				run.report.Unread = run.header.unread(l)
			}
			return !found && l.number < maxLeadingRows, nil
		})
		if err != nil {
			return 0, err
		}
		if found {
			run.report.Sheet, run.report.HeaderRow, run.report.Columns = name, run.header.row, run.header.names
			return i, nil
		}
	}
	return 0, unreadable(NoHeader, strings.Join(keyColumns(run.Kind), ", "))
}

// check reads the whole sheet once before anything is written: a file that breaks off in the middle changes nothing.
func (run *importRun) check(book workbook, sheet int) error {
	return book.rows(sheet, func(line) (bool, error) { return true, nil })
}

// read is the second reading, in batches.
func (run *importRun) read(ctx context.Context, book workbook, sheet int) error {
	last := 0
	err := book.rows(sheet, func(l line) (bool, error) {
		last = l.number
		run.line(l)
		if len(run.batch) < run.size {
			return true, nil
		}
		return true, run.flush(ctx, last)
	})
	if err != nil {
		return err
	}
	if err := run.flush(ctx, last); err != nil {
		return err
	}
	return run.sharedPhones(ctx)
}

// line takes one row: above the header it is a title, below it data unless it says otherwise.
func (run *importRun) line(l line) {
	switch {
	case l.number < run.header.row:
		run.readTitle(l)
		run.report.skip(l.number)
	case l.number == run.header.row:
	case run.isNoData(l):
		run.report.skip(l.number)
	default:
		run.data(l)
	}
}

func (run *importRun) data(l line) {
	run.report.Rows++
	r := row{kind: run.Kind, line: l, header: run.header, given: run.given(), within: run.within, now: run.started}
	e := r.entry()
	of := 0
	if r.reason == "" {
		if of = run.sameAs(e, l.number); of > 0 {
			r.refuse(DuplicateInFile, e.shown())
		}
	}
	if r.reason != "" {
		run.report.reject(l.number, r.reason, r.value, of)
		return
	}
	run.batch = append(run.batch, pending{entry: e, warnings: r.warnings})
}

// given is what the whole file gives: --set before the title.
func (run *importRun) given() map[field]string {
	if len(run.title) == 0 {
		return run.set
	}
	for f, v := range run.set {
		run.title[f] = v
	}
	return run.title
}

// sameAs is the row above that says the same; 0: there is none, and this one is kept in mind.
func (run *importRun) sameAs(e Entry, number int) int {
	sum := sha256.Sum256([]byte(e.key()))
	key := [16]byte(sum[:16])
	if of, seen := run.seen[key]; seen {
		return of
	}
	run.seen[key] = number
	return 0
}

func (run *importRun) flush(ctx context.Context, last int) error {
	if len(run.batch) > 0 {
		b := Batch{Kind: run.Kind, Entries: make([]Entry, len(run.batch)), Within: run.within, DryRun: run.DryRun, At: run.started}
		for i, p := range run.batch {
			b.Entries[i] = p.entry
		}
		began := time.Now()
		results, err := run.sink.ImportBatch(ctx, b)
		if err != nil {
			return err
		}
		run.pace(time.Since(began))
		for i, result := range results {
			run.settle(run.batch[i], result)
		}
		run.batch = run.batch[:0]
	}
	if run.Progress != nil {
		run.Progress(Progress{Row: last, Rows: run.report.Rows, Accepted: run.report.Accepted, Updated: run.report.Updated, Rejected: len(run.report.Rejected)})
	}
	return nil
}

// Batches grow and shrink with the machine: the write lock is to be held for much less than 200 ms.
const (
	firstBatch = 200
	leastBatch = 20
	quick      = 30 * time.Millisecond
	slow       = 80 * time.Millisecond
)

func (run *importRun) pace(took time.Duration) {
	switch {
	case took > slow:
		run.size = max(run.size/2, leastBatch)
	case took < quick:
		run.size = min(run.size*2, MaxBatch)
	}
}

// settle writes down what became of an entry.
func (run *importRun) settle(p pending, result Result) {
	e := p.entry
	switch result.Outcome {
	case Refused:
		value := e.shown()
		if result.Reason == NameConflict {
			value = MaskName(e.Name)
		}
		run.report.reject(e.Row, result.Reason, value, 0)
		return
	case Added:
		run.report.Accepted++
	case Changed:
		run.report.Updated++
	case Same:
		run.report.Unchanged++
	}
	for _, reason := range p.warnings {
		run.report.warn(e.Row, reason)
	}
	if result.KeptByHand {
		run.report.warn(e.Row, KeptByHand)
	}
	if e.Person != nil && e.Person.Phone != "" {
		run.usePhone(e, result.Household)
	}
}

func (run *importRun) usePhone(e Entry, household string) {
	use := run.phones[e.Person.Phone]
	if use == nil {
		use = &phoneUse{households: map[uint64]struct{}{}}
		run.phones[e.Person.Phone] = use
	}
	use.rows = append(use.rows, e.Row)
	use.households[maphash.String(run.report.seed, household)] = struct{}{}
}

// sharedPhones warns of every row whose phone belongs to three or more households, in the file and on file together.
func (run *importRun) sharedPhones(ctx context.Context) error {
	phones := make([]Phone, 0, MaxBatch)
	for phone := range run.phones {
		if phones = append(phones, phone); len(phones) == MaxBatch {
			if err := run.sharedAmong(ctx, phones); err != nil {
				return err
			}
			phones = phones[:0]
		}
	}
	return run.sharedAmong(ctx, phones)
}

func (run *importRun) sharedAmong(ctx context.Context, phones []Phone) error {
	if len(phones) == 0 {
		return nil
	}
	onFile, err := run.sink.PhoneHouseholds(ctx, phones)
	if err != nil {
		return err
	}
	for _, phone := range phones {
		use := run.phones[phone]
		for _, household := range onFile[phone] {
			use.households[maphash.String(run.report.seed, household)] = struct{}{}
		}
		if len(use.households) < sharedBy {
			continue
		}
		for _, row := range use.rows {
			run.report.warn(row, PhoneShared)
		}
	}
	return nil
}

func itoa(n int) string { return strconv.Itoa(n) }

func join(parts ...string) string { return strings.Join(parts, "\x00") }
