package bot

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/silenceper/wechat/v2/credential"
	"golang.org/x/sync/singleflight"
)

// Redis is what the token source needs of a go-redis client.
type Redis interface {
	Get(ctx context.Context, key string) *redis.StringCmd
	Set(ctx context.Context, key string, value any, ttl time.Duration) *redis.StatusCmd
	SetNX(ctx context.Context, key string, value any, ttl time.Duration) *redis.BoolCmd
	Eval(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd
}

const (
	tokenPath     = "/cgi-bin/stable_token"
	tokenMargin   = 5 * time.Minute  // a token is fetched anew so long before it dies; WeChat's own overlap
	tokenMinimum  = 30 * time.Second // a token near its end is kept so long all the same
	redisPatience = 300 * time.Millisecond
	fetchPatience = 12 * time.Second
	lockTTL       = 10 * time.Second
	lockPatience  = 3 * time.Second
	lockLook      = 50 * time.Millisecond
)

// TokenSource gives the account's access token: from memory, else from Redis, else from WeChat. One fetch at
// a time in a process, one at a time among processes as long as Redis is there. With Redis away each process
// keeps its own copy until it expires; stable_token gives all of them the same one.
// https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken
type TokenSource struct {
	wire   *wire
	appID  string
	secret string
	redis  Redis
	log    *slog.Logger
	now    func() time.Time
	wait   time.Duration // for the process that has the lock
	single singleflight.Group

	mu   sync.Mutex
	held token
	bad  string // the last token that WeChat called bad
}

var _ credential.AccessTokenContextHandle = (*TokenSource)(nil)

// token is an access token: to be replaced from renew on, dead from end on.
type token struct {
	value      string
	renew, end time.Time
}

func newTokenSource(w *wire, o ClientOptions) *TokenSource {
	return &TokenSource{wire: w, appID: o.AppID, secret: o.Secret, redis: o.Redis, log: o.Log, now: o.Now, wait: lockPatience}
}

// GetAccessToken gives the token without a bound on time but its own.
func (t *TokenSource) GetAccessToken() (string, error) {
	return t.GetAccessTokenContext(context.Background())
}

// GetAccessTokenContext gives the token. A caller that gives up doesn't end the fetch that others wait for.
func (t *TokenSource) GetAccessTokenContext(ctx context.Context) (string, error) {
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
		return "", &TransportError{Path: tokenPath, Err: ctx.Err()}
	case r := <-result:
		if r.Err != nil {
			return "", r.Err
		}
		return r.Val.(token).value, nil
	}
}

func (t *TokenSource) fresh() (token, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.held, t.held.value != "" && t.now().Before(t.held.renew)
}

// renewed gets a token from Redis or WeChat. Where neither gives one, the one in hand serves until it dies.
func (t *TokenSource) renewed(ctx context.Context) (token, error) {
	if tok, ok := t.fresh(); ok {
		return tok, nil
	}
	if tok, ok := t.shared(ctx); ok {
		return t.hold(tok), nil
	}
	unlock, mine := t.lock(ctx)
	defer unlock()
	if !mine {
		if tok, ok := t.awaitOther(ctx); ok {
			return t.hold(tok), nil
		}
	}
	tok, err := t.fetch(ctx)
	if err == nil {
		t.share(ctx, tok)
		return t.hold(tok), nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held.value != "" && t.now().Before(t.held.end) {
		t.log.Warn("no new token, the old one still serves", "err", err)
		return t.held, nil
	}
	return token{}, err
}

func (t *TokenSource) hold(tok token) token {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held = tok
	return tok
}

// fetch asks WeChat. The secret travels in the body, never in an address.
func (t *TokenSource) fetch(ctx context.Context) (token, error) {
	body, err := encodeJSON(map[string]any{
		"grant_type": "client_credential", "appid": t.appID, "secret": t.secret, "force_refresh": false,
	})
	if err != nil {
		return token{}, err
	}
	asked := t.now()
	var answer struct {
		Token   string `json:"access_token"`
		Seconds int64  `json:"expires_in"`
	}
	if err := t.wire.do(ctx, http.MethodPost, tokenPath, nil, body, &answer); err != nil {
		return token{}, unsent(err)
	}
	if answer.Token == "" || answer.Seconds <= 0 {
		return token{}, &TransportError{Path: tokenPath, Status: http.StatusOK, Err: errors.New("the answer holds no token")}
	}
	life := time.Duration(answer.Seconds) * time.Second
	return token{
		value: answer.Token,
		renew: asked.Add(max(life-tokenMargin, tokenMinimum)),
		end:   asked.Add(life),
	}, nil
}

// unsent says of a failed token call what its caller must know: of the caller's own request nothing was written.
func unsent(err error) error {
	var lost *TransportError
	if errors.As(err, &lost) {
		return &TransportError{Path: lost.Path, Status: lost.Status, Err: lost.Err}
	}
	return err
}

// Invalidate drops a token that WeChat called bad, if it is still the one in use, here and in Redis.
func (t *TokenSource) Invalidate(ctx context.Context, bad string) {
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
	if err := t.redis.Eval(ctx, dropToken, []string{t.key("token")}, bad).Err(); err != nil {
		t.log.Warn("a bad token stays in redis", "err", err)
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

func (t *TokenSource) key(what string) string { return "lingjuli:wechat:{" + t.appID + "}:" + what }

// shared reads the token that some process left in Redis.
func (t *TokenSource) shared(ctx context.Context) (token, bool) {
	if t.redis == nil {
		return token{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, redisPatience)
	defer cancel()
	text, err := t.redis.Get(ctx, t.key("token")).Result()
	if err != nil {
		if !errors.Is(err, redis.Nil) {
			t.log.Warn("redis gives no token", "err", err)
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

// share leaves a token in Redis for the others. Without Redis each of them fetches the same one.
func (t *TokenSource) share(ctx context.Context, tok token) {
	if t.redis == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, redisPatience)
	defer cancel()
	text := fmt.Sprintf("%d %d %s", tok.renew.Unix(), tok.end.Unix(), tok.value)
	if err := t.redis.Set(ctx, t.key("token"), text, tok.renew.Sub(t.now())).Err(); err != nil {
		t.log.Warn("the token can't be shared", "err", err)
	}
}

// lock takes the lock among processes. With Redis away everybody has it.
func (t *TokenSource) lock(ctx context.Context) (unlock func(), mine bool) {
	if t.redis == nil {
		return func() {}, true
	}
	owner := rand.Text()
	short, cancel := context.WithTimeout(ctx, redisPatience)
	defer cancel()
	mine, err := t.redis.SetNX(short, t.key("lock"), owner, lockTTL).Result()
	if err != nil {
		return func() {}, true
	}
	if !mine {
		return func() {}, false
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), redisPatience)
		defer cancel()
		_ = t.redis.Eval(ctx, dropLock, []string{t.key("lock")}, owner).Err() // else it expires
	}, true
}

// awaitOther waits for the process that has the lock to leave a token.
func (t *TokenSource) awaitOther(ctx context.Context) (token, bool) {
	ctx, cancel := context.WithTimeout(ctx, t.wait)
	defer cancel()
	tick := time.NewTicker(lockLook)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return token{}, false
		case <-tick.C:
			if tok, ok := t.shared(ctx); ok {
				return tok, true
			}
		}
	}
}
