package turn

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/internal/register"
)

// courses looks for courses by mode: near, remote, order (with work at the end), or by the person's own words.
func (t *oneTurn) courses(with map[string]string) (f flows.Facts, err error) {
	q := register.CourseSearch{Today: t.today(), Near: t.home(), Offset: int(number(with["offset"]))}
	sought := "" // in their own words
	switch with["mode"] {
	case "near":
		q.Remote, q.Within = register.No, prefixOf(t.region)
	case "remote":
		q.Remote = register.Yes
	case "order":
		q.ForJob = true
	case "words":
		wanted := t.s.engine.Book().Settings().Search(with["words"])
		if q.Keywords, q.Places = wanted.Words, wanted.Places; len(q.Keywords)+len(q.Places) == 0 {
			return flows.Facts{Vars: pageOf(0, 0)}, nil
		}
		sought = wanted.String()
	}
	page, err := t.tx.Courses(q)
	eased := ""
	if err == nil && page.Total == 0 && len(q.Places) > 0 && len(q.Keywords) > 0 {
		wider := q
		wider.Places, eased = nil, "place"
		page, err = t.tx.Courses(wider)
	}
	if err != nil {
		return f, err
	}
	for _, c := range page.Courses {
		item := map[string]string{"id": strconv.FormatInt(c.ID, 10), "name": c.Name, "place": c.Place, "starts": c.StartsOn}
		if c.Remote() {
			item["remote_key"], item["place"] = "training.by_phone", ""
		}
		f.Items = append(f.Items, item)
	}
	f.Vars = pageOf(page.Total, page.Next)
	f.Vars["sought"], f.Vars["eased"] = sought, eased
	if q.Offset > 0 || page.Total == 0 {
		f.Vars["eased"] = ""
	}
	return f, nil
}

func (t *oneTurn) course(id int64) (found, error) {
	c, err := t.tx.Course(id)
	if errors.Is(err, register.ErrNotFound) {
		return found{"found": "no"}, nil
	}
	if err != nil {
		return nil, err
	}
	v := found{
		"found": "yes", "name": c.Name, "provider": c.Provider, "place": c.Place, "starts": c.StartsOn, "ends": c.EndsOn,
		"allowance": yuan(c.AllowanceFen), "tel": c.Phone, "job": c.JobTitle, "mine": "", "room": "open", "free": "", "waiting": "",
	}
	if c.Remote() {
		v["place"] = ""
	}
	switch left := c.Left(); {
	case c.StartsOn != "" && c.StartsOn < t.today():
		v["room"] = "begun"
	case left == 0 || left > 0 && c.Waiting > 0:
		v["room"], v["waiting"] = "full", itoa(c.Waiting)
	case left > 0:
		v["room"], v["free"] = "free", itoa(left)
	}
	signUps, err := t.tx.SignUps(t.personID)
	for _, s := range signUps {
		if s.CourseID == id && s.State.Open() {
			v["mine"] = string(s.State)
		}
	}
	return v, err
}

func (t *oneTurn) signUp(id int64) (found, error) {
	s, err := t.tx.SignUp(id, t.personID)
	if errors.Is(err, register.ErrNotFound) {
		return found{"signed": "gone"}, nil
	}
	if err != nil {
		return nil, err
	}
	v := found{
		"signed": "yes", "turn": itoa(s.Ahead + 1), "name": s.Course.Name, "starts": s.Course.StartsOn, "place": s.Course.Place, "tel": s.Course.Phone,
	}
	switch {
	case s.State == register.SignUpWaiting:
		v["signed"] = "waiting"
	case s.Already:
		v["signed"] = "again"
	}
	return v, nil
}

// myCourses lists what somebody is signed up for or waits for.
func (t *oneTurn) myCourses() (f flows.Facts, err error) {
	list, err := t.tx.SignUps(t.personID)
	for _, s := range list {
		if s.CourseID == 0 || s.State != register.SignUpTaken && s.State != register.SignUpWaiting || len(f.Items) == coursesShown {
			continue
		}
		f.Items = append(f.Items, map[string]string{
			"id": strconv.FormatInt(s.CourseID, 10), "name": s.Course.Name, "starts": s.Course.StartsOn, "state_key": "state." + string(s.State),
		})
	}
	f.Vars = found{"found": yesNo(len(f.Items) > 0)}
	return f, err
}

const coursesShown = 4

// leaveCourse gives a place back. Whoever moves up hears of it in the hours in which people are written to.
func (t *oneTurn) leaveCourse(id int64) (found, error) {
	c, err := t.tx.Course(id)
	if errors.Is(err, register.ErrNotFound) {
		return found{"left": "no", "name": ""}, nil
	}
	if err != nil {
		return nil, err
	}
	was, err := t.tx.LeaveCourse(id, t.personID)
	return found{"left": yesNo(was != ""), "name": c.Name}, err
}

// PlaceCameFree is the text that tells somebody who waited for a course that they have a place.
const PlaceCameFree = "reply_moved_up"

// movedUpLife is how long the news of a place is worth sending.
const movedUpLife = 24 * time.Hour

// NewsOfPlace tells somebody who waited that they have a place now: by SMS, for they may have come in by that.
func (s *Service) NewsOfPlace(m register.MovedUp, at time.Time) Message {
	return Message{
		Kind: Reply, Template: PlaceCameFree, Phone: m.Phone, PersonID: m.PersonID, At: at, Expires: at.Add(movedUpLife),
		Params: map[string]string{"date": s.dateDigits(m.Course.StartsOn), "phone": s.callCourse(m.Course)},
	}
}

// callCourse is whom to call about a course.
func (s *Service) callCourse(c register.Course) string {
	if c.Phone != "" && len(c.Phone) <= 15 {
		return c.Phone
	}
	return s.engine.Book().Line("work", "")
}

// dateDigits writes a civil date for an SMS; where there is none it says so.
func (s *Service) dateDigits(date string) string {
	if len(date) != len(time.DateOnly) {
		return s.engine.Book().Settings().Words["date_open"]
	}
	return strings.ReplaceAll(date, "-", "/")
}

func (t *oneTurn) wishCourse(trade string) (found, error) {
	s, err := t.tx.WishCourse(t.personID, trade)
	if s.Already {
		return found{"wished": "again"}, err
	}
	return found{"wished": "yes"}, err
}
