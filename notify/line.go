package notify

import "sync"

// How much of each line of what is urgent is under way at once. Who sends a code waits for nothing but its carrier; the
// others also wait for their turns, and few wait for one at once.
const (
	codesAtOnce   = 16
	answersAtOnce = 4 // by SMS, and as many by WeChat
)

// line is what waits in this process to be done: some under way, the others in their order, each once. What hangs in one
// line holds up nothing in another, nor whoever put it there. What is lost with the process waits in its row.
type line struct {
	atOnce int
	mu     sync.Mutex
	ids    map[int64]bool // of those that are under way or wait
	waits  []func()
	under  int
}

// start has something done as soon as others are, unless it is in the line already or the line is too long: then somebody
// comes back to its row.
func (l *line) start(running *sync.WaitGroup, id int64, do func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ids == nil {
		l.ids = map[int64]bool{}
	}
	if l.ids[id] || len(l.waits) >= sweepBatch {
		return
	}
	l.ids[id] = true
	l.waits = append(l.waits, func() {
		do()
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.ids, id)
	})
	if l.under < l.atOnce {
		l.under++
		running.Go(l.workOff)
	}
}

// holds says whether something is under way or waits.
func (l *line) holds(id int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ids[id]
}

// room is how many more the line takes, where it is to hold so many at most.
func (l *line) room(most int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(0, most-len(l.ids))
}

// workOff goes on until the line is empty.
func (l *line) workOff() {
	for do := l.next(); do != nil; do = l.next() {
		do()
	}
}

// next is the first of the line; nil, and one fewer under way, where nothing waits.
func (l *line) next() (do func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waits) == 0 {
		l.waits = nil
		l.under--
		return nil
	}
	do, l.waits = l.waits[0], l.waits[1:]
	return do
}
