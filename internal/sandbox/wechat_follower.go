package sandbox

import (
	"time"
)

// grant is a right to send customer messages: so many until then.
type grant struct {
	Left  int       `json:"left"`
	Until time.Time `json:"until"`
}

// grantKind is what gave the right.
type grantKind string

const (
	grantTalk   grantKind = "talk"   // a message: 5 in 48 h
	grantClick  grantKind = "click"  // a menu click or the tap of a msgmenu: 3 in 1 min
	grantFollow grantKind = "follow" // 3 in 1 min
	grantScan   grantKind = "scan"   // 3 in 1 min
)

// follower is a person at the account, one who left included.
type follower struct {
	OpenID   string               `json:"openid"`
	Follows  bool                 `json:"follows"`
	Since    time.Time            `json:"since"`
	Scene    string               `json:"scene,omitempty"`
	Consents map[string]*consent  `json:"consents,omitempty"`
	Grants   map[grantKind]*grant `json:"grants,omitempty"`
	Spoke    time.Time            `json:"spoke"` // the last exchange
	typing   time.Time            // until when the typing state shows
	chat     []ChatMessage
}

// consent is what a person allowed for one template of notices.
type consent struct {
	Left   int  `json:"left"`
	Always bool `json:"always"`
}

type followerEntry = follower

func newFollower(id string, now time.Time) *follower {
	return &follower{OpenID: id, Follows: true, Since: now, Consents: map[string]*consent{}, Grants: map[grantKind]*grant{}}
}

// allow opens a window. An action fills it to its maximum; nothing adds up.
func (f *follower) allow(kind grantKind, now time.Time) {
	g := &grant{Left: 3, Until: now.Add(time.Minute)}
	if kind == grantTalk {
		g = &grant{Left: 5, Until: now.Add(48 * time.Hour)}
	}
	f.Grants[kind] = g
	f.Spoke = now
}

// spend takes one customer message from the window that closes first: 45015 where none is open, 45047 where all are used up.
func (f *follower) spend(now time.Time) int {
	code := 45015
	var best *grant
	for _, g := range f.Grants {
		if !now.Before(g.Until) {
			continue
		}
		if g.Left == 0 {
			code = 45047
		} else if best == nil || g.Until.Before(best.Until) {
			best = g
		}
	}
	if best == nil {
		return code
	}
	best.Left--
	return 0
}

// AddFollower makes somebody follow without telling the account's server.
func (s *Sandbox) AddFollower(openIDs ...string) {
	for _, id := range openIDs {
		if s.Follower(id).Follows {
			continue
		}
		s.account.change(id, func(f *follower) { f.Follows = true })
	}
}

// RemoveFollower makes somebody leave without telling the account's server.
func (s *Sandbox) RemoveFollower(openID string) {
	s.account.change(openID, func(f *follower) { f.leave() })
}

// SetConsent sets a person's consent for a template without an event: always, or for so many notices.
func (s *Sandbox) SetConsent(openID, template string, always bool, left int) {
	s.account.change(openID, func(f *follower) { f.Consents[template] = &consent{Left: left, Always: always} })
}

// Talked opens the 48 hours of customer messages as if the person had just written.
func (s *Sandbox) Talked(openID string) {
	s.account.change(openID, func(f *follower) { f.allow(grantTalk, s.cfg.Now()) })
}

func (f *follower) leave() {
	f.Follows = false
	f.Grants = map[grantKind]*grant{}
	f.Consents = map[string]*consent{}
}

// change alters a follower, made if need be, and notes it.
func (a *account) change(id string, fn func(*follower)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := a.followers[id]
	if f == nil {
		f = newFollower(id, a.box.cfg.Now())
		f.Follows = false
		a.followers[id] = f
	}
	fn(f)
	a.noteFollower(f)
	a.box.watchers.wake(id)
}

func (a *account) noteFollower(f *follower) {
	if a.box.journal == nil {
		return
	}
	a.box.note(entry{Kind: entryFollower, At: a.box.cfg.Now(), Follower: f})
}

// follows finds a person who follows: 40003 for an openid of nobody, 43004 for one who left. The caller holds the mutex.
func (a *account) follows(id string) (*follower, int) {
	f := a.followers[id]
	if f == nil {
		return nil, 40003
	}
	if !f.Follows {
		return f, 43004
	}
	return f, 0
}

func (a *account) userInfo(c *apiCall) (any, int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f, code := a.follows(c.query.Get("openid"))
	switch code {
	case 40003:
		return nil, code
	case 43004:
		return map[string]any{"subscribe": 0, "openid": f.OpenID}, 0
	}
	return map[string]any{
		"subscribe": 1, "openid": f.OpenID, "language": "zh_CN", "subscribe_time": f.Since.Unix(), "remark": "", "groupid": 0,
		"tagid_list": []int{}, "subscribe_scene": "ADD_SCENE_QR_CODE", "qr_scene": 0, "qr_scene_str": f.Scene,
	}, 0
}

func (a *account) userList(c *apiCall) (any, int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	ids := []string{}
	for _, id := range sortedKeys(a.followers) {
		if a.followers[id].Follows && id > c.query.Get("next_openid") {
			ids = append(ids, id)
		}
	}
	total := len(ids)
	ids = ids[:min(len(ids), 10000)]
	next := ""
	if len(ids) > 0 {
		next = ids[len(ids)-1]
	}
	return map[string]any{"total": total, "count": len(ids), "data": map[string]any{"openid": ids}, "next_openid": next}, 0
}

// replay puts a line of the journal back.
func (a *account) replay(e *entry) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch e.Kind {
	case entryFollower:
		f := e.Follower
		if f.Consents == nil {
			f.Consents = map[string]*consent{}
		}
		if f.Grants == nil {
			f.Grants = map[grantKind]*grant{}
		}
		if old := a.followers[f.OpenID]; old != nil {
			f.chat = old.chat
		}
		a.followers[f.OpenID] = f
	case entryChat:
		a.keep(e.Chat.OpenID, e.Chat.Message)
	case entryMenu:
		a.menu = nil
		if m, code := readMenu(e.Menu); code == 0 && string(e.Menu) != "null" {
			a.menu = m
		}
	case entryNotice:
		a.notices[e.Notice.ID] = *e.Notice
	case entryScene:
		a.scenes = append(a.scenes, e.Scene)
	}
}
