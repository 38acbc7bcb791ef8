package console

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
)

// findPeople searches by exact name, ID number or phone. It is a POST because what is searched for may not
// stand in an address; the redirect carries ids alone.
func (v *visit) findPeople() error {
	if err := v.r.ParseForm(); err != nil {
		return formError(err)
	}
	by, sought := soughtAs(v.r.PostForm.Get("sought"))
	var list []register.Person
	var err error
	switch by {
	case "id_number":
		list, err = v.People.FindPeople(v.ctx(), v.who.Scope(), "", register.IDNumber(sought), "", foundLimit+1)
	case "phone":
		list, err = v.People.FindPeople(v.ctx(), v.who.Scope(), "", "", register.Phone(sought), foundLimit+1)
	case "name":
		list, err = v.People.FindPeople(v.ctx(), v.who.Scope(), sought, "", "", foundLimit+1)
	}
	if err != nil {
		return err
	}
	if err := v.note(staff.DidSearch, "", map[string]string{"by": by, "found": strconv.Itoa(len(list))}); err != nil {
		return err
	}
	if len(list) == 1 {
		return v.redirect("/console/people/" + strconv.FormatInt(list[0].ID, 10))
	}
	return v.redirect(foundAddress(list))
}

// foundAddress lists what was found, be it nobody.
func foundAddress(list []register.Person) string {
	more := ""
	if len(list) > foundLimit {
		list, more = list[:foundLimit], "1"
	}
	ids := make([]string, 0, len(list))
	for _, p := range list {
		ids = append(ids, strconv.FormatInt(p.ID, 10))
	}
	if len(ids) == 0 {
		return "/console/people?found=0"
	}
	return query("/console/people", "found", strings.Join(ids, ","), "more", more)
}

// soughtAs tells by its form what was typed: 18 characters of an ID number, a telephone's digits, or a name.
func soughtAs(text string) (by, sought string) {
	text = strings.TrimSpace(text)
	bare := strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "\u3000", "").Replace(text))
	switch {
	case text == "":
		return "", ""
	case regexp.MustCompile(`^[0-9]{17}[0-9X]$`).MatchString(bare):
		return "id_number", bare
	case regexp.MustCompile(`^\+?[0-9]{7,14}$`).MatchString(bare):
		return "phone", bare
	}
	return "name", text
}
