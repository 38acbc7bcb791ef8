package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// aside reserves ids on a connection of its own, each in a transaction of its own that is over at once. Reserved in the
// transaction that uses them, the row of their sequence is held until its commit: turns that queue a text, and calls that
// are taken apart, would go one after the other, and two groups of turns that want two sequences in another order would
// stand still. Whoever asks first has the lower id, in whichever process.
//
// A sequence is either always reserved aside or never: a transaction that holds its row would wait here for itself.
//
// What reserves does not wait for the disk. A row that uses the id is committed later, and to be on the disk is to have
// all before it there; what a crash loses of reservations, nobody has used.
type aside struct{ db *sql.DB }

// openAside opens no connection yet. On SQLite there is one writer, and nothing to wait for.
func openAside(d dialect, source string) (*aside, error) {
	if d != postgresDialect {
		return nil, nil //nolint:nilnil // none is needed
	}
	cfg, err := pgx.ParseConfig(source)
	if err != nil {
		return nil, errors.New("store: the postgres URL is not understood")
	}
	db := stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "SET synchronous_commit = off; SET lock_timeout = '2s'")
		return err
	}))
	db.SetMaxOpenConns(1)
	return &aside{db}, nil
}

func (a *aside) close() error {
	if a == nil {
		return nil
	}
	return a.db.Close()
}

// newID gives an id of a sequence that no other transaction waits for.
func (t *tx) newID(sequence string) (int64, error) { return t.newIDs(sequence, 1) }

// newIDs gives the first of n ids of a sequence that no other transaction waits for.
func (t *tx) newIDs(sequence string, n int) (int64, error) {
	if t.aside == nil {
		return t.ids(sequence, n)
	}
	var after int64
	if err := t.aside.db.QueryRowContext(t.ctx, reserveSQL, sequence, int64(n)+1, int64(n)).Scan(&after); err != nil {
		return 0, fmt.Errorf("store: reserve %d ids of %s: %w", n, sequence, err)
	}
	return after - int64(n), nil
}
