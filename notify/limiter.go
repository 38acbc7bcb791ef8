package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"
)

// Limiter is a token bucket shared by all workers.
type Limiter interface {
	// Take takes n tokens, or says after how long to ask again.
	Take(ctx context.Context, b Bucket, n int) (wait time.Duration, err error)
}

// Bucket is one bucket: so many tokens in ten seconds, and how many may go at once.
type Bucket struct {
	Key    string
	PerTen int
	Burst  int
}

// bulkShare is the part of a platform's rate that campaigns may use; the rest is kept for codes and answers.
const bulkShare = 9 // tenths

// AccountBucket is everything that goes to a platform: after a pause a tenth of a second's calls may go at once.
func AccountBucket(platform string, qps int) Bucket {
	return Bucket{Key: "rate:" + platform, PerTen: 10 * qps, Burst: max(1, qps/10)}
}

// behind is the same bucket for those who leave codes the way: they leave a tenth of the burst, a call at least, so that a
// code finds its turn though others always wait for theirs. Of a burst of one nothing can be left.
func (b Bucket) behind() Bucket {
	b.Burst = max(1, bulkShare*b.Burst/10)
	return b
}

// BulkBucket is what campaigns send to a platform. Its burst and its share together stay within the account's rate in any second.
func BulkBucket(platform string, qps int) Bucket {
	return Bucket{Key: "rate:" + platform + ":bulk", PerTen: max(1, bulkShare*qps), Burst: max(1, qps/10)}
}

// CampaignBucket is a campaign's own rate, in recipients.
func CampaignBucket(id int64, s Spec, c Channel) Bucket {
	return Bucket{Key: fmt.Sprintf("rate:campaign:%d", id), PerTen: 10 * s.Rate, Burst: CallSize(s, c)}
}

// RedisLimiter keeps buckets in Redis.
type RedisLimiter struct{ limiter *redis_rate.Limiter }

// NewRedisLimiter makes a limiter on a client.
func NewRedisLimiter(client redis.UniversalClient) *RedisLimiter {
	return &RedisLimiter{redis_rate.NewLimiter(client)}
}

// Take takes n tokens from a bucket in Redis.
func (l *RedisLimiter) Take(ctx context.Context, b Bucket, n int) (time.Duration, error) {
	res, err := l.limiter.AllowN(ctx, b.Key, redis_rate.Limit{Rate: b.PerTen, Period: 10 * time.Second, Burst: b.Burst}, n)
	if err != nil {
		return 0, fmt.Errorf("take a token of %s: %w", b.Key, err)
	}
	if res.Allowed == 0 {
		return max(res.RetryAfter, time.Millisecond), nil
	}
	return 0, nil
}
