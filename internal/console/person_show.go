package console

import (
	"net/http"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

const messagesShown = 30

// personPage is all that is on file of one person, masked unless the visitor revealed it just now.
type personPage struct {
	frame
	register.Record
	personFamily
	Name, IDNumber, Phone string // masked or plain
	Remark                string // empty while masked
	HasRemark             bool
	Age                   int
	Place                 string
	Revealed              time.Time // until when it is shown plain, zero: masked
	Messages              []notify.Received
}

func (v *visit) showPerson() error {
	record, err := v.record()
	if err != nil {
		return err
	}
	id := record.Person.ID
	page := personPage{frame: v.frame("person.title", "people"), Record: record, Revealed: v.revealedUntil(v.ctx(), id)}
	if page.Place, err = v.place(record.Person.RegionCode); err != nil {
		return err
	}
	if page.Messages, err = v.People.PersonMessages(v.ctx(), v.who.Scope(), id, messagesShown); err != nil {
		return err
	}
	if page.personFamily, err = v.personFamily(record); err != nil {
		return err
	}
	page.show(v)
	masked := "yes"
	if !page.Revealed.IsZero() {
		masked = "no"
	}
	if err := v.note(staff.DidLook, personObject(id), map[string]string{"masked": masked}); err != nil {
		return err
	}
	return v.render(http.StatusOK, "person", page)
}

// show fills what depends on whether the page is masked; what is masked must not reach the template at all.
func (p *personPage) show(v *visit) {
	person := &p.Person
	p.Age, p.HasRemark = ageOn(person.BirthDate, v.today()), person.Remark != ""
	if p.Revealed.IsZero() || !v.who.May(staff.RevealPerson, false) {
		p.Revealed = time.Time{}
		p.Name, p.IDNumber, p.Phone = maskName(person.Name), maskID(person.IDNumber), maskPhone(person.Phone)
		if len(person.BirthDate) >= 4 {
			person.BirthDate = person.BirthDate[:4]
		}
		for i := range p.Subsidies {
			p.Subsidies[i].Note = ""
		}
	} else {
		p.Name, p.IDNumber, p.Phone = person.Name, spacedID(person.IDNumber), string(person.Phone)
		p.Remark = person.Remark
	}
	person.Name, person.IDNumber, person.Phone, person.Remark = "", "", "", ""
}

// spacedID writes an ID number in groups that can be read out.
func spacedID(id register.IDNumber) string {
	digits := string(id)
	if len(digits) != 18 {
		return digits
	}
	return strings.Join([]string{digits[:6], digits[6:10], digits[10:14], digits[14:]}, " ")
}
