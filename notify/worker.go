package notify

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// WorkerConfig is what a worker is made of.
type WorkerConfig struct {
	Store    Store
	Senders  map[Channel]Sender
	Looker   Looker // nil: nobody can be asked; receipts alone decide
	Replies  Replies
	Books    *Reconciler // nil: days are not reconciled
	Redis    asynq.RedisConnOpt
	Limiter  Limiter    // nil: buckets in Redis
	Seat     Seat       // nil: there is always one
	StandBy  func(bool) // told when the worker begins and ends to stand by for lack of a seat; nil: nobody asks
	Rules    Rules
	Looks    Looks
	Validity time.Duration // how long a platform may still take a signed request
	SMSQPS   int
	VoiceQPS int                                   // 0: SMSQPS
	WeChat   int                                   // QPS of WeChat
	Office   func(region string) map[string]string // .Office of texts; nil: GeneralOffice
	SayAs    func(language, text string) string    // how a worker's answer is said in a language; nil: as it stands
	Now      func() time.Time
	Logger   *slog.Logger
	Parallel int           // calls under way at once; 0: 24
	Lease    time.Duration // of a claim; 0: long enough for a slow platform, short enough for a dead worker
}

// Worker plans, dispatches, sends, sweeps and applies receipts. Any number of them may run at once, on any machines.
type Worker struct {
	cfg                WorkerConfig
	run                *runner
	bell               *bell
	urgent             *urgent
	letters            *letters
	looking, listening line
	lines              struct{ codes, replies, letters line } // what was rung for and waits to be sent
	looks              *quiet
	asks               *quiet
	patience           patience
	bulk               *asynq.Server // nil before it has a seat
	fast               *asynq.Server
	seated             atomic.Bool
	sat                chan struct{} // closed when it has a seat
	needed             atomic.Bool   // calls wait though somebody else has the seat
	client             *asynq.Client
	redis              redis.UniversalClient
	kick               chan struct{}
	alive              context.Context // ends when the worker is told to stop
	stop               context.CancelFunc
	running            sync.WaitGroup
	sending            context.Context // ends stopWithin after alive
	sends              sync.WaitGroup  // of the lines
}

// NewWorker makes a worker. It does nothing before Start.
func NewWorker(cfg WorkerConfig) (*Worker, error) {
	client, ok := cfg.Redis.MakeRedisClient().(redis.UniversalClient)
	if !ok {
		return nil, errors.New("notify: the queue's Redis is of an unknown kind")
	}
	if cfg.Limiter == nil {
		cfg.Limiter = NewRedisLimiter(client)
	}
	if cfg.Office == nil {
		cfg.Office = GeneralOffice
	}
	if cfg.Parallel == 0 {
		cfg.Parallel = 24
	}
	if cfg.Lease == 0 {
		cfg.Lease = claimLease
	}
	if cfg.VoiceQPS == 0 {
		cfg.VoiceQPS = cfg.SMSQPS
	}
	w := &Worker{cfg: cfg, redis: client, client: asynq.NewClientFromRedisClient(client), kick: make(chan struct{}, 1), sat: make(chan struct{})}
	w.looking.atOnce, w.lines.codes.atOnce, w.lines.replies.atOnce, w.lines.letters.atOnce = looksAtOnce, codesAtOnce, answersAtOnce, answersAtOnce
	w.listening.atOnce = listensAtOnce
	w.looks = newQuiet(cfg.Logger, "looks can't be written down")
	w.asks = newQuiet(cfg.Logger, "the carrier can't be asked for receipts")
	qps := map[Channel]int{SMS: cfg.SMSQPS, WeChat: cfg.WeChat, Voice: cfg.VoiceQPS}
	w.bell = &bell{client: w.client, log: cfg.Logger, qps: qps}
	w.run = &runner{
		calls: cfg.Store, keys: cfg.Store, senders: cfg.Senders, limiter: cfg.Limiter, rules: cfg.Rules, looks: cfg.Looks, qps: qps,
		office: cfg.Office, lease: cfg.Lease, owner: newOwner(), now: cfg.Now, log: cfg.Logger,
	}
	w.urgent = &urgent{store: cfg.Store, sender: cfg.Senders[SMS], limiter: cfg.Limiter, qps: cfg.SMSQPS, rules: cfg.Rules, log: cfg.Logger}
	w.letters = &letters{store: cfg.Store, sender: cfg.Senders[WeChat], limiter: cfg.Limiter, qps: cfg.WeChat, say: cfg.SayAs, log: cfg.Logger}
	return w, nil
}

// newOwner names this worker's claims.
func newOwner() string {
	raw := make([]byte, 8)
	_, _ = rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}

// Start starts the worker and returns at once. Redis may be away; the worker goes on when it is back.
func (w *Worker) Start(ctx context.Context) error {
	ctx, w.stop = context.WithCancel(ctx)
	w.alive = ctx
	sending, end := context.WithCancel(context.WithoutCancel(ctx))
	w.sending = sending
	context.AfterFunc(ctx, func() { time.AfterFunc(stopWithin, end) })
	// Bulk and urgent have servers of their own: a platform that hangs must not hold up a code.
	standsBy := w.cfg.Seat != nil && !w.cfg.Seat.Take()
	poll := urgentEvery
	if standsBy {
		poll = urgentOff
	}
	if err := w.startUrgent(ctx, poll); err != nil {
		return err
	}
	loops := []func(context.Context){w.feed, w.sweep, w.apply, w.chores}
	if standsBy {
		w.standBy(true)
		loops = append(loops, w.awaitSeat)
	} else if err := w.sit(ctx); err != nil {
		w.fast.Shutdown()
		return fmt.Errorf("notify: start the queue: %w", err)
	}
	for _, loop := range loops {
		w.running.Go(func() { loop(ctx) })
	}
	return nil
}

// startUrgent starts the queue of what is urgent, which is looked at every poll.
func (w *Worker) startUrgent(ctx context.Context, poll time.Duration) error {
	fast := w.newServer(ctx, 4, poll, map[string]int{queueUrgent: 1})
	if err := fast.Start(w.handler()); err != nil {
		return fmt.Errorf("notify: start the urgent queue: %w", err)
	}
	w.fast = fast
	return nil
}

func (w *Worker) handler() asynq.Handler { return asynq.HandlerFunc(w.handle) }

// stopWithin is how long calls under way may take to end when the worker stops. What has not ended by then is taken
// for unanswered.
const stopWithin = 7 * time.Second

func (w *Worker) newServer(ctx context.Context, parallel int, poll time.Duration, queues map[string]int) *asynq.Server {
	return asynq.NewServerFromRedisClient(w.redis, asynq.Config{
		BaseContext:       func() context.Context { return context.WithoutCancel(ctx) },
		Concurrency:       parallel,
		Queues:            queues,
		TaskCheckInterval: poll,
		ShutdownTimeout:   stopWithin,
		Logger:            quietLogger{w.cfg.Logger},
		LogLevel:          asynq.WarnLevel,
		IsFailure:         func(error) bool { return false },
	})
}

// Shutdown stops the parts in the reverse order of their start. Calls under way are ended and written down.
func (w *Worker) Shutdown() {
	if w.stop == nil {
		return
	}
	w.stop()
	if w.cfg.Seat != nil {
		w.cfg.Seat.Leave() // at once: the next may begin while ours ends what is under way
	}
	w.running.Wait()
	var servers sync.WaitGroup
	servers.Go(func() {
		w.fast.Shutdown()
		w.sends.Wait() // nothing is put into the lines any more
	})
	if w.bulk != nil {
		servers.Go(w.bulk.Shutdown)
	}
	servers.Wait()
	if err := w.redis.Close(); err != nil && !errors.Is(err, redis.ErrClosed) {
		w.cfg.Logger.Warn("close the queue's connections", "error", err)
	}
}

// handle is every task. It never returns an error: the rows say what is left to do, and the sweeper comes back to them.
func (w *Worker) handle(ctx context.Context, t *asynq.Task) error {
	switch t.Type() {
	case taskCalls:
		var task callTask
		if err := json.Unmarshal(t.Payload(), &task); err != nil {
			w.cfg.Logger.Error("a task is unreadable", "kind", t.Type(), "error", err)
			return nil
		}
		err := w.run.run(ctx, w.alive, task)
		if err != nil && !errors.Is(err, errNoTurn) && w.alive.Err() == nil {
			w.cfg.Logger.Warn("calls wait for another try", "calls", task.Calls, "error", err)
		}
		w.hurry()
	case taskReconcile:
		w.reconcile(t.Payload())
	case taskNotice, taskLetter:
		w.queueOne(ctx, t)
	}
	return nil
}

// queueOne puts the notice or letter that a task rings for into its line and returns at once: a code waits behind no
// answer, and nothing by SMS behind WeChat.
func (w *Worker) queueOne(ctx context.Context, t *asynq.Task) {
	var task noticeTask
	if err := json.Unmarshal(t.Payload(), &task); err != nil {
		w.cfg.Logger.Error("a task is unreadable", "kind", t.Type(), "error", err)
		return
	}
	line, send := &w.lines.letters, w.letters.send
	if t.Type() == taskNotice {
		kind, err := w.cfg.Store.NoticeWaits(ctx, task.ID)
		if err != nil {
			w.waits(ctx, t, task.ID, err)
			return
		}
		line, send = &w.lines.replies, w.urgent.send
		if kind == Verification {
			line = &w.lines.codes
		}
	}
	line.start(&w.sends, task.ID, func() { w.sendOne(t, task.ID, send) })
}

// sendOne sends a notice or letter whose turn in its line has come. Where the worker is told to stop it waits in its row.
func (w *Worker) sendOne(t *asynq.Task, id int64, send func(context.Context, int64) error) {
	defer func() {
		if p := recover(); p != nil { // one that nobody can send takes no others with it
			w.cfg.Logger.Error("it can't be sent", "kind", t.Type(), "id", id, "panic", p)
		}
	}()
	if w.alive.Err() == nil {
		w.waits(w.sending, t, id, send(w.sending, id))
	}
}

// waits says why a notice or letter could not go.
func (w *Worker) waits(ctx context.Context, t *asynq.Task, id int64, err error) {
	if err != nil && !errors.Is(err, ErrNoNotice) && ctx.Err() == nil {
		w.cfg.Logger.Warn("it waits for another try", "kind", t.Type(), "id", id, "error", err)
	}
}

// hurry tells the feeder that there may be room for more calls.
func (w *Worker) hurry() {
	select {
	case w.kick <- struct{}{}:
	default:
	}
}
