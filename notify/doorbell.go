package notify

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// Doorbell rings the urgent queue for notices, from a process that need not be a worker. Nothing is lost where it
// can't: the sweeper comes by within a second of the queue's return.
type Doorbell struct {
	bell   *bell
	client redis.UniversalClient
}

// NewDoorbell connects to the queue's Redis.
func NewDoorbell(opt asynq.RedisConnOpt, log *slog.Logger) (*Doorbell, error) {
	client, ok := opt.MakeRedisClient().(redis.UniversalClient)
	if !ok {
		return nil, errors.New("notify: the queue's Redis is of an unknown kind")
	}
	return &Doorbell{bell: &bell{client: asynq.NewClientFromRedisClient(client), log: log}, client: client}, nil
}

// Ring rings for one notice.
func (d *Doorbell) Ring(ctx context.Context, noticeID int64) { d.bell.ringNotice(ctx, noticeID) }

// RingLetter rings for one letter.
func (d *Doorbell) RingLetter(ctx context.Context, letterID int64) { d.bell.ringLetter(ctx, letterID) }

// Close closes the connection.
func (d *Doorbell) Close() error { return d.client.Close() }

// Urgent sends notices without a queue, for a command that runs by itself.
type Urgent struct{ u *urgent }

// unlimited is the limiter of somebody who sends by hand.
type unlimited struct{}

func (unlimited) Take(context.Context, Bucket, int) (time.Duration, error) { return 0, nil }

// NewUrgent sends through one sender.
func NewUrgent(store Store, sender Sender, log *slog.Logger) *Urgent {
	return &Urgent{&urgent{store: store, sender: sender, limiter: unlimited{}, qps: 1, log: log}}
}

// Send claims and sends one notice. One that somebody else sends is nothing to do.
func (u *Urgent) Send(ctx context.Context, id int64) error { return u.u.send(ctx, id) }
