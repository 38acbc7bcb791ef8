package console

import (
	"strconv"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// findRowCode leads from the code of a printed line to the person, if they are the visitor's to see.
func (v *visit) findRowCode() error {
	if err := v.r.ParseForm(); err != nil {
		return formError(err)
	}
	id, ok := notify.ReadRowCode(v.r.PostForm.Get("code"))
	if ok {
		list, err := v.People.PeopleByID(v.ctx(), v.who.Scope(), []int64{id})
		if err != nil {
			return err
		}
		ok = len(list) == 1
	}
	found := 0
	if ok {
		found = 1
	}
	if err := v.note(staff.DidSearch, "", map[string]string{"by": "row_code", "found": strconv.Itoa(found)}); err != nil {
		return err
	}
	if !ok {
		return v.redirect("/console/unreached?nobody=1")
	}
	return v.redirect("/console/people/" + strconv.FormatInt(id, 10))
}
