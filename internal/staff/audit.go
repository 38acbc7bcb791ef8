package staff

import "time"

// Entry is one line of the audit. Detail holds ids, kinds and counts, never personal data.
type Entry struct {
	At     time.Time
	Actor  string // a member's name, or "os:USER" for a command
	Act    string // one of the Did… acts
	Object string // "person:12", "campaign:7", "staff:3"; empty where the act has none
	Detail map[string]string
}

// What is written to the audit.
const (
	DidLogIn          = "login"
	DidFailLogIn      = "login.failed"
	DidLock           = "login.locked"
	DidLogOut         = "logout"
	DidConfirm        = "password.confirmed"
	DidChangePassword = "password.changed"
	DidAddStaff       = "staff.added"
	DidList           = "people.listed"
	DidSearch         = "people.searched"
	DidLook           = "person.looked"
	DidReveal         = "person.revealed"
	DidOpenDoorstep   = "person.doorstep"   // made a one-time code for the doorstep
	DidWitness        = "person.proxy_door" // saw somebody agree, who has neither phone nor WeChat, that one of the family looks after their matters
	DidBind           = "person.bound"      // somebody scanned it and was bound; the actor is who made it
	DidUnbind         = "person.unbound"    // ended, as the person asked, that an account is theirs
	DidTrustPhone     = "person.trusted"    // asked whether the number on file is still theirs
	DidEndProxy       = "person.proxy_end"  // ended, as the person asked, that somebody looks after their matters
	DidVisit          = "person.visited"    // recorded what came of a visit
	DidWrite          = "campaign.written"
	DidSubmit         = "campaign.submitted"
	DidApprove        = "campaign.approved"
	DidReturn         = "campaign.returned"
	DidExplain        = "campaign.explained" // why it was returned: the word stands in the detail, as note
	DidPause          = "campaign.paused"
	DidResume         = "campaign.resumed"
	DidCancel         = "campaign.cancelled"
	DidReadAudit      = "audit.read"
	DidListUnreached  = "unreached.listed"
	DidPrint          = "unreached.printed"
	DidExport         = "unreached.exported"

	DidListInbox   = "inbox.listed"
	DidLookInbox   = "inbox.looked"
	DidRevealInbox = "inbox.revealed"
	DidAnswerInbox = "inbox.answered"
	DidCloseInbox  = "inbox.closed"
	DidPassInbox   = "inbox.passed"
)

// Record is one line of the audit as it is kept: numbered without gaps and chained by hash.
type Record struct {
	ID int64
	Entry
}
