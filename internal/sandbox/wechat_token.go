package sandbox

import (
	"encoding/json"
	"net/http"
	"time"
)

// The life of tokens, as the vendor documents it.
const (
	tokenLife    = 2 * time.Hour
	tokenOverlap = 5 * time.Minute // an old token works on beside its successor
)

// token is an access token that was given out.
type token struct {
	ends   time.Time // expiry
	killed time.Time // when a newer one took its place for good; zero while it holds
}

// tokens is the account's two families of access tokens: those of /token and the stable ones. Neither ends the other.
type tokens struct {
	issued map[string]*token
	plain  string
	stable string
	forced []time.Time // force_refresh within 24 h
}

func newTokens() tokens { return tokens{issued: map[string]*token{}} }

// issue makes a token, ends the one it replaces after the overlap, and forgets those long dead.
func (t *tokens) issue(replaces, name string, overlap time.Duration, now time.Time) {
	if old := t.issued[replaces]; old != nil && (old.killed.IsZero() || old.killed.After(now.Add(overlap))) {
		old.killed = now.Add(overlap)
	}
	for name, old := range t.issued {
		if now.Sub(old.ends) > 24*time.Hour {
			delete(t.issued, name)
		}
	}
	t.issued[name] = &token{ends: now.Add(tokenLife)}
}

// judge gives the errcode for a token: 0, 40001 (not the latest), 40014 (no token at all), 42001 (expired).
func (t *tokens) judge(name string, now time.Time) int {
	known, ok := t.issued[name]
	switch {
	case name == "":
		return 41001
	case !ok && (len(name) < 64 || len(name) > 512):
		return 40014
	case !ok:
		return 40001
	case !known.killed.IsZero() && !now.Before(known.killed):
		return 40001
	case !now.Before(known.ends):
		return 42001
	}
	return 0
}

type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int    `json:"expires_in"`
}

// credentials checks what both token calls bring.
func (a *account) credentials(grant, appID, secret string) int {
	switch {
	case appID == "":
		return 41002
	case secret == "":
		return 41004
	case grant != "client_credential":
		return 40002
	case appID != a.cfg.AppID:
		return 40013
	case secret != a.cfg.Secret:
		return 40125
	}
	return 0
}

// plainToken is GET /cgi-bin/token: a new token each time.
func (a *account) plainToken(c *apiCall) (any, int) {
	if code := a.credentials(c.query.Get("grant_type"), c.query.Get("appid"), c.query.Get("secret")); code != 0 {
		return nil, code
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	name := a.box.ids.token()
	a.tokens.issue(a.tokens.plain, name, tokenOverlap, c.now)
	a.tokens.plain = name
	return tokenAnswer{name, int(tokenLife.Seconds())}, 0
}

// stableToken is POST /cgi-bin/stable_token: the same token with what is left of its life. In its last five minutes a
// new one is given, and both work. force_refresh ends the old one at once; 20 a day, 30 s apart.
func (a *account) stableToken(c *apiCall) (any, int) {
	var in struct {
		GrantType    string `json:"grant_type"`
		AppID        string `json:"appid"`
		Secret       string `json:"secret"`
		ForceRefresh bool   `json:"force_refresh"`
	}
	if json.Unmarshal(c.body, &in) != nil {
		return nil, 47001
	}
	if code := a.credentials(in.GrantType, in.AppID, in.Secret); code != 0 {
		return nil, code
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if in.ForceRefresh {
		return a.forceToken(c.now)
	}
	held := a.tokens.issued[a.tokens.stable]
	if held != nil && held.ends.Sub(c.now) > tokenOverlap && a.tokens.judge(a.tokens.stable, c.now) == 0 {
		return tokenAnswer{a.tokens.stable, int(held.ends.Sub(c.now).Seconds())}, 0
	}
	return a.newStable(tokenOverlap, c.now), 0
}

func (a *account) forceToken(now time.Time) (any, int) {
	kept := a.tokens.forced[:0]
	for _, at := range a.tokens.forced {
		if now.Sub(at) < 24*time.Hour {
			kept = append(kept, at)
		}
	}
	a.tokens.forced = kept
	if n := len(kept); n >= 20 {
		return nil, 45009
	} else if n > 0 && now.Sub(kept[n-1]) < 30*time.Second {
		return nil, 45011
	}
	a.tokens.forced = append(a.tokens.forced, now)
	return a.newStable(0, now), 0
}

func (a *account) newStable(overlap time.Duration, now time.Time) tokenAnswer {
	name := a.box.ids.token()
	a.tokens.issue(a.tokens.stable, name, overlap, now)
	a.tokens.stable = name
	return tokenAnswer{name, int(tokenLife.Seconds())}
}

// ExpireTokens ends every access token at once, as a reset of the secret does; kill says they are "not the latest"
// (40001) instead of expired (42001).
func (s *Sandbox) ExpireTokens(kill bool) {
	a := s.account
	a.mu.Lock()
	defer a.mu.Unlock()
	now := s.cfg.Now()
	for _, t := range a.tokens.issued {
		if kill {
			t.killed = now
		} else {
			t.ends = now
		}
	}
}

// method is what an API wants.
func (c *apiCall) wants(method string) int {
	if c.method == method {
		return 0
	}
	if method == http.MethodPost {
		return 43002
	}
	return 43001
}
