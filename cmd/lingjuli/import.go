package main

import (
	"context"

	"github.com/lingjuli/lingjuli/internal/store"
)

type importCmd struct{}

func (c *importCmd) Run(a *app) error { return nil }

type importRequest struct{ kind, path string }
type rej struct {
	Row    int
	Reason string
}
type rep struct{ Rejected []rej }

func importFile(ctx context.Context, s *store.Store, r importRequest) (rep, error) { return rep{}, nil }
