package databasetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver that makes and drops databases
)

// Server is the URL of the PostgreSQL server for tests, empty where there is none.
func Server() string { return os.Getenv("LINGJULI_TEST_POSTGRES") }

// EmptyPostgres makes an empty database and drops it when the test ends. It is "" where there is no server.
func EmptyPostgres(t testing.TB) string {
	t.Helper()
	if Server() == "" {
		return ""
	}
	return create(t, "")
}

// CopyOf makes a database that holds what another one of EmptyPostgres or of this package holds; nobody may be connected
// to that one. The copy is dropped when the test ends.
func CopyOf(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return create(t, " TEMPLATE "+strings.TrimPrefix(u.Path, "/")+" STRATEGY FILE_COPY")
}

// Vacuum does at once what autovacuum would do to a database of this package that was just filled: else the server
// does so later, beside whatever is measured first.
func Vacuum(t testing.TB, address string) {
	t.Helper()
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec("VACUUM (ANALYSE)")
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// AwaitAutovacuum waits until autovacuum has visited a database of this package: it comes once a minute (autovacuum_naptime),
// and so what follows at once is not visited before a minute is over, whatever was before.
func AwaitAutovacuum(t testing.TB, address string) {
	t.Helper()
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec("CREATE TABLE autovacuum_probe AS SELECT n FROM generate_series(1, 1000) AS n; DELETE FROM autovacuum_probe"); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Minute)
	for visited := false; !visited; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("autovacuum does not come: is it off, or autovacuum_naptime long?")
		}
		if err := db.QueryRow("SELECT last_autovacuum IS NOT NULL FROM pg_stat_user_tables WHERE relname = 'autovacuum_probe'").Scan(&visited); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Exec("DROP TABLE autovacuum_probe"); err != nil {
		t.Fatal(err)
	}
}

// create makes a database and drops it when the test ends.
func create(t testing.TB, how string) string {
	t.Helper()
	admin, err := sql.Open("pgx", Server())
	if err != nil {
		t.Fatal(err)
	}
	name := "lingjuli_test_" + chance()
	if _, err := admin.Exec("CREATE DATABASE " + name + how); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
		if err := admin.Close(); err != nil {
			t.Error(err)
		}
	})
	at, err := addressOf(name)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func chance() string {
	raw := make([]byte, 6)
	_, _ = rand.Read(raw)
	return hex.EncodeToString(raw)
}

func addressOf(name string) (string, error) {
	u, err := url.Parse(Server())
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

// templatePrefix begins the names of template databases; the rest of the name is their lock.
const templatePrefix = "lingjuli_template_"

// database is the template of this process.
type database struct {
	name string
	held *sql.Conn // kept open: the server takes the template for forsaken when this ends
}

// migratedDatabase makes the template of this process. Nobody can tell when the last test of a process has ended; so the
// process holds a lock for as long as it lives, and the next one drops what nobody holds.
func migratedDatabase(migrate Migrate, key string) (*database, error) {
	ctx := context.Background()
	admin, err := sql.Open("pgx", Server())
	if err != nil {
		return nil, err
	}
	conn, err := admin.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to the server for tests: %w", err)
	}
	if err := dropForsaken(ctx, conn); err != nil {
		return nil, err
	}
	name := templatePrefix + chance()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock(hashtextextended($1, 0))", name); err != nil {
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	if _, err := conn.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return nil, fmt.Errorf("create %s: %w", name, err)
	}
	at, err := addressOf(name)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, at, key); err != nil {
		return nil, fmt.Errorf("migrate %s: %w", name, err)
	}
	return &database{name, conn}, nil
}

// dropForsaken drops the templates of processes that have ended.
func dropForsaken(ctx context.Context, conn *sql.Conn) error {
	names, err := templatesOn(ctx, conn)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := dropIfForsaken(ctx, conn, name); err != nil {
			return fmt.Errorf("drop %s: %w", name, err)
		}
	}
	return nil
}

func templatesOn(ctx context.Context, conn *sql.Conn) (names []string, err error) {
	rows, err := conn.QueryContext(ctx, "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", templatePrefix)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

func dropIfForsaken(ctx context.Context, conn *sql.Conn, name string) error {
	var free bool
	if err := conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock(hashtextextended($1, 0))", name).Scan(&free); err != nil || !free {
		return err
	}
	_, err := conn.ExecContext(ctx, "DROP DATABASE IF EXISTS "+name)
	_, unlock := conn.ExecContext(ctx, "SELECT pg_advisory_unlock(hashtextextended($1, 0))", name)
	return errors.Join(err, unlock)
}
