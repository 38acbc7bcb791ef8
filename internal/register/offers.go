package register

import "strings"

// Employer is one enterprise or public body that gives work.
type Employer struct {
	ID         int64
	Name       string
	CreditCode string
	Place      string
	Contact    string
	Phone      string
}

// Fair is one job fair. HeldOn is empty where the day is still open.
type Fair struct {
	ID         int64
	Name       string
	HeldOn     string
	Place      string
	RegionCode string
	Host       string
	Phone      string
}

// School is a technical school.
type School struct {
	ID        int64
	Name      string
	Place     string
	Subjects  string
	Phone     string
	Admission string // when it takes pupils, as written
	Paired    bool   // with the county that was asked about
}

// Pair is one who helps a county: a city of the Pearl River Delta, or a technical school.
type Pair struct {
	ID         int64
	Giver      string // as written
	County     string
	RegionCode string   // of the county, or of a whole city
	Kind       PairKind // "": not given; Is tells
}

// PairKind is the kind of a pair.
type PairKind string

// The kinds of pairs.
const (
	PairCity   PairKind = "city"   // 对口城市
	PairSchool PairKind = "school" // 技工院校
)

// Is tells the kind of a pair, from the giver's name where the sheet gives none.
func (p Pair) Is() PairKind {
	if p.Kind != "" {
		return p.Kind
	}
	if _, school := vocabulary()[wordSchoolName].within(p.Giver); school {
		return PairSchool
	}
	return PairCity
}

// City names the city of a giver the way postings do, and the prefix of its region codes, "" outside Guangdong.
func (p Pair) City() (name, prefix string) {
	giver := strings.TrimPrefix(squeeze(p.Giver), PlaceName("44"))
	if city := longestPrefix(giver, gazetteer().cities); city != "" {
		return stem(city), trimZeros(pad(gazetteer().cities[city]))
	}
	return stem(giver), ""
}

// Institution is a place people go to: a hospital, a pharmacy, an office, a practice base.
type Institution struct {
	ID         int64
	Name       string
	Kind       string // canonical: 医院/卫生院/药店/经办机构/实训基地
	Place      string
	RegionCode string
	Phone      string
	Remote     Tri // settles directly for people insured elsewhere
}

// Tier is one step of what an insurance pays back. Amounts in fen, -1: not given, or open above. Percent in hundredths
// of a per cent, -1: not given.
type Tier struct {
	ID            int64
	Item          string
	Region        string // as written
	RegionCode    string
	Year          int
	Group         string // "": everybody
	DeductibleFen int64
	FromFen       int64
	ToFen         int64
	Percent       int
	Source        string
	PublishedOn   string
}

// Benefit is what an insurance paid a person in one month. Amount in fen, -1: not given.
type Benefit struct {
	PersonID  int64
	Insurance Insurance
	Item      string
	Month     string // 2026-11
	AmountFen int64
	State     BenefitState
	PaidOn    string
}

// BenefitState is 发放状态.
type BenefitState string

// The values of BenefitState.
const (
	BenefitPaid      BenefitState = "paid"      // 已发放
	BenefitPending   BenefitState = "pending"   // 待发放
	BenefitFailed    BenefitState = "failed"    // 发放失败
	BenefitSuspended BenefitState = "suspended" // 暂停
)

// Word is the state in the words of the import.
func (s BenefitState) Word() string { return wordOf(wordPayoutState, string(s)) }

// Placement is one work that a person was led to.
type Placement struct {
	PersonID int64
	Employer string
	PlacedOn string
	Title    string
	Place    string
	LeftOn   string // "": still there, as far as we know
}

// About says what a subsidy is for: training, school, internship, work, startup, disability, or other.
func (s Subsidy) About() string {
	if about, known := vocabulary()[wordSubsidyAbout].within(s.Kind); known {
		return about
	}
	return "other"
}

// LastMove is when an application last moved, or was made.
func (s Subsidy) LastMove() string { return max(s.StateOn, s.AppliedOn) }

// NewerSubsidy orders applications by their last move, the newest first.
func NewerSubsidy(a, b Subsidy) int { return strings.Compare(b.LastMove(), a.LastMove()) }
