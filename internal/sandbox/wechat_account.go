package sandbox

import (
	"fmt"
	"reflect"
	"sync"
	"time"
)

// WeChatConfig is the official account and the server behind it.
type WeChatConfig struct {
	AppID     string // wxsandbox0000000000
	Secret    string
	Token     string
	AESKey    string // EncodingAESKey, 43 characters
	AccountID string // gh_sandbox000000
	// Mode; without one it is safe where there is an AESKey, else plain.
	Mode Mode
	// CallbackURL takes messages and events, …/wechat/callback. It may be set later.
	CallbackURL string
	Timeout     time.Duration // 5 s
	Retries     int           // 3; negative is none

	Followers []string
	Notices   []NoticeTemplate
	// Consents are templates allowed for good, by openid. What the journal says of a follower goes before both.
	Consents map[string][]string
}

func (c WeChatConfig) withDefaults() WeChatConfig {
	if c.AppID == "" {
		c.AppID = "wx5a0d0b0c00000001"
	}
	if c.Secret == "" {
		c.Secret = "5a0d0b0c5a0d0b0c5a0d0b0c5a0d0b0c"
	}
	if c.Token == "" {
		c.Token = "sandbox"
	}
	if c.AccountID == "" {
		c.AccountID = "gh_5a0d0b0c0001"
	}
	if c.Mode == "" {
		c.Mode = Safe
		if c.AESKey == "" {
			c.Mode = Plain
		}
	}
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Second
	}
	if c.Retries == 0 {
		c.Retries = 3
	}
	return c
}

// account is the WeChat side.
type account struct {
	box      *Sandbox
	cfg      WeChatConfig
	envelope *envelope
	errors   map[int]string
	fields   fieldRules
	labels   map[string]string
	slots    chan struct{} // events on their way

	mu        sync.Mutex
	tokens    tokens
	followers map[string]*follower
	notices   map[string]NoticeTemplate
	menu      *menu
	scenes    []*Scene
	ticket    tokenAnswer
	ticketEnd time.Time
	onceOnly  map[string]clientMessage
	counts    map[string]int // messages taken, by openid
	answered  map[string]int // by path
	refused   map[string]int // by errcode
	pushes    PushStats
}

func newAccount(s *Sandbox) (*account, error) {
	a := &account{box: s, cfg: s.cfg.WeChat, errors: loadErrorTexts(), fields: newFieldRules(), labels: readTable(labelText), slots: make(chan struct{}, 16)}
	if a.cfg.AESKey != "" {
		e, err := newEnvelope(a.cfg.AppID, a.cfg.AESKey)
		if err != nil {
			return nil, err
		}
		a.envelope = e
	} else if a.cfg.Mode != Plain {
		return nil, fmt.Errorf("mode %s needs an AESKey", a.cfg.Mode)
	}
	a.clear()
	return a, nil
}

func (a *account) clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tokens = newTokens()
	a.followers, a.notices, a.menu, a.scenes = map[string]*follower{}, map[string]NoticeTemplate{}, nil, nil
	a.onceOnly, a.counts = map[string]clientMessage{}, map[string]int{}
	a.answered, a.refused, a.pushes = map[string]int{}, map[string]int{}, PushStats{}
	a.ticketEnd = time.Time{}
	for _, id := range a.cfg.Followers {
		f := newFollower(id, a.box.cfg.Now())
		for _, template := range a.cfg.Consents[id] {
			f.Consents[template] = &consent{Always: true}
		}
		a.followers[id] = f
	}
	for _, n := range a.cfg.Notices {
		a.notices[n.ID] = n
	}
}

// SetCallback says where messages and events go from now on.
func (s *Sandbox) SetCallback(address string) {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	s.account.cfg.CallbackURL = address
}

// Scene is a QR code that the account made.
type Scene struct {
	Ticket string    `json:"ticket"`
	Scene  string    `json:"scene"`
	URL    string    `json:"url"`
	Ends   time.Time `json:"ends,omitzero"` // permanent ones have none
}

// NoticeTemplate is a template of subscription notices or of template messages.
type NoticeTemplate struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	// Kind is subscribe (bizsend) or template (template/send).
	Kind string `json:"kind"`
	// LongTerm: one consent allows many; else each consent allows one.
	LongTerm bool `json:"long_term"`
	// Fields in the order of the card. Without any, every field of a known kind is taken.
	Fields []NoticeField `json:"fields,omitempty"`
	// Banned answers 43116 to each send.
	Banned bool `json:"banned,omitempty"`
}

// NoticeField is one line of a card: a key such as thing1, and the words beside its value.
type NoticeField struct {
	Key   string `json:"key"`
	Label string `json:"label"`
}

// AddNotice registers a template of notices.
func (s *Sandbox) AddNotice(n NoticeTemplate) {
	if n.Kind == "" {
		n.Kind = "subscribe"
	}
	if !s.account.putNotice(n) {
		return
	}
	s.note(entry{Kind: entryNotice, At: s.cfg.Now(), Notice: &n})
}

// putNotice keeps a template and says whether that is news.
func (a *account) putNotice(n NoticeTemplate) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	old, known := a.notices[n.ID]
	a.notices[n.ID] = n
	return !known || !reflect.DeepEqual(old, n)
}
