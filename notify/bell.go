package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
)

// The queues, in the order in which they are served.
const (
	queueUrgent  = "urgent"  // codes and answers; a task of it only puts its row into a line of the process
	queueDefault = "default" // what staff wait for
	queueBulk    = "bulk"    // campaigns
	queueChores  = "chores"
)

// The kinds of tasks. A task carries ids and never truth: losing one loses time.
const (
	taskCalls  = "calls"
	taskNotice = "notice"
	taskLetter = "letter"
)

// ringCalls is how many calls one task carries at most: what is done once for a task is shared by them. They are never more
// than go in a quarter of a second, so that a task never waits long for its turn.
const ringCalls = 10

// callTask rings for calls of one campaign and channel.
type callTask struct {
	CampaignID int64   `json:"campaign"`
	Channel    Channel `json:"channel"`
	Rate       int     `json:"rate,omitempty"` // the campaign's own
	Size       int     `json:"size,omitempty"` // recipients, at most, for that rate
	Calls      []int64 `json:"calls"`
}

// bell rings asynq. Redis away is said once, and once again when it is back.
type bell struct {
	client *asynq.Client
	log    *slog.Logger
	qps    map[Channel]int // what the platforms take; nil: nobody rings for campaigns
	silent atomic.Bool
}

// ring rings for calls, several in one task.
func (b *bell) ring(ctx context.Context, c Campaign, channel Channel, calls []int64) {
	size := CallSize(c.Spec, channel)
	step := min(ringCalls, b.qps[channel]/4)
	if c.Spec.Rate > 0 {
		step = min(step, c.Spec.Rate/size/4)
	}
	step = max(1, step)
	for len(calls) > 0 {
		n := min(step, len(calls))
		task := callTask{CampaignID: c.ID, Channel: channel, Rate: c.Spec.Rate, Calls: calls[:n]}
		if c.Spec.Rate > 0 {
			task.Size = n * size
		}
		if !b.send(ctx, queueBulk, taskCalls, task) {
			return // the rows are there, the sweeper rings again
		}
		calls = calls[n:]
	}
}

// ringNotice rings for a notice.
func (b *bell) ringNotice(ctx context.Context, id int64) bool {
	return b.send(ctx, queueUrgent, taskNotice, noticeTask{id})
}

// ringLetter rings for a letter.
func (b *bell) ringLetter(ctx context.Context, id int64) bool {
	return b.send(ctx, queueUrgent, taskLetter, noticeTask{id})
}

type noticeTask struct {
	ID int64 `json:"id"`
}

// send puts one task on a queue. Its id is always fresh: the orphan of a killed worker would block one of its own.
func (b *bell) send(ctx context.Context, queue, kind string, body any) bool {
	payload, err := json.Marshal(body)
	if err != nil {
		b.log.Error("a task can't be written", "kind", kind, "error", err)
		return false
	}
	soon, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, err = b.client.EnqueueContext(soon, asynq.NewTask(kind, payload), asynq.Queue(queue), asynq.MaxRetry(2), asynq.Timeout(time.Minute))
	if err != nil {
		if !b.silent.Swap(true) && ctx.Err() == nil {
			b.log.Warn("the queue can't be reached; rows wait and are rung for again", "error", err)
		}
		return false
	}
	if b.silent.Swap(false) {
		b.log.Info("the queue can be reached again")
	}
	return true
}

// quietLogger is asynq's logger: its own words are chatter, but for errors, which are said as warnings.
type quietLogger struct{ log *slog.Logger }

func (q quietLogger) Debug(...any)      {}
func (q quietLogger) Info(...any)       {}
func (q quietLogger) Warn(args ...any)  { q.log.Debug("queue", "words", fmt.Sprint(args...)) }
func (q quietLogger) Error(args ...any) { q.log.Debug("queue", "words", fmt.Sprint(args...)) }
func (q quietLogger) Fatal(args ...any) { q.log.Error("queue", "words", fmt.Sprint(args...)) }
