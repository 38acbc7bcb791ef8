package notify

import (
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// CallState is where one request to a platform stands.
type CallState string

// The states of a call. An absent call may still turn out accepted: a late receipt is evidence.
const (
	CallPlanned     CallState = "planned" // made with the plan; its turn has not come
	CallQueued      CallState = "queued"
	CallSending     CallState = "sending"
	CallAccepted    CallState = "accepted"
	CallRefused     CallState = "refused" // refused, or never written
	CallUnconfirmed CallState = "unconfirmed"
	CallAbsent      CallState = "absent"    // every look found nothing and its bytes can't be taken any more
	CallWithdrawn   CallState = "withdrawn" // never begun: nobody in it was left to send to
)

// CallStates lists the states.
func CallStates() []CallState {
	return []CallState{CallPlanned, CallQueued, CallSending, CallUnconfirmed, CallAccepted, CallRefused, CallAbsent, CallWithdrawn}
}

// CallMove is one line of the table of a call's life.
type CallMove struct {
	To   CallState
	From []CallState
}

// CallMoves is the one table of a call's life. Every move is a compare-and-set on From.
func CallMoves() []CallMove {
	return []CallMove{
		{CallQueued, []CallState{CallPlanned}},
		{CallPlanned, []CallState{CallQueued}},
		{CallSending, []CallState{CallQueued}},
		{CallWithdrawn, []CallState{CallPlanned, CallQueued}},
		{CallUnconfirmed, []CallState{CallSending}},
		{CallAccepted, []CallState{CallSending, CallUnconfirmed, CallAbsent}},
		{CallRefused, []CallState{CallSending, CallUnconfirmed}},
		{CallAbsent, []CallState{CallUnconfirmed}},
	}
}

// CallFrom lists the states from which a call may come to this one.
func CallFrom(to CallState) []CallState {
	for _, m := range CallMoves() {
		if m.To == to {
			return m.From
		}
	}
	return nil
}

// Call is one request to a platform, as the sweeper and the looks see it.
type Call struct {
	ID          int64
	CampaignID  int64
	Channel     Channel
	Route       WeChatRoute
	State       CallState
	PreviousID  int64
	Size        int
	QueuedAt    time.Time // of CallQueued
	SignedAt    time.Time
	BegunAt     time.Time
	PresentedAt time.Time
	LeaseUntil  time.Time
	Looks       int
	LookedAt    time.Time // the last look that counted
	Spent       bool
}

// MaxMembers is how many members a call of the channel may have.
func (c Channel) MaxMembers() int {
	if c == SMS {
		return 100
	}
	return 1
}

// Phone says whether the channel reaches a number, which a household may share.
func (c Channel) Phone() bool { return c == SMS || c == Voice }

// Facts is what is known of one member of a queued call at the moment it is claimed.
type Facts struct {
	PersonID     int64
	Name         string
	Region       string
	Phone        register.Phone
	Mobile       bool
	Status       register.LifeStatus
	Matches      bool        // the campaign's audience still holds for them
	OptedOut     bool        // they want nothing
	PhoneOut     bool        // the number wants nothing
	PhoneMany    bool        // three or more households have the number: it is nobody's
	PhoneDoubted bool        // it may no longer be theirs
	Blacklisted  bool        // the carrier lets no text of ours through to it
	Later        []Channel   // further channels they have
	Tries        int         // refusals so far that asked for another try on this channel
	WaitsFrom    time.Time   // since when the cap holds them back; zero: it doesn't
	Sent         []time.Time // what went to the person within the cap's stretch, this campaign apart
	NumberSent   []time.Time // what went to the number, this delivery apart
	NumberHad    []time.Time // what the platform counts for the number and may come to its limit: texts of this template, calls
	WeChat       WeChatFacts
	Language     string // Voice: what they speak, in the register's word; empty: not known
	About        About  // what the campaign's texts speak of
	OnNumber     int    // which household of their number it is that the campaign writes to, from 0
}

// WeChatFacts is what is known of a person's way by WeChat.
type WeChatFacts struct {
	OpenID       register.OpenID // empty: nobody bound who may get it
	Consented    bool            // to the campaign's subscription notice
	CustomerLeft int             // customer messages left in the open window
}

// CallFacts is one queued call with what is known of its members.
type CallFacts struct {
	ID         int64
	PreviousID int64
	Members    []Facts
}

// ClaimQuery asks for queued calls of one campaign and channel.
type ClaimQuery struct {
	IDs     []int64
	Owner   string
	Lease   time.Duration
	CapSpan time.Duration  // how far back the cap looks; 0: there is none
	Zone    *time.Location // of the day by which audiences judge ages and dates, and of the month whose budgets pay
}

// ClaimFacts is what a claim is decided on.
type ClaimFacts struct {
	Campaign Campaign
	Channel  Channel
	Now      time.Time // the database's clock
	Outs     int64     // how often anybody had opted out when these facts were read
	Calls    []CallFacts
	Budgets  []Budget // those that cover the members, by region
}

// Drop takes a member out of a call that has not begun.
type Drop struct {
	PersonID  int64
	Event     DeliveryEvent // PutBack, Skip, Fall or Refuse
	Reason    string        // of Skip and Refuse
	WakeAt    time.Time     // of PutBack
	WaitsFrom time.Time     // of PutBack for the cap
}

// Beginning is what becomes of one queued call: it begins with some members, or, with none, it is withdrawn.
type Beginning struct {
	CallID   int64
	Begin    []int64 // the members left, in the order of the request
	Route    WeChatRoute
	SignedAt time.Time
	Segments int // of all members that begin, by SMS
	Drops    []Drop
	Wait     *time.Time // the whole call waits, until then at least: for the campaign's hours, or for staff to go on
	Spends   []Spend    // what it takes out of budgets
	Halt     *Halting   // the campaign stops: its calls can't be made
}

// CallResult is what became of a call that had begun.
type CallResult struct {
	CallID  int64
	Event   DeliveryEvent // Accept, Lose, Refuse, Retry, Bisect
	Code    string
	Message string
	BizID   string
	OfPhone bool      // Refuse: it is about the number; others on it follow without a call of their own
	OptOut  bool      // Refuse: the platform says they opted out there
	Common  bool      // Refuse, Bisect: it may meet everybody; what was answered near by says
	WakeAt  time.Time // Retry: due again; Lose: the first look; Accept: when to fall back for want of a receipt; Refuse: when to try once more, if it may meet everybody
	Tried   bool      // Retry: counts as one of the few tries
	Spent   bool      // Lose: the bytes can't be taken any more
	Again   bool      // Lose: they were presented a second time; from now on looks are counted
	Halt    *Halting  // the campaign stops too
	At      time.Time // the clock that WakeAt was reckoned by; zero: the database's
}

// By gives the result with its pause reckoned from now, the database's clock: that of a worker may be wrong. Whole seconds,
// for what stands below them in a time may be a mark (LimitWake).
func (r CallResult) By(now time.Time) CallResult {
	if !r.At.IsZero() && !r.WakeAt.IsZero() {
		r.WakeAt, r.At = r.WakeAt.Add(now.Sub(r.At).Round(time.Second)), time.Time{}
	}
	return r
}

// Halting says why the system stops a campaign. Reason is a locale key.
type Halting struct {
	Reason string
	Detail string
}

// CallSize is how many members a call of the campaign may have. Where the campaign has a rate of its own, a call is
// no more than a quarter of a second's recipients, so that the rate holds within a second too.
func CallSize(s Spec, c Channel) int {
	if s.Rate == 0 {
		return c.MaxMembers()
	}
	return min(c.MaxMembers(), max(1, s.Rate/4))
}
