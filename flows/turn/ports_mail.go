package turn

import (
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// Mail is what campaigns sent, and which kinds of them a person wants.
type Mail interface {
	// Sent lists what went out since a time, the newest first: by SMS to this phone, by WeChat to these people.
	Sent(since time.Time, people ...int64) ([]register.Sent, error)
	// Mute stops one kind of campaign for a person, or for the phone of this turn; Unmute undoes it.
	Mute(personID int64, kind string) error
	Unmute(personID int64, kind string) error
	Muted(personID int64) ([]string, error)
	// Asked says whether a campaign ever asked something by an extension number.
	Asked(replyCode string) (bool, error)
}

// Letter is a worker's answer that was kept until the person writes.
type Letter struct {
	ID   int64
	Text string
}
