// Package storetest opens fresh migrated databases of every kind that is there, for conformance tests.
package storetest

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/internal/store/databasetest"
)

var templates = sync.OnceValue(func() *databasetest.Templates { return databasetest.New(migrate) })

func migrate(ctx context.Context, databaseURL, dataKey string) error {
	s, err := store.Open(ctx, databaseURL, dataKey)
	if err != nil {
		return err
	}
	return errors.Join(s.Migrate(ctx), s.Close())
}

// Each runs the test on a fresh SQLite file and, where LINGJULI_TEST_POSTGRES names a server, on a fresh
// PostgreSQL database, side by side. With CI=true a missing server is a failure.
func Each(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	templates().Each(t, func(t *testing.T, databaseURL string) { test(t, openAt(t, databaseURL)) })
}

// SQLite opens one fresh SQLite store, for tests in which the database does not matter.
func SQLite(t testing.TB) *store.Store {
	t.Helper()
	return openAt(t, templates().SQLite(t))
}

// SQLiteURL names a file that does not exist yet.
func SQLiteURL(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "test.db")
}

// PostgresURL makes a fresh empty database and drops it when the test ends.
// It is "" where LINGJULI_TEST_POSTGRES is not set.
func PostgresURL(t testing.TB) string {
	t.Helper()
	return databasetest.EmptyPostgres(t)
}

func openAt(t testing.TB, databaseURL string) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), databaseURL, templates().Key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Ready(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s
}
