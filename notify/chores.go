package notify

import (
	"context"
	"encoding/json"
	"time"
)

// taskReconcile rings for the reconciliation of one day.
const taskReconcile = "reconcile"

// Days are reconciled at night: the day before, and once more when the last of its receipts has come.
const (
	choresEvery    = time.Minute
	choresFrom     = 3*time.Hour + 10*time.Minute // since midnight, the carrier's
	reconcileLease = 30 * time.Minute
)

// ages are how many days after a day it is reconciled.
func ages() []int { return []int{1, 3} }

type reconcileTask struct {
	Day string `json:"day"`
	Age int    `json:"age"`
}

// dueDays are the days to be reconciled at a moment. Who has done them already is known to the rows alone.
func dueDays(now time.Time) []reconcileTask {
	local := now.In(CarrierZone())
	if sinceMidnight(local) < choresFrom {
		return nil
	}
	var list []reconcileTask
	for _, age := range ages() {
		list = append(list, reconcileTask{local.AddDate(0, 0, -age).Format(time.DateOnly), age})
	}
	return list
}

// chores rings for the work of the night, until it is done.
func (w *Worker) chores(ctx context.Context) {
	if w.cfg.Books == nil {
		return
	}
	quiet := newQuiet(w.cfg.Logger, "the chores of the night")
	tick := time.NewTicker(choresEvery)
	defer tick.Stop()
	for {
		quiet.say(ctx, w.ringChores(ctx))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (w *Worker) ringChores(ctx context.Context) error {
	due := dueDays(w.cfg.Now())
	if len(due) == 0 {
		return nil
	}
	done, err := w.cfg.Books.Books.LastReconciliations(ctx, 10*len(due))
	if err != nil {
		return err
	}
	for _, task := range due {
		if !reconciled(done, task) {
			w.bell.send(ctx, queueChores, taskReconcile, task)
		}
	}
	return nil
}

func reconciled(done []Reconciliation, task reconcileTask) bool {
	for _, r := range done {
		if r.Day == task.Day && r.Age == task.Age {
			return true
		}
	}
	return false
}

// reconcile is the task. It returns at once: the work may take longer than a task is given, and the row keeps others away.
func (w *Worker) reconcile(payload []byte) {
	var task reconcileTask
	if err := json.Unmarshal(payload, &task); err != nil {
		w.cfg.Logger.Error("a task is unreadable", "kind", taskReconcile, "error", err)
		return
	}
	w.running.Go(func() {
		ctx, cancel := context.WithTimeout(w.alive, reconcileLease)
		defer cancel()
		if err := w.reconcileDay(ctx, task); err != nil && w.alive.Err() == nil {
			w.cfg.Logger.Warn("a day can't be reconciled yet", "day", task.Day, "error", err)
		}
	})
}

func (w *Worker) reconcileDay(ctx context.Context, task reconcileTask) error {
	day, err := ParseDay(task.Day)
	if err != nil {
		return err
	}
	ours, err := w.cfg.Books.Books.ClaimReconciliation(ctx, task.Day, task.Age, reconcileLease)
	if err != nil || !ours {
		return err
	}
	r, err := w.cfg.Books.Reconcile(ctx, day, task.Age)
	if err != nil {
		return err
	}
	for _, d := range r.Differences {
		w.cfg.Logger.Warn("our books and the carrier's differ", "day", r.Day, "figure", d.What, "ours", d.Ours, "theirs", d.Theirs)
	}
	w.cfg.Logger.Info("a day was reconciled", "day", r.Day, "segments", r.Ours.Total, "differences", len(r.Differences))
	return nil
}
