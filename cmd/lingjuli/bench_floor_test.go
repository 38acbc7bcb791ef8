package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/register/fictional"
	"github.com/lingjuli/lingjuli/notify"
	"github.com/lingjuli/lingjuli/notify/aliyun"
)

const (
	floorBatch = 1000 // rows of an update
	floorCall  = 100  // recipients of a call
	floorHands = 8    // batches under way at once; on SQLite their updates take turns
	floorCopy  = 50_000
)

// floorMeasured is the least that a campaign can cost: as many rows of the same width written by COPY (multi-row
// INSERT on SQLite), each taken through two committed states by updates of a thousand, and the same calls, signed by
// the vendor's SDK, to a sink that takes everything. Nothing is read, unsealed, rendered, queued or limited, and no
// receipt comes.
type floorMeasured struct {
	people, width int
	rows          time.Duration // to write the rows alone
	took          time.Duration
	spent         usage
}

// floorRun is one floor under measurement.
type floorRun struct {
	s      *system
	db     *sql.DB
	sender *aliyun.SMS
	pad    string
}

func measureFloor(s *system) floorMeasured {
	b := s.b
	b.Helper()
	sink := startStandIn(b, standInSink)
	defer sink.stop()
	f := &floorRun{s: s, db: openDatabase(b, s.cfg)}
	defer f.db.Close()
	var err error
	f.sender, err = aliyun.New(aliyun.Config{AccessKeyID: "bench-key", AccessKeySecret: "bench-secret", Endpoint: sink.Aliyun, SignName: benchSign})
	if err != nil {
		b.Fatal(err)
	}
	m := floorMeasured{people: s.people, width: f.widthOfOurs()}
	f.create(m.width)
	defer f.exec(b.Context(), `DROP TABLE floor_rows`)
	rest(b.Context(), b, s.cfg)
	from, sunk := usageHere(b, s.cfg), sink.cpu()
	began := time.Now()
	f.insert()
	m.rows = time.Since(began)
	f.work()
	m.took = time.Since(began)
	m.spent = usageHere(b, s.cfg).since(from)
	m.spent.standIn = sink.cpu() - sunk
	var accepted int
	if err := f.db.QueryRowContext(b.Context(), `SELECT count(*) FROM floor_rows WHERE state = 'accepted'`).Scan(&accepted); err != nil || accepted != s.people {
		b.Fatalf("the floor has %d rows, want %d: %v", accepted, s.people, err)
	}
	return m
}

// onPostgres says which of the two bulk paths is taken.
func (f *floorRun) onPostgres() bool { return f.s.cfg.sqlitePath() == "" }

func (f *floorRun) exec(ctx context.Context, query string, args ...any) {
	f.s.b.Helper()
	if _, err := f.db.ExecContext(ctx, query, args...); err != nil {
		f.s.b.Fatalf("%s: %v", query, err)
	}
}

// widthOfOurs is how wide a row of a campaign is on average, as far as a look at some says.
func (f *floorRun) widthOfOurs() (width int) {
	f.s.b.Helper()
	if f.onPostgres() {
		err := f.db.QueryRowContext(f.s.b.Context(), `SELECT avg(pg_column_size(d.*))::int FROM (SELECT * FROM deliveries LIMIT 1000) d`).Scan(&width)
		if err != nil {
			f.s.b.Fatal(err)
		}
		return width
	}
	rows, err := f.db.QueryContext(f.s.b.Context(), `SELECT * FROM deliveries LIMIT 1000`)
	if err != nil {
		f.s.b.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		f.s.b.Fatal(err)
	}
	n := 0
	for ; rows.Next(); n++ {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			f.s.b.Fatal(err)
		}
		for _, value := range row {
			width += fileSize(value)
		}
	}
	if err := rows.Err(); err != nil || n == 0 {
		f.s.b.Fatalf("no row of a campaign: %v", err)
	}
	return width / n
}

// fileSize is what a value takes in SQLite's file.
func fileSize(value any) int {
	switch v := value.(type) {
	case int64:
		return (bits.Len64(uint64(v)) + 7) / 8 //nolint:gosec // only its length counts
	case string:
		return len(v)
	case []byte:
		return len(v)
	}
	return 0
}

// create makes the floor's own table: the key and nothing else is indexed, and pages are left half empty, so that a
// new state stays on its row's page.
func (f *floorRun) create(width int) {
	const bare = 60 // of a row without its padding
	f.pad = strings.Repeat("x", max(width-bare, 0))
	suffix := " WITHOUT ROWID"
	if f.onPostgres() {
		suffix = " WITH (fillfactor = 50)"
	} else {
		f.db.SetMaxOpenConns(1)
	}
	f.exec(f.s.b.Context(), `CREATE TABLE floor_rows (campaign BIGINT NOT NULL, person BIGINT NOT NULL, state TEXT NOT NULL, call BIGINT NOT NULL,
		updated BIGINT NOT NULL, rest TEXT NOT NULL, PRIMARY KEY (campaign, person))`+suffix)
}

// insert writes all rows, by two at once where the database can.
func (f *floorRun) insert() {
	f.s.b.Helper()
	hands := 1
	if f.onPostgres() {
		hands = 2
	}
	f.spread(hands, floorCopy, func(ctx context.Context, from, to int) error {
		conn, err := f.db.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		if !f.onPostgres() {
			return f.insertRows(ctx, conn, from, to)
		}
		return conn.Raw(func(raw any) error {
			next := from
			_, err := raw.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{"floor_rows"}, []string{"campaign", "person", "state", "call", "updated", "rest"},
				pgx.CopyFromFunc(func() ([]any, error) {
					if next == to {
						return nil, nil
					}
					next++
					return []any{int64(1), int64(next - 1), "planned", int64(0), int64(0), f.pad}, nil
				}))
			return err
		})
	})
}

func (f *floorRun) insertRows(ctx context.Context, conn *sql.Conn, from, to int) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	const step = 5000
	for ; from < to; from += step {
		n := min(step, to-from)
		args := make([]any, 0, 2*n)
		for i := range n {
			args = append(args, from+i, f.pad)
		}
		query := `INSERT INTO floor_rows VALUES ` + strings.TrimSuffix(strings.Repeat("(1, ?, 'planned', 0, 0, ?),", n), ",")
		if _, err := tx.ExecContext(ctx, query, args...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// work takes all rows a thousand at a time to sending, to the sink, and to accepted.
func (f *floorRun) work() {
	f.s.b.Helper()
	query := `UPDATE floor_rows SET state = $1, call = $2, updated = updated + 1 WHERE campaign = 1 AND person IN (SELECT value FROM json_each($3))`
	if f.onPostgres() {
		query = `UPDATE floor_rows f SET state = $1, call = $2, updated = updated + 1 FROM unnest($3::bigint[]) AS u(person) WHERE f.campaign = 1 AND f.person = u.person`
	}
	f.spread(floorHands, floorBatch, func(ctx context.Context, from, to int) error {
		ids := make([]int64, 0, to-from)
		for i := from; i < to; i++ {
			ids = append(ids, int64(i))
		}
		var list any = ids
		if !f.onPostgres() {
			list = strings.ReplaceAll(fmt.Sprint(ids), " ", ",")
		}
		if _, err := f.db.ExecContext(ctx, query, "sending", from/floorCall, list); err != nil {
			return err
		}
		for part := range slices.Chunk(ids, floorCall) {
			if err := f.send(ctx, part); err != nil {
				return err
			}
		}
		_, err := f.db.ExecContext(ctx, query, "accepted", from/floorCall, list)
		return err
	})
}

// send is one SendBatchSms as the vendor's SDK builds and signs it.
func (f *floorRun) send(ctx context.Context, people []int64) error {
	call := notify.Outgoing{
		ID: people[0], OutID: fmt.Sprintf("floor%020d.0123456789abcdef", people[0]), Channel: notify.SMS, Kind: notify.PremiumReminder,
		Template: notify.Template{SMS: &notify.SMSTemplate{Code: "SMS_BENCH", Type: notify.SMSNotification}},
	}
	for _, id := range people {
		call.Members = append(call.Members, notify.Member{
			PersonID: id, Phone: register.Phone(fictional.Phone(int(id))), Params: map[string]string{"name": benchName, "deadline": "12月31日"},
		})
	}
	request, err := f.sender.Sign(ctx, call)
	if err != nil {
		return err
	}
	if answer := request.Present(ctx); answer.Outcome != notify.Accepted {
		return fmt.Errorf("the sink: %+v", answer)
	}
	return nil
}

// spread cuts all people into parts and has so many hands work on them.
func (f *floorRun) spread(hands, part int, work func(ctx context.Context, from, to int) error) {
	f.s.b.Helper()
	parts := make(chan int)
	ctx, cancel := context.WithCancelCause(f.s.b.Context())
	defer cancel(nil)
	var all sync.WaitGroup
	for range hands {
		all.Go(func() {
			for from := range parts {
				if ctx.Err() != nil {
					continue
				}
				if err := work(ctx, from, min(from+part, f.s.people)); err != nil {
					cancel(err)
				}
			}
		})
	}
	for from := 0; from < f.s.people; from += part {
		parts <- from
	}
	close(parts)
	all.Wait()
	if err := context.Cause(ctx); err != nil {
		f.s.b.Fatal(err)
	}
}
