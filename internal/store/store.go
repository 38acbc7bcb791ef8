package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/store/seal"
)

//go:embed migrations
var migrations embed.FS

// Errors that callers tell apart.
var (
	ErrNotFound = errors.New("store: not found")
	ErrConflict = register.ErrConflict
	// ErrWrongKey: the data key does not open this database's check value.
	ErrWrongKey = errors.New("LINGJULI_DATA_KEY is not the key of this database")
	// ErrSchema: the database is of another version than this program.
	ErrSchema = errors.New("store: the database is of another version")
)

// checkPlain is what the check value says when it opens.
const checkPlain = "lingjuli check value 1"

// Store is one database. Safe for concurrent use.
type Store struct {
	d      dialect
	keys   *seal.Keys
	writer *sql.DB
	reader *sql.DB
	mass   *sql.DB // for what campaigns do by the thousand; see openMass

	writers, readers, masses queue
	receipts                 idBlock
	keeping                  keeping
	turns                    *together
	watchTurns               func(TurnTimes)
	room                     room
	aside                    *aside // nil on SQLite
}

// Open connects. It neither migrates nor reads keys: call Migrate or Ready next.
// databaseURL: sqlite:PATH or postgres://…; dataKeys: the comma-separated LINGJULI_DATA_KEY.
func Open(ctx context.Context, databaseURL, dataKeys string) (*Store, error) {
	raw, err := seal.ParseDataKeys(dataKeys)
	if err != nil {
		return nil, err
	}
	keys, err := seal.New(raw)
	if err != nil {
		return nil, err
	}
	d, source, err := parseURL(databaseURL)
	if err != nil {
		return nil, err
	}
	writer, reader, err := openPools(d, source)
	if err != nil {
		return nil, err
	}
	mass, err := openMass(d, source, writer)
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	s := &Store{
		d: d, keys: keys, writer: writer, reader: reader, mass: mass,
		writers: newQueue(writer), readers: newQueue(reader), masses: newQueue(mass), receipts: idBlock{sequence: "receipts"},
	}
	s.turns = s.newTogether()
	if s.aside, err = openAside(d, source); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := pingPools(ctx, writer); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close closes the pools.
func (s *Store) Close() error {
	err := s.writer.Close()
	if s.mass != s.writer {
		err = errors.Join(err, s.mass.Close())
	}
	if s.reader != s.writer {
		err = errors.Join(err, s.reader.Close())
	}
	return errors.Join(err, s.aside.close())
}

// Dialect is "sqlite" or "postgres", for messages.
func (s *Store) Dialect() string { return s.d.String() }

// Ping checks that the database answers.
func (s *Store) Ping(ctx context.Context) error { return pingPools(ctx, s.reader) }

func (s *Store) provider() (*goose.Provider, error) {
	sub, err := fs.Sub(migrations, "migrations/"+s.d.String())
	if err != nil {
		return nil, fmt.Errorf("store: migrations: %w", err)
	}
	name := database.DialectSQLite3
	if s.d == postgresDialect {
		name = database.DialectPostgres
	}
	p, err := goose.NewProvider(name, s.writer, sub, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("store: migrations: %w", err)
	}
	return p, nil
}

// MigrationState is one migration's name and whether it is applied.
type MigrationState struct {
	Version int64
	Name    string
	Applied bool
}

// Migrate brings the schema to this program's version, makes the keys on the first run, and checks the data key.
// Several processes may call it at once: a lock in the database lets one through at a time.
func (s *Store) Migrate(ctx context.Context) error {
	unlock, err := s.lockMigrations(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	p, err := s.provider()
	if err != nil {
		return err
	}
	if newer, err := s.newerThan(ctx, p); err != nil || newer {
		return errors.Join(err, orNil(newer, fmt.Errorf("%w: it is newer than this program", ErrSchema)))
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("store: migrate: %w", err)
	}
	if err := s.makeKeys(ctx); err != nil {
		return err
	}
	return s.loadKeys(ctx)
}

func orNil(cond bool, err error) error {
	if cond {
		return err
	}
	return nil
}

// lockMigrations keeps a second process out of Migrate. SQLite's own write lock does it there.
func (s *Store) lockMigrations(ctx context.Context) (func(), error) {
	if s.d != postgresDialect {
		return func() {}, nil
	}
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: lock migrations: %w", err)
	}
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock(7250124)"); err != nil {
		return nil, errors.Join(fmt.Errorf("store: lock migrations: %w", err), conn.Close())
	}
	return func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock(7250124)")
		_ = conn.Close()
	}, nil
}

func (s *Store) newerThan(ctx context.Context, p *goose.Provider) (bool, error) {
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return false, fmt.Errorf("store: read the schema's version: %w", err)
	}
	return have > want, nil
}

// Status lists the migrations.
func (s *Store) Status(ctx context.Context) ([]MigrationState, error) {
	p, err := s.provider()
	if err != nil {
		return nil, err
	}
	list, err := p.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: migration status: %w", err)
	}
	states := make([]MigrationState, 0, len(list))
	for _, m := range list {
		states = append(states, MigrationState{m.Source.Version, m.Source.Path, m.State == goose.StateApplied})
	}
	return states, nil
}

// Ready checks version and keys: ErrSchema where the database is older or newer than the program,
// ErrWrongKey where the data key is another.
func (s *Store) Ready(ctx context.Context) error {
	p, err := s.provider()
	if err != nil {
		return err
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("store: read the schema's version: %w", err)
	}
	if have != want {
		return fmt.Errorf("%w: database %d, program %d", ErrSchema, have, want)
	}
	return s.loadKeys(ctx)
}

// makeKeys writes a random index key and the check value, both sealed under the data key, if there are none.
func (s *Store) makeKeys(ctx context.Context) error {
	return s.write(ctx, "store: make keys", func(t *tx) error {
		index := make([]byte, 32)
		_, _ = rand.Read(index)
		_, err := t.exec(`INSERT INTO keys (id, index_key, check_value) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING`,
			s.keys.Seal(index, "keys", "index_key", 1), s.keys.Seal([]byte(checkPlain), "keys", "check_value", 1))
		return err
	})
}

// CheckKey says ErrWrongKey where keys are kept here and the data key is not theirs; it works whatever the schema's
// version.
func (s *Store) CheckKey(ctx context.Context) error {
	if fresh, err := s.Fresh(ctx); err != nil || fresh {
		return err
	}
	return s.loadKeys(ctx)
}

func (s *Store) loadKeys(ctx context.Context) error {
	var index, check []byte
	err := s.read(ctx, "store: load keys", func(t *tx) error {
		return t.row(`SELECT index_key, check_value FROM keys WHERE id = 1`).Scan(&index, &check)
	})
	if err != nil {
		return err
	}
	plain, err := s.keys.Open(check, "keys", "check_value", 1)
	if err != nil || string(plain) != checkPlain {
		return ErrWrongKey
	}
	raw, err := s.keys.Open(index, "keys", "index_key", 1)
	if err != nil {
		return ErrWrongKey
	}
	s.keys.UseIndexKey(raw)
	return nil
}

// MAC is the HMAC-SHA-256 of a value in a domain under the index key, for OutIds and receipts.
func (s *Store) MAC(domain, value string) []byte { return s.keys.MAC(domain, value) }

// Fresh says whether nothing was ever migrated here.
func (s *Store) Fresh(ctx context.Context) (bool, error) {
	p, err := s.provider()
	if err != nil {
		return false, err
	}
	have, _, err := p.GetVersions(ctx)
	if err != nil {
		return false, fmt.Errorf("store: read the schema's version: %w", err)
	}
	return have == 0, nil
}
