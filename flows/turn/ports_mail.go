package turn

import (
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// Mail is what was sent.
type Mail interface {
	// Sent lists what campaigns sent since a time, the newest first: by SMS and telephone to this phone; by WeChat what went
	// to these people, and by SMS to the numbers they have now.
	Sent(since time.Time, people ...int64) ([]register.Sent, error)
	// Answered lists what conversations said by SMS to the same numbers.
	Answered(since time.Time, people ...int64) ([]register.Sent, error)
	// TextMark is the mark of a text, as Sent.Mark holds it.
	TextMark(text string) string
}

// Mutes is which kinds of campaign a person wants.
type Mutes interface {
	// Mute stops one kind of campaign for a person, or for the phone of this turn; Unmute undoes it.
	Mute(personID int64, kind string) error
	Unmute(personID int64, kind string) error
	Muted(personID int64) ([]string, error)
}

// Letter is a worker's answer that was kept until the person writes.
type Letter struct {
	ID   int64
	Text string
}
