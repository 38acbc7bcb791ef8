package notify

import (
	"context"
	"time"
)

// Seat is the right to send campaigns among the processes of one machine. One process uses all its cores: several that
// send at once share out the same work in smaller pieces and send less. Those without a seat stand by: they keep
// receipts, send codes, look after campaigns now and then, and sit down as soon as a seat is free.
type Seat interface {
	// Take says whether a seat is ours, and takes one that is free.
	Take() bool
	// Leave gives it back; a process that dies leaves it too.
	Leave()
}

const (
	seatEvery   = time.Second            // how often a free seat is looked for
	standsOff   = 5 * time.Second        // how long those who stand by rest between two looks for work
	urgentEvery = 150 * time.Millisecond // how often who sends looks for codes
	urgentOff   = time.Second            // and who stands by: each look wakes it, and disturbs those at work
	// neededAfter is how long a call waits that somebody should have begun, or a receipt that somebody should have applied:
	// longer than a claim waits for its turn.
	neededAfter = 10 * time.Second
)

// sit starts the queue of campaigns, and of all else that is not urgent. It is called once, by whoever takes the seat.
func (w *Worker) sit(ctx context.Context) error {
	bulk := w.newServer(ctx, w.cfg.Parallel, 50*time.Millisecond, map[string]int{queueDefault: 6, queueBulk: 3, queueChores: 1})
	if err := bulk.Start(w.handler()); err != nil {
		return err
	}
	w.bulk = bulk
	w.seated.Store(true)
	close(w.sat)
	w.standBy(false)
	return nil
}

func (w *Worker) standBy(begins bool) {
	if w.cfg.StandBy != nil {
		w.cfg.StandBy(begins)
	}
}

// awaitSeat waits for a seat. It waits no longer where a call that was rung for long ago waits still: then whoever has
// the seat is not at work, or can't keep up, and one more does no harm.
func (w *Worker) awaitSeat(ctx context.Context) {
	slow := w.fast
	tick := time.NewTicker(seatEvery)
	defer tick.Stop()
	quiet := newQuiet(w.cfg.Logger, "the queue of campaigns can't be started")
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !w.needed.Load() && !w.cfg.Seat.Take() {
			continue
		}
		err := w.sit(ctx)
		quiet.say(ctx, err)
		if err == nil {
			w.cfg.Logger.Info("this process sends campaigns now", "seat", !w.needed.Load())
			_ = w.ringAll(ctx) // where it can't the sweep does, later
			w.hurry()
			if w.startUrgent(ctx, urgentEvery) == nil { // where it can't, the slow one goes on
				slow.Shutdown()
			}
			return
		}
	}
}

// rest waits for d, or until it is kicked. Who stands by rests for longer, until there is a seat.
func (w *Worker) rest(ctx context.Context, d time.Duration, kick <-chan struct{}) {
	var sat <-chan struct{}
	if !w.seated.Load() {
		d, sat = standsOff, w.sat
	}
	select {
	case <-ctx.Done():
	case <-kick:
	case <-sat:
	case <-time.After(d):
	}
}
