package notify

import (
	"slices"
	"strings"
	"time"
)

// UnreachedWhy says in one word why no channel reached somebody; locales have the plain ones.
type UnreachedWhy string

// The reasons, in the order in which a list counts them.
const (
	WhyNotAnswered  UnreachedWhy = "not_answered"  // nobody took the telephone
	WhyHungUp       UnreachedWhy = "hung_up"       // somebody did, and did not listen
	WhyUnproved     UnreachedWhy = "unproved"      // called, and no report came that says it was heard
	WhyDeadNumber   UnreachedWhy = "dead_number"   // no such number, out of service, in arrears
	WhyNoNumber     UnreachedWhy = "no_number"     // none on file
	WhySharedNumber UnreachedWhy = "shared_number" // three or more households have it
	WhyDoubted      UnreachedWhy = "doubted"       // may no longer be theirs: somebody has to ask
	WhyLandline     UnreachedWhy = "landline"      // takes no texts, and no call was to be made
	WhyNoWay        UnreachedWhy = "no_way"        // none of the campaign's channels led to them
	WhyRefused      UnreachedWhy = "refused"       // the carrier lets nothing through to this number
	WhyHandset      UnreachedWhy = "handset"       // full or broken
	WhyNotDelivered UnreachedWhy = "not_delivered" // the carrier says no, and not why
	WhyUnconfirmed  UnreachedWhy = "unconfirmed"   // nobody can say whether it went out
	WhyWeChat       UnreachedWhy = "wechat"        // WeChat refused, and there was no other channel
	WhyText         UnreachedWhy = "text"          // the text could not be made, or not be sent, for this person
	WhyTooMany      UnreachedWhy = "too_many"      // had their share of messages
	WhyMoney        UnreachedWhy = "money"         // the budget did not reach
	WhyLate         UnreachedWhy = "late"          // the campaign ended before their turn
	WhyHousehold    UnreachedWhy = "household"     // was to hear from another member, whose message did not arrive
)

// UnreachedWhys lists all reasons.
func UnreachedWhys() []UnreachedWhy {
	return []UnreachedWhy{
		WhyNotAnswered, WhyHungUp, WhyUnproved, WhyDeadNumber, WhyNoNumber, WhySharedNumber, WhyDoubted, WhyLandline, WhyNoWay, WhyRefused, WhyHandset,
		WhyNotDelivered, WhyUnconfirmed, WhyWeChat, WhyText, WhyTooMany, WhyMoney, WhyLate, WhyHousehold,
	}
}

// LeftOut lists the reasons of rows that are on nobody's list: they asked for it, or it is no longer for them.
func LeftOut() []SkipReason {
	return []SkipReason{OptedOut, IsDeceased, NoLongerMatches, WasCancelled}
}

// RowEnd is how a delivery ended, with what is on file of the person's number now.
type RowEnd struct {
	State   DeliveryState
	Reason  string // of a skipped row, or the platform's code
	Channel Channel
	Phone   bool // there is a number
	Mobile  bool
	Many    bool // three or more households have it
}

// Reached says whether the row itself says that the message came to them. A call by telephone that was only taken
// proves nothing.
func (r RowEnd) Reached() bool {
	return r.State == Delivered || r.State == Taken && r.Channel != Voice
}

// Why says why the row did not reach its person; "" where it may still, or is on nobody's list.
func (r RowEnd) Why() UnreachedWhy {
	switch {
	case r.State == Skipped:
		return r.whySkipped()
	case r.State == Taken && r.Channel == Voice:
		return WhyUnproved
	case r.State != Failed:
		return ""
	case r.Reason == "text", strings.HasPrefix(r.Reason, "local."), strings.HasPrefix(r.Reason, "CONTENT_"):
		return WhyText
	case r.Reason == "no_sender":
		return WhyNoWay
	case r.Channel == Voice:
		return whyUnheard(r.Reason)
	case r.Channel == WeChat:
		return WhyWeChat
	}
	return whyUndelivered(r.Reason)
}

func (r RowEnd) whySkipped() UnreachedWhy {
	switch SkipReason(r.Reason) {
	case NoChannel:
		switch {
		case !r.Phone:
			return WhyNoNumber
		case r.Many:
			return WhySharedNumber
		case !r.Mobile:
			return WhyLandline
		}
		return WhyNoWay
	case PhoneDoubted:
		return WhyDoubted
	case OnBlacklist:
		return WhyRefused
	case ByHousehold:
		return WhyHousehold
	case FrequencyCap:
		return WhyTooMany
	case OverBudget:
		return WhyMoney
	case Expired:
		return WhyLate
	}
	return ""
}

// whyUnheard reads the end of a call by telephone (help.aliyun.com 55085, and the codes of a refusal).
func whyUnheard(code string) UnreachedWhy {
	switch code {
	case "200001":
		return WhyHungUp
	case "200004", "200011":
		return WhyDeadNumber
	case "", "unknown":
		return WhyUnconfirmed
	case "200104", "200105", "200118", "200119", "200121":
		return WhyTooMany
	}
	if len(code) == len("200003") && strings.HasPrefix(code, "200") {
		return WhyNotAnswered
	}
	return whyUndelivered(code)
}

// whyUndelivered reads the code of a receipt or of a refusal.
func whyUndelivered(code string) UnreachedWhy {
	switch code {
	case "MOBILE_NOT_ON_SERVICE", "INVALID_NUMBER", "MOBILE_ACCOUNT_ABNORMAL", "isv.MOBILE_NUMBER_ILLEGAL":
		return WhyDeadNumber
	case InBlack, "USER_REJECT", "isv.CUSTOMER_REFUSED", "isv.BLACK_KEY_CONTROL_LIMIT":
		return WhyRefused
	case "MOBLLE_TERMINAL_ERROR":
		return WhyHandset
	case "MOBILE_SEND_LIMIT", "isv.BUSINESS_LIMIT_CONTROL":
		return WhyTooMany
	case "isv.TEMPLATE_MISSING_PARAMETERS", "isv.INVALID_JSON_PARAM", "isv.PARAM_LENGTH_LIMIT", "isv.PARAM_NOT_SUPPORT_URL",
		"isv.TEMPLATE_PARAMS_ILLEGAL", "isv.UNSUPPORTED_CONTENT", "isv.SMS_CONTENT_ILLEGAL", "PARAMS_ILLEGAL":
		return WhyText
	case "", "unknown", "REQUEST_SUCCESS", "UNKNOWN", "UNKNOW":
		return WhyUnconfirmed
	}
	return WhyNotDelivered
}

// Unreached is somebody whom a campaign did not reach.
type Unreached struct {
	PersonID   int64
	Region     string // 12 digits: where they live
	CampaignID int64
	Campaign   string
	Why        UnreachedWhy
	Channel    Channel // the last that was tried; "" where none was
	Code       string  // the platform's, where it gave one
	At         time.Time
	Visit      VisitOutcome // the latest; "": nobody has been there
	VisitedAt  time.Time
}

// WhichUnreached is which part of a list is asked for.
type WhichUnreached string

// The parts: those whom a visit has not settled; all.
const (
	OpenUnreached WhichUnreached = "open"
	AllUnreached  WhichUnreached = "all"
)

// Has says whether somebody belongs to the part.
func (w WhichUnreached) Has(u Unreached) bool { return w == AllUnreached || !u.Visit.Settles() }

// UnreachedFrom is a place in a list: lists go by region, and within it by id. The zero value is the beginning.
type UnreachedFrom struct {
	Region   string
	PersonID int64
}

// UnreachedPage is a part of a list. It may be short, even empty, and not the last: whoever looks for few among very
// many reads so many and lets others have their turn.
type UnreachedPage struct {
	List []Unreached
	Next UnreachedFrom // zero at the end
}

// UnreachedFigures counts a campaign's list.
type UnreachedFigures struct {
	By      map[UnreachedWhy]int64
	LeftOut map[SkipReason]int64 // who isn't on the list, and why
	Open    int64                // whose rows are not at their end yet, in the whole campaign
	Visits  map[VisitOutcome]int64
	Settled int64        // of those on the list: a visit has settled it
	Places  []PlaceCount // by the places below the region, in the order of their codes
}

// Total is how many people are on the list.
func (f UnreachedFigures) Total() (n int64) {
	for _, count := range f.By {
		n += count
	}
	return n
}

// rowCodeLetters have none that looks like another: no 0 O, 1 I L, 2 Z, 5 S, 8 B, U V.
const rowCodeLetters = "ACDEFGHJKMNPQRTWXY34679"

// RowCode is what a worker reports back for a line of a printed list: the person's number in letters that can be read
// aloud, and one that tells a slip of the pen.
func RowCode(personID int64) string {
	var out []byte
	sum, base := int64(0), int64(len(rowCodeLetters))
	for place := int64(1); personID > 0 || len(out) < 3; place++ {
		digit := personID % base
		out = append(out, rowCodeLetters[digit])
		sum += digit * (place%(base-1) + 1)
		personID /= base
	}
	slices.Reverse(out)
	return string(append(out, rowCodeLetters[sum%base]))
}

// ReadRowCode gives the person's number back; ok is false where this is no row code, or a letter of it is another's.
func ReadRowCode(code string) (personID int64, ok bool) {
	code = strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, code))
	const most = 15 // 23^14 is more than any id
	if len(code) < 4 || len(code) > most {
		return 0, false
	}
	for _, letter := range []byte(code[:len(code)-1]) {
		digit := strings.IndexByte(rowCodeLetters, letter)
		if digit < 0 {
			return 0, false
		}
		personID = personID*int64(len(rowCodeLetters)) + int64(digit)
	}
	return personID, personID > 0 && RowCode(personID) == code
}
