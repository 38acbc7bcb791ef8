package notify

import (
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// WeChatProof is WeChat's word on one message: a sent event of a subscription notice, or the end of a template message.
type WeChatProof struct {
	OpenID     register.OpenID
	MsgID      string // as the send was answered
	TemplateID string // of a subscription notice; empty for a template message
	OK         bool
	Code       string
	At         time.Time
}
