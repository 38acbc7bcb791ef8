package bot

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
)

var (
	errPanicked = errors.New("bot: the turn panicked")
	errClosing  = errors.New("bot: shutting down")
)

// lateMemory is how long a copy of a post answered by customer message is kept silent. WeChat's three tries
// take some fifteen seconds.
const lateMemory = time.Minute

// flight is one turn under way. Everybody with a copy of its post waits for the same flight.
type flight struct {
	in     turn.Inbound
	done   chan struct{}
	answer turn.Answer // answer and err are set before done is closed
	err    error
	late   bool      // somebody was already told "success": the answer goes by customer message alone
	until  time.Time // of a late flight that landed: when it is forgotten
}

// flights holds the turns under way in this process. The promise that a key has one effect is the database's;
// flights keep copies that come at once from queueing at its door, and an answer from going two ways.
type flights struct {
	turner   turn.Turner
	patience time.Duration
	late     func(*flight)                 // sends a late answer
	fell     func(value any, stack []byte) // hears of a panic

	mu     sync.Mutex
	byKey  map[string]*flight
	active int
	closed bool
	idle   chan struct{} // closed when closed and active is 0
}

func newFlights(turner turn.Turner, patience time.Duration) *flights {
	return &flights{turner: turner, patience: patience, byKey: map[string]*flight{}, idle: make(chan struct{})}
}

// wait takes off, or joins the flight of the same post, and waits for it. False: it takes longer than the
// budget, or its answer is going by customer message.
func (fs *flights) wait(in turn.Inbound, budget time.Duration) (*flight, bool) {
	f := fs.join(in)
	timer := time.NewTimer(budget)
	defer timer.Stop()
	select {
	case <-f.done:
	case <-timer.C:
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	select {
	case <-f.done:
		return f, !f.late
	default:
		f.late = true
		return f, false
	}
}

func (fs *flights) join(in turn.Inbound) *flight {
	key := in.Key + " " + in.Who // a forged copy of somebody's message must not hear their answer
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f := fs.byKey[key]; f != nil && (f.until.IsZero() || time.Now().Before(f.until)) {
		return f
	}
	f := &flight{in: in, done: make(chan struct{})}
	if fs.closed {
		f.err = errClosing
		close(f.done)
		return f
	}
	fs.byKey[key] = f
	fs.active++
	go fs.fly(key, f)
	return f
}

// fly makes the turn, whoever still waits for it. WeChat hanging up doesn't undo a turn.
func (fs *flights) fly(key string, f *flight) {
	ctx, cancel := context.WithTimeout(context.Background(), fs.patience)
	defer cancel()
	defer fs.landed()
	answer, err := fs.step(ctx, f.in)
	if fs.land(key, f, answer, err) && fs.late != nil {
		fs.late(f)
	}
}

func (fs *flights) step(ctx context.Context, in turn.Inbound) (answer turn.Answer, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = errPanicked
			fs.fell(v, debug.Stack())
		}
	}()
	return fs.turner.Turn(ctx, in)
}

// land publishes what came of the turn and says whether it came late.
func (fs *flights) land(key string, f *flight, answer turn.Answer, err error) bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f.answer, f.err = answer, err
	close(f.done)
	if !f.late {
		delete(fs.byKey, key)
		return false
	}
	now := time.Now()
	f.until = now.Add(lateMemory)
	for k, old := range fs.byKey {
		if !old.until.IsZero() && now.After(old.until) {
			delete(fs.byKey, k)
		}
	}
	return true
}

func (fs *flights) landed() {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.active--
	if fs.closed && fs.active == 0 {
		close(fs.idle)
	}
}

// shutdown lets nobody take off any more and waits until all have landed and late answers are out.
func (fs *flights) shutdown(ctx context.Context) error {
	fs.mu.Lock()
	if !fs.closed {
		fs.closed = true
		if fs.active == 0 {
			close(fs.idle)
		}
	}
	fs.mu.Unlock()
	select {
	case <-fs.idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
