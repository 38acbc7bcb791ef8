package register

import (
	"errors"
	"slices"
	"time"
)

// What people ask for, and what became of it.

// SignUp is one person's place in one course, or their wish for a course that there is not yet.
type SignUp struct {
	ID       int64
	CourseID int64 // 0: a wish
	PersonID int64
	State    SignUpState
	Trade    string // of a wish
	Ahead    int    // of one who waits: how many wait before them
	At       time.Time
	Already  bool // it was so before
	Course   Course
}

// SignUpState is where a sign-up stands.
type SignUpState string

// The values of SignUpState.
const (
	SignUpWish      SignUpState = "wish"
	SignUpTaken     SignUpState = "signed_up"
	SignUpWaiting   SignUpState = "waiting"
	SignUpCancelled SignUpState = "cancelled"
	SignUpAttended  SignUpState = "attended"
	SignUpAbsent    SignUpState = "absent"
)

// Open says whether the person still counts on it.
func (s SignUpState) Open() bool { return s == SignUpTaken || s == SignUpWaiting || s == SignUpWish }

// MovedUp is one who waited and has a place now.
type MovedUp struct {
	PersonID int64
	Phone    Phone
	Course   Course
}

// JobInterest is one person's "I want this one".
type JobInterest struct {
	ID       int64
	JobID    int64
	PersonID int64
	State    InterestState
	At       time.Time
	ToldAt   time.Time // staff has seen it
	Job      Job
}

// InterestState is where an interest in a posting stands.
type InterestState string

// The values of InterestState.
const (
	InterestWanted   InterestState = "wanted"
	InterestTold     InterestState = "told" // staff has spoken to the employer
	InterestPlaced   InterestState = "placed"
	InterestDeclined InterestState = "declined"
)

// Told is what a person says of themselves; what they do not say is zero and changes nothing.
type Told struct {
	WantsWork     Tri
	WantsTraining Tri
	WantsBusiness Tri
	Skills        []string
	Employment    string
	Language      string
}

// Person is what is told in the form that Correct takes. Words are brought to their canonical form.
func (t Told) Person() Person {
	p := Person{WantsWork: t.WantsWork, WantsTraining: t.WantsTraining, WantsBusiness: t.WantsBusiness, Skills: t.Skills}
	if t.Employment != "" {
		p.Employment, _ = vocabulary()[wordEmployment].canonical(t.Employment)
	}
	if code, known := vocabulary()[wordLanguage].find(t.Language); known {
		p.Language = code
	}
	return p
}

// Application is what a person applies for through a conversation: a public-welfare post (JobID 0: any).
type Application struct {
	ID       int64
	PersonID int64
	Kind     string
	JobID    int64
	Words    string
	Region   string
	State    ApplicationState
	At       time.Time
}

// ApplicationState is where an application stands.
type ApplicationState string

// The values of ApplicationState.
const (
	ApplicationReceived  ApplicationState = "received"
	ApplicationReviewing ApplicationState = "reviewing"
	ApplicationApproved  ApplicationState = "approved"
	ApplicationReturned  ApplicationState = "returned"
)

// Open says whether nothing is decided yet.
func (s ApplicationState) Open() bool { return s == ApplicationReceived || s == ApplicationReviewing }

// CheckUp is what a person says of a placement some time after it. Without a placement on file Employer is empty.
type CheckUp struct {
	ID       int64
	PersonID int64
	Employer string
	PlacedOn string
	Answer   CheckUpAnswer
	Words    string
	At       time.Time
}

// CheckUpAnswer is the answer to "are you still in work?".
type CheckUpAnswer string

// The values of CheckUpAnswer.
const (
	StillThere CheckUpAnswer = "still"
	HasLeft    CheckUpAnswer = "left"
	OtherWork  CheckUpAnswer = "other"
)

// Proxy is one who looks after another's matters.
type Proxy struct {
	ID        int64
	PersonID  int64  // whose matters
	Name      string // theirs, masked
	ConsentBy int64  // who agrees to it: the person, or a guardian; 0: the person
	OpenID    OpenID // of the one who looks after them
	WhoID     int64  // who that one is, where we know it
	Who       string // their name, masked; empty where we don't know it
	Sign      string // of that one's account: the digits that stand for a name
	Language  string // of that one
	Relation  string // what the person is to that one: mother, father, spouse, child, grandparent, relative
	Scope     []string
	EndsOn    string
	State     ProxyState
	At        time.Time
	GivenAt   time.Time // zero: it never was
	Witness   string    // of the staff, before whom the person agreed; "": by a code, or in their own WeChat
	Consent   Consent
}

// Consent is how somebody agreed before a witness; "": not before one.
type Consent string

// The values of Consent.
const (
	ConsentSpoken Consent = "spoken"
	ConsentSigned Consent = "signed" // a paper that the office keeps
)

// Consents lists them.
func Consents() []Consent { return []Consent{ConsentSpoken, ConsentSigned} }

// Relations lists what a person may be to whoever looks after their matters.
func Relations() []string {
	return []string{"mother", "father", "spouse", "child", "grandparent", "relative"}
}

// DoorTerms say what a code of the doorstep does: nothing said, it binds whoever scans it to the person; else it lets them look
// after the matters of the person, who has neither a phone nor WeChat and agreed before the worker.
type DoorTerms struct {
	Relation string
	Scope    []string
	EndsOn   string
	Consent  Consent
}

// Proxy says whether the code is one for a proxy.
func (d DoorTerms) Proxy() bool { return d.Relation != "" }

// ErrReachable: the person has a phone or WeChat of their own and is asked there.
var ErrReachable = errors.New("register: the person can be asked themselves")

// What a proxy may do.
const (
	ScopeLook = "look" // see the answers
	ScopeAct  = "act"  // and sign up, apply and the like
)

// MayAct says whether the proxy may do something in the person's name.
func (p Proxy) MayAct() bool { return slices.Contains(p.Scope, ScopeAct) }

// GuardianUntil is the age below which a guardian agrees in a person's stead.
const GuardianUntil = 14

// Door is a one-time code that a township worker shows on the doorstep, as it stands when somebody scans it.
type Door struct {
	ID       int64
	PersonID int64
	State    DoorState
	Terms    DoorTerms
}

// DoorState is how such a code stands.
type DoorState string

// The values of DoorState. An open one that was scanned belongs to the openid that did.
const (
	DoorOpen    DoorState = "open"
	DoorUsed    DoorState = "used"
	DoorRefused DoorState = "refused" // whoever scanned it said that they are somebody else
	DoorEnded   DoorState = "ended"   // a newer one for the same person took its place
	DoorLate    DoorState = "late"
	DoorNone    DoorState = "none" // there is no such code
)

// ProxyNews is what somebody has not heard yet of a proxy.
type ProxyNews struct {
	Proxy
	Mine bool // of one that they asked for; else of one over their own matters
}

// ProxyState is whether the person has agreed.
type ProxyState string

// The values of ProxyState.
const (
	ProxyAsked   ProxyState = "asked"
	ProxyGiven   ProxyState = "given"
	ProxyRefused ProxyState = "refused"
	ProxyEnded   ProxyState = "ended"
)

// Loss is how an account lost the person that it was bound to.
type Loss string

// The values of Loss. Whoever ends their own binding has lost nothing.
const (
	LossNone  Loss = ""
	LossMoved Loss = "moved" // another account was bound to the person
	LossTaken Loss = "taken" // the office ended it
)

// OfficeWord is what a text says about something that the office did: whom to call, and when it may go.
type OfficeWord struct {
	Phone string
	From  time.Time // zero: at once
}

// Sent is one message to one person, as they can ask about it: a campaign's, or an answer by SMS (CampaignID 0).
type Sent struct {
	CampaignID int64
	PersonID   int64
	Kind       string   // of the campaign
	Name       string   // of the campaign: what it was about
	Content    string   // the template's text, its variables as ${name}
	Texts      []string // the texts as they went to this person, their variables filled; personal data
	Changed    bool     // what the texts speak of has changed on file since
	Check      string   // the check code, "" where the text held none
	CourseID   int64    // what it invited to, 0: nothing
	JobID      int64
	ReplyCode  string // by SMS: the extension number that replies to it come back with; "": none
	At         time.Time
}

// Work is what is on file of a person's work and of what they are paid.
type Work struct {
	Placements []Placement   // newest first
	Benefits   []Benefit     // newest month first
	CheckUps   []CheckUp     // newest first
	Interests  []JobInterest // newest first
}
