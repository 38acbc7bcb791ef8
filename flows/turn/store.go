package turn

import (
	"context"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// Store is where conversations are kept.
type Store interface {
	// Turn runs fn in one transaction that holds the person's lock from its first statement. It may run fn anew
	// where the database says that nothing was committed; fn must have no effect outside.
	Turn(ctx context.Context, who Who, fn func(Tx) error) error
}

// Who is the person of a turn as their channel knows them.
type Who struct {
	Channel Channel
	ID      string // openid or 11-digit phone
	Key     string // of what came in
	At      time.Time
	Window  Window
}

// Window is what this input opens for customer messages.
type Window int

// The windows: a message opens five in 48 hours, a click, follow or scan three in a minute.
const (
	NoWindow Window = iota
	MessageWindow
	ClickWindow
)

// Tx is one open turn.
type Tx interface {
	Sessions
	Identities
	People
	Files
	Offers
	Guides
	Steps
	Matters
	Proxies
	News
	Doors
	Wishes
	Mail
	Outbox
}

// Sessions keeps where the person stands.
type Sessions interface {
	// Open locks the person and reads what is kept. A copy of an input that was answered in the last ten minutes
	// brings the reply it got.
	Open() (Opened, error)
	// Close keeps the turn: session, contact, reply and transcript.
	Close(Closing) error
	// Forget ends bindings and erases session, transcript, consents and codes of the person.
	Forget() error
}

// Opened is what is kept of a person.
type Opened struct {
	Copy     []byte // the stored reply, if this is a copy
	Contact  Contact
	Session  []byte    // nil: none, or expired
	LastAt   time.Time // of the session; zero: none
	PersonID int64     // their own person by binding; 0: none
	Region   string    // of that person
	Letters  []Letter  // workers' answers that wait for this
	Family   bool      // they look after somebody's matters, or there is news of who looks after whose, or of whom they lost
}

// Contact is what is kept of a way to write to us.
type Contact struct {
	Language       string // a locale; empty: not known yet
	LanguageChosen bool   // said so; else heard from how they write
	Follows        bool
	Scene          string
	Elder          bool   // short words, few choices
	StatusDay      string // the civil date that StatusUsed and RepliesUsed count for
	StatusUsed     int    // states told by SMS that day
	RepliesUsed    int    // replies by SMS that day
}

// Closing is what a turn leaves behind.
type Closing struct {
	Contact    Contact
	Session    []byte // nil: erased
	Expires    time.Time
	Reply      []byte
	PersonID   int64
	Intent     string
	Transcript []byte  // masked already
	Given      []int64 // the letters that the reply holds
}

// Identities keeps identity checks.
type Identities interface {
	// Checks reads and locks the counters of some subjects, in the order given.
	Checks(subjects ...Subject) ([]Check, error)
	SaveCheck(Subject, Check) error
	// Find looks for a living person by ID number and name. found is false where they don't fit together.
	Find(id register.IDNumber, name string) (p Found, found bool, err error)
	// SaveCode keeps the one open code of this openid, hashed.
	SaveCode(Code) error
	// TryCode compares in constant time with the open code.
	TryCode(digits string) (Tried, error)
}

// Subject is one who can be locked out: an openid, an ID number, or a phone.
type Subject struct {
	Kind  SubjectKind
	Value string
	Index []byte // instead of Value, where only the store's index is known
}

// SubjectKind is the kind of a Subject.
type SubjectKind string

// The kinds of subjects.
const (
	ByOpenID SubjectKind = "openid"
	ByID     SubjectKind = "id_number"
	ByPhone  SubjectKind = "phone"
)

// Found is a person that an identity check fits.
type Found struct {
	PersonID int64
	Phone    register.Phone // empty where no mobile is on file
}

// Code is an open identity code.
type Code struct {
	Purpose  Purpose
	ProxyID  int64 // what it agrees to, where that is its purpose
	ID       register.IDNumber
	PersonID int64  // 0: nobody fits, and no digits will
	Digits   string // empty: none will do
	At       time.Time
	Expires  time.Time
}

// Purpose is what a code is for: one asked for the one thing never does the other.
type Purpose string

// The purposes.
const (
	ToBind    Purpose = ""
	ToConsent Purpose = "consent"
)

// Tried is what came of comparing with the open code.
type Tried struct {
	Open     bool // a code is open, for this ID number
	Right    bool
	Purpose  Purpose
	ProxyID  int64
	PersonID int64
	ID       Subject
	Expires  time.Time
}

// People reads the register.
type People interface {
	// Record is all that is kept of a person.
	Record(personID int64) (register.Record, error)
	// OnPhone lists the living people on file with the phone of this turn, but for those whose number may be somebody
	// else's by now.
	OnPhone() ([]int64, error)
	// OpenCode says whether this openid has a code open, and not late, that was asked for with this ID number and for
	// this purpose.
	OpenCode(id register.IDNumber, purpose Purpose) (bool, error)
	// Guardian finds who agrees in a child's stead: an adult of the household, the one preferred, else one with a mobile.
	// found is false where there is none.
	Guardian(childID, preferred int64) (p Found, found bool, err error)
	// DoubtPhone notes that the number of this turn is no longer that of the people on file with it, and wants nothing.
	DoubtPhone() error
}

// Wishes keeps what a person wants of us.
type Wishes interface {
	// Bind makes the person this openid's own, and ends what was bound before on either side.
	Bind(personID int64) error
	Consent([]Consent) error
	OptOut(personID int64) error
	OptIn(personID int64) error
	Note(Wish) error
}

// Wish is what a person asks of a human.
type Wish struct {
	Topic    string
	Words    string
	PersonID int64
	Region   string
}

// Outbox takes SMS.
type Outbox interface {
	// Queue writes one SMS to be sent after the turn has committed.
	Queue(Message) (id int64, err error)
}

// Message is one SMS by template; there are no other ones.
type Message struct {
	Kind     MessageKind
	Template string
	Phone    register.Phone
	Params   map[string]string
	PersonID int64
	At       time.Time
	Expires  time.Time
}

// MessageKind is what a message is.
type MessageKind string

// The kinds of messages.
const (
	Verification MessageKind = "verification"
	Reply        MessageKind = "reply"
)

// Doorbell tells the senders that a message waits. Nothing is lost when it does not ring.
type Doorbell interface {
	Ring(ctx context.Context, noticeID int64)
}
