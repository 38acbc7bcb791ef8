package notify

import (
	"context"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// Channel is a way to a person.
type Channel string

// The channels, as campaign files name them.
const (
	WeChat Channel = "wechat"
	SMS    Channel = "sms"
	Voice  Channel = "voice"
)

// Sender turns a call into one signed request to one platform.
// Nothing has left the process when Sign returns.
type Sender interface {
	Sign(ctx context.Context, call Outgoing) (Request, error)
}

// Request is one signed request. Present may be called again with the very same bytes.
type Request interface {
	// SignedAt is the Timestamp inside the request, by which the platform judges its age.
	SignedAt() time.Time
	// Present writes the bytes and reads the answer. ctx bounds the writing too.
	Present(ctx context.Context) Answer
	// Repeatable says whether the same bytes may be presented again after an unknown outcome.
	Repeatable() bool
}

// Looker asks the platform whether messages of a call exist there.
type Looker interface {
	// Look asks for one phone of a call signed at the given time. ErrNoMessage: the platform knows no such message.
	Look(ctx context.Context, outID string, phone register.Phone, signedAt time.Time) (Found, error)
}

// Found is what the platform knows of one message by SMS.
type Found struct {
	State    FoundState
	ErrCode  string    // the receipt's code where it failed
	SentAt   time.Time // zero where it isn't said
	At       time.Time // when the carrier reported; zero where it isn't said
	Segments int       // what it is billed as; 0 where it isn't said
}

// report is the receipt that would have said it.
func (f Found) report(out string, number register.Phone) Report {
	r := Report{Channel: SMS, OutID: out, Phone: number, ErrCode: f.ErrCode, At: f.At, SentAt: f.SentAt, Segments: f.Segments}
	switch f.State {
	case FoundDelivered:
		r.Delivered, r.ErrCode = true, "DELIVERED"
	case FoundFailed:
	default:
		r.Unclear = true
	}
	return r
}

// FoundState is the platform's state of a message.
type FoundState string

// The values of FoundState.
const (
	FoundWaiting   FoundState = "waiting"
	FoundDelivered FoundState = "delivered"
	FoundFailed    FoundState = "failed"
)

// Outgoing is a call as a sender sees it: one template, one or more members.
type Outgoing struct {
	ID       int64
	OutID    string // id and MAC; fewer than 256 characters
	Channel  Channel
	Kind     Kind
	Template Template
	Members  []Member
}

// Member is one recipient of a call with the texts filled in.
type Member struct {
	PersonID int64
	Phone    register.Phone    // SMS and voice
	OpenID   register.OpenID   // WeChat
	Route    WeChatRoute       // WeChat: which of the three ways
	Params   map[string]string // SMS and voice: the template's variables
	Extend   string            // SMS: the extension number that replies come back with; empty: none
	Fields   map[string]string // WeChat: the template's fields
	Text     string            // WeChat customer message
	Record   string            // Voice: the recorded file that is played in place of the text
	Page     string            // WeChat: page to open, may be empty
}

// WeChatRoute is one of the ways a WeChat message may go.
type WeChatRoute string

// The ways in the order they are tried.
const (
	BizSend         WeChatRoute = "bizsend"
	CustomerMessage WeChatRoute = "customer"
	TemplateMessage WeChatRoute = "template"
)

// Outcome says what is known of a presentation.
type Outcome string

// The outcomes. NotSent: nothing was written. Refused: the platform said no, or says it has it not.
// Unknown: it may have been taken.
const (
	Accepted Outcome = "accepted"
	Refused  Outcome = "refused"
	NotSent  Outcome = "not_sent"
	Unknown  Outcome = "unknown"
)

// Verdict is what a refusal means for what may be done next.
type Verdict string

// The verdicts.
const (
	RetryLater    Verdict = "retry"          // same message, after RetryAfter, a few times
	MemberFinal   Verdict = "member_final"   // this person cannot be reached on this channel
	MemberLater   Verdict = "member_later"   // this person not before RetryAfter (per-phone limits)
	ChannelClosed Verdict = "channel_closed" // this channel is closed for this person now: next channel
	OptedOutThere Verdict = "opted_out"      // as MemberFinal, and the platform says they opted out
	Halt          Verdict = "halt"           // the campaign stops, staff must act
	BytesSpent    Verdict = "bytes_spent"    // SignatureNonceUsed: says only that these bytes can't be taken again
)

// Answer is what came of presenting a request.
type Answer struct {
	Outcome    Outcome
	Verdict    Verdict // for Refused and NotSent
	Code       string  // the platform's code, verbatim; empty when there is none
	Message    string  // what staff may read; holds no secret, no phone, no name
	ID         string  // BizId, msgid or CallId of an accepted request
	RequestID  string
	RetryAfter time.Duration
	OfPhone    bool // a refusal about the number itself: whoever else is on it would be refused too
	Common     bool // a refusal that may be about no person at all: everybody else's text may be refused too
}
