package flows

import "time"

// Channel is where the person writes from.
type Channel string

// The channels of a conversation.
const (
	WeChat Channel = "wechat"
	SMS    Channel = "sms"
)

// Env is what the engine may know of the world; the host fills it in for every step.
type Env struct {
	Channel Channel
	Bound   bool          // we know who they are
	Several bool          // it may be about several people: of one household on this phone, or of one account
	Kin     []Kin         // by WeChat, whose matters it may be where it isn't their own alone
	Elder   bool          // short, few choices, and patience
	Away    time.Duration // since their last turn; 0: they never left
}

// Kin is who writes, or somebody whose matters they look after.
type Kin struct {
	ID       string
	Name     string // masked
	Relation string // what they are to who writes, as in the settings
}

// InputKind is what came in.
type InputKind int

// The kinds of input.
const (
	Said       InputKind = iota + 1 // words or a tapped number
	Begun                           // an event starts a flow, named by Flow
	Unreadable                      // a picture, voice without words, and the like; Flow names the flow that answers
	Fed                             // the host's answer to a Request
)

// Input is one thing to react to.
type Input struct {
	Kind   InputKind
	Text   string
	Choice int    // a tapped number, 0: none
	Tap    string // the mark of the question that was tapped; "": typed
	Flow   string // for Begun and Unreadable
	Facts  Facts  // for Fed
	Asked  Asked  // by SMS: which question it answers, as far as that shows
	Env    Env
}

// Asked says what shows, besides the words, of the question that a reply by SMS answers.
type Asked string

// The values of Asked. None: nothing shows.
const (
	AskedHere   Asked = "here"   // it was sent to the number of an open question of a campaign
	AskedOver   Asked = "over"   // to the number of one that has ended: it answers nothing else
	AskedLately Asked = "lately" // a campaign's question is newer than the conversation's
	AskedBefore Asked = "before" // one is open, but the conversation went on since
)

// open says whether a campaign's question may still be answered.
func (a Asked) open() bool { return a != "" && a != AskedOver }

// Facts is what the host found out: variables for the flow, and items to say one by one.
type Facts struct {
	Vars    map[string]string
	Items   []map[string]string
	Instead string // the host doesn't do it: this flow answers, and all that waited is dropped
}

// Effect is what the host shall do.
type Effect interface{ effect() }

// Say is a text for the person.
type Say struct {
	Key    string            `json:"key"`
	Values map[string]string `json:"values,omitempty"`
	SMS    *SMSText          `json:"-"` // how it is said by SMS; nil: it isn't
}

// Page is a part of a long answer that was held back.
type Page struct{ Text string }

// Offer lists numbered choices under what was said.
type Offer struct{ Labels []Label }

// Label is one numbered choice. Its mark comes back when it is tapped, however much later.
type Label struct {
	Key    string // text key
	Values map[string]string
	Mark   string
}

// Request asks the host to look something up or to do something, and to feed the facts back.
type Request struct {
	Name string
	With map[string]string
}

// Secret says that what came in must not stand in the transcript.
type Secret struct{}

// Understood says what the words were taken for, for the transcript.
type Understood struct {
	Intent string
	Score  float64
}

func (Say) effect()        {}
func (Page) effect()       {}
func (Offer) effect()      {}
func (Request) effect()    {}
func (Secret) effect()     {}
func (Understood) effect() {}

// Guess is what an utterance may mean.
type Guess struct {
	Intent     string
	Score      float64 // 0 to 1
	Candidates []Candidate
}

// Candidate is one of several things an utterance may mean.
type Candidate struct {
	Intent string
	Score  float64
}

// Understander tells what a person means. It is pure: the same words, the same guess.
type Understander interface {
	Understand(text string) Guess
}
