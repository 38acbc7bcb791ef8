package notify

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// paced takes from a bucket whenever it lets it, for so long by Redis's clock, and says when.
func paced(t *testing.T, b Bucket, long time.Duration) (taken []time.Duration) {
	t.Helper()
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = client.Close() })
	limiter, began := NewRedisLimiter(client), at("2026-11-23T10:30:00+08:00")
	for passed := time.Duration(0); passed < long; {
		server.SetTime(began.Add(passed))
		wait, err := limiter.Take(t.Context(), b, 1)
		if err != nil {
			t.Fatal(err)
		}
		if wait == 0 {
			taken = append(taken, passed)
		}
		passed += wait
	}
	return taken
}

func TestCampaignsUseNineTenthsOfAPlatformsRateAndTheAccountAllOfIt(t *testing.T) {
	const long = 10 * time.Second
	for _, qps := range []int{1, 5, 20, 100} {
		for want, b := range map[int]Bucket{90: BulkBucket("sms", qps), 100: AccountBucket("sms", qps)} {
			t.Run(fmt.Sprint(b.Key, " ", qps), func(t *testing.T) {
				taken := paced(t, b, long)
				if most := qps*want/10 + b.Burst; len(taken) > most || len(taken) < most-b.Burst-1 {
					t.Errorf("%d in %v, want %d and a burst of %d", len(taken), long, qps*want/10, b.Burst)
				}
				for i, from := range taken {
					n := 0
					for _, at := range taken[i:] {
						if at-from < time.Second {
							n++
						}
					}
					if most := qps*want/100 + b.Burst; n > max(1, most) {
						t.Fatalf("%d in the second from %v, want %d", n, from, most)
					}
				}
			})
		}
	}
}

func TestACodeFindsItsTurnWhileOthersAlwaysWaitForTheirs(t *testing.T) {
	for qps, codes := range map[int]int{5: 0, 20: 1, 200: 2} {
		server := miniredis.RunT(t)
		server.SetTime(at("2026-11-23T10:30:00+08:00"))
		client := redis.NewClient(&redis.Options{Addr: server.Addr()})
		t.Cleanup(func() { _ = client.Close() })
		limiter, account := NewRedisLimiter(client), AccountBucket("sms", qps)
		took := func(b Bucket) (n int) {
			for {
				if wait, err := limiter.Take(t.Context(), b, 1); err != nil || wait > 0 {
					if err != nil {
						t.Fatal(err)
					}
					return n
				}
				n++
			}
		}
		others := took(account.behind())
		if got := took(account); got != codes || others+got != account.Burst {
			t.Errorf("%d a second: %d others and %d codes went at once, want %d codes and %d in all", qps, others, got, codes, account.Burst)
		}
	}
}

// generous lets everything through and notes it.
type generous map[string]int

func (g generous) Take(_ context.Context, b Bucket, n int) (time.Duration, error) {
	g[b.Key] += n
	return 0, nil
}

func TestACampaignsCallsTakeFromItsOwnRateFromTheShareOfCampaignsAndFromTheAccount(t *testing.T) {
	for _, c := range []struct {
		task callTask
		want generous
	}{
		{callTask{CampaignID: 7, Channel: SMS, Calls: make([]int64, 5)}, generous{"rate:sms:bulk": 5, "rate:sms": 5}},
		{callTask{CampaignID: 7, Channel: WeChat, Rate: 40, Size: 3, Calls: make([]int64, 3)}, generous{"rate:campaign:7": 3, "rate:wechat:bulk": 3, "rate:wechat": 3}},
		{callTask{CampaignID: 7, Channel: SMS, Rate: 100, Size: 25, Calls: make([]int64, 1)}, generous{"rate:campaign:7": 25, "rate:sms:bulk": 1, "rate:sms": 1}},
	} {
		got := generous{}
		r := &runner{limiter: got, qps: map[Channel]int{SMS: 20, WeChat: 100}, now: time.Now}
		if n, err := r.takeTurns(t.Context(), c.task); err != nil || n != len(c.task.Calls) {
			t.Fatalf("%d calls may go: %v", n, err)
		}
		if !maps.Equal(got, c.want) {
			t.Errorf("%+v takes %v, want %v", c.task, got, c.want)
		}
	}
}
