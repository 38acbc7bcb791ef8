package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/lingjuli/lingjuli/internal/store"
)

// turnParts are the parts of a turn's time, in their order.
func turnParts() []string { return []string{"waited", "opened", "before", "ran", "after", "saved"} }

// partsOf is how long each of them took.
func partsOf(t store.TurnTimes) [6]time.Duration {
	return [6]time.Duration{t.Waited, t.Opened, t.Before, t.Ran, t.After, t.Saved}
}

// watchTurns counts where the time of turns goes.
func watchTurns(s *store.Store, metrics prometheus.Registerer) {
	counters := promauto.With(metrics)
	parts := counters.NewHistogramVec(prometheus.HistogramOpts{
		Name: "lingjuli_turn_part_seconds", Help: "Where a turn's time went: it waited for a writer, its group was opened, those before it ran, it ran itself, those after it ran, all was saved.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1},
	}, []string{"part"})
	groups := counters.NewHistogram(prometheus.HistogramOpts{
		Name: "lingjuli_turns_together", Help: "Of a turn: how many were written together with it.", Buckets: []float64{1, 2, 4, 8, 16, 32},
	})
	anew := counters.NewCounter(prometheus.CounterOpts{Name: "lingjuli_turns_anew_total", Help: "Turns that were run again by themselves because their group failed."})
	var each [6]prometheus.Observer
	for i, name := range turnParts() {
		each[i] = parts.WithLabelValues(name)
	}
	s.WatchTurns(func(t store.TurnTimes) {
		for i, took := range partsOf(t) {
			each[i].Observe(took.Seconds())
		}
		groups.Observe(float64(t.Group))
		if t.Anew {
			anew.Inc()
		}
	})
}
