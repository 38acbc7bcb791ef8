package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
)

const (
	peoplePageSize = 50
	foundLimit     = 20 // a search that finds more is no search
)

// peoplePage lists people of the visitor's region, masked, or those that a search found.
type peoplePage struct {
	frame
	Way    regionWay
	Region string
	People []personRow
	Found  bool   // the list is what a search found
	More   bool   // the search found more than are shown
	Next   string // address of the next page, empty at the end
	First  string // address of the first page, empty on it
}

// personRow is one person in a list.
type personRow struct {
	ID                 int64
	Name, IDNumber     string // masked
	Phone              string // masked, empty: none on file
	Sex                register.Sex
	Age                int
	Place              string
	Categories, Status string
}

func (v *visit) listPeople() error {
	q := v.r.URL.Query()
	page := peoplePage{frame: v.frame("people.title", "people"), Region: v.within(q.Get("region"))}
	var list []register.Person
	var err error
	if q.Has("found") {
		page.Found, page.More = true, q.Get("more") == "1"
		list, err = v.People.PeopleByID(v.ctx(), v.who.Scope(), foundIDs(q.Get("found")))
	} else {
		list, err = v.peoplePageOf(&page, q.Get("after"))
	}
	if err != nil {
		return err
	}
	if page.Way, err = v.regionWay(page.Region, "/console/people"); err != nil {
		return err
	}
	if page.People, err = v.personRows(list); err != nil {
		return err
	}
	detail := map[string]string{"region": page.Region, "count": strconv.Itoa(len(list))}
	if err := v.note(staff.DidList, "", detail); err != nil {
		return err
	}
	return v.render(http.StatusOK, "people", page)
}

// peoplePageOf reads one page by the last id of the page before.
func (v *visit) peoplePageOf(page *peoplePage, after string) ([]register.Person, error) {
	from, _ := strconv.ParseInt(after, 10, 64) // anything else is the first page
	scope := register.Scope{Prefix: page.Region}
	list, err := v.People.ListPeople(v.ctx(), scope, max(from, 0), peoplePageSize+1)
	if err != nil {
		return nil, err
	}
	if from > 0 {
		page.First = query("/console/people", "region", page.Region)
	}
	if len(list) > peoplePageSize {
		list = list[:peoplePageSize]
		page.Next = query("/console/people", "region", page.Region, "after", strconv.FormatInt(list[len(list)-1].ID, 10))
	}
	return list, nil
}

func (v *visit) personRows(list []register.Person) ([]personRow, error) {
	rows := make([]personRow, 0, len(list))
	places := map[string]string{}
	for _, p := range list {
		place, ok := places[p.RegionCode]
		if !ok {
			var err error
			if place, err = v.place(p.RegionCode); err != nil {
				return nil, err
			}
			places[p.RegionCode] = place
		}
		rows = append(rows, personRow{
			ID: p.ID, Name: maskName(p.Name), IDNumber: maskID(p.IDNumber), Phone: maskPhone(p.Phone),
			Sex: p.Sex, Age: ageOn(p.BirthDate, v.today()), Place: place, Categories: strings.Join(p.Categories, " · "),
			Status: notAlive(p.Status),
		})
	}
	return rows, nil
}

// notAlive is the status where it is worth a word.
func notAlive(s register.LifeStatus) string {
	if s == register.Alive {
		return ""
	}
	return string(s)
}

// foundIDs reads the ids that a search put into the address. The store still asks whether the visitor may see them.
func foundIDs(text string) []int64 {
	var ids []int64
	for part := range strings.SplitSeq(text, ",") {
		if id, err := strconv.ParseInt(part, 10, 64); err == nil && id > 0 && len(ids) < foundLimit && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// ageOn is the age in full years on a civil date, -1 where the birth date says nothing.
func ageOn(birth, today string) int {
	if len(birth) != 10 || len(today) != 10 {
		return -1
	}
	from, err1 := strconv.Atoi(birth[:4])
	to, err2 := strconv.Atoi(today[:4])
	if err1 != nil || err2 != nil {
		return -1
	}
	if today[5:] < birth[5:] {
		return to - from - 1
	}
	return to - from
}

func (v *visit) today() string { return v.Now().In(v.Location).Format("2006-01-02") }
