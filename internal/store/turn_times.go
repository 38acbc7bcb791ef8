package store

import "time"

// TurnTimes is where the time of one turn went, one part after the other.
type TurnTimes struct {
	Waited time.Duration // for a writer
	Opened time.Duration // until the people of its group were locked and read
	Before time.Duration // while those before it in its group ran
	Ran    time.Duration // its own; of one by itself all but the wait
	After  time.Duration // while those after it ran
	Saved  time.Duration // until what all leave was on the disk

	Group int  // how many went together
	Anew  bool // its group failed, and it was run again by itself
}

// All is from its coming to its end.
func (t TurnTimes) All() time.Duration {
	return t.Waited + t.Opened + t.Before + t.Ran + t.After + t.Saved
}

// WatchTurns has watch told of every turn that was kept, from many goroutines at once. It is to be called before the first.
func (s *Store) WatchTurns(watch func(TurnTimes)) { s.watchTurns = watch }

// turnMarks are the moments between the parts.
type turnMarks struct {
	came, begun, opened, runs, ran, last, saved time.Time

	group int
}

// markOpened marks that a group's people are read.
func markOpened(group []*waitingTurn) {
	now := time.Now()
	for _, w := range group {
		w.marks.opened = now
	}
}

// markRan marks that all of a group have run.
func markRan(group []*waitingTurn) {
	now := time.Now()
	for _, w := range group {
		w.marks.last = now
	}
}

// byItself marks a turn that was run by itself up to now.
func (m *turnMarks) byItself() {
	m.opened, m.runs = m.begun, m.begun
	m.ran = time.Now()
	m.last, m.saved = m.ran, m.ran
}

func (m *turnMarks) times(anew bool) TurnTimes {
	return TurnTimes{
		Waited: m.begun.Sub(m.came), Opened: m.opened.Sub(m.begun), Before: m.runs.Sub(m.opened), Ran: m.ran.Sub(m.runs),
		After: m.last.Sub(m.ran), Saved: m.saved.Sub(m.last), Group: m.group, Anew: anew,
	}
}
