package console

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/lingjuli/lingjuli/internal/staff"
)

// revealReasons are the purposes for which a person's data may be asked for.
func revealReasons() []string { return []string{"call", "visit", "correct", "check"} }

// revealPerson writes the asking to the audit, then shows the person's page plain for a few minutes.
func (v *visit) revealPerson() error {
	if err := v.r.ParseForm(); err != nil {
		return formError(err)
	}
	record, err := v.record()
	if err != nil {
		return err
	}
	id := record.Person.ID
	reason := v.r.PostForm.Get("reason")
	if !slices.Contains(revealReasons(), reason) {
		reason = "unstated"
	}
	if err := v.note(staff.DidReveal, personObject(id), map[string]string{"reason": reason}); err != nil {
		return err
	}
	v.reveal(v.ctx(), id)
	return v.redirect(fmt.Sprintf("/console/people/%d", id))
}

// hidePerson masks the page again at once.
func (v *visit) hidePerson() error {
	id, err := v.pathID()
	if err != nil {
		return err
	}
	v.reveal(v.ctx(), 0)
	return v.redirect(fmt.Sprintf("/console/people/%d", id))
}

func personObject(id int64) string { return "person:" + strconv.FormatInt(id, 10) }
