package console

import "fmt"

// Tone is the colour of a state: good, warn, bad, busy or grey. It never stands without the state's word.
func (f frame) Tone(state any) string {
	switch fmt.Sprint(state) {
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
