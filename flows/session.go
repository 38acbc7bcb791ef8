package flows

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// sessionVersion is written into every session; one of another version is begun anew.
const sessionVersion = 1

// Session is where one person stands. It is kept as JSON for 24 hours.
type Session struct {
	Version  int      `json:"v"`
	Stack    []Frame  `json:"stack,omitempty"`    // the flow that runs is last, its callers before it
	Parked   []Frame  `json:"parked,omitempty"`   // a flow suspended by a new wish
	Offer    []string `json:"offer,omitempty"`    // flows that numbers lead to while nothing is asked
	Last     []Say    `json:"last,omitempty"`     // what was said last, for "repeat"
	Rest     []string `json:"rest,omitempty"`     // pages not shown yet, for "more"
	Fails    int      `json:"fails,omitempty"`    // tries not understood in a row
	Whose    string   `json:"whose,omitempty"`    // of several people, the one whose matter it is
	Of       string   `json:"of,omitempty"`       // whose matters it may hold; the host sets it
	Unnamed  int      `json:"unnamed,omitempty"`  // how often it was asked who they are, and not answered
	Reminded int      `json:"reminded,omitempty"` // how often it was asked whether to go on with what is suspended
	Renewed  string   `json:"-"`                  // the flow they were in has changed since
}

// Frame is one flow that has begun.
type Frame struct {
	Flow    string              `json:"flow"`
	Step    string              `json:"step"`
	Vars    map[string]string   `json:"vars,omitempty"`
	Asked   []string            `json:"asked,omitempty"`   // questions put so far, for "back"
	Items   []map[string]string `json:"items,omitempty"`   // what the open question lets them choose from
	Version int                 `json:"version,omitempty"` // of the definition it began on
}

// Read reads a stored session. Nothing stored, or another version, is a new session: a person is never stuck
// in a form that no longer exists. Damaged JSON is an error.
func (b *Book) Read(stored []byte) (Session, error) {
	fresh := Session{Version: sessionVersion}
	if len(stored) == 0 {
		return fresh, nil
	}
	var s Session
	if err := json.Unmarshal(stored, &s); err != nil {
		return fresh, fmt.Errorf("flows: read a session: %w", err)
	}
	if s.Version != sessionVersion || !b.known(s.Stack) || !b.known(s.Parked) {
		fresh.Renewed = b.renewed(s)
		return fresh, nil
	}
	return s, nil
}

// renewed is the flow that a session stood in and that can be begun anew; "": none.
func (b *Book) renewed(s Session) string {
	if len(s.Stack) == 0 {
		return ""
	}
	d := b.flows[s.Stack[0].Flow]
	if d == nil || d.Aside || d.Soft {
		return ""
	}
	return d.ID
}

// known says whether every frame stands on a step that the book still has.
func (b *Book) known(frames []Frame) bool {
	for _, f := range frames {
		d := b.flows[f.Flow]
		if d == nil || d.step(f.Step) == nil || d.Version != f.Version {
			return false
		}
		for _, id := range f.Asked {
			if s := d.step(id); s == nil || !s.open() {
				return false
			}
		}
	}
	return true
}

// Bytes is the session as it is stored.
func (s Session) Bytes() ([]byte, error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("flows: write a session: %w", err)
	}
	return raw, nil
}

// Idle says that nothing is asked and nothing is suspended.
func (s Session) Idle() bool { return len(s.Stack) == 0 && len(s.Parked) == 0 }

// clone copies what a step may change, so that the session handed in stays as it was.
func (s Session) clone() Session {
	s.Stack = cloneFrames(s.Stack)
	s.Parked = cloneFrames(s.Parked)
	s.Rest = slices.Clone(s.Rest)
	return s
}

func cloneFrames(frames []Frame) []Frame {
	if len(frames) == 0 {
		return nil
	}
	out := make([]Frame, len(frames), len(frames)+2)
	for i, f := range frames {
		f.Vars = maps.Clone(f.Vars)
		f.Asked = slices.Clone(f.Asked)
		f.Items = slices.Clone(f.Items)
		out[i] = f
	}
	return out
}

func (f *Frame) set(name, value string) {
	if f.Vars == nil {
		f.Vars = make(map[string]string)
	}
	f.Vars[name] = value
}
