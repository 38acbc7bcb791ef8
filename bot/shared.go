package bot

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/singleflight"
)

// Redis is what the sources of token and ticket need of a go-redis client.
type Redis interface {
	Get(ctx context.Context, key string) *redis.StringCmd
	Set(ctx context.Context, key string, value any, ttl time.Duration) *redis.StatusCmd
	SetNX(ctx context.Context, key string, value any, ttl time.Duration) *redis.BoolCmd
	Eval(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd
}

const (
	tokenMargin   = 5 * time.Minute  // one is fetched anew so long before it dies; WeChat's own overlap
	tokenMinimum  = 30 * time.Second // one near its end is kept so long all the same
	redisPatience = 300 * time.Millisecond
	fetchPatience = 12 * time.Second
	lockTTL       = 10 * time.Second
	lockPatience  = 3 * time.Second
	lockLook      = 50 * time.Millisecond
)

// shared is a secret of the account that WeChat lends for two hours, an access token or a ticket: from memory, else
// from Redis, else from WeChat. One fetch at a time in a process, one at a time among processes as long as Redis is
// there. With Redis away each process keeps its own copy until it expires.
type shared struct {
	what     string // names it in Redis
	lockName string
	path     string // of the call that fetches it
	fetch    func(ctx context.Context) (token, error)
	appID    string
	redis    Redis
	log      *slog.Logger
	now      func() time.Time
	wait     time.Duration // for the process that has the lock
	single   singleflight.Group

	mu   sync.Mutex
	held token
	bad  string // the last one that WeChat called bad
}

// token is such a secret: to be replaced from renew on, dead from end on.
type token struct {
	value      string
	renew, end time.Time
}

// lent is one that WeChat, asked then, lends for so many seconds.
func lent(value string, asked time.Time, seconds int64) token {
	life := time.Duration(seconds) * time.Second
	return token{value: value, renew: asked.Add(max(life-tokenMargin, tokenMinimum)), end: asked.Add(life)}
}

func newShared(what, lockName, path string, o ClientOptions) *shared {
	return &shared{what: what, lockName: lockName, path: path, appID: o.AppID, redis: o.Redis, log: o.Log, now: o.Now, wait: lockPatience}
}

// get gives it. A caller that gives up doesn't end the fetch that others wait for.
func (t *shared) get(ctx context.Context) (string, error) {
	if tok, ok := t.fresh(); ok {
		return tok.value, nil
	}
	result := t.single.DoChan("", func() (any, error) {
		own, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchPatience)
		defer cancel()
		return t.renewed(own)
	})
	select {
	case <-ctx.Done():
		return "", &TransportError{Path: t.path, Err: ctx.Err()}
	case r := <-result:
		if r.Err != nil {
			return "", r.Err
		}
		return r.Val.(token).value, nil
	}
}

func (t *shared) fresh() (token, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.held, t.held.value != "" && t.now().Before(t.held.renew)
}

// renewed gets one from Redis or WeChat. Where neither gives one, the one in hand serves until it dies.
func (t *shared) renewed(ctx context.Context) (token, error) {
	if tok, ok := t.fresh(); ok {
		return tok, nil
	}
	if tok, ok := t.left(ctx); ok {
		return t.hold(tok), nil
	}
	unlock, mine := t.lock(ctx)
	defer unlock()
	other := t.awaitOther
	if mine {
		other = t.left // whoever had the lock since we looked left one
	}
	if tok, ok := other(ctx); ok {
		return t.hold(tok), nil
	}
	tok, err := t.fetch(ctx)
	if err == nil {
		t.share(ctx, tok)
		return t.hold(tok), nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held.value != "" && t.now().Before(t.held.end) {
		t.log.Warn("no new one, the old one still serves", "what", t.what, "err", err)
		return t.held, nil
	}
	return token{}, err
}

func (t *shared) hold(tok token) token {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held = tok
	return tok
}

// unsent says of a failed call for a token what its caller must know: of the caller's own request nothing was written.
func unsent(err error) error {
	var lost *TransportError
	if errors.As(err, &lost) {
		return &TransportError{Path: lost.Path, Status: lost.Status, Err: lost.Err}
	}
	return err
}

// drop drops one that WeChat called bad, if it is still the one in use, here and in Redis.
func (t *shared) drop(ctx context.Context, bad string) {
	t.mu.Lock()
	t.bad = bad
	if t.held.value == bad {
		t.held = token{}
	}
	t.mu.Unlock()
	if t.redis == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), redisPatience)
	defer cancel()
	if err := t.redis.Eval(ctx, dropToken, []string{t.key(t.what)}, bad).Err(); err != nil {
		t.log.Warn("a bad one stays in redis", "what", t.what, "err", err)
	}
}

// The values in Redis are "renew end token"; the scripts compare and delete in one step.
const (
	dropToken = `local v = redis.call('GET', KEYS[1])
if v and string.sub(v, -#ARGV[1] - 1) == ' ' .. ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`
	dropLock = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`
)

func (t *shared) key(what string) string { return "lingjuli:wechat:{" + t.appID + "}:" + what }

// left reads what some process left in Redis.
func (t *shared) left(ctx context.Context) (token, bool) {
	if t.redis == nil {
		return token{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, redisPatience)
	defer cancel()
	text, err := t.redis.Get(ctx, t.key(t.what)).Result()
	if err != nil {
		if !errors.Is(err, redis.Nil) {
			t.log.Warn("redis gives none", "what", t.what, "err", err)
		}
		return token{}, false
	}
	tok, ok := parseToken(text)
	t.mu.Lock()
	defer t.mu.Unlock()
	return tok, ok && tok.value != t.bad && t.now().Before(tok.renew)
}

func parseToken(text string) (token, bool) {
	parts := strings.SplitN(text, " ", 3)
	if len(parts) != 3 || parts[2] == "" {
		return token{}, false
	}
	renew, err1 := strconv.ParseInt(parts[0], 10, 64)
	end, err2 := strconv.ParseInt(parts[1], 10, 64)
	return token{value: parts[2], renew: time.Unix(renew, 0), end: time.Unix(end, 0)}, err1 == nil && err2 == nil
}

// share leaves it in Redis for the others. Without Redis each of them fetches the same one.
func (t *shared) share(ctx context.Context, tok token) {
	if t.redis == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, redisPatience)
	defer cancel()
	text := fmt.Sprintf("%d %d %s", tok.renew.Unix(), tok.end.Unix(), tok.value)
	if err := t.redis.Set(ctx, t.key(t.what), text, tok.renew.Sub(t.now())).Err(); err != nil {
		t.log.Warn("it can't be shared", "what", t.what, "err", err)
	}
}

// lock takes the lock among processes. With Redis away everybody has it.
func (t *shared) lock(ctx context.Context) (unlock func(), mine bool) {
	if t.redis == nil {
		return func() {}, true
	}
	owner := rand.Text()
	short, cancel := context.WithTimeout(ctx, redisPatience)
	defer cancel()
	mine, err := t.redis.SetNX(short, t.key(t.lockName), owner, lockTTL).Result()
	if err != nil {
		return func() {}, true
	}
	if !mine {
		return func() {}, false
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), redisPatience)
		defer cancel()
		_ = t.redis.Eval(ctx, dropLock, []string{t.key(t.lockName)}, owner).Err() // else it expires
	}, true
}

// awaitOther waits for the process that has the lock to leave one.
func (t *shared) awaitOther(ctx context.Context) (token, bool) {
	ctx, cancel := context.WithTimeout(ctx, t.wait)
	defer cancel()
	tick := time.NewTicker(lockLook)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return token{}, false
		case <-tick.C:
			if tok, ok := t.left(ctx); ok {
				return tok, true
			}
		}
	}
}
