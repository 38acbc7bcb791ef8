package notify

import (
	"strconv"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// Unreached is somebody whom no channel of a campaign reached, for the township's list. Who waits, who no longer matched and
// who has died is none; nor is whoever of a household on one number got the message by the member who carried it.
type Unreached struct {
	Person     register.Person
	CampaignID int64
	Campaign   string  // its name
	Channel    Channel // the last one that was tried, "": none could be
	Reason     string  // a SkipReason, a Want, or the platform's code
	At         time.Time
	Code       string // the row's code on a visit sheet
	VisitedAt  time.Time
	Visit      register.VisitResult // of the last visit since, "": none
}

// What somebody without a channel wants, where that can be told; and what became of a household's message.
const (
	WantsPhone  = "no_phone"  // no number on file
	WantsMobile = "landline"  // the number takes no texts
	MateMissed  = "mate_lost" // the member who carried the message was not reached after all
)

// UnreachedReasons lists the skip reasons that leave somebody unreached.
func UnreachedReasons() []SkipReason {
	return []SkipReason{NoChannel, OptedOut, FrequencyCap, Expired, OverBudget}
}

// UnreachedQuery asks for a page of them, by their ids.
type UnreachedQuery struct {
	CampaignID int64 // 0: whoever the last campaign that they were in did not reach
	After      int64 // the last person of the page before
	Limit      int
}

// Why is the reason as a list says it.
func (u *Unreached) Why(reason string) {
	u.Reason = reason
	if reason != string(NoChannel) {
		return
	}
	switch {
	case u.Person.Phone == "":
		u.Reason = WantsPhone
	case !u.Person.Phone.IsMobile():
		u.Reason = WantsMobile
	}
}

// checkDigits is how many digits of a row's code tell a slip of the pen.
const checkDigits = 2

// RowCode is a person's code on a visit sheet: digits alone, which are read out and written by hand without mistakes.
func RowCode(keys MACs, personID int64) string {
	id := strconv.FormatInt(personID, 10)
	mac := keys.MAC("row code", id)
	return id + "-" + string('0'+mac[0]%10) + string('0'+mac[1]%10)
}

// PersonOfRow reads a row's code; ok is false where we did not write it.
func PersonOfRow(keys MACs, code string) (personID int64, ok bool) {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, code)
	if len(digits) <= checkDigits {
		return 0, false
	}
	id, err := strconv.ParseInt(digits[:len(digits)-checkDigits], 10, 64)
	if err != nil || id <= 0 {
		return 0, false
	}
	return id, RowCode(keys, id) == digits[:len(digits)-checkDigits]+"-"+digits[len(digits)-checkDigits:]
}
