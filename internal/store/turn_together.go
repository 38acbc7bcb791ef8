package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
)

// How many turns commit together, and for how long they may hold a writer: others wait for it too.
const (
	togetherMost = 32
	togetherFor  = 40 * time.Millisecond
)

// together lets turns that wait for a writer commit together. There are as many lanes as may write at once: one on
// SQLite, a few on PostgreSQL. Whoever finds a lane free leads: it runs its own turn and, where others wait, theirs with
// it, and names the next to lead. A person is in one lane at a time, and once: their second input waits for the first.
type together struct {
	lanes int
	hold  time.Duration                              // how long one may be held
	run   func([]*waitingTurn) (rest []*waitingTurn) // settles the first at least; rest are those for whom there was no time

	mu      sync.Mutex
	waiting []*waitingTurn
	leading int
	busy    map[string]bool // people and keys that are in a lane
}

// waitingTurn is a turn that waits to be run.
type waitingTurn struct {
	ctx     context.Context
	who     turn.Who
	idx     []byte
	fn      func(turn.Tx) error
	begun   bool          // under together.mu: whoever begins it settles it
	lead    chan struct{} // told to lead
	settled chan struct{}
	alone   bool // nothing of it was kept with others: it is to be run by itself
	err     error
	crash   any // what its function panicked with
	marks   turnMarks
}

func (w *waitingTurn) person() string { return string(w.who.Channel) + string(w.idx) }
func (w *waitingTurn) key() string    { return "key " + w.who.Key }

// join has a turn run, with others where others wait. alone: it is still to be run, by itself.
func (g *together) join(w *waitingTurn) (alone bool, err error) {
	w.lead, w.settled, w.marks.came = make(chan struct{}, 1), make(chan struct{}), time.Now()
	g.mu.Lock()
	g.waiting = append(g.waiting, w)
	g.appoint()
	g.mu.Unlock()
	select {
	case <-w.lead:
		g.leadOnce(w)
	case <-w.settled:
	case <-w.ctx.Done():
		if g.leave(w) {
			return false, w.ctx.Err()
		}
	}
	<-w.settled
	if w.crash != nil {
		panic(w.crash)
	}
	return w.alone, w.err
}

// appoint names leaders while lanes are free. It holds mu.
func (g *together) appoint() {
	for g.leading < g.lanes {
		chosen := g.take(1)
		if len(chosen) == 0 {
			return
		}
		g.leading++
		chosen[0].lead <- struct{}{}
	}
}

// take begins up to so many of those who wait, the first first, no person twice. It holds mu.
func (g *together) take(most int) (taken []*waitingTurn) {
	g.waiting = slices.DeleteFunc(g.waiting, func(w *waitingTurn) bool {
		if len(taken) == most || g.busy[w.person()] || g.busy[w.key()] {
			return false
		}
		w.begun, g.busy[w.person()], g.busy[w.key()] = true, true, true
		taken = append(taken, w)
		return true
	})
	return taken
}

// leave takes back a turn that nobody has begun. One who was told to lead in this very moment leads.
func (g *together) leave(w *waitingTurn) (left bool) {
	g.mu.Lock()
	if !w.begun {
		g.waiting = slices.DeleteFunc(g.waiting, func(other *waitingTurn) bool { return other == w })
		left = true
	}
	g.mu.Unlock()
	if left {
		return true
	}
	select {
	case <-w.lead:
		g.leadOnce(w)
	case <-w.settled:
	}
	return false
}

// leadOnce runs a turn and those who wait, as many as may go together, and names the next to lead.
func (g *together) leadOnce(w *waitingTurn) {
	g.mu.Lock()
	group := append([]*waitingTurn{w}, g.take(togetherMost-1)...)
	g.mu.Unlock()
	now := time.Now()
	for _, w := range group {
		w.marks.begun, w.marks.group = now, len(group)
	}
	rest := g.run(group)
	g.mu.Lock()
	for _, w := range group {
		delete(g.busy, w.person())
		delete(g.busy, w.key())
	}
	for _, w := range rest {
		w.begun = false
	}
	g.waiting = append(rest, g.waiting...)
	g.leading--
	g.appoint()
	g.mu.Unlock()
}

// settle says that turns are done. err is that of the transaction.
func settle(group []*waitingTurn, err error) {
	now := time.Now()
	for _, w := range group {
		w.marks.saved = now
		if err != nil && w.err == nil {
			w.err = err
		}
		close(w.settled)
	}
}

// runSaved runs turns in one transaction of SQLite, each in a savepoint, so that one that fails undoes itself alone.
func (s *Store) runSaved(group []*waitingTurn) (rest []*waitingTurn) {
	done := 0
	ctx := context.WithoutCancel(group[0].ctx) // one who goes away must not undo the others' turns
	err := s.again(ctx, "together", func() error {
		return s.once(ctx, s.writer, nil, func(t *tx) error {
			markOpened(group)
			defer func() { markRan(group[:done]) }()
			began := time.Now()
			for done = 0; done < len(group) && (done == 0 || time.Since(began) < s.turns.hold); done++ {
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
	settle(group[:done], err)
	return group[done:]
}

// errTurn undoes the transaction of a turn that is alone in it.
var errTurn = errors.New("store: the turn failed")

// within runs a turn inside a transaction. Its error is its own; what is returned ends the whole transaction.
func (w *waitingTurn) within(t *tx, saved bool) error {
	own := &turnTx{tx: &tx{ctx: t.ctx, d: t.d, keys: t.keys, conn: t.conn, sql: t.sql}, who: w.who, idx: w.idx}
	if !saved {
		if w.attempt(own); w.err != nil {
			return w.err
		}
		return nil
	}
	if _, err := t.exec("SAVEPOINT turn"); err != nil {
		return err
	}
	if w.attempt(own); w.err != nil {
		if _, err := t.exec("ROLLBACK TO turn"); err != nil {
			return errors.Join(w.err, err)
		}
	}
	_, err := t.exec("RELEASE turn")
	return err
}

// attempt runs the function, unless whoever asked has gone; a panic in it is its own turn's.
func (w *waitingTurn) attempt(t *turnTx) {
	w.crash = nil
	w.marks.runs = time.Now()
	defer func() { w.marks.ran = time.Now() }()
	if w.err = w.ctx.Err(); w.err != nil {
		return
	}
	defer func() {
		if w.crash = recover(); w.crash != nil {
			w.err = errTurn
		}
	}()
	if w.err = w.fn(t); w.err == nil {
		w.err = t.conclude()
	}
}
