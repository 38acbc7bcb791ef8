package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/lingjuli/lingjuli/flows/turn"
)

// Turn implements turn.Store: one transaction for everything that one input does. The contact's row is the person's
// lock: a second input of theirs, or a copy of this one, waits for the commit and then sees what it left.
//
// What a turn costs is statements, round trips and flushes of the disk. Turns that wait for a writer share them
// (turn_together.go). One that is alone sends its begin with the first look and its commit with what it leaves.
func (s *Store) Turn(ctx context.Context, who turn.Who, fn func(turn.Tx) error) error {
	w := &waitingTurn{ctx: ctx, who: who, idx: s.keys.Index(whoDomain(who.Channel), who.ID), fn: fn}
	alone, err := s.turns.join(w)
	if alone {
		err = s.runAlone(w)
		w.marks.byItself()
	}
	if s.watchTurns != nil && err == nil {
		s.watchTurns(w.marks.times(alone))
	}
	if err != nil {
		return fmt.Errorf("store: turn: %w", err)
	}
	return nil
}

// runAlone runs a turn of PostgreSQL in a transaction of its own.
func (s *Store) runAlone(w *waitingTurn) error {
	return s.again(w.ctx, "alone", func() error {
		return s.byHand(w.ctx, func(t *tx) error {
			own := &turnTx{tx: t, who: w.who, idx: w.idx}
			if err := w.fn(own); err != nil {
				return err
			}
			return own.conclude()
		})
	})
}

// conclude writes what a turn leaves, and with it ends a transaction that was begun by hand. Of turns that go together
// it is written when all have been run.
func (t *turnTx) conclude() error {
	switch {
	case t.kept != nil:
		return nil
	case t.hand == nil:
		return t.execAll(t.closing)
	}
	return t.commit(t.closing)
}

// commit ends a transaction that was begun by hand.
func (t *tx) commit(last []statement) error {
	if !t.hand.begun {
		return nil
	}
	err := t.execAll(append(last, statement{act: "commit", query: "commit"}))
	t.hand.begun = err != nil
	return err
}

// byHand runs fn on one connection in a transaction that begins with its first statement. fn ends it.
func (s *Store) byHand(ctx context.Context, fn func(*tx) error) (err error) {
	leave, err := s.queue(s.writer).enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return err
	}
	hand := &handTx{conn: conn}
	defer func() { err = errors.Join(err, hand.end(ctx)) }()
	return fn(&tx{ctx: ctx, d: s.d, keys: s.keys, conn: conn, sql: hand, hand: hand, aside: s.aside})
}

// handTx is a transaction begun by hand on a connection: by its first statement, or by whoever sends that together
// with the begin.
type handTx struct {
	conn  *sql.Conn
	begun bool
}

func (h *handTx) begin(ctx context.Context) error {
	if h.begun {
		return nil
	}
	_, err := h.conn.ExecContext(ctx, "begin")
	h.begun = err == nil
	return err
}

// ExecContext is sql.Conn's, inside the transaction.
func (h *handTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := h.begin(ctx); err != nil {
		return nil, err
	}
	return h.conn.ExecContext(ctx, query, args...)
}

// QueryContext is sql.Conn's, inside the transaction.
func (h *handTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := h.begin(ctx); err != nil {
		return nil, err
	}
	return h.conn.QueryContext(ctx, query, args...)
}

// QueryRowContext is sql.Conn's, inside the transaction.
func (h *handTx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if err := h.begin(ctx); err != nil {
		never, cancel := context.WithCancel(ctx) // a row that says that there is none
		cancel()
		ctx = never
	}
	return h.conn.QueryRowContext(ctx, query, args...)
}

// end gives the connection back. Where the transaction is still open, by an error or a panic, it is undone; a
// connection that can't do that is thrown away.
func (h *handTx) end(ctx context.Context) error {
	if h.begun {
		if _, err := h.conn.ExecContext(context.WithoutCancel(ctx), "rollback"); err != nil {
			_ = h.conn.Raw(func(any) error { return driver.ErrBadConn }) // it has nothing else to say
		}
	}
	return ignoreDone(h.conn.Close())
}
