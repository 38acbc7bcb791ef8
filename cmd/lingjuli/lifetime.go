package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// stopWithin bounds the whole way down, so that an operator's SIGTERM ends the process before a SIGKILL would.
const stopWithin = 8 * time.Second

// lifetime stops what was started, in exact reverse, under one deadline.
type lifetime struct {
	log   *slog.Logger
	parts []part
}

type part struct {
	name string
	stop func(ctx context.Context) error
}

func (l *lifetime) add(name string, stop func(ctx context.Context) error) {
	l.parts = append(l.parts, part{name, stop})
}

// stop ends all parts even where one fails; later parts get what is left of the deadline.
func (l *lifetime) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	var errs []error
	for i := len(l.parts) - 1; i >= 0; i-- {
		p := l.parts[i]
		if err := p.stop(ctx); err != nil && !errors.Is(err, context.Canceled) {
			l.log.Warn("a part did not stop cleanly", "part", p.name, "error", err)
			errs = append(errs, fmt.Errorf("stop %s: %w", p.name, err))
		}
	}
	l.parts = nil
	return errors.Join(errs...)
}
