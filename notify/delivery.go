package notify

import "slices"

// DeliveryState is where one person in one campaign stands.
type DeliveryState string

// The states of a delivery. Delivered, Failed and Skipped are final: nothing moves them.
const (
	Planned     DeliveryState = "planned"     // waits to be dispatched, or behind the member who carries its message
	Queued      DeliveryState = "queued"      // in a call that has not begun
	Sending     DeliveryState = "sending"     // in a call whose first byte may leave at any moment
	Unconfirmed DeliveryState = "unconfirmed" // the platform's answer was lost
	Taken       DeliveryState = "accepted"    // the platform took it
	Delivered   DeliveryState = "delivered"
	Failed      DeliveryState = "failed"
	Skipped     DeliveryState = "skipped"
)

// DeliveryStates lists the states in the order of a delivery's life.
func DeliveryStates() []DeliveryState {
	return []DeliveryState{Planned, Queued, Sending, Unconfirmed, Taken, Delivered, Failed, Skipped}
}

// Final says whether nothing moves the state any more.
func (s DeliveryState) Final() bool { return s == Delivered || s == Failed || s == Skipped }

// DeliveryEvent is what happens to a delivery.
type DeliveryEvent string

// The events of a delivery.
const (
	Dispatch  DeliveryEvent = "dispatch"   // put into a call
	Begin     DeliveryEvent = "begin"      // the call's request is signed and about to leave
	PutBack   DeliveryEvent = "put back"   // the call did not begin for this member; waits again
	Skip      DeliveryEvent = "skip"       // will not go, for a reason
	Accept    DeliveryEvent = "accept"     // the platform took it
	Lose      DeliveryEvent = "lose"       // no answer, or none that says anything
	Refuse    DeliveryEvent = "refuse"     // refused for good, by the platform or because the text does not fit; no channel left
	Retry     DeliveryEvent = "retry"      // refused or not sent: the same channel again, later
	Bisect    DeliveryEvent = "bisect"     // refused in company: at once again in a smaller call
	Requeue   DeliveryEvent = "requeue"    // every look found nothing, and the bytes can't be taken any more
	Fall      DeliveryEvent = "fall back"  // to the next channel
	CallAgain DeliveryEvent = "call again" // a telephone call ended unheard: the same number, hours later
	Confirm   DeliveryEvent = "deliver"    // a receipt or look: it arrived
	FailAfter DeliveryEvent = "fail"       // a receipt or look: it did not arrive, no channel left
	GiveUp    DeliveryEvent = "give up"    // no proof and no channel left
)

// DeliveryEvents lists all events.
func DeliveryEvents() []DeliveryEvent {
	return []DeliveryEvent{Dispatch, Begin, PutBack, Skip, Accept, Lose, Refuse, Retry, Bisect, Requeue, Fall, CallAgain, Confirm, FailAfter, GiveUp}
}

// DeliveryMove is one line of the transition table: the event takes each of From to To.
type DeliveryMove struct {
	Event DeliveryEvent
	From  []DeliveryState
	To    DeliveryState
}

// DeliveryMoves is the one table of a delivery's life. Every change of state in SQL is a compare-and-set on From.
// Accept and Confirm come from planned and queued too: a late answer or receipt of an older call is evidence.
func DeliveryMoves() []DeliveryMove {
	return []DeliveryMove{
		{Dispatch, []DeliveryState{Planned}, Queued},
		{Begin, []DeliveryState{Queued}, Sending},
		{PutBack, []DeliveryState{Queued}, Planned},
		{Skip, []DeliveryState{Planned, Queued}, Skipped},
		{Accept, []DeliveryState{Planned, Queued, Sending, Unconfirmed}, Taken},
		{Lose, []DeliveryState{Sending}, Unconfirmed},
		{Refuse, []DeliveryState{Planned, Queued, Sending, Unconfirmed}, Failed},
		{Retry, []DeliveryState{Sending, Unconfirmed}, Planned},
		{Bisect, []DeliveryState{Sending, Unconfirmed}, Queued},
		{Requeue, []DeliveryState{Unconfirmed}, Queued},
		{Fall, []DeliveryState{Planned, Queued, Sending, Unconfirmed, Taken}, Planned},
		{CallAgain, []DeliveryState{Sending, Unconfirmed, Taken}, Planned},
		{Confirm, []DeliveryState{Planned, Queued, Sending, Unconfirmed, Taken}, Delivered},
		{FailAfter, []DeliveryState{Sending, Unconfirmed, Taken}, Failed},
		{GiveUp, []DeliveryState{Unconfirmed}, Failed},
	}
}

// Move is the table's line for the event.
func (e DeliveryEvent) Move() DeliveryMove {
	for _, m := range DeliveryMoves() {
		if m.Event == e {
			return m
		}
	}
	return DeliveryMove{Event: e}
}

// On says where the event takes the state; ok is false where the event means nothing in that state.
func (s DeliveryState) On(e DeliveryEvent) (to DeliveryState, ok bool) {
	m := e.Move()
	if !slices.Contains(m.From, s) {
		return s, false
	}
	return m.To, true
}

// SkipReason says why a delivery will not go.
type SkipReason string

// The reasons, as status reports them.
const (
	OptedOut        SkipReason = "opted_out"
	NoChannel       SkipReason = "no_channel"
	PhoneDoubted    SkipReason = "doubted"     // a way to them leads over a number that may no longer be theirs
	OnBlacklist     SkipReason = "blacklisted" // said by previews: the carrier refuses texts there; in a campaign such a row fails with the carrier's code
	ByHousehold     SkipReason = "household"
	FrequencyCap    SkipReason = "frequency_cap"
	NoLongerMatches SkipReason = "no_longer_matches"
	IsDeceased      SkipReason = "deceased"
	Expired         SkipReason = "expired"
	WasCancelled    SkipReason = "cancelled"
	OverBudget      SkipReason = "budget"
)

// SkipReasons lists all reasons.
func SkipReasons() []SkipReason {
	return []SkipReason{OptedOut, NoChannel, PhoneDoubted, OnBlacklist, ByHousehold, FrequencyCap, NoLongerMatches, IsDeceased, Expired, WasCancelled, OverBudget}
}
