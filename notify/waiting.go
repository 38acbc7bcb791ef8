package notify

import "time"

// WaitReason says what holds a planned message back.
type WaitReason string

// The reasons. A message that waits only for its turn has none.
const (
	ForCap    WaitReason = "frequency_cap" // the person or number had enough
	ForBudget WaitReason = "budget"        // the month's money is spent
	ForLimit  WaitReason = "phone_limit"   // the platform takes no more for the number
	ForHours  WaitReason = "hours"         // outside the campaign's hours, nap time and holidays among them
	ForRetry  WaitReason = "retry"         // the platform asked for patience
	ForAnswer WaitReason = "no_answer"     // nobody answered the telephone: it is called again
	ForMate   WaitReason = "household"     // another member's message on the same phone goes first
)

// WaitReasons lists all reasons.
func WaitReasons() []WaitReason {
	return []WaitReason{ForCap, ForBudget, ForLimit, ForHours, ForRetry, ForAnswer, ForMate}
}

// limitMark is the microsecond that tells a wait for the platform's limit of a number, as BudgetWake's tells one for money.
const limitMark = 2 * time.Microsecond

// LimitWake marks the time at which the platform takes the next message for a number.
func LimitWake(at time.Time) time.Time {
	return at.UTC().Truncate(time.Second).Add(time.Second + limitMark)
}

// redialMark is the microsecond that tells a wait for the next call by telephone.
const redialMark = 3 * time.Microsecond

// redialWake marks the time at which a telephone is called again.
func redialWake(at time.Time) time.Time {
	return at.UTC().Truncate(time.Second).Add(time.Second + redialMark)
}
