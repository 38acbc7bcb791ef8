package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

type jobOnFile struct {
	register.Job
	byHand []string
}

type jobKey struct{ employer, title, place string }

func (t *tx) jobs(tail string, args ...any) (list []jobOnFile, err error) {
	err = t.each(`SELECT id, employer, title, kind, headcount, place, region, wage_min_fen, wage_max_fen, demands, contact,
			contact_phone, closes_on, source_city, held, hand_fields FROM jobs `+tail,
		func(rows *sql.Rows) error {
			var j jobOnFile
			var byHand string
			err := rows.Scan(&j.ID, &j.Employer, &j.Title, &j.Kind, &j.Headcount, &j.Place, &j.RegionCode, &j.WageMinFen, &j.WageMaxFen,
				&j.Demands, &j.Contact, &j.ContactPhone, &j.ClosesOn, &j.SourceCity, &j.Held, &byHand)
			j.byHand = register.SplitList(byHand)
			list = append(list, j)
			return err
		}, args...)
	return list, err
}

// ListJobs lists the postings inside a scope by id, from the one after an id on; those held for staff only on demand.
// Postings that name no region belong to the whole province.
func (s *Store) ListJobs(ctx context.Context, scope register.Scope, held bool, after int64, limit int) (list []register.Job, err error) {
	err = s.read(ctx, "store: list jobs", func(t *tx) error {
		args := append(scopeArgs(scope), after, held, limit)
		found, err := t.jobs(`WHERE region >= $1 AND region < $2 AND id > $3 AND held = $4 ORDER BY id LIMIT $5`, args...)
		list = nil
		for _, j := range found {
			list = append(list, j.Job)
		}
		return err
	})
	return list, err
}

func jobTable() importTable {
	columns := []string{
		"id", "employer", "title", "kind", "headcount", "place", "region", "wage_min_fen", "wage_max_fen", "demands", "contact",
		"contact_phone", "closes_on", "source_city", "held", "hand_fields", "updated_at", "created_at",
	}
	return importTable{name: "jobs", key: []string{"id"}, columns: columns, set: columns[3 : len(columns)-1]}
}

func jobRow(j jobOnFile, at time.Time) []any {
	return []any{
		j.ID, j.Employer, j.Title, j.Kind, j.Headcount, j.Place, j.RegionCode, j.WageMinFen, j.WageMaxFen, j.Demands, j.Contact,
		j.ContactPhone, j.ClosesOn, j.SourceCity, j.Held, register.JoinList(j.byHand), toMicros(at), toMicros(at),
	}
}

func (t *tx) importJobs(b register.Batch, w *batchWriter) error {
	employers := make([]string, len(b.Entries))
	for i, e := range b.Entries {
		employers[i] = e.Job.Employer
	}
	found, err := t.jobs(`WHERE `+t.amongTexts("employer", 1), t.textList(employers))
	if err != nil {
		return err
	}
	onFile := make(map[jobKey]*jobOnFile, len(found))
	for i, j := range found {
		onFile[jobKey{j.Employer, j.Title, j.Place}] = &found[i]
	}
	newID, err := t.ids("jobs", len(b.Entries))
	if err != nil {
		return err
	}
	places := placeFinder{t: t}
	for i, e := range b.Entries {
		given := *e.Job
		if given.RegionCode, err = places.code(e.Place); err != nil {
			return err
		}
		have, found := onFile[jobKey{given.Employer, given.Title, given.Place}]
		switch {
		case outside(b, given.RegionCode) != "" || found && outside(b, have.RegionCode) != "":
			w.refuse(i, register.RegionOutside)
		case !found:
			given.ID = newID + int64(i)
			w.add(i, jobRow(jobOnFile{Job: given}, b.At))
		default:
			changed, kept := have.Merge(given, have.byHand)
			w.change(i, changed, kept, jobRow(*have, b.At))
		}
	}
	return nil
}
