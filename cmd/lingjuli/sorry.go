package main

import (
	"context"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/store"
)

// languageWithin is how long the database may take to say what somebody speaks: it may be what failed.
const languageWithin = 300 * time.Millisecond

// sorry tells a person in their language that their turn failed. A database that can't write can mostly still be read.
type sorry struct {
	turns *turn.Service
	store *store.Store
}

func (s sorry) text(in turn.Inbound) string {
	ctx, cancel := context.WithTimeout(context.Background(), languageWithin)
	defer cancel()
	language, err := s.store.LanguageOf(ctx, register.OpenID(in.Who))
	if err != nil {
		language = ""
	}
	return s.turns.Sorry(in, language)
}
