package notify

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
)

// Errors that staff's acts on campaigns end in.
var (
	ErrNoCampaign    = errors.New("notify: no such campaign")
	ErrNoTemplate    = errors.New("notify: no such template")
	ErrWrongState    = errors.New("notify: the campaign's state does not allow this")
	ErrSameColleague = errors.New("notify: nobody approves a campaign they wrote or last changed")
	ErrChanged       = errors.New("notify: the campaign is not as it was read")
)

// Campaign is one campaign as it is kept.
type Campaign struct {
	ID          int64
	Month       int // 202611
	State       CampaignState
	Reason      string // of Halted: a locale key
	Detail      string // the code and words behind it; of a draft: why it was returned
	Spec        Spec
	Template    Template // as it stood at submit
	Scope       register.Scope
	AuthorID    int64
	EditorID    int64
	ApproverID  int64
	StartsAt    time.Time
	ExpiresAt   time.Time
	PlannedAt   time.Time
	Raised      int
	ReplyCodes  []string // extension numbers for replies, of the first and the second household of a number
	CreatedAt   time.Time
	UpdatedAt   time.Time
	SubmittedAt time.Time
	ApprovedAt  time.Time
	StartedAt   time.Time
	FinishedAt  time.Time
}

// WrittenBy says whether a member wrote the campaign or changed it last: such a one does not approve it.
func (c Campaign) WrittenBy(m staff.Member) bool { return c.AuthorID == m.ID || c.EditorID == m.ID }

// Judgment is an approver's word on a submitted campaign.
type Judgment struct {
	Seen time.Time // UpdatedAt of the campaign that they read; zero: as it stands
	Note string    // of a return: why
}

// CampaignMoved is what goes with a move of a campaign by staff.
type CampaignMoved struct {
	Event    CampaignEvent
	By       staff.Member
	At       time.Time
	Seen     time.Time // UpdatedAt of the campaign that the move is about; zero: as it stands
	Template *Template // of Submit
	Note     string    // of Return: why
	Audit    staff.Entry
}

// Campaigns keeps campaigns for those who write and steer them.
type Campaigns interface {
	// CreateCampaign stores a draft and returns its id.
	CreateCampaign(ctx context.Context, c Campaign, by staff.Entry) (int64, error)
	// ChangeCampaign replaces the spec of a campaign that is not approved yet; it is a draft again.
	ChangeCampaign(ctx context.Context, id int64, spec Spec, m CampaignMoved) error
	// FindCampaign finds one. ErrNoCampaign.
	FindCampaign(ctx context.Context, id int64) (Campaign, error)
	// MoveCampaign moves it by the table, ErrWrongState where the table has no such line. ErrChanged where it is not the one
	// that was seen, ErrSameColleague where who approves it wrote it: both as it stands in the move's own transaction.
	MoveCampaign(ctx context.Context, id int64, m CampaignMoved) (Campaign, error)
	// ListCampaigns lists the newest first, those of a scope, before an id (0: from the newest).
	ListCampaigns(ctx context.Context, scope register.Scope, before int64, limit int) ([]Campaign, error)
}

// Templates keeps message templates.
type Templates interface {
	ApplyTemplates(ctx context.Context, list []Template, at time.Time, by staff.Entry) error
	FindTemplate(ctx context.Context, key string) (Template, error)
	ListTemplates(ctx context.Context) ([]Template, error)
}

// Figures counts.
type Figures interface {
	// CampaignStatus counts a campaign's rows and what went, without its price: see Rules.Bill.
	CampaignStatus(ctx context.Context, id int64) (Status, error)
	// PreviewAudience counts whom a campaign would reach and gives some of them as samples.
	PreviewAudience(ctx context.Context, q PreviewQuery) (PreviewCount, error)
	// PreviewPlaces says where the texts of PreviewAudience that cost money go, in the order of the regions.
	PreviewPlaces(ctx context.Context, q PreviewQuery) ([]PlaceTexts, error)
}

// Plans makes rows of audiences.
type Plans interface {
	// StartDue starts approved campaigns whose time has come by the database's clock.
	StartDue(ctx context.Context) (int, error)
	// Running lists campaigns that have something to plan or dispatch, and when that was by the database's clock.
	Running(ctx context.Context) (list []Campaign, now time.Time, err error)
	// PlanPage plans the next page of a campaign's audience. done: the plan is complete, or somebody else is at it.
	PlanPage(ctx context.Context, campaignID int64, now time.Time, limit int) (done bool, err error)
	// Dispatch puts due rows of one channel into calls, as long as fewer than maxOpen calls wait, and returns the
	// calls to ring for. more: there may be more rows due.
	Dispatch(ctx context.Context, campaignID int64, channel Channel, now time.Time, maxOpen int) (calls []int64, more bool, err error)
	// HoldCalls notes until when the calls that the plan made for a channel may not go.
	HoldCalls(ctx context.Context, campaignID int64, channel Channel, until time.Time) error
}

// Calls claims and settles.
type Calls interface {
	// StillQueued gives those of the calls that wait to be claimed, without keeping anybody from them.
	StillQueued(ctx context.Context, ids []int64) ([]int64, error)
	// BeginCalls claims queued calls of one campaign and channel. decide is given the facts under lock and says what
	// becomes of each; it may be called again where the transaction must be, and only the last time counts: with no
	// calls in the facts nothing was claimed. Calls that are no longer queued, or that somebody else is claiming, are
	// left out. The lease begins at the database's now.
	BeginCalls(ctx context.Context, q ClaimQuery, decide func(ClaimFacts) ([]Beginning, error)) error
	// LastLook is made before the first byte of calls that are being sent; outs is what their claim knew of opt-outs.
	LastLook(ctx context.Context, ids []int64, owner string, outs int64) (LastLook, error)
	// SettleCalls writes down what became of calls, for all members in one statement a call.
	SettleCalls(ctx context.Context, results []CallResult) error
}

// Status is what `status --json` prints.
type Status struct {
	ID          int64                  `json:"id"`
	State       CampaignState          `json:"state"`
	Reason      string                 `json:"reason"`
	Total       int64                  `json:"total"`
	Planned     int64                  `json:"planned"`
	Queued      int64                  `json:"queued"`
	Sending     int64                  `json:"sending"`
	Accepted    int64                  `json:"accepted"`
	Delivered   int64                  `json:"delivered"`
	Failed      int64                  `json:"failed"`
	Unconfirmed int64                  `json:"unconfirmed"`
	Skipped     map[SkipReason]int64   `json:"skipped"`
	ByChannel   map[Channel]int64      `json:"by_channel"` // accepted or delivered by it
	StartedAt   *time.Time             `json:"started_at"`
	FinishedAt  *time.Time             `json:"finished_at"`
	NextAt      *time.Time             `json:"next_at,omitempty"` // when what waits will go, where something holds it
	Waiting     map[WaitReason]int64   `json:"waiting,omitempty"` // of those planned: what holds them
	Visits      map[VisitOutcome]int64 `json:"visits,omitempty"`  // of those whom no channel reached: what came of the visits

	Proofs        map[Proof]int64     `json:"proofs,omitempty"`          // of those delivered: how it is known
	FailedReasons map[string]int64    `json:"failed_reasons,omitempty"`  // of those failed: the platform's code, or ours
	CostYuan      float64             `json:"cost_yuan"`                 // so far, by SMS and telephone; see Rules.Bill
	CostByChannel map[Channel]float64 `json:"cost_by_channel,omitempty"` // yuan
	Rate          float64             `json:"rate,omitempty"`            // people a second, lately; see Pace
	SecondsLeft   int64               `json:"seconds_left,omitempty"`    // see Left

	Units map[Channel]int64 `json:"-"` // what CostYuan is the price of: segments of texts, calls by telephone
}

// Add counts n rows of one state. why is the reason of those skipped, the code of those failed, the proof of those
// delivered where it is another than a receipt.
func (s *Status) Add(state DeliveryState, why SkipReason, channel Channel, n int64) {
	s.Total += n
	switch state {
	case Planned:
		s.Planned += n
	case Queued:
		s.Queued += n
	case Sending:
		s.Sending += n
	case Unconfirmed:
		s.Unconfirmed += n
	case Taken:
		s.Accepted += n
		s.ByChannel[channel] += n
	case Delivered:
		s.Delivered += n
		s.ByChannel[channel] += n
		if s.Proofs == nil {
			s.Proofs = map[Proof]int64{}
		}
		s.Proofs[cmp.Or(Proof(why), ByReceipt)] += n
	case Failed:
		s.Failed += n
		if s.FailedReasons == nil {
			s.FailedReasons = map[string]int64{}
		}
		s.FailedReasons[string(why)] += n
	case Skipped:
		s.Skipped[why] += n
	}
}

// Proved is how it is known of those delivered, where it isn't by receipts alone.
func (s *Status) Proved() map[Proof]int64 {
	if s.Proofs[ByReceipt] == s.Delivered {
		return nil
	}
	return s.Proofs
}

// Channels lists the campaign's channels that its template serves, in their order.
func (c Campaign) Channels() []Channel { return ServedChannels(c.Spec, c.Template) }

// ServedChannels lists the channels of a spec that a template serves.
func ServedChannels(s Spec, t Template) []Channel {
	var list []Channel
	for _, ch := range s.Channels {
		if ch == WeChat && t.WeChat != nil || ch == SMS && t.SMS != nil || ch == Voice && t.Voice != nil {
			list = append(list, ch)
		}
	}
	return list
}

// Lookups are looks at calls that have begun.
type Lookups interface {
	// DueCalls takes calls whose time has come by the database's clock, and keeps them from others for as long as hold.
	DueCalls(ctx context.Context, limit int, hold time.Duration) (list []Call, now time.Time, err error)
	// SilentCalls takes accepted texts whose time has come; DueCalls takes all others.
	SilentCalls(ctx context.Context, limit int, hold time.Duration) (list []Call, now time.Time, err error)
	// CallNumbers gives at most limit of the numbers a call went to.
	CallNumbers(ctx context.Context, callID int64, limit int) ([]register.Phone, error)
	// NextLook writes down a look that found nothing (counted) or could not be made, and when to look again.
	NextLook(ctx context.Context, callID int64, looks int, counted bool, at time.Time) error
	// RequeueCall queues the members of a call that the platform does not have under a new call; 0: nobody was left.
	RequeueCall(ctx context.Context, callID int64) (int64, error)
}

// FallBacks move people on from calls of which nothing was heard.
type FallBacks interface {
	// FallBackCall moves members for whom nothing was heard to their next channel, and gives up on the others where told.
	FallBackCall(ctx context.Context, callID int64, giveUp bool, next time.Time) error
	// UnheardNumbers gives the numbers of those whom an accepted call went to and of whom no receipt came.
	UnheardNumbers(ctx context.Context, callID int64) ([]register.Phone, error)
	// ApplyFound keeps what a platform answered about messages as receipts, and applies them before it returns.
	ApplyFound(ctx context.Context, found []Report, judge func(c Campaign, outcomes string) *Halting) error
	// WakeAccepted says when to come back to an accepted call.
	WakeAccepted(ctx context.Context, callID int64, at time.Time) error
	// GiveUpCall ends an unconfirmed call of which no proof will come. Where a member has a further channel it waits until next
	// instead, when that one is tried.
	GiveUpCall(ctx context.Context, callID int64, next time.Time) error
}

// Ends finishes what is to be finished, and finds what waits for the bell.
type Ends interface {
	// EndCampaigns takes out the rows of ended campaigns and finishes those in which nothing can happen any more, by the
	// database's clock.
	EndCampaigns(ctx context.Context) (more bool, err error)
	// QueuedCalls lists calls that wait for the bell.
	QueuedCalls(ctx context.Context, limit int) ([]Call, error)
}

// ReceiptLog keeps what platforms push and applies it later.
type ReceiptLog interface {
	StoreReports(ctx context.Context, list []Report, at time.Time) error
	StoreReplies(ctx context.Context, list []ReplySMS, at time.Time) error
	// ApplyReports applies stored receipts, about limit; what they say of a campaign is judged by judge under lock. more:
	// others wait. Where another process is at it, or the oldest has waited for less than waited, nothing is done.
	// ErrSetAside: some can't be applied, whatever comes; they are out of the way, and the others were.
	ApplyReports(ctx context.Context, waited time.Duration, limit int, judge func(c Campaign, outcomes string) *Halting) (more bool, err error)
	// EachReply gives stored replies that nobody has handled to handle, the oldest first, but for those in except, and marks
	// them as it says. Where another process is at it, nothing is done.
	EachReply(ctx context.Context, limit int, except []int64, handle func(StoredReply) ReplyVerdict) error
	// Outside says whether an error lies outside of what was to be done: another time the same may pass.
	Outside(err error) bool
}

// ErrSetAside: receipts can't be applied and were taken out of the way of the others.
var ErrSetAside = errors.New("receipts were set aside")

// ReplyVerdict is what becomes of a stored reply.
type ReplyVerdict string

// The verdicts on replies.
const (
	ReplyWaits ReplyVerdict = ""
	ReplyDone  ReplyVerdict = "applied"
	ReplyAside ReplyVerdict = "set aside" // nobody can handle it
)

// StoredReply is a reply with the id under which it is kept, and the key of its turn.
type StoredReply struct {
	ID  int64
	Key string // the same for every copy of the reply, however often it was pushed
	ReplySMS
}

// Replies is whoever understands what people send back. It is called at least once for each reply, with the same key
// for the same reply, and must have one effect for each.
type Replies interface {
	HandleReply(ctx context.Context, r StoredReply) error
}

// Questions gives campaigns that ask something by SMS extension numbers for the replies.
type Questions interface {
	// TakeReplyCodes decides once for a campaign with which of the account's numbers it goes out: the two that have been
	// quiet the longest, of those that no other campaign's question may still be answered by. Where none is free, or it
	// has begun to send, it goes without.
	TakeReplyCodes(ctx context.Context, campaignID int64, pool []string, now time.Time) error
}

// Store is all that a worker needs of where rows are kept.
type Store interface {
	Plans
	Calls
	Lookups
	FallBacks
	Ends
	ReceiptLog
	Questions
	Notices
	Letters
	Templates
	Budgets
	MACs
	FindCampaign(ctx context.Context, id int64) (Campaign, error)
}
