// Package staff is who works with the system: roles, what each may do, and the region each sees.
// It refuses to know passwords' storage, pages and databases.
package staff

import (
	"errors"

	"github.com/lingjuli/lingjuli/internal/register"
)

// Role is a member of staff's role.
type Role string

// The roles.
const (
	Author   Role = "author"
	Approver Role = "approver"
	Operator Role = "operator"
	Township Role = "township"
	Auditor  Role = "auditor"
	Admin    Role = "admin"
)

// Act is something that roles allow.
type Act string

// The acts. Own campaigns: an author may pause and cancel what is their own.
const (
	WriteCampaign   Act = "campaign.write" // create, change, submit
	ApproveCampaign Act = "campaign.approve"
	PauseCampaign   Act = "campaign.pause"
	ResumeCampaign  Act = "campaign.resume"
	CancelCampaign  Act = "campaign.cancel"
	ReadCampaigns   Act = "campaign.read"
	ReadPeople      Act = "people.read"
	RevealPerson    Act = "people.reveal"
	BindPerson      Act = "people.bind" // on the doorstep; and what a person asks about their number and their proxies
	RecordVisit     Act = "people.visit"
	ImportData      Act = "import"
	ReadAudit       Act = "audit.read"
	ManageStaff     Act = "staff.manage"
	ReadInbox       Act = "inbox.read"
	AnswerInbox     Act = "inbox.answer" // answer, close, pass on
)

// Member is one member of staff.
type Member struct {
	ID       int64
	Name     string
	Role     Role
	Region   string // prefix of region codes; empty: the whole province
	Disabled bool
}

// Scope is the part of the province the member sees.
func (m Member) Scope() register.Scope { return register.Scope{Prefix: m.Region} }

// ErrForbidden: the member's role or region does not allow the act.
var ErrForbidden = errors.New("staff: not allowed for this role")

// Roles lists all roles in the order of the documentation.
func Roles() []Role { return []Role{Author, Approver, Operator, Township, Auditor, Admin} }

// May says whether the member's role allows the act. own: the object is the member's own campaign.
func (m Member) May(act Act, own bool) bool {
	if m.Disabled {
		return false
	}
	switch m.Role {
	case Admin:
		return true
	case Author:
		return act == WriteCampaign || act == ReadCampaigns || act == ReadPeople ||
			own && (act == PauseCampaign || act == CancelCampaign)
	case Approver:
		return act == ApproveCampaign || act == PauseCampaign || act == ResumeCampaign || act == CancelCampaign ||
			act == ReadCampaigns || act == ReadPeople
	case Operator:
		return act == PauseCampaign || act == ResumeCampaign || act == CancelCampaign || act == ImportData ||
			act == ReadCampaigns || act == ReadPeople || act == RevealPerson || act == BindPerson || act == RecordVisit || act == ReadInbox || act == AnswerInbox
	case Township:
		return act == ReadPeople || act == RevealPerson || act == BindPerson || act == RecordVisit || act == ReadInbox || act == AnswerInbox
	case Auditor:
		return act == ReadCampaigns || act == ReadPeople || act == ReadAudit || act == ReadInbox
	}
	return false
}
