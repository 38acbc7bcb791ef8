package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/lingjuli/lingjuli/internal/staff"
)

const (
	sessionLifetime = 12 * time.Hour   // a working day, whatever happens
	sessionIdle     = 60 * time.Minute // an open desk
	sessionTouch    = 5 * time.Minute  // how exactly idleness is kept: a write only so often
	revealFor       = 5 * time.Minute
)

// Keys of a session's values.
const (
	keyMember      = "member"
	keyVersion     = "version"
	keyBegun       = "begun"
	keySeen        = "seen"
	keyReveal      = "reveal"
	keyRevealUntil = "reveal_until"
)

// sessionManager is made by hand: scs.New would start a goroutine for a store that we don't use.
func sessionManager(store scs.CtxStore, secure bool) *scs.SessionManager {
	name := "lingjuli_session"
	if secure {
		name = "__Host-" + name
	}
	return &scs.SessionManager{
		Lifetime: sessionLifetime,
		Store:    store,
		Codec:    scs.GobCodec{},
		Cookie: scs.SessionCookie{
			Name: name, Path: "/", HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
			Persist: false,
		},
	}
}

// enter starts the session of a member who has just shown who they are, under a fresh token.
func (c *console) enter(ctx context.Context, account staff.Account) error {
	if err := c.sessions.RenewToken(ctx); err != nil {
		return fmt.Errorf("console: renew the session: %w", err)
	}
	c.sessions.Put(ctx, keyMember, account.ID)
	c.sessions.Put(ctx, keyVersion, account.SessionVersion)
	c.sessions.Put(ctx, keyBegun, c.Now().Unix())
	c.sessions.Put(ctx, keySeen, c.Now().Unix())
	return nil
}

// member finds who the session belongs to; false where nobody is logged in, or no more.
// Watching a campaign is no sign of life: the browser does it by itself.
func (c *console) member(ctx context.Context, watching bool) (staff.Member, bool, error) {
	id := c.sessions.GetInt64(ctx, keyMember)
	if id == 0 {
		return staff.Member{}, false, nil
	}
	m, err := c.Staff.Member(ctx, id, c.sessions.GetInt64(ctx, keyVersion))
	idle, age := c.since(ctx, keySeen), c.since(ctx, keyBegun)
	switch {
	case errors.Is(err, staff.ErrNotFound), err == nil && (idle > sessionIdle || age > sessionLifetime):
		if err := c.sessions.Destroy(ctx); err != nil {
			return staff.Member{}, false, fmt.Errorf("console: end the session: %w", err)
		}
		return staff.Member{}, false, nil
	case err != nil:
		return staff.Member{}, false, fmt.Errorf("console: who is it: %w", err)
	}
	if idle > sessionTouch && !watching {
		c.sessions.Put(ctx, keySeen, c.Now().Unix())
	}
	return m, true, nil
}

func (c *console) since(ctx context.Context, key string) time.Duration {
	return c.Now().Sub(time.Unix(c.sessions.GetInt64(ctx, key), 0))
}

// reveal lets one person's page be shown unmasked for a while, in this session alone.
func (c *console) reveal(ctx context.Context, personID int64) {
	c.revealObject(ctx, personObject(personID))
}

// revealObject is the same for a person's page or a matter of the inbox; showing one masks the one before.
func (c *console) revealObject(ctx context.Context, object string) {
	c.sessions.Put(ctx, keyReveal, object)
	c.sessions.Put(ctx, keyRevealUntil, c.Now().Add(revealFor).Unix())
}

// revealedUntil says until when a person is shown unmasked; zero: masked.
func (c *console) revealedUntil(ctx context.Context, personID int64) time.Time {
	return c.objectRevealedUntil(ctx, personObject(personID))
}

func (c *console) objectRevealedUntil(ctx context.Context, object string) time.Time {
	until := time.Unix(c.sessions.GetInt64(ctx, keyRevealUntil), 0)
	if c.sessions.GetString(ctx, keyReveal) != object || !until.After(c.Now()) {
		return time.Time{}
	}
	return until
}
