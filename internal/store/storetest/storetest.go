// Package storetest opens fresh migrated databases of every kind that is there, for conformance tests.
package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver that makes and drops databases

	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/internal/store/seal"
)

// Each runs the test on a fresh SQLite file and, where LINGJULI_TEST_POSTGRES names a server, on a fresh
// PostgreSQL database. With CI=true a missing server is a failure.
func Each(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, openAt(t, SQLiteURL(t))) })
	if os.Getenv("LINGJULI_TEST_POSTGRES") == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("LINGJULI_TEST_POSTGRES is not set; in CI the PostgreSQL run may not be missing")
		}
		return
	}
	t.Run("postgres", func(t *testing.T) { test(t, openAt(t, PostgresURL(t))) })
}

// SQLite opens one fresh SQLite store, for tests in which the database does not matter.
func SQLite(t testing.TB) *store.Store {
	t.Helper()
	return openAt(t, SQLiteURL(t))
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
	server := os.Getenv("LINGJULI_TEST_POSTGRES")
	if server == "" {
		return ""
	}
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	raw := make([]byte, 6)
	_, _ = rand.Read(raw)
	name := "lingjuli_test_" + hex.EncodeToString(raw)
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
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
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func openAt(t testing.TB, databaseURL string) *store.Store {
	t.Helper()
	ctx := context.Background()
	s, err := store.Open(ctx, databaseURL, seal.NewDataKey())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}
