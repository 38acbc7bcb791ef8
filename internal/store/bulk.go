package store

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// bulkInsert writes many rows: COPY on PostgreSQL, multi-row INSERT on SQLite.
func (t *tx) bulkInsert(table string, columns []string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	if t.d == postgresDialect {
		return t.copyRows(table, columns, rows)
	}
	const step = 100 // rows a statement: short enough to be kept, where parsing a longer one took as long as writing its rows
	for from := 0; from < len(rows); from += step {
		if err := t.insertRows(table, columns, rows[from:min(from+step, len(rows))]); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) copyRows(table string, columns []string, rows [][]any) error {
	return t.conn.Raw(func(dc any) error {
		c, ok := dc.(*stdlib.Conn)
		if !ok {
			return errors.New("store: not a pgx connection")
		}
		_, err := c.Conn().CopyFrom(t.ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(rows))
		if err != nil {
			return fmt.Errorf("store: copy into %s: %w", table, err)
		}
		return nil
	})
}

func (t *tx) insertRows(table string, columns []string, rows [][]any) error {
	var b strings.Builder
	b.WriteString("INSERT INTO " + table + " (" + strings.Join(columns, ",") + ") VALUES ")
	args := make([]any, 0, len(rows)*len(columns))
	for i, row := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for j := range columns {
			if j > 0 {
				b.WriteByte(',')
			}
			args = append(args, row[j])
			b.WriteByte('?')
		}
		b.WriteByte(')')
	}
	if _, err := t.exec(b.String(), args...); err != nil {
		return fmt.Errorf("store: insert into %s: %w", table, err)
	}
	return nil
}

// setTexts gives each of many rows a text of its own; also: what else is set, with args from $3 on. On PostgreSQL it is one
// statement, planned once however many rows there are; on SQLite, where reading them from JSON took ten times as long, one by one.
func (t *tx) setTexts(table, column, also string, ids []int64, texts []string, args ...any) error {
	if t.d == postgresDialect {
		_, err := t.exec(`UPDATE `+table+` SET `+column+` = u.text`+also+` FROM unnest($1::bigint[], $2::text[]) AS u(id, text) WHERE `+table+`.id = u.id`,
			append([]any{ids, texts}, args...)...)
		return err
	}
	for i, id := range ids {
		if _, err := t.exec(`UPDATE `+table+` SET `+column+` = $2`+also+` WHERE id = $1`, append([]any{id, texts[i]}, args...)...); err != nil {
			return err
		}
	}
	return nil
}

// stream hands over the rows of a query, each to be read by scan. On PostgreSQL they come past database/sql, which makes
// every value into one of its own kind first: that was half the cost of reading a row. bytea is read into []byte alone.
func (t *tx) stream(query string, row func(scan func(into ...any) error) error, args ...any) error {
	if t.d != postgresDialect {
		return t.each(query, func(rows *sql.Rows) error { return row(rows.Scan) }, args...)
	}
	return t.conn.Raw(func(dc any) error {
		c, ok := dc.(*stdlib.Conn)
		if !ok {
			return errors.New("store: not a pgx connection")
		}
		rows, err := c.Conn().Query(t.ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := row(rows.Scan); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}
