package register

import "time"

// Sex as the ID number gives it.
type Sex string

// The two values of Sex; empty is unknown.
const (
	Male   Sex = "male"
	Female Sex = "female"
)

// LifeStatus says whether a person still lives in the county.
type LifeStatus string

// The values of 人员状态.
const (
	Alive    LifeStatus = "alive"
	Deceased LifeStatus = "deceased"
	MovedOut LifeStatus = "moved_out"
)

// Tri is a yes/no that may be unknown.
type Tri int8

// The values of Tri. In the database: -1 no, 0 unknown, 1 yes.
const (
	No      Tri = -1
	Unknown Tri = 0
	Yes     Tri = 1
)

// Person is one individual on file. Name, IDNumber and Phone are personal data: sealed at rest,
// masked by their String methods.
type Person struct {
	ID              int64
	Name            string
	IDNumber        IDNumber
	Phone           Phone  // empty: none on file; may be a landline
	RegionCode      string // 12 digits; a county's has six zeros behind it
	HouseholdNo     string // 户编号, empty: not given
	HeadRelation    string // 与户主关系, as written
	BirthDate       string // 2006-01-02
	Sex             Sex
	Categories      []string // 人员类别, canonical words
	Education       string
	Student         string
	School          string
	GraduatedOn     string
	Skills          []string
	Labour          string
	WantsWork       Tri
	WantsTraining   Tri
	WantsBusiness   Tri
	Employment      string
	Employer        string
	PlacedOn        string
	Status          LifeStatus
	DisabilityLevel int // 1..4, 0: none or unknown
	DisabilityKind  string
	Health          string
	Language        string   // 普通话/粤语/客家话/潮汕话 as canonical word
	Remark          string   // free text, sealed
	HandFields      []string // columns corrected by hand, as Merge names them; an import keeps them
	UpdatedAt       time.Time
}

// Cover is one person's enrolment in one insurance for one year.
type Cover struct {
	PersonID     int64
	Insurance    Insurance
	Year         int
	State        CoverState
	EnrolledOn   string
	BenefitState string // 待遇状态 in the import's canonical words, empty: not given
	Place        string
}

// Insurance is the kind of social insurance.
type Insurance string

// The two insurances of the plan.
const (
	Medical Insurance = "medical" // 城乡居民医保
	Pension Insurance = "pension" // 城乡居民养老
)

// CoverState is 参保状态.
type CoverState string

// The values of CoverState.
const (
	Enrolled    CoverState = "enrolled"
	NotEnrolled CoverState = "not_enrolled"
	Stopped     CoverState = "stopped"
)

// Premium is what one person owes, or owed, for one insurance and year. Amounts in fen.
type Premium struct {
	PersonID   int64
	Insurance  Insurance
	Year       int
	DueFen     int64 // 应缴金额
	SelfFen    int64 // 个人缴费, -1: not given
	SubsidyFen int64 // 财政资助, -1: not given
	Deadline   string
	State      PremiumState
	PaidOn     string
}

// PremiumState is 缴费状态.
type PremiumState string

// The values of PremiumState.
const (
	Paid       PremiumState = "paid"
	Unpaid     PremiumState = "unpaid"
	PartlyPaid PremiumState = "partly_paid"
)

// Subsidy is one application for one subsidy. Amount in fen, -1: not given.
type Subsidy struct {
	PersonID    int64
	Kind        string // 补贴项目 as written
	AppliedOn   string
	State       SubsidyState
	AmountFen   int64
	StateOn     string
	Note        string
	Office      string
	OfficePhone string
}

// SubsidyState is where an application stands.
type SubsidyState string

// The values of SubsidyState.
const (
	Received   SubsidyState = "received"   // 已受理
	Reviewing  SubsidyState = "reviewing"  // 审核中
	Publicised SubsidyState = "publicised" // 公示中
	Approved   SubsidyState = "approved"   // 已批准
	PaidOut    SubsidyState = "paid_out"   // 已发放
	Returned   SubsidyState = "returned"   // 已退回
)

// Job is one posting. Wages in fen a month, -1: not given. Headcount -1: open (若干, 不限).
type Job struct {
	ID           int64
	Employer     string
	Title        string
	Kind         string // canonical: 企业/扶贫车间/公益性岗位/就业见习/基层岗位
	Headcount    int
	Place        string
	RegionCode   string
	WageMinFen   int64
	WageMaxFen   int64
	Demands      string
	Contact      string
	ContactPhone string
	ClosesOn     string
	SourceCity   string
	Held         bool // a posting that asks for money waits for staff
}

// Course is one training. Allowance in fen, -1: not given. Places -1: open.
type Course struct {
	ID           int64
	Name         string
	Trade        string
	Provider     string
	Place        string
	RegionCode   string
	StartsOn     string
	EndsOn       string
	Places       int
	AllowanceFen int64
	Mode         string // 面授/送教下乡/远程
	Phone        string
	JobTitle     string // 对应岗位
}

// Record is all that a person's cover, premiums and subsidies say, for flows and eligibility.
type Record struct {
	Person     Person
	Covers     []Cover
	Premiums   []Premium
	Subsidies  []Subsidy
	Placements []Placement // the latest first
	Services   []Service
	Household  Household
	Contact    Contact
}

// Service says that a person was given one of the services of Services at least once in a year.
type Service struct {
	Name string
	Year int
}

// Household figures of the person's household, themselves included.
type Household struct {
	Size     int
	Employed int
	Pupils   int
}

// Contact is how the person can be reached just now.
type Contact struct {
	WeChatBound      bool
	WeChatSubscribed bool
	OptedOut         bool
	LastReachedAt    time.Time // zero: never
}
