package turntest

import (
	"context"
	"crypto/subtle"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/hanzi"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/locales"
)

// Memory keeps conversations in memory. It is a fake for tests of the host; the store's own tests play the same
// conversations on the real databases.
type Memory struct {
	people   []register.Record
	contacts map[string]turn.Contact
	sessions map[string]kept
	replies  map[string]kept
	bound    map[string]int64
	lost     []loss
	checks   map[string]turn.Check
	codes    map[string]turn.Code
	optedOut map[string]bool
	wishes   []turn.Wish
	sent     []turn.Message
	lines    []string // transcripts
	doors    []door
	doubts   map[string]bool // "phone person"
	shelf
	mailbox
}

type kept struct {
	body []byte
	at   time.Time
}

// NewMemory is a memory in which some people are on file, and some openids bound to them.
func NewMemory(cast []Person) *Memory {
	m := &Memory{
		contacts: make(map[string]turn.Contact), sessions: make(map[string]kept), replies: make(map[string]kept),
		bound: make(map[string]int64), checks: make(map[string]turn.Check), codes: make(map[string]turn.Code),
		optedOut: make(map[string]bool), doubts: make(map[string]bool), mailbox: mailbox{letters: make(map[string][]turn.Letter)},
	}
	for i, p := range cast {
		m.people = append(m.people, p.Record(int64(i+1)))
		if p.Bound != "" {
			m.bound[p.Bound] = int64(i + 1)
		}
	}
	return m
}

// Sent lists the SMS queued so far.
func (m *Memory) Sent() []turn.Message { return m.sent }

// Wishes lists what was noted.
func (m *Memory) Wishes() []turn.Wish { return m.wishes }

// Transcripts lists what was kept of each turn.
func (m *Memory) Transcripts() []string { return m.lines }

// OptedOut says whether a subject wants no campaigns: "person 1", "openid o-1", "phone 138…".
func (m *Memory) OptedOut(subject string) bool { return m.optedOut[subject] }

// Scene is what is kept of the code that somebody came in by.
func (m *Memory) Scene(openid string) string { return m.contacts["wechat "+openid].Scene }

// Bound is the person of an openid, 0: none.
func (m *Memory) Bound(openid string) int64 { return m.bound[openid] }

// Stands implements Watched.
func (m *Memory) Stands(channel turn.Channel, who string) (session []byte, language string) {
	key := string(channel) + " " + who
	return m.sessions[key].body, m.contacts[key].Language
}

// Turn implements turn.Store.
func (m *Memory) Turn(_ context.Context, who turn.Who, fn func(turn.Tx) error) error {
	return fn(&memoryTx{m: m, who: who, key: string(who.Channel) + " " + who.ID})
}

type memoryTx struct {
	m   *Memory
	who turn.Who
	key string
}

func (t *memoryTx) Open() (turn.Opened, error) {
	if r, ok := t.m.replies[t.who.Key]; ok && t.who.At.Sub(r.at) < 10*time.Minute {
		return turn.Opened{Copy: r.body}, nil
	}
	o := turn.Opened{Contact: t.m.contacts[t.key]}
	if s, ok := t.m.sessions[t.key]; ok && t.who.At.Sub(s.at) < 24*time.Hour {
		o.Session, o.LastAt = s.body, s.at
	}
	if t.who.Channel == turn.WeChat {
		o.Letters = t.m.letters[t.who.ID]
		o.Family = len(t.m.proxies) > 0 || len(t.m.lost) > 0
		if o.PersonID = t.m.bound[t.who.ID]; o.PersonID != 0 {
			o.Region = t.m.people[o.PersonID-1].Person.RegionCode
		}
	}
	return o, nil
}

func (t *memoryTx) Close(c turn.Closing) error {
	t.m.contacts[t.key] = c.Contact
	delete(t.m.sessions, t.key)
	if c.Session != nil {
		t.m.sessions[t.key] = kept{c.Session, t.who.At}
	}
	t.m.replies[t.who.Key] = kept{c.Reply, t.who.At}
	t.m.letters[t.who.ID] = slices.DeleteFunc(slices.Clone(t.m.letters[t.who.ID]), func(l turn.Letter) bool { return slices.Contains(c.Given, l.ID) })
	t.m.lines = append(t.m.lines, string(c.Transcript))
	return nil
}

func (t *memoryTx) Forget() error {
	delete(t.m.sessions, t.key)
	delete(t.m.bound, t.who.ID)
	delete(t.m.codes, t.who.ID)
	t.m.lines = nil
	for i, p := range t.m.proxies {
		if string(p.OpenID) == t.who.ID {
			t.m.proxies[i].shown = t.m.proxies[i].shown && p.State != register.ProxyGiven
			t.m.proxies[i].State, t.m.proxies[i].gone = register.ProxyEnded, true
		}
	}
	return nil
}

func subjectKey(s turn.Subject) string { return string(s.Kind) + " " + s.Value + string(s.Index) }

func (t *memoryTx) Checks(subjects ...turn.Subject) ([]turn.Check, error) {
	var out []turn.Check
	for _, s := range subjects {
		out = append(out, t.m.checks[subjectKey(s)])
	}
	return out, nil
}

func (t *memoryTx) SaveCheck(s turn.Subject, c turn.Check) error {
	t.m.checks[subjectKey(s)] = c
	return nil
}

func (t *memoryTx) Find(id register.IDNumber, name string) (turn.Found, bool, error) {
	for _, r := range t.m.people {
		if r.Person.IDNumber == id && hanzi.Simplify(r.Person.Name) == hanzi.Simplify(name) && r.Person.Status == register.Alive {
			found := turn.Found{PersonID: r.Person.ID}
			found.Phone = t.m.trusted(r.Person)
			return found, true, nil
		}
	}
	return turn.Found{}, false, nil
}

func (t *memoryTx) SaveCode(c turn.Code) error {
	t.m.codes[t.who.ID] = c
	return nil
}

func (t *memoryTx) TryCode(digits string) (turn.Tried, error) {
	c, ok := t.m.codes[t.who.ID]
	if !ok {
		return turn.Tried{}, nil
	}
	right := c.Digits != "" && subtle.ConstantTimeCompare([]byte(c.Digits), []byte(digits)) == 1
	return turn.Tried{
		Open: true, Right: right, PersonID: c.PersonID, Purpose: c.Purpose, ProxyID: c.ProxyID, ID: turn.Subject{Kind: turn.ByID, Value: string(c.ID)}, Expires: c.Expires,
	}, nil
}

func (t *memoryTx) OpenCode(id register.IDNumber, purpose turn.Purpose) (bool, error) {
	c, ok := t.m.codes[t.who.ID]
	return ok && c.ID == id && c.Purpose == purpose && t.who.At.Before(c.Expires), nil
}

func (t *memoryTx) Record(personID int64) (register.Record, error) {
	if personID < 1 || int(personID) > len(t.m.people) {
		return register.Record{}, fmt.Errorf("turntest: no person %d", personID)
	}
	return t.m.people[personID-1], nil
}

func (t *memoryTx) OnPhone() ([]int64, error) {
	var people []int64
	for _, r := range t.m.people {
		if string(r.Person.Phone) == t.who.ID && r.Person.Status == register.Alive && t.m.trusted(r.Person) != "" {
			people = append(people, r.Person.ID)
		}
	}
	return people, nil
}

func (t *memoryTx) Bind(personID int64) error {
	for openid, p := range t.m.bound {
		if p == personID && openid != t.who.ID {
			t.m.lost = append(slices.Clip(t.m.lost), loss{openid, personID, t.who.At})
		}
	}
	maps.DeleteFunc(t.m.bound, func(_ string, p int64) bool { return p == personID })
	t.m.bound[t.who.ID] = personID
	delete(t.m.codes, t.who.ID)
	return nil
}

func (t *memoryTx) Consent([]turn.Consent) error { return nil }

func (t *memoryTx) subject(personID int64) string {
	switch {
	case t.who.Channel == turn.SMS:
		return "phone " + t.who.ID
	case personID != 0:
		return fmt.Sprint("person ", personID)
	}
	return "openid " + t.who.ID
}

func (t *memoryTx) OptOut(personID int64) error {
	t.m.optedOut[t.subject(personID)] = true
	return nil
}

func (t *memoryTx) OptIn(personID int64) error {
	delete(t.m.optedOut, t.subject(personID))
	return nil
}

func (t *memoryTx) Note(w turn.Wish) error {
	t.m.wishes = append(t.m.wishes, w)
	return nil
}

func (t *memoryTx) Queue(msg turn.Message) (int64, error) {
	msg.Params = maps.Clone(msg.Params)
	t.m.sent = append(slices.Clip(t.m.sent), msg)
	return int64(len(t.m.sent)), nil
}

// Speaks sets how an account is spoken to.
func (m *Memory) Speaks(openid string, l locales.Locale, elder bool) {
	key := "wechat " + openid
	c := m.contacts[key]
	c.Language, c.LanguageChosen, c.Elder = string(l), true, elder
	m.contacts[key] = c
}

// clone is a memory that goes on apart from this one.
func (m *Memory) clone() *Memory {
	c := *m
	c.people = slices.Clone(m.people)
	c.contacts, c.sessions, c.replies = maps.Clone(m.contacts), maps.Clone(m.sessions), maps.Clone(m.replies)
	c.bound, c.checks, c.codes = maps.Clone(m.bound), maps.Clone(m.checks), maps.Clone(m.codes)
	c.lost = slices.Clone(m.lost)
	c.optedOut, c.doubts = maps.Clone(m.optedOut), maps.Clone(m.doubts)
	c.wishes, c.sent, c.lines, c.doors = slices.Clone(m.wishes), slices.Clone(m.sent), slices.Clone(m.lines), slices.Clone(m.doors)
	c.signUps, c.interests, c.applications = slices.Clone(m.signUps), slices.Clone(m.interests), slices.Clone(m.applications)
	c.checkUps, c.handovers, c.proxies = slices.Clone(m.checkUps), slices.Clone(m.handovers), slices.Clone(m.proxies)
	c.letters, c.muted = maps.Clone(m.letters), slices.Clone(m.muted)
	return &c
}
