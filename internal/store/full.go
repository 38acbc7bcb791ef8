package store

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// ErrFull: the database has no room to write. It can still be read, and all that was committed stands.
var ErrFull = errors.New("store: the disk of the database is full")

// isFull says whether the database had no room.
func isFull(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "53100"
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code()&0xff == sqlitelib.SQLITE_FULL
	}
	return false
}

// room remembers that a write found none.
type room struct{ full atomic.Bool }

// note looks at how a transaction ended. One that passed says nothing: it may have changed nothing.
func (r *room) note(err error) {
	if err != nil && isFull(err) {
		r.full.Store(true)
	}
}

// Writable says ErrFull where a write found no room and a small one still finds none. It writes only then.
func (s *Store) Writable(ctx context.Context) error {
	if !s.room.full.Load() {
		return nil
	}
	err := s.write(ctx, "store: look for room", func(t *tx) error {
		_, err := t.ids("room", 1)
		return err
	})
	switch {
	case err == nil:
		s.room.full.Store(false)
		return nil
	case isFull(err):
		return errors.Join(ErrFull, err)
	}
	return err
}
