package turn

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/internal/register"
)

// Whose matter it is. One account stands for its own person and for those who agreed that it looks after theirs; by SMS
// a number stands for those on file with it.

// whoseKept is how long it is remembered whose matter was talked of.
const whoseKept = 30 * time.Minute

// family reads whose matters this openid looks after, and what it has not heard yet of them and of its own person.
func (t *oneTurn) family() error {
	if t.in.Kind == Unfollow || t.in.Kind == ConsentSeen {
		return nil
	}
	if err := errors.Join(t.readMine(), t.hearLoss()); err != nil {
		return err
	}
	news, err := t.tx.ProxyNews(t.self)
	if err != nil {
		return err
	}
	asks := len(only(news, asked))
	for _, n := range news {
		if asked(n) {
			if asks--; asks > 0 { // the list has them all
				continue
			}
		}
		t.news = append(t.news, newsOf(n))
	}
	return nil
}

// asked says that somebody asks for one's own matters.
func asked(n register.ProxyNews) bool { return !n.Mine && n.State == register.ProxyAsked }

func (t *oneTurn) readMine() error {
	list, err := t.tx.Proxies()
	t.mine = slices.DeleteFunc(list, func(p register.Proxy) bool { return p.State != register.ProxyGiven })
	if err == nil && len(t.mine) > 0 && t.self != 0 && t.ownName == "" {
		t.ownName, err = t.nameOf(t.self)
	}
	if err != nil {
		return err
	}
	of := make(map[string][]naming) // who is another thing to them is told apart by that
	for i := range t.mine {
		p := &t.mine[i]
		of[p.Relation] = append(of[p.Relation], naming{p.PersonID, &p.Name})
	}
	for _, names := range of {
		if err := t.apart(names); err != nil {
			return err
		}
	}
	return nil
}

// nameOf is somebody's name, masked.
func (t *oneTurn) nameOf(person int64) (string, error) {
	p, err := t.tx.Person(person)
	return register.MaskName(p.Name), err
}

// recall takes up whose matter the session was about, if they still may and have not been away.
func (t *oneTurn) recall(s *flows.Session) (err error) {
	if t.isLost(*s) {
		if *s, err = t.s.engine.Book().Read(nil); err != nil {
			return err
		}
	}
	if t.away >= whoseKept || !t.may(number(s.Whose)) {
		s.Whose = ""
	}
	return t.takeUp(s.Whose)
}

// isLost says whether a session holds the matters of somebody of whom this openid may ask no longer: another account has
// them now, or a proxy ended. Nothing of it is said again, and none of its questions is answered.
func (t *oneTurn) isLost(s flows.Session) bool {
	return t.in.Channel == WeChat && s.Of != "" && !t.may(number(s.Of))
}

// of is whose matters the session of this turn may hold, "" nobody's.
func (t *oneTurn) of() string {
	if t.personID == 0 {
		return ""
	}
	return id(t.personID)
}

// may says whether this openid may ask about a person.
func (t *oneTurn) may(id int64) bool {
	_, looks := t.proxyOf(id)
	return id != 0 && (id == t.self || looks)
}

func (t *oneTurn) proxyOf(id int64) (register.Proxy, bool) {
	i := slices.IndexFunc(t.mine, func(p register.Proxy) bool { return p.PersonID == id })
	if i < 0 {
		return register.Proxy{}, false
	}
	return t.mine[i], true
}

// takeUp makes it the matter of the one who was chosen; of nobody chosen it is one's own, or that of the only one.
func (t *oneTurn) takeUp(whose string) (err error) {
	if t.in.Channel == SMS || len(t.mine) == 0 {
		return nil
	}
	id := number(whose)
	switch {
	case t.may(id):
	case t.self == 0 && len(t.mine) == 1:
		id = t.mine[0].PersonID
	default:
		id = t.self
	}
	if id != t.personID && id != 0 {
		t.region, err = t.regionOf(id)
	}
	t.personID = id
	return err
}

// env is what the engine may know in this turn.
func (t *oneTurn) env() flows.Env {
	env := flows.Env{
		Channel: flows.Channel(t.in.Channel), Bound: t.personID != 0 || len(t.onPhone) > 0, Several: t.several,
		Elder: t.contact.Elder, Away: t.away,
	}
	if t.in.Channel == SMS || len(t.mine) == 0 {
		return env
	}
	env.Bound, env.Several = true, t.self != 0 || len(t.mine) > 1
	if t.self != 0 {
		env.Kin = append(env.Kin, flows.Kin{ID: id(t.self), Name: t.ownName, Relation: "self"})
	}
	for _, p := range t.mine {
		env.Kin = append(env.Kin, flows.Kin{ID: id(p.PersonID), Name: p.Name, Relation: p.Relation})
	}
	return env
}

func id(n int64) string { return strconv.FormatInt(n, 10) }

// whoseList is whose matters there are to choose from.
func (t *oneTurn) whoseList() (f flows.Facts, err error) {
	people, relations := []int64{}, []string{}
	if t.self != 0 {
		people, relations = append(people, t.self), append(relations, "self")
	}
	for _, p := range t.mine {
		people, relations = append(people, p.PersonID), append(relations, p.Relation)
	}
	names := make([]register.Named, len(people))
	for i, id := range people {
		p, err := t.tx.Person(id)
		if err != nil {
			return f, err
		}
		names[i] = register.Named{Name: p.Name, Born: p.BirthDate}
	}
	for i, who := range register.TellApart(names) {
		f.Items = append(f.Items, map[string]string{"id": id(people[i]), "who": who, "relation_key": "kin." + relations[i]})
	}
	f.Vars = found{"several": yesNo(len(people) > 1)}
	return f, nil
}

// setWhose goes on with one of the people it may be about; somebody else's id changes nothing.
func (t *oneTurn) setWhose(person int64) (found, error) {
	v := found{}
	if t.in.Channel == SMS {
		if slices.Contains(t.onPhone, person) {
			t.onPhone, t.personID = []int64{person}, person
		}
		return v, nil
	}
	if !t.may(person) {
		return v, nil
	}
	if err := t.takeUp(id(person)); err != nil {
		return v, err
	}
	v["whose"] = id(person)
	return v, nil
}

// mayOnlyLook says whether somebody does in another's name what they were only allowed to look at.
func (t *oneTurn) mayOnlyLook(deed string) bool {
	switch deed {
	case "sign_up", "leave_course", "wish_course", "want_job", "apply", "fill_wishes", "check_up":
		p, looks := t.proxyOf(t.personID)
		return looks && t.personID != t.self && !p.MayAct()
	}
	return false
}

// withNews puts what they have not heard yet before the answer. That somebody asks is not said beside the question
// whether they agree.
func (t *oneTurn) withNews(effects []flows.Effect) []flows.Effect {
	asks := slices.ContainsFunc(effects, func(e flows.Effect) bool {
		said, ok := e.(flows.Say)
		return ok && strings.HasPrefix(said.Key, "proxy.")
	})
	news := t.news
	if asks {
		news = slices.DeleteFunc(slices.Clone(news), func(e flows.Effect) bool { return e.(flows.Say).Key == "proxy.news_asked" })
	}
	return append(slices.Clip(news), effects...)
}
