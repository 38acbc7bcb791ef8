package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// bareServer answers everything with a constant.
func bareServer(b *testing.B) string {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "success")
	}))
	b.Cleanup(server.Close)
	return server.URL
}

// bareTable is the rows of one table as they were left by a campaign.
type bareTable struct {
	name    string
	columns []string
	rows    [][]any
}

// bareCampaign is all rows of one campaign that grow with its people.
type bareCampaign struct {
	deliveries bareTable
	calls      bareTable
	inserted   int64 // the campaign under which they were written last
}

// bareOffset keeps the ids of rows written here away from the server's.
const bareOffset = 1 << 40

func readCampaign(b *testing.B, db *sql.DB, id int64) *bareCampaign {
	b.Helper()
	return &bareCampaign{
		deliveries: readTable(b, db, "deliveries", id),
		calls:      readTable(b, db, "calls", id),
	}
}

func readTable(b *testing.B, db *sql.DB, name string, campaign int64) bareTable {
	b.Helper()
	rows, err := db.QueryContext(b.Context(), `SELECT * FROM `+name+` WHERE campaign_id = $1 ORDER BY 3`, campaign)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	t := bareTable{name: name}
	if t.columns, err = rows.Columns(); err != nil {
		b.Fatal(err)
	}
	for rows.Next() {
		row, into := make([]any, len(t.columns)), make([]any, len(t.columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			b.Fatal(err)
		}
		t.rows = append(t.rows, row)
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return t
}

// shift gives the rows a campaign of their own, and calls ids of their own.
func (t bareTable) shift(campaign int64) {
	for n, row := range t.rows {
		row[slices.Index(t.columns, "campaign_id")] = campaign
		if at := slices.Index(t.columns, "id"); at >= 0 {
			row[at] = campaign + int64(n)
		}
	}
}

// insert writes all rows in one transaction, by COPY on PostgreSQL and multi-row INSERT on SQLite.
func (c *bareCampaign) insert(b *testing.B, db *sql.DB, round int) time.Duration {
	b.Helper()
	c.inserted = int64(round) * bareOffset
	c.deliveries.shift(c.inserted)
	c.calls.shift(c.inserted)
	conn, err := db.Conn(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	began := time.Now()
	for _, t := range []bareTable{c.deliveries, c.calls} {
		err := conn.Raw(func(raw any) error {
			if pg, ok := raw.(*stdlib.Conn); ok {
				_, err := pg.Conn().CopyFrom(b.Context(), pgx.Identifier{t.name}, t.columns, pgx.CopyFromRows(t.rows))
				return err
			}
			return nil
		})
		if _, ok := db.Driver().(*stdlib.Driver); !ok && err == nil {
			err = t.insertRows(b.Context(), conn)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began)
}

func (t bareTable) insertRows(ctx context.Context, conn *sql.Conn) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	step := 30000 / len(t.columns)
	for rows := range slices.Chunk(t.rows, step) {
		one := "(" + strings.TrimSuffix(strings.Repeat("?,", len(t.columns)), ",") + ")"
		query := `INSERT INTO ` + t.name + ` (` + strings.Join(t.columns, ",") + `) VALUES ` + strings.TrimSuffix(strings.Repeat(one+",", len(rows)), ",")
		if _, err := tx.ExecContext(ctx, query, slices.Concat(rows...)...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// settle takes the rows through two committed states, a hundred at a time, as two calls to the database for each
// call to the carrier.
func (c *bareCampaign) settle(b *testing.B, db *sql.DB) time.Duration {
	b.Helper()
	person, month := slices.Index(c.deliveries.columns, "person_id"), slices.Index(c.deliveries.columns, "month")
	among := `IN (SELECT value FROM json_each($4))`
	if _, ok := db.Driver().(*stdlib.Driver); ok {
		among = `= ANY($4)`
	}
	// The ends of the list keep PostgreSQL from reading all rows of a campaign that it knows no figures of.
	query := `UPDATE deliveries SET state = $1, call_id = call_id + 1, updated_at = updated_at + 1
		WHERE month = $2 AND campaign_id = $3 AND person_id ` + among + ` AND person_id >= $5 AND person_id <= $6`
	began := time.Now()
	for rows := range slices.Chunk(c.deliveries.rows, 100) {
		var ids []int64
		for _, row := range rows {
			ids = append(ids, row[person].(int64))
		}
		for _, state := range []string{"sending", "accepted"} {
			var list any = ids
			if !strings.Contains(among, "ANY") {
				list = strings.ReplaceAll(fmt.Sprint(ids), " ", ",")
			}
			if _, err := db.ExecContext(b.Context(), query, state, rows[0][month], c.inserted, list, ids[0], ids[len(ids)-1]); err != nil {
				b.Fatal(err)
			}
		}
	}
	return time.Since(began)
}
