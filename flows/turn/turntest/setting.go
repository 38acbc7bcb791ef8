package turntest

import (
	"cmp"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
)

// Person is one person on file, as a golden file tells it.
type Person struct {
	Name      string    `yaml:"name"`
	ID        string    `yaml:"id"`
	Phone     string    `yaml:"phone"`
	Region    string    `yaml:"region"`
	Household string    `yaml:"household"`
	Bound     string    `yaml:"bound"` // the openid that is bound to them
	Deceased  bool      `yaml:"deceased"`
	Doubted   bool      `yaml:"doubted"` // the number may be somebody else's by now
	Covers    []Cover   `yaml:"covers"`
	Premiums  []Premium `yaml:"premiums"`
	Subsidies []Subsidy `yaml:"subsidies"`
}

// Cover is one row of cover.
type Cover struct {
	Insurance, State, Benefit string
	Year                      int
}

// Premium is one row of premiums, in yuan.
type Premium struct {
	Insurance, State, Deadline string
	Year, Due                  int
	Self, Subsidy              *int
}

// Subsidy is one row of subsidies, in yuan.
type Subsidy struct {
	Kind, State, Applied, On, Note, Office, Phone string
	Amount                                        int
}

// Record is the person as the register knows them.
func (p Person) Record(id int64) register.Record {
	r := register.Record{Person: register.Person{
		ID: id, Name: p.Name, IDNumber: register.IDNumber(p.ID), Phone: register.Phone(p.Phone), RegionCode: p.Region,
		HouseholdNo: p.Household, BirthDate: register.IDNumber(p.ID).BirthDate(), Sex: register.IDNumber(p.ID).Sex(),
		Status: register.Alive,
	}}
	if p.Deceased {
		r.Person.Status = register.Deceased
	}
	for _, c := range p.Covers {
		r.Covers = append(r.Covers, register.Cover{
			PersonID: id, Insurance: register.Insurance(c.Insurance), Year: c.Year, State: register.CoverState(c.State), BenefitState: c.Benefit,
		})
	}
	fen := func(yuan *int) int64 {
		if yuan == nil {
			return -1
		}
		return int64(*yuan) * 100
	}
	for _, q := range p.Premiums {
		r.Premiums = append(r.Premiums, register.Premium{
			PersonID: id, Insurance: register.Insurance(q.Insurance), Year: q.Year, DueFen: int64(q.Due) * 100,
			SelfFen: fen(q.Self), SubsidyFen: fen(q.Subsidy), Deadline: q.Deadline, State: register.PremiumState(q.State),
		})
	}
	for _, s := range p.Subsidies {
		amount := int64(-1)
		if s.Amount > 0 {
			amount = int64(s.Amount) * 100
		}
		r.Subsidies = append(r.Subsidies, register.Subsidy{
			PersonID: id, Kind: s.Kind, AppliedOn: s.Applied, State: register.SubsidyState(s.State), AmountFen: amount,
			StateOn: s.On, Note: s.Note, Office: s.Office, OfficePhone: s.Phone,
		})
	}
	return r
}

// Setting is what a conversation begins with.
type Setting struct {
	Now     time.Time    `yaml:"now"`
	Channel turn.Channel `yaml:"channel"`
	Who     string       `yaml:"who"`
	People  []Person     `yaml:"people"`

	Doors []Door `yaml:"doors"`

	Sheets map[register.Kind]string `yaml:"sheets"` // what else is on file, as it would be imported
	Mail   []Mail                   `yaml:"mail"`   // what campaigns sent; for a store in memory
}

// Mail is one message of a campaign. Its template's text has variables as ${name}; the text is as it went.
type Mail struct {
	To       int64 // which of the people, from 1
	Subject  string
	Kind     string // of the campaign
	Template string
	Text     string
	Check    string
	At       time.Time
	Changed  bool  // what it speaks of has changed on file since
	Course   int64 // what it invites to, by place in the sheet, from 1
	Job      int64 // or which posting it is about
}

// Sent is the message as a store tells it.
func (m Mail) Sent() register.Sent {
	return register.Sent{PersonID: m.To, Name: m.Subject, Kind: cmp.Or(m.Kind, "service_notice"), Content: m.Template, Texts: []string{m.Text}, Check: m.Check, At: m.At, Changed: m.Changed, CourseID: m.Course, JobID: m.Job}
}

// Door is a one-time code of the doorstep, made when the conversation begins.
type Door struct {
	Scene  string        `yaml:"scene"`
	Person int64         `yaml:"person"` // by place in the list, from 1
	Life   time.Duration `yaml:"life"`

	// For a proxy instead of a binding.
	Relation string   `yaml:"relation"`
	Scope    []string `yaml:"scope"`
	Until    string   `yaml:"until"`
}

// Terms are those of the code; whoever agreed said so.
func (d Door) Terms() register.DoorTerms {
	if d.Relation == "" {
		return register.DoorTerms{}
	}
	return register.DoorTerms{Relation: d.Relation, Scope: d.Scope, EndsOn: d.Until, Consent: register.ConsentSpoken}
}
