package sandbox

import (
	"slices"
	"time"
)

// Who a chat message is from.
const (
	FromUser    = "user"
	FromAccount = "account"
	FromSystem  = "system"
)

// ChatMessage is one thing in a chat as the phone shows it.
type ChatMessage struct {
	ID   int64     `json:"id"`
	At   time.Time `json:"at"`
	From string    `json:"from"`
	// Kind is text, msgmenu, news, notice (a subscription notice), template, another msgtype, or of the system:
	// follow, unfollow, scan, click, view, consent, fault (the server didn't answer as it should).
	Kind     string     `json:"kind"`
	Text     string     `json:"text,omitempty"`
	Tail     string     `json:"tail,omitempty"`
	Items    []MenuItem `json:"items,omitempty"`
	Articles []Article  `json:"articles,omitempty"`
	Title    string     `json:"title,omitempty"`
	Template string     `json:"template,omitempty"`
	Rows     []CardRow  `json:"rows,omitempty"`
	URL      string     `json:"url,omitempty"`
	Passive  bool       `json:"passive,omitempty"` // came as the answer to a push
}

// CardRow is a line of a notice.
type CardRow struct {
	Key   string `json:"key"`
	Label string `json:"label"`
	Value string `json:"value"`
}

type chatEntry struct {
	OpenID  string      `json:"openid"`
	Message ChatMessage `json:"message"`
}

// say puts a message into a person's chat. The caller holds the mutex.
func (a *account) say(openID string, m ChatMessage) {
	m.At = a.box.cfg.Now()
	m.ID = a.box.ids.messageID(m.At)
	if m.From == FromAccount {
		a.counts[openID]++
	}
	if a.box.cfg.CountersOnly {
		return
	}
	if f := a.followers[openID]; f != nil {
		f.chat = append(f.chat, m)
	}
	a.box.note(entry{Kind: entryChat, At: m.At, Chat: &chatEntry{openID, m}})
	a.box.watchers.wake(openID)
}

// keep puts a message of the journal back. The caller holds the mutex.
func (a *account) keep(openID string, m ChatMessage) {
	f := a.followers[openID]
	if f == nil {
		f = newFollower(openID, m.At)
		f.Follows = false
		a.followers[openID] = f
	}
	f.chat = append(f.chat, m)
	if m.From == FromAccount {
		a.counts[openID]++
	}
}

// put is say for those who don't hold the mutex.
func (a *account) put(openID string, m ChatMessage) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.say(openID, m)
}

// Chat is what a person's chat shows, oldest first.
func (s *Sandbox) Chat(openID string) []ChatMessage {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	if f := s.account.followers[openID]; f != nil {
		return slices.Clone(f.chat)
	}
	return nil
}

// Follower is what the phone shows of a person at the account.
type Follower struct {
	OpenID   string          `json:"openid"`
	Follows  bool            `json:"follows"`
	Typing   bool            `json:"typing"`
	Consents map[string]bool `json:"consents"` // by template: allowed now
}

// Follower tells how a person stands to the account.
func (s *Sandbox) Follower(openID string) Follower {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	out := Follower{OpenID: openID, Consents: map[string]bool{}}
	if f := s.account.followers[openID]; f != nil {
		out.Follows, out.Typing = f.Follows, s.cfg.Now().Before(f.typing)
		for id, c := range f.Consents {
			out.Consents[id] = c.Always || c.Left > 0
		}
	}
	return out
}

// Notices are the registered templates in the order of their ids.
func (s *Sandbox) Notices() []NoticeTemplate {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	out := make([]NoticeTemplate, 0, len(s.account.notices))
	for _, id := range sortedKeys(s.account.notices) {
		out = append(out, s.account.notices[id])
	}
	return out
}

// Scenes are the QR codes that still work, newest first.
func (s *Sandbox) Scenes() []Scene {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	var out []Scene
	now := s.cfg.Now()
	for _, sc := range slices.Backward(s.account.scenes) {
		if sc.Ends.IsZero() || now.Before(sc.Ends) {
			out = append(out, *sc)
		}
	}
	return out
}
