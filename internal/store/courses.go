package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

type courseOnFile struct {
	register.Course
	byHand []string
}

type courseKey struct{ name, provider, startsOn string }

func (t *tx) courses(tail string, args ...any) (list []courseOnFile, err error) {
	err = t.each(`SELECT id, name, trade, provider, place, region, starts_on, ends_on, places, allowance_fen, mode, phone, job_title, hand_fields
			FROM courses `+tail,
		func(rows *sql.Rows) error {
			var c courseOnFile
			var byHand string
			err := rows.Scan(&c.ID, &c.Name, &c.Trade, &c.Provider, &c.Place, &c.RegionCode, &c.StartsOn, &c.EndsOn, &c.Places, &c.AllowanceFen,
				&c.Mode, &c.Phone, &c.JobTitle, &byHand)
			c.byHand = register.SplitList(byHand)
			list = append(list, c)
			return err
		}, args...)
	return list, err
}

// ListCourses lists the courses inside a scope by id, from the one after an id on, those that end on a day or later or
// have no end on file.
func (s *Store) ListCourses(ctx context.Context, scope register.Scope, from string, after int64, limit int) (list []register.Course, err error) {
	err = s.read(ctx, "store: list courses", func(t *tx) error {
		args := append(scopeArgs(scope), after, from, limit)
		found, err := t.courses(`WHERE region >= $1 AND region < $2 AND id > $3 AND (ends_on = '' OR ends_on >= $4) ORDER BY id LIMIT $5`, args...)
		list = nil
		for _, c := range found {
			list = append(list, c.Course)
		}
		return err
	})
	return list, err
}

func courseTable() importTable {
	columns := []string{
		"id", "name", "provider", "starts_on", "trade", "place", "region", "ends_on", "places", "allowance_fen", "mode", "phone", "job_title",
		"hand_fields", "updated_at", "created_at",
	}
	return importTable{name: "courses", key: []string{"id"}, columns: columns, set: columns[4 : len(columns)-1]}
}

func courseRow(c courseOnFile, at time.Time) []any {
	return []any{
		c.ID, c.Name, c.Provider, c.StartsOn, c.Trade, c.Place, c.RegionCode, c.EndsOn, c.Places, c.AllowanceFen, c.Mode, c.Phone, c.JobTitle,
		register.JoinList(c.byHand), toMicros(at), toMicros(at),
	}
}

func (t *tx) importCourses(b register.Batch, w *batchWriter) error {
	names := make([]string, len(b.Entries))
	for i, e := range b.Entries {
		names[i] = e.Course.Name
	}
	found, err := t.courses(`WHERE `+t.amongTexts("name", 1), t.textList(names))
	if err != nil {
		return err
	}
	onFile := make(map[courseKey]*courseOnFile, len(found))
	for i, c := range found {
		onFile[courseKey{c.Name, c.Provider, c.StartsOn}] = &found[i]
	}
	newID, err := t.ids("courses", len(b.Entries))
	if err != nil {
		return err
	}
	places := placeFinder{t: t}
	for i, e := range b.Entries {
		given := *e.Course
		if given.RegionCode, err = places.code(e.Place); err != nil {
			return err
		}
		have, found := onFile[courseKey{given.Name, given.Provider, given.StartsOn}]
		switch {
		case outside(b, given.RegionCode) != "" || found && outside(b, have.RegionCode) != "":
			w.refuse(i, register.RegionOutside)
		case !found:
			given.ID = newID + int64(i)
			w.add(i, courseRow(courseOnFile{Course: given}, b.At))
		default:
			if err := t.changeCourse(i, have, given, b, w); err != nil {
				return err
			}
		}
	}
	return nil
}

// changeCourse takes what a sheet gives over a course on file. Where its places change, who waits may move up.
func (t *tx) changeCourse(i int, have *courseOnFile, given register.Course, b register.Batch, w *batchWriter) error {
	before := have.Places
	changed, kept := have.Merge(given, have.byHand)
	w.change(i, changed, kept, courseRow(*have, b.At))
	if have.Places == before {
		return nil
	}
	if _, err := t.lockCourse(have.ID); err != nil {
		return err
	}
	return t.moveUp(have.Course, toMicros(b.At))
}
