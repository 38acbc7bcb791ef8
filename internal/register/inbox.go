package register

import "time"

// The township's inbox: what people ask the people behind the bot, and what became of it.

// Topics of the inbox that its pages tell apart; every other topic is a question like any.
const (
	TopicProblem     = "problem"
	TopicJob         = "job"         // "I want this one": AboutID is the interest in the posting
	TopicApplication = "application" // for a public-welfare post: AboutID is the application
	TopicHelp        = "help"        // in a query alone: all the others
)

// Handover is a conversation given to the township's people.
type Handover struct {
	Topic    string
	Words    string
	PersonID int64
	Region   string
	Due      time.Time // when an answer may be expected
	AboutID  int64     // what it stands for, by its topic; 0: the conversation alone
}

// InboxState is where an item of the inbox stands.
type InboxState string

// The values of InboxState. A query may also ask for InboxPassed: open, and on the desk of somebody above.
const (
	InboxOpen     InboxState = "open"
	InboxAnswered InboxState = "answered"
	InboxClosed   InboxState = "closed"
	InboxPassed   InboxState = "passed"
)

// InboxQuery asks for a page of the inbox, the oldest first.
type InboxQuery struct {
	State InboxState
	Topic string // "": any
	After int64  // the last item of the page before
	Limit int
}

// InboxFigures is how full an inbox is.
type InboxFigures struct {
	Open    int64
	Overdue int64
	Oldest  time.Time // since when the oldest open one waits; zero: none
}

// InboxItem is one matter as staff see it.
type InboxItem struct {
	ID         int64
	Channel    string
	PersonID   int64  // 0: nobody we know
	RegionCode string // where the person lives, or where the conversation was placed
	Topic      string
	AboutID    int64
	Words      string
	State      InboxState
	At         time.Time
	Due        time.Time // zero: none was promised
	PassedTo   string    // region of the desk it was passed on to, "": none
	PassedBy   string
	PassedAt   time.Time
	Note       string // the word that went with it
	Answer     string
	AnsweredBy string
	AnsweredAt time.Time
	Outcome    InboxOutcome // of one closed without an answer
	Turns      []string     // the last turns before it, oldest first, masked, as the transcript keeps them; of a single item alone
	Way        InboxWay     // of a single item alone
	Sent       InboxSent    // of a single item alone
}

// InboxOutcome is how an item ended without an answer in writing.
type InboxOutcome string

// The values of InboxOutcome.
const (
	OutcomeCalled  InboxOutcome = "called"  // by telephone
	OutcomeVisited InboxOutcome = "visited" // at the door, or at the office
	OutcomeNone    InboxOutcome = "none"    // nothing to do: said twice, a test, a mistake
)

// InboxOutcomes lists them.
func InboxOutcomes() []InboxOutcome {
	return []InboxOutcome{OutcomeCalled, OutcomeVisited, OutcomeNone}
}

// InboxWay is how an answer would go now.
type InboxWay struct {
	WeChat    bool      // an openid follows that may hear it
	OpenUntil time.Time // until then it goes at once; zero: it is kept until they next write
	Left      int       // messages left until then
	Phone     Phone     // the mobile number that can be told that an answer waits; "": none
}

// Open says whether an answer goes at once.
func (w InboxWay) Open() bool { return !w.OpenUntil.IsZero() && w.Left > 0 }

// Reaches says whether an answer would reach them in any way.
func (w InboxWay) Reaches() bool { return w.WeChat || w.Phone != "" }

// InboxSent is what became of an answer. The states are those of notify's letters and notices; "": there was none.
type InboxSent struct {
	Letter   string
	LetterAt time.Time
	Hint     string // the SMS that says an answer waits
	HintAt   time.Time
}

// InboxAnswer is a worker's answer.
type InboxAnswer struct {
	By     string
	At     time.Time
	Text   string
	Office string    // the telephone that the SMS names
	HintAt time.Time // the SMS goes no sooner
}

// InboxEnd ends an item without an answer, or passes it on.
type InboxEnd struct {
	By      string
	At      time.Time
	Outcome InboxOutcome // "": it is passed on
	Note    string       // of one that is passed on
}
