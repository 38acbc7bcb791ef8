package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/lingjuli/lingjuli/internal/store/seal"
)

// tx is one open transaction with its context. Functions that take it compose within that transaction.
type tx struct {
	ctx    context.Context
	d      dialect
	keys   *seal.Keys
	conn   *sql.Conn
	sql    runner
	hand   *handTx             // nil: begun and ended by database/sql
	held   map[int64]*heldCall // the calls that it has locked
	turns  int                 // for how many households it has taken turns
	wechat map[int64]bool      // campaigns of which it knows whether they go by WeChat

	aside *aside // where ids are reserved that nobody waits for; nil: in this transaction
}

// runner is what statements run on: a transaction.
type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func (t *tx) exec(query string, args ...any) (int64, error) {
	res, err := t.sql.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (t *tx) query(query string, args ...any) (*sql.Rows, error) {
	return t.sql.QueryContext(t.ctx, query, args...)
}

func (t *tx) row(query string, args ...any) *sql.Row {
	return t.sql.QueryRowContext(t.ctx, query, args...)
}

// now reads the database's clock.
func (t *tx) now() (time.Time, error) {
	var us int64
	if err := t.row(t.d.nowSQL()).Scan(&us); err != nil {
		return time.Time{}, fmt.Errorf("store: read the clock: %w", err)
	}
	return fromMicros(us), nil
}

const reserveSQL = `INSERT INTO sequences (name, next) VALUES ($1, $2)
	ON CONFLICT (name) DO UPDATE SET next = sequences.next + $3 RETURNING next`

// ids reserves n ids of a sequence and returns the first. Gaps are allowed; a row id must be known
// before the row is written because sealing binds to it.
func (t *tx) ids(sequence string, n int) (int64, error) {
	var after int64
	err := t.row(reserveSQL, sequence, int64(n)+1, int64(n)).Scan(&after)
	if err != nil {
		return 0, fmt.Errorf("store: reserve %d ids of %s: %w", n, sequence, err)
	}
	return after - int64(n), nil
}

// idBlock gives ids that were reserved many at a time, before the transactions that use them: of those who reserve in their
// own, each would wait until the one before it is on the disk.
type idBlock struct {
	sequence  string
	mu        sync.Mutex
	next, end int64
}

const idsAtOnce = 256

func (b *idBlock) take(ctx context.Context, s *Store, n int) (first int64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.end-b.next < int64(n) {
		some := max(n, idsAtOnce)
		err := s.write(ctx, "store: ids of "+b.sequence, func(t *tx) (err error) { b.next, err = t.ids(b.sequence, some); return err })
		if err != nil {
			b.end = b.next
			return 0, err
		}
		b.end = b.next + int64(some)
	}
	first = b.next
	b.next += int64(n)
	return first, nil
}

// write runs fn in one writing transaction. It runs it anew where the database says that nothing was committed
// and the same may pass now; fn must therefore have no effect outside.
func (s *Store) write(ctx context.Context, op string, fn func(*tx) error) error {
	return s.again(ctx, op, func() error { return s.once(ctx, s.writer, nil, fn) })
}

// writeMass is write for what campaigns do by the thousand, on connections of their own.
func (s *Store) writeMass(ctx context.Context, op string, fn func(*tx) error) error {
	return s.again(ctx, op, func() error { return s.once(ctx, s.mass, nil, fn) })
}

// execAlone runs one statement that is a transaction by itself: to begin and to commit it would each be a round trip.
func (s *Store) execAlone(ctx context.Context, op, query string, args ...any) error {
	return s.again(ctx, op, func() error {
		leave, err := s.queue(s.writer).enter(ctx)
		if err != nil {
			return err
		}
		defer leave()
		_, err = s.writer.ExecContext(ctx, query, args...)
		return err
	})
}

// again runs a transaction until it passes or fails for good.
func (s *Store) again(ctx context.Context, op string, once func() error) error {
	const tries = 8
	for try := 1; ; try++ {
		err := once()
		s.room.note(err)
		if err == nil {
			return nil
		}
		if !isTransient(err) || try == tries {
			return fmt.Errorf("%s: %w", op, err)
		}
		pause := time.Duration(1<<try)*time.Millisecond + rand.N(10*time.Millisecond)
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", op, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// read runs fn on one consistent snapshot.
func (s *Store) read(ctx context.Context, op string, fn func(*tx) error) error {
	opts := &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}
	if s.d == sqliteDialect {
		opts = nil // a deferred transaction is a snapshot already
	}
	if err := s.once(ctx, s.reader, opts, fn); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}

func (s *Store) once(ctx context.Context, pool *sql.DB, opts *sql.TxOptions, fn func(*tx) error) (err error) {
	leave, err := s.queue(pool).enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ignoreDone(conn.Close())) }()
	sqlTx, err := conn.BeginTx(ctx, opts)
	if err != nil {
		return err
	}
	defer func() { _ = sqlTx.Rollback() }() // where fn panics: a connection with an open transaction never comes back
	if err := fn(&tx{ctx: ctx, d: s.d, keys: s.keys, conn: conn, sql: sqlTx, aside: s.aside}); err != nil {
		return errors.Join(err, ignoreDone(sqlTx.Rollback()))
	}
	return sqlTx.Commit()
}

// alone runs fn for as long as nobody else holds the lock on a name, and not at all where somebody does. fn has transactions of its
// own. On SQLite there is one process.
func (s *Store) alone(ctx context.Context, key string, fn func() error) error {
	if s.d != postgresDialect {
		return fn()
	}
	return s.once(ctx, s.writer, nil, func(t *tx) error {
		if held, err := t.tryLockKey(key); err != nil || !held {
			return err
		}
		return fn()
	})
}

// queue lets transactions in as they came, as many as the pool has connections. Left alone, database/sql gives a free
// connection to anyone who waits: of many at once some wait ten times as long as others.
type queue chan struct{}

func newQueue(pool *sql.DB) queue { return make(queue, pool.Stats().MaxOpenConnections) }

func (q queue) enter(ctx context.Context) (leave func(), err error) {
	select {
	case q <- struct{}{}: // those who wait to send are served in their order
		return func() { <-q }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *Store) queue(pool *sql.DB) queue {
	switch pool {
	case s.writer:
		return s.writers
	case s.mass:
		return s.masses
	}
	return s.readers
}

// ignoreDone drops the errors that only say a transaction or connection had ended already.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) || errors.Is(err, sql.ErrConnDone) {
		return nil
	}
	return err
}

// toMicros turns a time into what the database holds; the zero time is 0.
func toMicros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// fromMicros is the reverse of toMicros, in UTC.
func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
