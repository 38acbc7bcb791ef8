package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// lockDatabase keeps a second embedded process away from one database: the lock lives as long as the file is open,
// so that a killed process leaves nothing behind. The holder's name stands in the file.
func lockDatabase(path string) (release func(), err error) {
	name := path + ".lock"
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(name)
		_ = f.Close()
		return nil, say("locked", "Path", path, "Holder", strings.TrimSpace(string(holder)))
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = fmt.Fprintf(f, "%s %d\n", filepath.Base(os.Args[0]), os.Getpid())
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}

// embeddedRedis is an in-process Redis. Its keys expire only as its clock is driven, which run does.
type embeddedRedis struct {
	server *miniredis.Miniredis
	stop   context.CancelFunc
	done   chan struct{}
}

func startEmbeddedRedis(log *slog.Logger) (*embeddedRedis, error) {
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("start the embedded redis: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	e := &embeddedRedis{server: server, stop: stop, done: make(chan struct{})}
	go e.drive(ctx)
	log.Debug("embedded redis started", "addr", server.Addr())
	return e, nil
}

// drive moves the expiry clock along with real time.
func (e *embeddedRedis) drive(ctx context.Context) {
	defer close(e.done)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			e.server.FastForward(now.Sub(last))
			last = now
		}
	}
}

// embeddedQueue is how asynq reaches the embedded Redis. asynq asks each queue for work up to twenty times a second, by a
// script. Where nothing waits, that is seen here without running it: an idle process spent most of its time on this.
type embeddedQueue struct {
	asynq.RedisConnOpt
	server *miniredis.Miniredis
}

// MakeRedisClient implements asynq.RedisConnOpt.
func (q embeddedQueue) MakeRedisClient() any {
	client := q.RedisConnOpt.MakeRedisClient()
	if c, ok := client.(*redis.Client); ok {
		c.AddHook(emptyQueues{q.server})
	}
	return client
}

// emptyQueues answers what asks an empty queue for work, as its script would; all else goes on.
type emptyQueues struct{ server *miniredis.Miniredis }

// ProcessHook implements redis.Hook.
func (h emptyQueues) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if key := dequeued(cmd.Args()); key != "" && !h.server.Exists(key) {
			cmd.SetErr(redis.Nil)
			return redis.Nil
		}
		return next(ctx, cmd)
	}
}

// DialHook implements redis.Hook.
func (emptyQueues) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessPipelineHook implements redis.Hook.
func (emptyQueues) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// dequeued is the list that asynq's script of these arguments takes a task from: pending, paused, active, lease are its keys. "": it is
// another command.
func dequeued(args []any) string {
	if len(args) != 9 || args[0] != "evalsha" {
		return ""
	}
	pending, _ := args[3].(string)
	queue, ok := strings.CutSuffix(pending, ":pending")
	if !ok || args[4] != queue+":paused" || args[5] != queue+":active" || args[6] != queue+":lease" {
		return ""
	}
	return pending
}

func (e *embeddedRedis) close() {
	e.stop()
	<-e.done
	e.server.Close()
}
