// Package databasetest gives each test a database of its own: a copy of one that is migrated once a process. To migrate
// takes a second under the race detector, to copy takes milliseconds.
//
// It knows no Store, so that the tests inside package store can use it as well as storetest does.
package databasetest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/lingjuli/lingjuli/internal/store/seal"
)

// Migrate brings an empty database to the program's version, under a data key, and leaves nothing open.
type Migrate func(ctx context.Context, databaseURL, dataKey string) error

// Templates are the migrated databases that tests copy.
type Templates struct {
	// Key is the data key of every copy.
	Key string

	sqlite   func() ([]byte, error)
	postgres func() (*database, error)
}

// New makes templates; each is migrated when the first test asks for it.
func New(migrate Migrate) *Templates {
	key := seal.NewDataKey()
	return &Templates{
		Key:      key,
		sqlite:   sync.OnceValues(func() ([]byte, error) { return migratedFile(migrate, key) }),
		postgres: sync.OnceValues(func() (*database, error) { return migratedDatabase(migrate, key) }),
	}
}

// Each runs the test on a fresh SQLite file and, where LINGJULI_TEST_POSTGRES names a server, on a fresh PostgreSQL
// database, side by side with one another and with other tests. With CI=true a missing server is a failure.
func (m *Templates) Each(t *testing.T, test func(t *testing.T, databaseURL string)) {
	t.Helper()
	t.Parallel()
	m.each(t, func(t *testing.T, databaseURL func(testing.TB) string) {
		t.Parallel()
		test(t, databaseURL(t))
	})
}

// EachAlone does the same, one after the other and beside no other test of the package: for what is heavy itself.
func (m *Templates) EachAlone(t *testing.T, test func(t *testing.T, databaseURL string)) {
	t.Helper()
	m.each(t, func(t *testing.T, databaseURL func(testing.TB) string) { test(t, databaseURL(t)) })
}

func (m *Templates) each(t *testing.T, test func(t *testing.T, databaseURL func(testing.TB) string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, m.SQLite) })
	if Server() == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("LINGJULI_TEST_POSTGRES is not set; in CI the PostgreSQL run may not be missing")
		}
		return
	}
	t.Run("postgres", func(t *testing.T) { test(t, m.Postgres) })
}

// SQLite is the URL of a migrated file.
func (m *Templates) SQLite(t testing.TB) string {
	t.Helper()
	file, err := m.sqlite()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "test.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

// Postgres is the URL of a migrated database on the server, which must be there.
func (m *Templates) Postgres(t testing.TB) string {
	t.Helper()
	template, err := m.postgres()
	if err != nil {
		t.Fatal(err)
	}
	return create(t, " TEMPLATE "+template.name)
}

// migratedFile is the content of a migrated SQLite file. Closing it has put all of its log into it.
func migratedFile(migrate Migrate, key string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "lingjuli-template-")
	if err != nil {
		return nil, fmt.Errorf("folder of the template: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "template.db")
	if err := migrate(context.Background(), "sqlite:"+path, key); err != nil {
		return nil, fmt.Errorf("migrate the template: %w", err)
	}
	if _, err := os.Stat(path + "-wal"); err == nil {
		return nil, fmt.Errorf("%s was left open", path)
	}
	return os.ReadFile(path)
}
