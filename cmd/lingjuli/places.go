package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/notify"
)

// How often those who moved up in a waiting list are looked for, and how many are told at once.
const (
	placesEvery = 5 * time.Second
	placesBatch = 100
)

// tellMovedUp tells those who moved up in a course, because somebody left or an import gave it more places, in the hours
// in which people are written to, until ctx ends.
func tellMovedUp(ctx context.Context, s *store.Store, turns *turn.Service, zone *time.Location, log *slog.Logger) {
	hours, err := notify.ParseWindow(notify.DefaultWindow)
	if err != nil {
		panic(err) // a constant of ours
	}
	tick := time.NewTicker(placesEvery)
	defer tick.Stop()
	for {
		now := time.Now()
		for told := placesBatch; told == placesBatch && hours.Open(now, zone) && ctx.Err() == nil; {
			told, err = s.TellMovedUp(ctx, now.In(zone).Format(time.DateOnly), placesBatch, turns.NewsOfPlace)
			if err != nil && ctx.Err() == nil {
				log.Warn("who moved up in a course was not told yet", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
