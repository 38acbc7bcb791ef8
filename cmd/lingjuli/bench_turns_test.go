package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/lingjuli/lingjuli/internal/store"
)

// whereTime tells where the time of turns went, and that of the slowest hundredth.
type whereTime struct {
	mu   sync.Mutex
	now  []store.TurnTimes
	rows []timeRow
}

// timeRow is the mean of some turns.
type timeRow struct {
	name  string
	turns int
	parts [6]time.Duration
	group float64
	anew  int
}

func (w *whereTime) take(t store.TurnTimes) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = append(w.now, t)
}

func (w *whereTime) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now[:0]
}

func (w *whereTime) end(name string, clients int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.SortFunc(w.now, func(a, b store.TurnTimes) int { return cmp.Compare(a.All(), b.All()) })
	at := fmt.Sprintf("%s, c=%d", name, clients)
	w.rows = append(w.rows, meanTime(at, w.now), meanTime(at+", slowest 1%", w.now[len(w.now)*99/100:]))
}

func meanTime(name string, list []store.TurnTimes) timeRow {
	row := timeRow{name: name, turns: len(list)}
	for _, t := range list {
		for i, took := range partsOf(t) {
			row.parts[i] += took / time.Duration(len(list))
		}
		row.group += float64(t.Group) / float64(len(list))
		if t.Anew {
			row.anew++
		}
	}
	return row
}

func (w *whereTime) write(out io.Writer) {
	if len(w.rows) == 0 {
		return
	}
	fmt.Fprintln(out)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "ms of a turn\tturns\t")
	for _, name := range turnParts() {
		fmt.Fprint(t, name, "\t")
	}
	fmt.Fprintln(t, "all\ttogether\trun anew\t")
	for _, r := range w.rows {
		var all time.Duration
		fmt.Fprintf(t, "%s\t%d\t", r.name, r.turns)
		for _, took := range r.parts {
			all += took
			fmt.Fprintf(t, "%.1f\t", float64(took.Microseconds())/1e3)
		}
		fmt.Fprintf(t, "%.1f\t%.1f\t%d\t\n", float64(all.Microseconds())/1e3, r.group, r.anew)
	}
	_ = t.Flush()
	fmt.Fprintln(out, "Means: it waited for a writer, its group was opened, those before it in its group ran, it ran, those after it ran, all was on the disk.")
	fmt.Fprintln(out)
}
