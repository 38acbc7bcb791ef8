package notify

import (
	"slices"
	"time"
)

// CampaignState is where a campaign stands.
type CampaignState string

// The states of a campaign. Finished and Cancelled are final.
const (
	Draft     CampaignState = "draft"
	Submitted CampaignState = "submitted"
	Approved  CampaignState = "approved"
	Running   CampaignState = "running"
	Paused    CampaignState = "paused"
	Halted    CampaignState = "halted" // stopped by the system, with the reason
	Finished  CampaignState = "finished"
	Cancelled CampaignState = "cancelled"
)

// CampaignStates lists the states in the order of a campaign's life.
func CampaignStates() []CampaignState {
	return []CampaignState{Draft, Submitted, Approved, Running, Paused, Halted, Finished, Cancelled}
}

// Final says whether nothing moves the state any more.
func (s CampaignState) Final() bool { return s == Finished || s == Cancelled }

// CampaignEvent is what staff or the system does with a campaign.
type CampaignEvent string

// The events of a campaign.
const (
	Change  CampaignEvent = "change" // of its text, audience or time: it must be submitted anew
	Submit  CampaignEvent = "submit"
	Return  CampaignEvent = "return" // the approver sends it back
	Approve CampaignEvent = "approve"
	Start   CampaignEvent = "start"
	Pause   CampaignEvent = "pause"
	Resume  CampaignEvent = "resume" // from halted by a limit it raises the limits
	Stop    CampaignEvent = "halt"
	Finish  CampaignEvent = "finish"
	Cancel  CampaignEvent = "cancel"
)

// CampaignEvents lists all events.
func CampaignEvents() []CampaignEvent {
	return []CampaignEvent{Change, Submit, Return, Approve, Start, Pause, Resume, Stop, Finish, Cancel}
}

// CampaignMove is one line of the transition table.
type CampaignMove struct {
	Event CampaignEvent
	From  []CampaignState
	To    CampaignState
}

// CampaignMoves is the one table of a campaign's life.
func CampaignMoves() []CampaignMove {
	return []CampaignMove{
		{Change, []CampaignState{Draft, Submitted}, Draft},
		{Submit, []CampaignState{Draft}, Submitted},
		{Return, []CampaignState{Submitted}, Draft},
		{Approve, []CampaignState{Submitted}, Approved},
		{Start, []CampaignState{Approved}, Running},
		{Pause, []CampaignState{Running}, Paused},
		{Resume, []CampaignState{Paused, Halted}, Running},
		{Stop, []CampaignState{Running, Paused}, Halted},
		{Finish, []CampaignState{Running, Paused}, Finished}, // a paused one once it has expired
		{Cancel, []CampaignState{Draft, Submitted, Approved, Running, Paused, Halted}, Cancelled},
	}
}

// Move is the table's line for the event.
func (e CampaignEvent) Move() CampaignMove {
	for _, m := range CampaignMoves() {
		if m.Event == e {
			return m
		}
	}
	return CampaignMove{Event: e}
}

// On says where the event takes the state; ok is false where the event means nothing in that state.
func (s CampaignState) On(e CampaignEvent) (to CampaignState, ok bool) {
	m := e.Move()
	if !slices.Contains(m.From, s) {
		return s, false
	}
	return m.To, true
}

// Expired says whether what has not gone by now goes no more.
func (c Campaign) Expired(now time.Time) bool {
	return !c.ExpiresAt.IsZero() && !now.Before(c.ExpiresAt)
}

// Plans says whether people of its audience are still to be planned. Everybody gets a row, whatever becomes of a campaign that
// has begun: where it stands they wait with the others, where it was cancelled the row says so.
func (c Campaign) Plans() bool { return c.PlannedAt.IsZero() && !c.StartedAt.IsZero() }
