package notify

import (
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// Proof is what is known of a message that arrived.
type Proof string

// The kinds of proof. ByReceipt: the carrier says that the text is on the phone. ByHearing: the call was heard to the end.
// ByAnswer: somebody answered it and heard enough to know what it was about.
const (
	ByReceipt Proof = "delivered"
	ByHearing Proof = "heard"
	ByAnswer  Proof = "answered"
)

// Proofs lists them.
func Proofs() []Proof { return []Proof{ByReceipt, ByHearing, ByAnswer} }

// WeChatProof is WeChat's word on one message: a sent event of a subscription notice, or the end of a template message.
type WeChatProof struct {
	OpenID     register.OpenID
	MsgID      string // as the send was answered
	TemplateID string // of a subscription notice; empty for a template message
	OK         bool
	Code       string
	At         time.Time
}
