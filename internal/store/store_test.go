package store

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/store/databasetest"
	"github.com/lingjuli/lingjuli/internal/store/seal"
)

// templates are what storetest has, for tests inside this package, which storetest imports.
var templates = sync.OnceValue(func() *databasetest.Templates {
	return databasetest.New(func(ctx context.Context, url, key string) error {
		s, err := Open(ctx, url, key)
		if err != nil {
			return err
		}
		return errors.Join(s.Migrate(ctx), s.Close())
	})
})

// eachStore is storetest.Each for tests inside this package.
func eachStore(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Helper()
	templates().Each(t, func(t *testing.T, url string) { test(t, openReady(t, url)) })
}

// openReady opens a copy of a template.
func openReady(t testing.TB, url string) *Store {
	t.Helper()
	s, err := Open(t.Context(), url, templates().Key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func openMigrated(t *testing.T, url, key string) *Store {
	t.Helper()
	s, err := Open(t.Context(), url, key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParametersTimesBooleansAndUniqueViolationsSurviveTheRoundTrip(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		at := time.Date(2026, 11, 23, 12, 34, 56, 789012000, time.FixedZone("CST", 8*3600))
		blob := []byte{0, 1, 2, 0xff}
		err := s.write(ctx, "make", func(tx *tx) error {
			if _, err := tx.exec("CREATE TABLE round_trip (id BIGINT PRIMARY KEY, at BIGINT NOT NULL, yes BOOLEAN NOT NULL, no BOOLEAN NOT NULL, word TEXT, raw " + tx.blobType() + ")"); err != nil {
				return err
			}
			// $2 before $1: parameters are bound by number, not by place.
			_, err := tx.exec("INSERT INTO round_trip (at, id, yes, no, word, raw) VALUES ($2, $1, $3, $4, $5, $6)", int64(1)<<40, toMicros(at), true, false, "零距离", blob)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var id, us int64
		var yes, no bool
		var word string
		var raw []byte
		err = s.read(ctx, "read", func(tx *tx) error {
			return tx.row("SELECT id, at, yes, no, word, raw FROM round_trip WHERE yes AND NOT no AND word = $1", "零距离").Scan(&id, &us, &yes, &no, &word, &raw)
		})
		if err != nil {
			t.Fatal(err)
		}
		if id != 1<<40 || !fromMicros(us).Equal(at) || !yes || no || !bytes.Equal(raw, blob) {
			t.Errorf("got %d %v %v %v %q %x", id, fromMicros(us), yes, no, word, raw)
		}
		err = s.write(ctx, "again", func(tx *tx) error {
			_, err := tx.exec("INSERT INTO round_trip (id, at, yes, no) VALUES ($1, 0, true, true)", id)
			return err
		})
		if !isUnique(err) {
			t.Errorf("the second row of one key: got %v, want a unique violation", err)
		}
	})
}

func TestATransactionThatFailsLeavesNothing(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		boom := errors.New("boom")
		err := s.write(t.Context(), "act", func(tx *tx) error {
			if _, err := tx.ids("left", 5); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatalf("got %v", err)
		}
		err = s.write(t.Context(), "act", func(tx *tx) error {
			first, err := tx.ids("left", 1)
			if first != 1 {
				t.Errorf("first id %d, want 1", first)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestReservedIDsNeverOverlap(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		seen := make(chan int64, 100)
		errs := make(chan error, 10)
		for range 10 {
			go func() {
				errs <- s.write(t.Context(), "ids", func(tx *tx) error {
					first, err := tx.ids("people", 10)
					for i := range int64(10) {
						seen <- first + i
					}
					return err
				})
			}()
		}
		for range 10 {
			if err := <-errs; err != nil {
				t.Fatal(err)
			}
		}
		close(seen)
		distinct := map[int64]bool{}
		for id := range seen {
			if distinct[id] {
				t.Errorf("id %d twice", id)
			}
			distinct[id] = true
		}
	})
}

func TestAnotherDataKeyIsRefusedByName(t *testing.T) {
	url := "sqlite:" + t.TempDir() + "/k.db"
	key := seal.NewDataKey()
	openMigrated(t, url, key)
	for name, tc := range map[string]struct {
		keys string
		want error
	}{
		"the same":           {key, nil},
		"another":            {seal.NewDataKey(), ErrWrongKey},
		"new first, old too": {seal.NewDataKey() + "," + key, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.Context(), url, tc.keys)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := s.Ready(t.Context()); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

func TestADatabaseOfAnotherVersionIsRefused(t *testing.T) {
	s, err := Open(t.Context(), "sqlite:"+t.TempDir()+"/v.db", seal.NewDataKey())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Ready(t.Context()); !errors.Is(err, ErrSchema) {
		t.Errorf("an empty database: got %v", err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	err = s.write(t.Context(), "newer", func(tx *tx) error {
		_, err := tx.exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(t.Context()); !errors.Is(err, ErrSchema) {
		t.Errorf("a newer database: got %v", err)
	}
	if err := s.Migrate(t.Context()); !errors.Is(err, ErrSchema) {
		t.Errorf("migrating a newer database: got %v", err)
	}
}

func TestTheDatabasesClockIsNearOurs(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		err := s.read(t.Context(), "now", func(tx *tx) error {
			now, err := tx.now()
			if d := time.Since(now).Abs(); d > time.Minute {
				t.Errorf("off by %v", d)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestACancelledContextEndsAWrite(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.write(ctx, "late", func(*tx) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}
