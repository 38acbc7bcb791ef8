package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
)

// What a connection keeps. Bulk inserts are long and differ in their length: they are not kept.
const (
	statementsKept  = 200
	statementLength = 4096
)

// openKeeping opens SQLite connections that keep their prepared statements, as pgx does: parsing SQL was more than a
// third of a turn's time on the writer.
func openKeeping(source string) (*sql.DB, error) {
	plain, err := sql.Open("sqlite", source)
	if err != nil {
		return nil, err
	}
	defer func() { _ = plain.Close() }() // it has opened nothing
	return sql.OpenDB(keepingConnector{plain.Driver(), source}), nil
}

type keepingConnector struct {
	driver driver.Driver
	source string
}

func (c keepingConnector) Driver() driver.Driver { return c.driver }

func (c keepingConnector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.driver.Open(c.source)
	if err != nil {
		return nil, err
	}
	lite, ok := conn.(liteConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("store: %T lacks what is needed of a SQLite connection", conn), conn.Close())
	}
	return &keepingConn{liteConn: lite, kept: map[string]liteStatement{}}, nil
}

// liteConn is what database/sql uses of the driver's connection.
type liteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type liteStatement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// keepingConn is one connection with its statements. database/sql uses it from one goroutine at a time.
type keepingConn struct {
	liteConn
	kept map[string]liteStatement
}

// take gives the statement of a query. Until put back it is nobody else's: rows may be open on it.
func (c *keepingConn) take(ctx context.Context, query string) (liteStatement, error) {
	if s, ok := c.kept[query]; ok {
		delete(c.kept, query)
		return s, nil
	}
	s, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	lite, ok := s.(liteStatement)
	if !ok {
		return nil, errors.Join(fmt.Errorf("store: %T lacks what is needed of a SQLite statement", s), s.Close())
	}
	return lite, nil
}

// put takes a statement back. One that failed is not used again.
func (c *keepingConn) put(query string, s liteStatement, failed bool) error {
	_, twice := c.kept[query]
	if failed || twice || len(query) > statementLength || len(c.kept) >= statementsKept {
		return s.Close()
	}
	c.kept[query] = s
	return nil
}

// ExecContext implements driver.ExecerContext.
func (c *keepingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	res, err := s.ExecContext(ctx, args)
	if closeErr := c.put(query, s, err != nil); err == nil {
		err = closeErr
	}
	return res, err
}

// QueryContext implements driver.QueryerContext.
func (c *keepingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, args)
	if err != nil {
		_ = c.put(query, s, true) // the query's error says more
		return nil, err
	}
	return &keptRows{Rows: rows, conn: c, query: query, statement: s}, nil
}

// Close ends the statements, then the connection.
func (c *keepingConn) Close() error {
	var errs []error
	for _, s := range c.kept {
		errs = append(errs, s.Close())
	}
	clear(c.kept)
	return errors.Join(append(errs, c.liteConn.Close())...)
}

// keptRows puts its statement back when it is closed.
type keptRows struct {
	driver.Rows
	conn      *keepingConn
	query     string
	statement liteStatement
}

func (r *keptRows) Close() error {
	err := r.Rows.Close()
	if r.statement == nil {
		return err
	}
	s := r.statement
	r.statement = nil
	return errors.Join(err, r.conn.put(r.query, s, err != nil))
}
