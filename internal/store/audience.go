package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// CountAudience counts the people of a scope for whom a condition holds today.
func (s *Store) CountAudience(ctx context.Context, scope register.Scope, c register.Condition, today time.Time) (n int64, err error) {
	err = s.read(ctx, "store: count an audience", func(t *tx) error {
		where, args := c.SQL(today, 3)
		return t.row(`SELECT COUNT(*) FROM people p WHERE `+inScope(1)+` AND `+where, append(scopeArgs(scope), args...)...).Scan(&n)
	})
	return n, err
}

// PageAudience lists the ids of the people of a scope for whom a condition holds today, from the one after an id on.
func (s *Store) PageAudience(ctx context.Context, scope register.Scope, c register.Condition, today time.Time, after int64, limit int) (ids []int64, err error) {
	err = s.read(ctx, "store: page an audience", func(t *tx) error {
		where, args := c.SQL(today, 4)
		rows, err := t.query(`SELECT p.id FROM people p WHERE `+inScope(1)+` AND p.id > $3 AND `+where+
			fmt.Sprintf(` ORDER BY p.id LIMIT %d`, limit), append(append(scopeArgs(scope), after), args...)...)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		ids = nil
		for rows.Next() {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return rows.Err()
	})
	return ids, err
}

// ListRecords reads people with all that is on file of them, those of the ids that are within the scope.
func (s *Store) ListRecords(ctx context.Context, scope register.Scope, ids []int64) (list []register.Record, err error) {
	err = s.read(ctx, "store: records", func(t *tx) error {
		found, err := t.records(ids)
		list = nil
		for _, r := range found {
			if scope.Contains(r.Person.RegionCode) {
				list = append(list, r)
			}
		}
		return err
	})
	return list, err
}

// amongTexts is a condition that a column is one of the texts in parameter n.
func (t *tx) amongTexts(column string, n int) string {
	if t.d == postgresDialect {
		return fmt.Sprintf("%s = ANY($%d::text[])", column, n)
	}
	return fmt.Sprintf("%s IN (SELECT value FROM json_each($%d))", column, n)
}

// textList is the parameter that amongTexts reads.
func (t *tx) textList(list []string) any {
	if t.d == postgresDialect {
		return list
	}
	text, err := json.Marshal(list)
	if err != nil {
		return "[]" // strings always marshal
	}
	return string(text)
}
