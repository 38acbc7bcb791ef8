package bot

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

func newRedis(t testing.TB) (*miniredis.Miniredis, *redis.Client) {
	t.Helper()
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	return server, client
}

func withRedis(r Redis) func(*ClientOptions) { return func(o *ClientOptions) { o.Redis = r } }

// clock is a clock that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Unix(1_800_000_000, 0)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func withClock(c *clock) func(*ClientOptions) { return func(o *ClientOptions) { o.Now = c.Now } }

func mustToken(t testing.TB, s *TokenSource, want string) {
	t.Helper()
	got, err := s.GetAccessTokenContext(t.Context())
	if err != nil || got != want {
		t.Fatalf("got %q, %v; want %q", got, err, want)
	}
}

func TestManyCallersFetchOneToken(t *testing.T) {
	f := newFakeAPI(t)
	_, r := newRedis(t)
	one, two := f.client(t, withRedis(r)).Tokens(), f.client(t, withRedis(r)).Tokens() // two processes
	var all sync.WaitGroup
	for range 20 {
		for _, s := range []*TokenSource{one, two} {
			all.Go(func() { mustTokenSoft(t, s) })
		}
	}
	all.Wait()
	if f.fetched() != 1 {
		t.Errorf("%d fetches", f.fetched())
	}
}

func mustTokenSoft(t testing.TB, s *TokenSource) {
	if got, err := s.GetAccessToken(); err != nil || got != "TOKEN-1" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestWithRedisAwayNoCallBurnsAToken(t *testing.T) {
	f := newFakeAPI(t)
	server, r := newRedis(t)
	server.Close()
	s := f.client(t, withRedis(r)).Tokens()
	for range 10 {
		mustToken(t, s, "TOKEN-1")
	}
	if f.fetched() != 1 {
		t.Errorf("%d fetches", f.fetched())
	}
}

func TestRedisGoingAwayLaterIsNotNoticedUntilTheTokenEnds(t *testing.T) {
	f, c := newFakeAPI(t), newClock()
	server, r := newRedis(t)
	s := f.client(t, withRedis(r), withClock(c)).Tokens()
	mustToken(t, s, "TOKEN-1")
	server.Close()
	c.add(114 * time.Minute)
	mustToken(t, s, "TOKEN-1")
	c.add(2 * time.Minute) // five minutes before its end
	mustToken(t, s, "TOKEN-2")
	mustToken(t, s, "TOKEN-2")
	if f.fetched() != 2 {
		t.Errorf("%d fetches", f.fetched())
	}
}

func TestATokenNearItsEndIsKeptHalfAMinute(t *testing.T) {
	f, c := newFakeAPI(t), newClock()
	server, r := newRedis(t)
	f.expires = 300
	s := f.client(t, withRedis(r), withClock(c)).Tokens()
	mustToken(t, s, "TOKEN-1")
	if ttl := server.TTL(s.key("token")); ttl != 30*time.Second {
		t.Errorf("kept %v in redis", ttl)
	}
	c.add(29 * time.Second)
	mustToken(t, s, "TOKEN-1")
	c.add(2 * time.Second)
	mustToken(t, s, "TOKEN-2")
}

func TestWhenNoNewTokenComesTheOldOneServesUntilItDies(t *testing.T) {
	f, c := newFakeAPI(t), newClock()
	s := f.client(t, withClock(c)).Tokens()
	mustToken(t, s, "TOKEN-1")
	f.tokenAs = func(w http.ResponseWriter) bool { w.WriteHeader(502); return true }
	c.add(117 * time.Minute)
	mustToken(t, s, "TOKEN-1")
	c.add(4 * time.Minute)
	if _, err := s.GetAccessToken(); err == nil {
		t.Error("a dead token is given")
	}
}

func TestInvalidateDropsOnlyTheTokenThatWasBad(t *testing.T) {
	f := newFakeAPI(t)
	_, r := newRedis(t)
	one, two := f.client(t, withRedis(r)).Tokens(), f.client(t, withRedis(r)).Tokens()
	mustToken(t, one, "TOKEN-1")
	mustToken(t, two, "TOKEN-1")
	one.Invalidate(t.Context(), "TOKEN-1")
	mustToken(t, one, "TOKEN-2")
	two.Invalidate(t.Context(), "TOKEN-1") // late: redis holds the second one already
	mustToken(t, two, "TOKEN-2")
	one.Invalidate(t.Context(), "TOKEN-0")
	mustToken(t, one, "TOKEN-2")
	if f.fetched() != 2 {
		t.Errorf("%d fetches", f.fetched())
	}
}

func TestABadTokenIsReplacedWithRedisAway(t *testing.T) {
	f := newFakeAPI(t)
	server, r := newRedis(t)
	s := f.client(t, withRedis(r)).Tokens()
	mustToken(t, s, "TOKEN-1")
	server.SetError("LOADING")
	s.Invalidate(t.Context(), "TOKEN-1")
	mustToken(t, s, "TOKEN-2")
	server.SetError("") // redis still holds the bad one: it must not come back
	s.Invalidate(t.Context(), "TOKEN-1")
	mustToken(t, s, "TOKEN-2")
}

func TestAProcessThatDiedWithTheLockDoesNotStopTheOthers(t *testing.T) {
	f := newFakeAPI(t)
	_, r := newRedis(t)
	s := f.client(t, withRedis(r)).Tokens()
	s.wait = 2 * lockLook
	r.SetNX(t.Context(), s.key("lock"), "dead", time.Hour)
	mustToken(t, s, "TOKEN-1")
	if got, _ := r.Get(t.Context(), s.key("lock")).Result(); got != "dead" {
		t.Error("another's lock was taken away")
	}
}

func TestACallerWhoGivesUpDoesNotEndTheFetchOfOthers(t *testing.T) {
	f := newFakeAPI(t)
	s := f.client(t).Tokens()
	asked, answer := make(chan struct{}), make(chan struct{})
	f.tokenAs = func(http.ResponseWriter) bool { close(asked); <-answer; return false }
	ctx, giveUp := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() { _, err := s.GetAccessTokenContext(ctx); first <- err }()
	<-asked
	giveUp()
	if err := <-first; err == nil {
		t.Error("a caller who gave up has a token")
	}
	close(answer)
	mustToken(t, s, "TOKEN-1")
}

func TestRubbishInRedisIsNoToken(t *testing.T) {
	f := newFakeAPI(t)
	server, r := newRedis(t)
	s := f.client(t, withRedis(r)).Tokens()
	if err := server.Set(s.key("token"), "rubbish"); err != nil {
		t.Fatal(err)
	}
	mustToken(t, s, "TOKEN-1")
}

func TestATokenAnswerWithoutATokenIsAnError(t *testing.T) {
	f := newFakeAPI(t)
	f.tokenAs = func(w http.ResponseWriter) bool { _, _ = io.WriteString(w, `{"expires_in":7200}`); return true }
	if _, err := f.client(t).Tokens().GetAccessToken(); err == nil || !strings.Contains(err.Error(), "no token") {
		t.Errorf("got %v", err)
	}
}
