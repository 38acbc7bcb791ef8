package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// Letter is a worker's answer on its way by WeChat, as a customer message. It is a row, written with the answer.
//
// Its life:
//
//	queued ──claim──▶ sending ──▶ accepted
//	  │ ▲               │ │ │
//	  │ └──not sent─────┘ │ └──▶ unconfirmed
//	  ├──window shut──▶ kept ──they write──▶ given
//	  │                   │
//	  └──────late─────────┴──▶ expired          failed: nobody is there to hear it
//
// WeChat says nothing more of a customer message: what was presented without an answer stays unconfirmed, and is never
// said again, by message or in a turn. Staff see it and call.
type Letter struct {
	ID       int64
	OpenID   register.OpenID
	Language string // a locale, "" where none is known
	Text     string
	Tries    int // claims so far, this one included
}

// LetterState is where a letter stands.
type LetterState string

// The states of a letter.
const (
	LetterQueued      LetterState = "queued"
	LetterSending     LetterState = "sending"
	LetterAccepted    LetterState = "accepted"
	LetterKept        LetterState = "kept"  // goes with the answer to what they next write
	LetterGiven       LetterState = "given" // went so
	LetterUnconfirmed LetterState = "unconfirmed"
	LetterFailed      LetterState = "failed"
	LetterExpired     LetterState = "expired"
)

// LetterStates lists all states.
func LetterStates() []LetterState {
	return []LetterState{
		LetterQueued, LetterSending, LetterAccepted, LetterKept, LetterGiven, LetterUnconfirmed, LetterFailed, LetterExpired,
	}
}

// From lists the states from which a letter may come to this one. Every move is a compare-and-set on them.
func (s LetterState) From() []LetterState {
	switch s {
	case LetterQueued, LetterAccepted, LetterUnconfirmed:
		return []LetterState{LetterSending}
	case LetterSending:
		return []LetterState{LetterQueued}
	case LetterKept, LetterFailed:
		return []LetterState{LetterQueued, LetterSending}
	case LetterGiven:
		return []LetterState{LetterKept}
	case LetterExpired:
		return []LetterState{LetterQueued, LetterKept}
	}
	return nil
}

// ErrNoLetter: the letter is not there to be claimed or settled so: another has it, its window is shut, or it is settled.
var ErrNoLetter = errors.New("notify: no such letter to move")

// LetterEnd is what became of a letter that was presented.
type LetterEnd struct {
	State   LetterState
	Code    string        // WeChat's, verbatim
	RetryIn time.Duration // of LetterQueued: not sooner
}

// Letters is where letters wait.
type Letters interface {
	// LetterWaits looks, without keeping anybody from it, whether a letter is queued and due. Another is ErrNoLetter.
	LetterWaits(ctx context.Context, id int64) error
	// ClaimLetter moves a queued, due letter to sending under a lease and takes one customer message out of the window.
	// Where the window is shut the letter is kept, and ErrNoLetter.
	ClaimLetter(ctx context.Context, id int64, lease time.Duration) (Letter, error)
	// SettleLetter moves a letter on; a move that the life doesn't know is ErrNoLetter.
	SettleLetter(ctx context.Context, id int64, as LetterEnd) error
	// WaitingLetters lists queued letters that are due, oldest first. Before that it makes unconfirmed what was being
	// sent when its lease ran out.
	WaitingLetters(ctx context.Context, limit int) ([]int64, error)
}

// letters sends letters, each alone and presented once.
type letters struct {
	store   Letters
	sender  Sender // nil: no account; letters are kept
	limiter Limiter
	qps     int
	say     func(language, text string) string // how an answer is said in a language
	log     *slog.Logger
}

// send claims one letter and sends it.
func (l *letters) send(ctx context.Context, id int64) error {
	if l.sender == nil {
		return errors.New("there is no sender for wechat")
	}
	err := takeTurn(ctx, l.limiter, func() (Bucket, error) {
		return AccountBucket(string(WeChat), l.qps), l.store.LetterWaits(ctx, id)
	})
	began := time.Now()
	var letter Letter
	if err == nil {
		letter, err = l.store.ClaimLetter(ctx, id, noticeLease)
	}
	if errors.Is(err, ErrNoLetter) {
		return nil
	}
	if err != nil {
		return err
	}
	settle, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleFor)
	defer cancel()
	return l.store.SettleLetter(settle, id, l.present(ctx, letter, began))
}

// present sends a claimed letter and says what became of it.
func (l *letters) present(ctx context.Context, letter Letter, began time.Time) LetterEnd {
	text := letter.Text
	if l.say != nil {
		text = l.say(letter.Language, text)
	}
	request, err := l.sender.Sign(ctx, Outgoing{
		ID: letter.ID, Channel: WeChat, Kind: Reply, Template: Template{WeChat: &WeChatTemplate{}},
		Members: []Member{{OpenID: letter.OpenID, Route: CustomerMessage, Text: text}},
	})
	if err != nil {
		l.log.Error("a letter can't be signed", "letter", letter.ID, "error", err)
		return LetterEnd{State: LetterKept, Code: "request"}
	}
	ctx, cancel := context.WithDeadline(ctx, began.Add(noticeLease))
	defer cancel()
	a := request.Present(ctx)
	if a.Outcome != Accepted {
		l.log.Warn("a letter was not accepted", "letter", letter.ID, "outcome", string(a.Outcome), "code", a.Code, "message", a.Message)
	}
	return l.end(a, letter.Tries)
}

// end is what an answer means for a letter. What WeChat surely did not take is tried a few times and then kept, not lost:
// the account may be at fault, or the window shut. Only who has no use of the account never hears it there.
func (l *letters) end(a Answer, tries int) LetterEnd {
	pauses := Retries()
	again := a.Outcome == NotSent || a.Outcome == Refused && a.Verdict == RetryLater
	switch {
	case a.Outcome == Accepted:
		return LetterEnd{State: LetterAccepted, Code: a.Code}
	case again && tries <= len(pauses):
		return LetterEnd{State: LetterQueued, Code: a.Code, RetryIn: pauses[max(0, tries-1)]}
	case a.Outcome == Unknown:
		return LetterEnd{State: LetterUnconfirmed, Code: a.Code}
	case a.Outcome == Refused && slices.Contains([]Verdict{MemberFinal, OptedOutThere}, a.Verdict):
		return LetterEnd{State: LetterFailed, Code: a.Code}
	}
	return LetterEnd{State: LetterKept, Code: a.Code}
}

// takeTurn waits for one token. Before each try it looks whether there is still something to go, and from which bucket:
// others may have been quicker, and no token is spent on what doesn't go.
func takeTurn(ctx context.Context, limiter Limiter, look func() (Bucket, error)) error {
	for {
		b, err := look()
		if err != nil {
			return err
		}
		wait, err := limiter.Take(ctx, b, 1)
		if err != nil || wait == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for a turn: %w", ctx.Err())
		case <-time.After(wait):
		}
	}
}
