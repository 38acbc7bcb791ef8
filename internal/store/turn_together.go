package store

import (
	"context"
	"errors"
	"sync"
	"time"
)

// How many turns commit together, and for how long they may hold the writer: others wait for it too.
const (
	togetherMost = 32
	togetherFor  = 40 * time.Millisecond
)

// together lets turns that wait for SQLite's one writer commit together: a flush of the disk costs more than a turn.
// One of those who wait leads: it runs the others' turns with its own, each in a savepoint, so that one that fails
// undoes itself alone.
type together struct {
	mu      sync.Mutex
	waiting []*waitingTurn
	led     bool
}

// waitingTurn is a turn that waits to be run.
type waitingTurn struct {
	ctx     context.Context
	run     func(*tx) error
	begun   bool          // under together.mu: whoever begins it settles it
	lead    chan struct{} // told to lead
	settled chan struct{}
	err     error
	crash   any // what its function panicked with
}

// join runs fn in a transaction, with others where others wait.
func (g *together) join(ctx context.Context, s *Store, run func(*tx) error) error {
	w := &waitingTurn{ctx: ctx, run: run, lead: make(chan struct{}, 1), settled: make(chan struct{})}
	g.mu.Lock()
	g.waiting = append(g.waiting, w)
	if !g.led {
		g.led = true
		w.lead <- struct{}{}
	}
	g.mu.Unlock()
	select {
	case <-w.lead:
		g.leadOnce(s)
	case <-w.settled:
	case <-ctx.Done():
		if g.leave(s, w) {
			return ctx.Err()
		}
	}
	<-w.settled
	if w.crash != nil {
		panic(w.crash)
	}
	return w.err
}

// leave takes back a turn that nobody has begun. It may have been told to lead in this very moment: then it leads.
func (g *together) leave(s *Store, w *waitingTurn) (left bool) {
	g.mu.Lock()
	if !w.begun {
		for i, other := range g.waiting {
			if other == w {
				g.waiting = append(g.waiting[:i:i], g.waiting[i+1:]...)
				left = true
				break
			}
		}
	}
	g.mu.Unlock()
	select {
	case <-w.lead:
		g.leadOnce(s)
	default:
	}
	return left
}

// leadOnce runs those who wait, as many as may go together, and names the next to lead.
func (g *together) leadOnce(s *Store) {
	g.mu.Lock()
	group := g.waiting[:min(len(g.waiting), togetherMost)]
	g.waiting = g.waiting[len(group):]
	for _, w := range group {
		w.begun = true
	}
	g.mu.Unlock()
	rest := s.runTogether(group)
	g.mu.Lock()
	for _, w := range rest {
		w.begun = false
	}
	g.waiting = append(rest, g.waiting...)
	if g.led = len(g.waiting) > 0; g.led {
		g.waiting[0].lead <- struct{}{}
	}
	g.mu.Unlock()
}

// runTogether runs turns in one transaction and settles them. rest are those for whom there was no time.
func (s *Store) runTogether(group []*waitingTurn) (rest []*waitingTurn) {
	if len(group) == 0 {
		return nil
	}
	done := 0
	ctx := context.WithoutCancel(group[0].ctx) // one who goes away must not undo the others' turns
	err := s.again(ctx, "together", func() error {
		return s.once(ctx, s.writer, nil, func(t *tx) error {
			began := time.Now()
			for done = 0; done < len(group) && (done == 0 || time.Since(began) < togetherFor); done++ {
				if err := group[done].within(t, len(group) > 1); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		done = len(group)
	}
	for _, w := range group[:done] {
		if err != nil && w.err == nil {
			w.err = err
		}
		close(w.settled)
	}
	return group[done:]
}

// errTurn undoes the transaction of a turn that is alone in it.
var errTurn = errors.New("store: the turn failed")

// within runs a turn inside a transaction. Its error is its own; what is returned ends the whole transaction.
func (w *waitingTurn) within(t *tx, saved bool) error {
	if !saved {
		if w.attempt(t); w.err != nil {
			return w.err
		}
		return nil
	}
	if _, err := t.exec("SAVEPOINT turn"); err != nil {
		return err
	}
	if w.attempt(t); w.err != nil {
		if _, err := t.exec("ROLLBACK TO turn"); err != nil {
			return errors.Join(w.err, err)
		}
	}
	_, err := t.exec("RELEASE turn")
	return err
}

// attempt runs the function, unless whoever asked has gone; a panic in it is its own turn's.
func (w *waitingTurn) attempt(t *tx) {
	w.crash = nil
	if w.err = w.ctx.Err(); w.err != nil {
		return
	}
	defer func() {
		if w.crash = recover(); w.crash != nil {
			w.err = errTurn
		}
	}()
	w.err = w.run(&tx{ctx: t.ctx, d: t.d, keys: t.keys, conn: t.conn, sql: t.sql})
}
