package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/lingjuli/lingjuli/internal/store"
)

type migrateCmd struct {
	Action string `arg:"" optional:"" enum:"up,status" default:"up"`
}

// Run brings the schema up to date or lists its steps.
func (c *migrateCmd) Run(a *app) error {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	if c.Action == "status" {
		if err := cfg.databaseThere(); err != nil {
			return err
		}
	}
	s, err := openStore(a.ctx, cfg)
	if err != nil {
		return err
	}
	defer s.Close()
	if c.Action == "status" {
		if err := s.CheckKey(a.ctx); err != nil {
			return err
		}
		return c.status(a, s)
	}
	if err := s.Migrate(a.ctx); err != nil {
		return err
	}
	fmt.Fprintln(a.stdout, a.texts.t("migrated"))
	return nil
}

func (c *migrateCmd) status(a *app, s *store.Store) error {
	list, err := s.Status(a.ctx)
	if err != nil {
		return err
	}
	for _, m := range list {
		state := "migration_waiting"
		if m.Applied {
			state = "migration_applied"
		}
		fmt.Fprintf(a.stdout, "%s  %s\n", a.texts.t(state), m.Name)
	}
	return nil
}

// openStore connects without looking at the schema.
func openStore(ctx context.Context, cfg config) (*store.Store, error) {
	s, err := store.Open(ctx, cfg.DatabaseURL, cfg.DataKey)
	if err != nil {
		return nil, &saying{key: "database_away", err: err}
	}
	return s, nil
}

// databaseThere says where a database that should be a file is none: a mistyped path must not look like an empty county.
func (c config) databaseThere() error {
	path := c.sqlitePath()
	if path == "" {
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return &saying{key: "no_database", data: []any{"Path", path}, err: err}
	}
	return nil
}

// readyStore connects and makes sure that schema and key are this program's and this database's.
func readyStore(ctx context.Context, cfg config) (*store.Store, error) {
	if err := cfg.databaseThere(); err != nil {
		return nil, err
	}
	s, err := openStore(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := s.Ready(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}
