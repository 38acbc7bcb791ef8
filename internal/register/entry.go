package register

import (
	"context"
	"errors"
	"strings"
	"time"
)

// ErrNotFound: nobody with that id within the scope.
var ErrNotFound = errors.New("register: no such person")

// ErrConflict: somebody else changed it meanwhile.
var ErrConflict = errors.New("register: changed by somebody else")

// Kind is a kind of sheet.
type Kind string

// The kinds that can be imported.
const (
	KindPeople       Kind = "people"
	KindCover        Kind = "cover"
	KindPremiums     Kind = "premiums"
	KindSubsidies    Kind = "subsidies"
	KindBenefits     Kind = "benefits"
	KindPlacements   Kind = "placements"
	KindEmployers    Kind = "employers"
	KindJobs         Kind = "jobs"
	KindCourses      Kind = "courses"
	KindFairs        Kind = "fairs"
	KindSchools      Kind = "schools"
	KindPairs        Kind = "pairs"
	KindInstitutions Kind = "institutions"
	KindTiers        Kind = "tiers"
)

// Kinds lists the kinds in an order in which a county's sheets can be imported.
func Kinds() []Kind {
	return []Kind{
		KindPeople, KindCover, KindPremiums, KindSubsidies, KindBenefits, KindPlacements, KindEmployers, KindJobs, KindCourses,
		KindFairs, KindSchools, KindPairs, KindInstitutions, KindTiers,
	}
}

// Entry is one row of a sheet, read and checked as far as the row alone allows. Exactly one of the pointers is set.
// Inside, what a row does not give is the zero value, or -1 for amounts that may be missing: it changes nothing on file.
type Entry struct {
	Row      int
	IDNumber IDNumber // people, and what is about one: cover, premiums, subsidies, benefits, placements
	Name     string   // in the form of NormaliseName; "" where the sheet of what is about a person has none
	Place    Place    // people, jobs, courses, fairs, pairs, institutions, tiers
	Person   *Person
	Cover    *Cover
	Premium  *Premium
	Subsidy  *Subsidy
	Job      *Job
	Course   *Course

	Benefit     *Benefit
	Placement   *Placement
	Employer    *Employer
	Fair        *Fair
	School      *School
	Pair        *Pair
	Institution *Institution
	Tier        *Tier
}

// Batch is what is written in one transaction: at most MaxBatch entries of one kind, no two of them the same row.
type Batch struct {
	Kind    Kind
	Entries []Entry
	Within  string    // prefix of regions; entries outside it are refused. "" the whole province
	DryRun  bool      // do it all, then undo it
	At      time.Time // when
}

// MaxBatch bounds a batch: the write lock may not be held for more than 200 ms.
const MaxBatch = 500

// Outcome is what became of an entry.
type Outcome int

// The outcomes.
const (
	Refused Outcome = iota
	Added
	Changed
	Same
)

// Result is what became of one entry of a batch.
type Result struct {
	Outcome    Outcome
	Reason     Reason // of Refused
	KeptByHand bool   // a value corrected by hand stands against the sheet's
	Household  string // people: the key of the household, of which a phone may have only two
}

// Sink takes what an import has read. The store implements it.
type Sink interface {
	// ImportBatch writes the entries and says what became of each, in their order.
	ImportBatch(ctx context.Context, b Batch) ([]Result, error)
	// PhoneHouseholds lists the keys of the households on file for each of the phones; a person in none of them
	// counts as one.
	PhoneHouseholds(ctx context.Context, phones []Phone) (map[Phone][]string, error)
}

// Reason is why a row was refused or warned about, as reports write it.
type Reason string

// The reasons of refused rows. RequiredMissing and ValueInvalid are followed by ":COLUMN".
const (
	IDMissing       Reason = "id_missing"
	IDInvalid       Reason = "id_invalid"
	IDMangled       Reason = "id_mangled"
	NameMissing     Reason = "name_missing"
	DuplicateInFile Reason = "duplicate_in_file"
	NameConflict    Reason = "name_conflict"
	PersonUnknown   Reason = "person_unknown"
	RegionUnknown   Reason = "region_unknown"
	RegionOutside   Reason = "region_outside"
	RequiredMissing Reason = "required_missing"
	ValueInvalid    Reason = "value_invalid"
)

// The reasons of warnings: the row is taken.
const (
	PhoneMissing  Reason = "phone_missing"
	PhoneInvalid  Reason = "phone_invalid"
	PhoneLandline Reason = "phone_landline"
	PhoneShared   Reason = "phone_shared"
	IDNormalised  Reason = "id_normalised"
	DateOpen      Reason = "date_open"
	NumberOpen    Reason = "number_open"
	AsksForMoney  Reason = "asks_for_money"
	KeptByHand    Reason = "kept_by_hand"
)

// sharedBy is how many households make a phone nobody's.
const sharedBy = 3

// HouseholdKey names the household that a person belongs to, "" where they stand alone. A 户编号 of eight characters
// and more is unique in the province; a shorter one counts within its village. Without one, the people of a village
// with the same phone are a household; phone is a token that tells phones apart and is no phone itself, "" for none.
func HouseholdKey(householdNo, region, phone string) string {
	switch {
	case len(householdNo) >= 8:
		return "n:" + householdNo
	case householdNo != "":
		return "n:" + region + ":" + householdNo
	case phone != "":
		return "p:" + region + ":" + phone
	}
	return ""
}

// JoinList writes a list the way a column holds it: |a|b|, "" for an empty one.
func JoinList(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return "|" + strings.Join(list, "|") + "|"
}

// SplitList is the reverse of JoinList.
func SplitList(text string) []string {
	text = strings.Trim(text, "|")
	if text == "" {
		return nil
	}
	return strings.Split(text, "|")
}
