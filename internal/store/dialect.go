package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// dialect is the one place that knows which database it is.
type dialect int

const (
	sqliteDialect dialect = iota
	postgresDialect
)

func (d dialect) String() string {
	if d == postgresDialect {
		return "postgres"
	}
	return "sqlite"
}

// parseURL tells the dialect and the driver's name and source. For SQLite the source is the plain path.
func parseURL(text string) (dialect, string, error) {
	switch {
	case strings.HasPrefix(text, "sqlite:"):
		path := strings.TrimPrefix(text, "sqlite:")
		if path == "" {
			return 0, "", errors.New("store: sqlite: needs a path")
		}
		return sqliteDialect, path, nil
	case strings.HasPrefix(text, "postgres://"), strings.HasPrefix(text, "postgresql://"):
		if _, err := pgx.ParseConfig(text); err != nil {
			return 0, "", errors.New("store: the postgres URL is not understood")
		}
		return postgresDialect, text, nil
	}
	return 0, "", errors.New("store: the database URL must begin with sqlite: or postgres://")
}

// sqliteSource sets the pragmas of every connection. synchronous=FULL: an accepted turn survives a power cut.
func sqliteSource(path string, readOnly bool) string {
	q := url.Values{}
	for _, p := range []string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "cache_size(-16000)", "temp_store(2)"} {
		q.Add("_pragma", p)
	}
	if readOnly {
		q.Add("_pragma", "query_only(1)")
	} else {
		q.Set("_txlock", "immediate")
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// openPools opens the writer and the reader pool; on PostgreSQL they are the same.
func openPools(d dialect, source string) (writer, reader *sql.DB, err error) {
	if d == postgresDialect {
		db, err := openPostgres(source, ordinaryConns, noJIT)
		return db, db, err
	}
	if err := createPrivately(source); err != nil {
		return nil, nil, err
	}
	writer, err = openKeeping(sqliteSource(source, false))
	if err != nil {
		return nil, nil, fmt.Errorf("store: open: %w", err)
	}
	writer.SetMaxOpenConns(1)
	reader, err = openKeeping(sqliteSource(source, true))
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("store: open: %w", err), writer.Close())
	}
	reader.SetMaxOpenConns(4)
	reader.SetMaxIdleConns(4)
	return writer, reader, nil
}

// How many connections a process has to PostgreSQL.
const (
	ordinaryConns = 14
	massConns     = 6
)

// What each connection is told when it is new. noJIT: just-in-time compiling takes longer than any of our queries, and
// PostgreSQL is led to it by its guess of their cost. byKeys is for connections whose statements find rows by their keys
// whatever the parameters: they are planned once instead of five times, and never to read a table that is small as yet.
const (
	noJIT  = "SET jit = off"
	byKeys = noJIT + "; SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off"
)

func openPostgres(source string, most int, settings string) (*sql.DB, error) {
	cfg, err := pgx.ParseConfig(source)
	if err != nil {
		return nil, errors.New("store: the postgres URL is not understood")
	}
	db := stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, settings)
		return err
	}))
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db, nil
}

// openMass opens the pool for what campaigns do by the thousand: claims, settling, receipts. A connection that is new costs
// PostgreSQL and us a millisecond for each statement it has not seen, so few do it all, of however many processes; and no
// turn of a conversation waits behind them. On SQLite the one writer does everything.
func openMass(d dialect, source string, writer *sql.DB) (*sql.DB, error) {
	if d != postgresDialect {
		return writer, nil
	}
	return openPostgres(source, massConns, byKeys)
}

// createPrivately makes the file, if there is none, for its owner alone; SQLite's own files beside it follow its mode.
func createPrivately(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("store: open: %w", err)
	}
	return f.Close()
}

// isUnique says whether the error is a unique or primary key violation.
func isUnique(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505"
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code() == sqlitelib.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlitelib.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return false
}

// isTransient says whether the same transaction may pass when it is run again: nothing of it was committed.
func isTransient(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "40001" || pg.Code == "40P01"
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		primary := lite.Code() & 0xff
		return primary == sqlitelib.SQLITE_BUSY || primary == sqlitelib.SQLITE_LOCKED
	}
	return false
}

// isOutside says whether an error lies outside of what was to be read and written: the connection, room, a lock, whoever told
// us to stop. Another time the same may pass.
func isOutside(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		// connections, conflicts, no room, in use, told to stop, the system, a database that is damaged or only read
		return slices.Contains([]string{"08", "40", "53", "55", "57", "58", "XX"}, pg.Code[:min(2, len(pg.Code))]) || pg.Code == "25006"
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		// Of all that SQLite may say these alone are about what it was given.
		return !slices.Contains([]int{
			sqlitelib.SQLITE_ERROR, sqlitelib.SQLITE_CONSTRAINT, sqlitelib.SQLITE_MISMATCH, sqlitelib.SQLITE_TOOBIG, sqlitelib.SQLITE_RANGE,
		}, lite.Code()&0xff)
	}
	var network net.Error
	return errors.As(err, &network) || pgconn.SafeToRetry(err) || slices.ContainsFunc([]error{
		context.Canceled, context.DeadlineExceeded, driver.ErrBadConn, sql.ErrConnDone, sql.ErrTxDone, io.EOF, io.ErrUnexpectedEOF,
	}, func(one error) bool { return errors.Is(err, one) })
}

// nowSQL is the database's clock in microseconds, for leases and looks alone.
func (d dialect) nowSQL() string {
	if d == postgresDialect {
		return "SELECT (EXTRACT(EPOCH FROM clock_timestamp())*1000000)::bigint"
	}
	return "SELECT CAST(unixepoch('subsec')*1000000 AS INTEGER)"
}

// bytewise ends an expression of texts that are to be compared byte by byte, as columns that hold dates are.
func (t *tx) bytewise() string {
	if t.d == postgresDialect {
		return ` COLLATE "C"`
	}
	return ""
}

// skipLocked ends a SELECT that claims rows: others' claims are passed over.
func (t *tx) skipLocked() string {
	if t.d == postgresDialect {
		return " FOR UPDATE SKIP LOCKED"
	}
	return ""
}

// forUpdate ends a SELECT whose rows this transaction will change. On SQLite the writer is alone anyway.
func (t *tx) forUpdate() string {
	if t.d == postgresDialect {
		return " FOR UPDATE"
	}
	return ""
}

// lockKey holds a lock on a name until the transaction ends. On SQLite the writer is alone anyway.
func (t *tx) lockKey(key string) error {
	if t.d != postgresDialect {
		return nil
	}
	_, err := t.exec("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", key)
	return err
}

// tryLockKey holds the same lock where nobody else does.
func (t *tx) tryLockKey(key string) (held bool, err error) {
	if t.d != postgresDialect {
		return true, nil
	}
	err = t.row("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))", key).Scan(&held)
	return held, err
}

// planAnew makes PostgreSQL plan each statement of this transaction by the tables as they are: a plan that was kept from
// when they were empty reads all of them for every portion of a first import.
func (t *tx) planAnew() error {
	if t.d != postgresDialect {
		return nil
	}
	_, err := t.exec("SET LOCAL plan_cache_mode = force_custom_plan")
	return err
}

// inKeyOrder keeps this transaction from sorting what could be read in order, and gives what stands behind the name of
// people where they are to be read by their key. On SQLite the key is an index too: without any, all people were read.
func (t *tx) inKeyOrder() (hint string, err error) {
	if t.d != postgresDialect {
		return " INDEXED BY sqlite_autoindex_people_1", nil
	}
	_, err = t.exec("SET LOCAL enable_sort = off")
	return "", err
}

// statement is one of several that are sent together. act says what it does, for errors.
type statement struct {
	act, query string
	args       []any
	into       []any // what its one row is read into; nil: it gives none
	none       *bool // set to false where there is no row, which is then no error

	each func(pgx.Rows) error // takes its rows, on PostgreSQL alone
}

// execAll runs statements in order: on PostgreSQL in one round trip, on SQLite one by one. What changes rows, two or
// more in a row, must be of different tables: on PostgreSQL it is one statement, whose parts don't see one another.
func (t *tx) execAll(list []statement) error {
	if t.d != postgresDialect {
		for _, s := range list {
			if err := t.execOne(s); err != nil {
				return fmt.Errorf("%s: %w", s.act, err)
			}
		}
		return nil
	}
	list = merged(list)
	if t.hand != nil && !t.hand.begun {
		list = append([]statement{{act: "begin", query: "begin"}}, list...)
		t.hand.begun = true
	}
	return t.conn.Raw(func(dc any) error {
		c, ok := dc.(*stdlib.Conn)
		if !ok {
			return errors.New("store: not a pgx connection")
		}
		return sendAll(t.ctx, c.Conn(), list)
	})
}

func (t *tx) execOne(s statement) error {
	if s.into == nil {
		_, err := t.exec(s.query, s.args...)
		return err
	}
	err := t.row(s.query, s.args...).Scan(s.into...)
	if s.none != nil && errors.Is(err, sql.ErrNoRows) {
		*s.none, err = false, nil
	}
	return err
}

func sendAll(ctx context.Context, conn *pgx.Conn, list []statement) (err error) {
	var batch pgx.Batch
	for _, s := range list {
		batch.Queue(s.query, s.args...)
	}
	results := conn.SendBatch(ctx, &batch)
	defer func() {
		if closeErr := results.Close(); err == nil { // after a failure it only says the same again
			err = closeErr
		}
	}()
	for _, s := range list {
		if s.each != nil {
			err = eachRow(results, s.each)
		} else if s.into == nil {
			_, err = results.Exec()
		} else if err = results.QueryRow().Scan(s.into...); s.none != nil && errors.Is(err, pgx.ErrNoRows) {
			*s.none, err = false, nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.act, err)
		}
	}
	return nil
}

func eachRow(results pgx.BatchResults, take func(pgx.Rows) error) error {
	rows, err := results.Query()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := take(rows); err != nil {
			return err
		}
	}
	rows.Close()
	return rows.Err()
}

// pingPools checks that both pools answer.
func pingPools(ctx context.Context, pools ...*sql.DB) error {
	for _, p := range pools {
		if err := p.PingContext(ctx); err != nil {
			return fmt.Errorf("store: the database does not answer: %w", err)
		}
	}
	return nil
}

// ErrHeld: another process holds the database for itself.
var ErrHeld = errors.New("store: another process holds this database")

// LockAlone holds a PostgreSQL database for this process alone, until release or until the process dies.
func (s *Store) LockAlone(ctx context.Context) (release func(), err error) {
	if s.d != postgresDialect {
		return nil, errors.New("store: only PostgreSQL is locked so; a SQLite file has a lock file")
	}
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: lock the database: %w", err)
	}
	var held bool
	if err := conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock(7250125)").Scan(&held); err != nil || !held {
		if err == nil {
			err = ErrHeld
		}
		return nil, errors.Join(err, conn.Close())
	}
	return func() { _ = conn.Close() }, nil // closing the last use of the lock's session ends it; the pool is closed with it
}
