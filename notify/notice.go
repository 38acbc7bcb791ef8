package notify

import (
	"context"
	"errors"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// Notice is one SMS that a conversation asked for: an identity code (Verification) or an answer (Reply).
// It is a row of its own, written with the turn that asked for it, and no part of any campaign: no window,
// no cap and no opt-out holds it back.
//
// Its life:
//
//	queued ──claim──▶ sending ──▶ accepted ──▶ delivered
//	  │  ▲              │ │ │         └───────▶ failed
//	  │  └─not sent─────┘ │ └──▶ failed
//	  ▼                   └────▶ unconfirmed ──▶ accepted | delivered | failed
//	expired
//
// A notice is presented once. After an unknown outcome, or a lease that ran out while sending, it stays
// unconfirmed until a receipt settles it: the person asks again sooner than we could be sure.
type Notice struct {
	ID          int64
	Kind        Kind // Verification or Reply
	TemplateKey string
	Phone       register.Phone
	Params      map[string]string // the .Params of the template's texts
	PersonID    int64             // 0: nobody known
	CreatedAt   time.Time
	ExpiresAt   time.Time // not to be sent after this
	OutID       string    // set by the claim
	Tries       int       // claims so far, this one included
}

// NoticeState is where a notice stands.
type NoticeState string

// The states of a notice.
const (
	NoticeQueued      NoticeState = "queued"
	NoticeSending     NoticeState = "sending"
	NoticeAccepted    NoticeState = "accepted"
	NoticeDelivered   NoticeState = "delivered"
	NoticeFailed      NoticeState = "failed"
	NoticeUnconfirmed NoticeState = "unconfirmed"
	NoticeExpired     NoticeState = "expired"
)

// NoticeStates lists all states.
func NoticeStates() []NoticeState {
	return []NoticeState{
		NoticeQueued, NoticeSending, NoticeAccepted, NoticeDelivered, NoticeFailed, NoticeUnconfirmed, NoticeExpired,
	}
}

// From lists the states from which a notice may come to this one. Every move is a compare-and-set on them.
func (s NoticeState) From() []NoticeState {
	switch s {
	case NoticeQueued:
		return []NoticeState{NoticeSending} // nothing was written, or a refusal that may be tried again
	case NoticeSending, NoticeExpired:
		return []NoticeState{NoticeQueued}
	case NoticeAccepted:
		return []NoticeState{NoticeSending, NoticeUnconfirmed}
	case NoticeUnconfirmed:
		return []NoticeState{NoticeSending}
	case NoticeDelivered, NoticeFailed:
		return []NoticeState{NoticeSending, NoticeUnconfirmed, NoticeAccepted}
	}
	return nil
}

// Settlement is what became of a notice.
type Settlement struct {
	State      NoticeState
	Code       string        // the platform's code, verbatim
	PlatformID string        // BizId of an accepted request
	RetryIn    time.Duration // for NoticeQueued: not sooner
	Segments   int           // of one that was accepted; 0: not known
}

// ErrNoNotice: the notice is not there to be claimed or settled so: another has it, it is settled, or it is late.
var ErrNoNotice = errors.New("notify: no such notice to move")

// Notices is where notices wait.
type Notices interface {
	// NoticeWaits looks, without keeping anybody from it, of what kind a queued, due notice is. Another is ErrNoNotice.
	NoticeWaits(ctx context.Context, id int64) (Kind, error)
	// ClaimNotice moves a queued, due notice to sending under a lease, and stores the OutID it will go by.
	// One that is past its expiry becomes expired and is not given out (ErrNoNotice).
	ClaimNotice(ctx context.Context, id int64, outID string, lease time.Duration) (Notice, error)
	// SettleNotice moves a notice on; a move that the life doesn't know is ErrNoNotice.
	SettleNotice(ctx context.Context, id int64, as Settlement) error
	// WaitingNotices lists queued notices that are due, codes first, then oldest first. Before that it makes expired what is
	// late, and unconfirmed what was being sent when its lease ran out.
	WaitingNotices(ctx context.Context, limit int) ([]int64, error)
}
