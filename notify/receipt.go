package notify

import (
	"errors"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// ErrNoMessage: the platform was asked and knows no such message.
var ErrNoMessage = errors.New("notify: the platform knows no such message")

// InBlack is the receipt of a number on the carrier's blacklist, or on that of our signature: no text of ours gets through to it.
const InBlack = "MOBILE_IN_BLACK"

// Report is one receipt: what a platform says became of one message. It may be late, double, out of order,
// of a message that isn't ours, or forged; it counts only after its OutID and phone have been matched.
type Report struct {
	Channel   Channel // SMS or Voice
	OutID     string
	Phone     register.Phone
	Delivered bool
	Unclear   bool      // it says neither that the message arrived nor that it failed
	ErrCode   string    // the platform's word, verbatim; for Voice its status code
	CallEnd   CallEnd   `json:",omitempty"` // of Voice, where it was not heard to the end
	BizID     string    // BizId, or CallId for Voice; may be empty
	At        time.Time // when the carrier reported; zero where it isn't said
	SentAt    time.Time `json:",omitzero"`  // of SMS, where it is said
	Segments  int       `json:",omitempty"` // of SMS: what it is billed as
	Raw       []byte    // the item as it came
}

// Proof is what a receipt proves of a message that arrived.
func (r Report) Proof() Proof {
	switch {
	case r.Channel != Voice:
		return ByReceipt
	case r.CallEnd == PickedUp:
		return ByAnswer
	}
	return ByHearing
}

// ReplySMS is one text that a person sent back. Nothing proves its sender.
type ReplySMS struct {
	Phone      register.Phone
	Content    string
	DestCode   string // the extension number they wrote to
	SequenceID string
	At         time.Time // zero where it isn't said
	Raw        []byte
}
