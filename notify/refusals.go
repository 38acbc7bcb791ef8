package notify

import (
	"math"
	"strings"
	"time"
)

// A platform's answer may refuse a text for something that is nobody's own: the template was changed after the campaign was
// submitted, a filter dislikes its words, the code is one that we have never seen. The answer does not say whether it meets
// one person or everybody; what the calls near by were answered does.

const (
	haltEverybody = "halt.everybody"

	// smallCall is how many members a call has at most whose refusal counts. That of a larger one says little: one bad
	// member in each hundred refuses every hundred.
	smallCall = 4
	// refusalsEnough are so many small calls refused in a row that it meets everybody. Halves of a refused call count only
	// where both were refused, so that with one person in ten at fault that is a chance of about one in a million.
	refusalsEnough = 16
	// nearPerRefusal is how many ids are looked at to each side for one refusal: calls of other campaigns have ids between.
	nearPerRefusal = 8
	// secondTry is when somebody is tried once more who was refused while nobody's message was taken. By then it is known
	// whether it meets everybody.
	secondTry = 10 * time.Second
)

// Answered is a call that began, as what came of it bears on another's refusal.
type Answered struct {
	ID, PreviousID int64
	State          CallState
	Code           string
	Size           int   // members
	BegunAt        int64 // in µs
	Repeat         bool  // the same people were refused with the same code in the call before
}

// Near is what the calls near a refused one make of its refusal.
type Near struct {
	Taken bool  // somebody's message was taken since: it is about this person
	InRow int   // small calls refused with the same code since the last that was taken
	Since int64 // when the first of them began
}

// RefusalWeighs says whether the refusal of a call of so many members is held against those near it.
func (r CallResult) RefusalWeighs(members int) bool {
	return r.Common && members <= smallCall && (r.Event == Refuse || r.Event == Bisect)
}

// refusalsEnough is how many refusals in a row halt the campaign. Each time staff go on after a halt by a limit doubles it.
func (c Campaign) refusalsEnough() int { return refusalsEnough << min(c.Raised, 3) }

// MeetsEverybody says whether what was refused near by is enough to say so, unless others far from it were taken meanwhile.
func (c Campaign) MeetsEverybody(near Near) bool { return near.InRow >= c.refusalsEnough() }

// NearBy is how far from a call, in ids to each side, others bear on its refusal. Calls that are made together have ids together.
func (c Campaign) NearBy() int64 { return int64(nearPerRefusal * c.refusalsEnough()) }

// Weigh reads the calls near one that was refused with a code. since is when the call before it began, or itself: whatever
// was taken from then on was taken by a platform that would have refused it too, did it meet everybody.
func Weigh(code string, since int64, calls []Answered) Near {
	at := map[int64]Answered{}
	taken := int64(0)            // when the last began that was taken
	open := int64(math.MaxInt64) // when the oldest began that is unanswered: what was refused later may not be all there is to hear
	for _, a := range calls {
		at[a.ID] = a
		switch a.State {
		case CallAccepted:
			taken = max(taken, a.BegunAt)
		case CallSending:
			open = min(open, a.BegunAt)
		}
	}
	near := Near{Taken: taken >= since}
	for _, a := range calls {
		if a.BegunAt > taken && a.BegunAt < open && a.counts(code, at) {
			near.InRow++
			if near.Since == 0 || a.BegunAt < near.Since {
				near.Since = a.BegunAt
			}
		}
	}
	return near
}

// counts says whether a call is one of those refused in a row. Of two halves it is only where the other was refused as well.
func (a Answered) counts(code string, at map[int64]Answered) bool {
	if a.State != CallRefused || a.Code != code || a.Size > smallCall || a.Repeat {
		return false
	}
	if a.PreviousID == 0 {
		return true
	}
	refused := func(id int64) bool {
		b, ok := at[id]
		return ok && b.PreviousID == a.PreviousID && b.State == CallRefused
	}
	return refused(a.ID-1) || refused(a.ID+1)
}

// ByRefusals is what a common refusal comes to in a campaign, by the calls near it. Where it meets everybody, the campaign is
// halted and the members wait in it. Where nobody's message was taken meanwhile, somebody who stands alone is tried once more.
func (r CallResult) ByRefusals(c Campaign, near Near, now time.Time) CallResult {
	switch {
	case c.State == Halted && c.Reason == haltEverybody: // answered as it was halted
		r.Event, r.WakeAt = Retry, now
	case c.MeetsEverybody(near):
		r.Event, r.WakeAt = Retry, now
		r.Halt = &Halting{Reason: haltEverybody, Detail: strings.TrimSpace(r.Code + " " + r.Message)}
	case r.Event == Refuse && !near.Taken && !r.WakeAt.IsZero():
		r.Event, r.Tried = Retry, true
	}
	return r
}
