package notify

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"

	"github.com/lingjuli/lingjuli/internal/hanzi"
	"github.com/lingjuli/lingjuli/internal/register"
)

// Topics says of what the texts of a campaign speak besides the person, and by what the campaign chooses it.
//
//   - Due: the unpaid premium whose deadline is nearest, of the insurance that the parameter `insurance` names, else of
//     the one that the audience asks about, else of any.
//   - Subsidy: the application that changed last, of the kind that the parameter `subsidy` names, else of any.
//   - Job, Course: the one that the parameter `job` or `course` names by id or name, and of several of a name the one
//     nearest to the person; else the newest posting, or the next course to begin, that is open in the person's
//     township, else county, else the whole province. What is closed, or held for staff, is offered to nobody.
type Topics struct {
	Due, Subsidy, Job, Course          bool
	Insurance                          register.Insurance // "": any
	SubsidyKind, JobNamed, CourseNamed string
}

// Any says whether there is anything to look up.
func (t Topics) Any() bool { return t.Due || t.Subsidy || t.Job || t.Course }

// About is what is on file for one person of the campaign's topics; nil: nothing.
type About struct {
	Premium *register.Premium
	Subsidy *register.Subsidy
	Job     *register.Job
	Course  *register.Course
}

// Lacks says whether something of which the texts speak is not there for this person.
func (t Topics) Lacks(a About) bool {
	return t.Due && a.Premium == nil || t.Subsidy && a.Subsidy == nil || t.Job && a.Job == nil || t.Course && a.Course == nil
}

// topicName finds a topic at the head of a name: .Due.Amount, but not .Params.Due.
var topicName = regexp.MustCompile(`[^A-Za-z0-9_)]\.(Due|Subsidy|Job|Course)\b`)

// TopicsOf reads them from a campaign and its template.
func TopicsOf(s Spec, t Template) Topics {
	used := map[string]bool{}
	for _, text := range t.texts() {
		for _, m := range topicName.FindAllStringSubmatch(text, -1) {
			used[m[1]] = true
		}
	}
	topics := Topics{
		Due: used["Due"], Subsidy: used["Subsidy"], Job: used["Job"], Course: used["Course"],
		SubsidyKind: s.Params["subsidy"], JobNamed: s.Params["job"], CourseNamed: s.Params["course"],
	}
	if insurance, known := register.InsuranceOf(s.Params["insurance"]); known {
		topics.Insurance = insurance
		return topics
	}
	for _, field := range s.Audience.Fields() {
		name, _, _ := strings.Cut(field, ".")
		insurance, known := register.InsuranceOf(name)
		switch {
		case !known || insurance == topics.Insurance:
		case topics.Insurance != "":
			topics.Insurance = ""
			return topics // the audience asks about several
		default:
			topics.Insurance = insurance
		}
	}
	return topics
}

// texts lists every text of the template that is filled for a person.
func (t Template) texts() []string {
	var list []string
	add := func(texts map[string]string) {
		for _, text := range texts {
			list = append(list, text)
		}
	}
	if t.SMS != nil {
		add(t.SMS.Params)
	}
	if t.Voice != nil {
		add(t.Voice.Params)
	}
	if t.WeChat != nil {
		add(t.WeChat.Fields)
		list = append(list, t.WeChat.Page, t.WeChat.Text)
	}
	return list
}

// DueData is .Due. Amounts are in yuan, "" where not given; ToPay is what the person pays themselves.
type DueData struct{ Insurance, Year, Amount, Self, Subsidy, ToPay, Deadline, State string }

// SubsidyData is .Subsidy.
type SubsidyData struct{ Kind, State, Amount, AppliedOn, StateOn, Note, Office, Phone string }

// JobData is .Job.
type JobData struct {
	Employer, Title, Kind, Headcount, Place, WageMin, WageMax, Demands, Contact, Phone, ClosesOn, City string
}

// CourseData is .Course.
type CourseData struct{ Name, Trade, Provider, Place, StartsOn, EndsOn, Places, Allowance, Mode, Phone, JobTitle string }

// addTo puts what is on file where texts find it.
func (a About) addTo(d Data) {
	say := hanzi.Simplify // platforms refuse Traditional characters
	if p := a.Premium; p != nil {
		d["Due"] = DueData{
			p.Insurance.Word(), strconv.Itoa(p.Year), yuan(p.DueFen), yuan(p.SelfFen), yuan(p.SubsidyFen), yuan(p.ToPayFen()),
			register.SayDate(p.Deadline), p.State.Word(),
		}
	}
	if s := a.Subsidy; s != nil {
		d["Subsidy"] = SubsidyData{
			say(s.Kind), s.State.Word(), yuan(s.AmountFen), register.SayDate(s.AppliedOn), register.SayDate(s.StateOn),
			say(s.Note), say(s.Office), s.OfficePhone,
		}
	}
	if j := a.Job; j != nil {
		d["Job"] = JobData{
			say(j.Employer), say(j.Title), j.Kind, count(j.Headcount), say(j.Place), yuan(j.WageMinFen), yuan(j.WageMaxFen),
			say(j.Demands), say(j.Contact), j.ContactPhone, register.SayDate(j.ClosesOn), say(j.SourceCity),
		}
	}
	if c := a.Course; c != nil {
		d["Course"] = CourseData{
			say(c.Name), say(c.Trade), say(c.Provider), say(c.Place), register.SayDate(c.StartsOn), register.SayDate(c.EndsOn),
			count(c.Places), yuan(c.AllowanceFen), c.Mode, c.Phone, say(c.JobTitle),
		}
	}
}

// yuan writes fen as yuan without needless digits.
func yuan(fen int64) string {
	switch {
	case fen < 0:
		return ""
	case fen%100 == 0:
		return strconv.FormatInt(fen/100, 10)
	}
	return fmt.Sprintf("%d.%02d", fen/100, fen%100)
}

func count(n int) string {
	if n < 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// checkNames says which name of a text stands for nothing, as far as that can be known before a person is at hand.
func checkNames(t *template.Template) error {
	tops := map[string]reflect.Type{
		"Person": reflect.TypeFor[PersonData](), "Due": reflect.TypeFor[DueData](), "Subsidy": reflect.TypeFor[SubsidyData](),
		"Job": reflect.TypeFor[JobData](), "Course": reflect.TypeFor[CourseData](), "Params": nil, "Office": nil, "Check": nil,
	}
	for _, name := range namesIn(t.Root) {
		of, known := tops[name[0]]
		switch {
		case !known:
			return fmt.Errorf(".%s is unknown; there are .Person .Params .Due .Course .Job .Subsidy .Office .Check", name[0])
		case of == nil || len(name) < 2:
		default:
			if _, has := of.FieldByName(name[1]); !has {
				return fmt.Errorf(".%s.%s is unknown; .%s has %s", name[0], name[1], name[0], fieldsOf(of))
			}
		}
	}
	return nil
}

func fieldsOf(t reflect.Type) string {
	var names []string
	for f := range t.Fields() {
		names = append(names, f.Name)
	}
	return strings.Join(names, " ")
}

// namesIn lists the names that a text's plain actions begin with. What stands within with, range and template may mean
// anything, and is left alone.
func namesIn(list *parse.ListNode) (names [][]string) {
	if list == nil {
		return nil
	}
	for _, node := range list.Nodes {
		action, ok := node.(*parse.ActionNode)
		if !ok {
			continue
		}
		for _, command := range action.Pipe.Cmds {
			for _, arg := range command.Args {
				if field, ok := arg.(*parse.FieldNode); ok {
					names = append(names, field.Ident)
				}
			}
		}
	}
	return names
}
