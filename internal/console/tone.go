package console

import "fmt"

// Tone is the colour of a state: good, warn, bad, busy or grey. It never stands without the state's word.
func (f frame) Tone(state any) string {
	switch fmt.Sprint(state) {
	case "answered", "letter_accepted", "letter_given", "notice_delivered":
		return "good"
	case "open", "letter_queued", "letter_sending", "notice_queued", "notice_sending", "notice_accepted":
		return "busy"
	case "passed", "letter_kept", "notice_unconfirmed":
		return "warn"
	case "letter_unconfirmed", "letter_failed", "letter_expired", "notice_failed", "notice_expired":
		return "bad"
	case "enrolled", "paid", "paid_out", "approved", "delivered", "finished":
		return "good"
	case "partly_paid", "unconfirmed", "paused", "submitted", "publicised", "reviewing", "received":
		return "warn"
	case "not_enrolled", "unpaid", "returned", "failed", "halted":
		return "bad"
	case "running", "sending", "queued", "accepted":
		return "busy"
	}
	return "grey"
}

// Reasons are the purposes for which a person's data may be asked for.
func (p personPage) Reasons() []string { return revealReasons() }
