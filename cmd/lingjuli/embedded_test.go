package main

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// askedFor counts the scripts that ask a queue for work and reach the server.
type askedFor struct{ asked chan string }

func (h askedFor) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h askedFor) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (h askedFor) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if key := dequeued(cmd.Args()); key != "" {
			h.asked <- key
		}
		return next(ctx, cmd)
	}
}

// TestAnEmptyEmbeddedQueueIsNotAskedAndAFullOneAtOnce has asynq look at two queues twice a millisecond. The shape of its script is asynq's
// own: should it change, nothing is asked here any more, and the test says so.
func TestAnEmptyEmbeddedQueueIsNotAskedAndAFullOneAtOnce(t *testing.T) {
	e, err := startEmbeddedRedis(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.close)
	client, ok := embeddedQueue{asynq.RedisClientOpt{Addr: e.server.Addr()}, e.server}.MakeRedisClient().(*redis.Client)
	if !ok {
		t.Fatal("asynq gives another client")
	}
	t.Cleanup(func() { _ = client.Close() })
	h := askedFor{make(chan string, 1000)}
	client.AddHook(h) // behind the other
	done := make(chan string, 10)
	server := asynq.NewServerFromRedisClient(client, asynq.Config{
		Queues: map[string]int{"one": 1, "two": 1}, TaskCheckInterval: time.Millisecond, Concurrency: 1, LogLevel: asynq.FatalLevel,
	})
	err = server.Start(asynq.HandlerFunc(func(_ context.Context, task *asynq.Task) error { done <- task.Type(); return nil }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	time.Sleep(200 * time.Millisecond) // so long nothing may happen
	if n := len(h.asked); n != 0 {
		t.Errorf("empty queues were asked %d times", n)
	}
	bell := asynq.NewClientFromRedisClient(client)
	for _, name := range []string{"one", "two"} {
		if _, err := bell.Enqueue(asynq.NewTask(name, nil), asynq.Queue(name)); err != nil {
			t.Fatal(err)
		}
	}
	got := []string{<-done, <-done}
	slices.Sort(got)
	if !slices.Equal(got, []string{"one", "two"}) || len(h.asked) == 0 {
		t.Errorf("done: %v; asked %d times", got, len(h.asked))
	}
}
