package turntest

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
)

// refusedFor is how long somebody who said no is not asked again by the same account.
const refusedFor = 7 * 24 * time.Hour

// held is a proxy with what either side has heard.
type held struct {
	register.Proxy
	settled     time.Time
	shown, told bool
	gone        bool // the account is forgotten
}

// loss is that an openid lost its person to another one, and has not heard of it yet.
type loss struct {
	openid   string
	personID int64
	at       time.Time
}

// door is a one-time code of the doorstep.
type door struct {
	register.Door
	scene, openid string
	expires       time.Time
}

// Door puts a one-time code of the doorstep on file.
func (m *Memory) Door(scene string, personID int64, terms register.DoorTerms, expires time.Time) {
	id := int64(len(m.doors) + 1)
	m.doors = append(m.doors, door{register.Door{ID: id, PersonID: personID, State: register.DoorOpen, Terms: terms}, scene, "", expires})
}

// Doubt notes that a person's number may be somebody else's by now.
func (m *Memory) Doubt(personID int64) {
	m.doubts[doubtKey(m.people[personID-1].Person)] = true
}

func doubtKey(p register.Person) string { return string(p.Phone) + " " + string(p.IDNumber) }

// trusted is the number of somebody to which a code may go, "": none.
func (m *Memory) trusted(p register.Person) register.Phone {
	if !p.Phone.IsMobile() || m.doubts[doubtKey(p)] {
		return ""
	}
	return p.Phone
}

func (t *memoryTx) DoubtPhone() error {
	for _, r := range t.m.people {
		if string(r.Person.Phone) == t.who.ID {
			t.m.doubts[doubtKey(r.Person)] = true
		}
	}
	t.m.optedOut[t.subject(0)] = true
	return nil
}

func (t *memoryTx) Guardian(childID, preferred int64) (turn.Found, bool, error) {
	child := t.m.people[childID-1].Person
	var best *register.Person
	for i := range t.m.people {
		p := &t.m.people[i].Person
		if p.HouseholdNo == "" || p.HouseholdNo != child.HouseholdNo || p.Status != register.Alive || p.Age(t.who.At) < 18 {
			continue
		}
		if best == nil || p.ID == preferred || best.ID != preferred && t.m.trusted(*best) == "" && t.m.trusted(*p) != "" {
			best = p
		}
	}
	if best == nil {
		return turn.Found{}, false, nil
	}
	return turn.Found{PersonID: best.ID, Phone: t.m.trusted(*best)}, true, nil
}

func (t *memoryTx) AskProxy(p register.Proxy) (int64, error) {
	for i := range t.m.proxies {
		have := &t.m.proxies[i]
		if string(have.OpenID) != t.who.ID || have.PersonID != p.PersonID {
			continue
		}
		switch have.State {
		case register.ProxyAsked:
			have.Relation, have.Scope, have.EndsOn, have.At, have.shown = p.Relation, p.Scope, p.EndsOn, t.who.At, false
			return have.ID, nil
		case register.ProxyGiven:
			return have.ID, nil
		case register.ProxyRefused:
			if t.who.At.Sub(have.settled) < refusedFor {
				return 0, nil
			}
		case register.ProxyEnded:
		}
	}
	p.ID, p.State, p.At, p.OpenID = int64(len(t.m.proxies)+1), register.ProxyAsked, t.who.At, register.OpenID(t.who.ID)
	if p.ConsentBy == 0 {
		p.ConsentBy = p.PersonID
	}
	t.m.proxies = append(t.m.proxies, held{Proxy: p})
	return p.ID, nil
}

// open says whether a proxy is asked for or given, and not over.
func (t *memoryTx) open(p held) bool {
	switch {
	case t.m.people[p.PersonID-1].Person.Status == register.Deceased, p.EndsOn != "" && p.EndsOn < t.today():
		return false
	case p.State == register.ProxyAsked:
		return t.who.At.Sub(p.At) < refusedFor
	}
	return p.State == register.ProxyGiven
}

// shownAs is a proxy with the names that either side reads.
func (t *memoryTx) shownAs(p held) register.Proxy {
	out := p.Proxy
	out.Name = register.MaskName(t.m.people[p.PersonID-1].Person.Name)
	if self := t.m.bound[string(p.OpenID)]; self != 0 {
		out.WhoID, out.Who = self, register.MaskName(t.m.people[self-1].Person.Name)
	}
	if !p.gone {
		out.Sign = out.OpenID.Sign()
	}
	out.Language = t.m.contacts["wechat "+string(p.OpenID)].Language
	return out
}

func (t *memoryTx) openProxies(mine func(held) bool) (list []register.Proxy, err error) {
	for _, p := range t.m.proxies {
		if mine(p) && t.open(p) {
			list = append(list, t.shownAs(p))
		}
	}
	return list, nil
}

func (t *memoryTx) Proxies() ([]register.Proxy, error) {
	return t.openProxies(func(p held) bool { return string(p.OpenID) == t.who.ID })
}

func (t *memoryTx) ProxiesOf(personID int64) ([]register.Proxy, error) {
	return t.openProxies(func(p held) bool {
		return p.ConsentBy == personID || p.PersonID == personID && p.State == register.ProxyGiven
	})
}

func (t *memoryTx) SettleProxy(id int64, state register.ProxyState) error {
	for i := range t.m.proxies {
		p := &t.m.proxies[i]
		asked, given := p.State == register.ProxyAsked, p.State == register.ProxyGiven
		if p.ID != id || !asked && (!given || state != register.ProxyEnded) {
			continue
		}
		p.State, p.settled = state, t.who.At
		if state == register.ProxyGiven {
			p.GivenAt = t.who.At
		}
		p.told = string(p.OpenID) == t.who.ID
		p.shown = !p.told || asked && state == register.ProxyEnded
		return nil
	}
	return register.ErrNotFound
}

func (t *memoryTx) ProxyNews(personID int64) (news []register.ProxyNews, err error) {
	for i := range t.m.proxies {
		p := &t.m.proxies[i]
		switch {
		case string(p.OpenID) == t.who.ID && !p.told && p.State != register.ProxyAsked:
			p.told = true
			news = append(news, register.ProxyNews{Proxy: t.shownAs(*p), Mine: true})
		case string(p.OpenID) == t.who.ID && p.State == register.ProxyGiven && !t.open(*p):
			p.State = register.ProxyEnded
			news = append(news, register.ProxyNews{Proxy: t.shownAs(*p), Mine: true})
		case personID != 0 && p.ConsentBy == personID && !p.shown && (t.open(*p) || p.State == register.ProxyEnded):
			p.shown = true
			news = append(news, register.ProxyNews{Proxy: t.shownAs(*p)})
		}
	}
	return news, nil
}

// ProxyTold implements Notes.
func (m *Memory) ProxyTold(_ context.Context, proxyID int64, mine bool, state register.ProxyState, _ time.Time) error {
	for i := range m.proxies {
		p := &m.proxies[i]
		switch {
		case p.ID != proxyID || p.State != state:
		case mine:
			p.told = true
		default:
			p.shown = true
		}
	}
	return nil
}

func (t *memoryTx) LastProxy(personID int64) (last register.Proxy, found bool, err error) {
	for _, p := range t.m.proxies {
		if string(p.OpenID) == t.who.ID && (personID == 0 || p.PersonID == personID) && !p.At.Before(last.At) {
			last, found = t.shownAs(p), true
		}
	}
	return last, found, nil
}

func (t *memoryTx) AccountOf(personID int64) (register.OpenID, string, error) {
	for _, openid := range slices.Sorted(maps.Keys(t.m.bound)) {
		if t.m.bound[openid] == personID {
			return register.OpenID(openid), t.m.contacts["wechat "+openid].Language, nil
		}
	}
	return "", "", nil
}

func (t *memoryTx) LostTo(personID int64) (register.OpenID, string, error) {
	for _, l := range t.m.lost {
		if l.personID == personID && l.at.Equal(t.who.At) {
			return register.OpenID(l.openid), t.m.contacts["wechat "+l.openid].Language, nil
		}
	}
	return "", "", nil
}

func (t *memoryTx) Loss() (register.Loss, error) {
	before := len(t.m.lost)
	if err := t.m.LossTold(context.Background(), register.OpenID(t.who.ID)); err != nil || len(t.m.lost) == before {
		return register.LossNone, err
	}
	return register.LossMoved, nil
}

// LossTold implements Notes.
func (m *Memory) LossTold(_ context.Context, openID register.OpenID) error {
	m.lost = slices.DeleteFunc(slices.Clone(m.lost), func(l loss) bool { return l.openid == string(openID) })
	return nil
}

func (t *memoryTx) ScanDoor(scene string) (register.Door, error) {
	for i := range t.m.doors {
		d := &t.m.doors[i]
		out := d.Door
		switch {
		case d.scene != scene:
			continue
		case d.State != register.DoorOpen, d.openid != "" && d.openid != t.who.ID:
			out.State = register.DoorUsed
		case !t.who.At.Before(d.expires), t.m.people[d.PersonID-1].Person.Status == register.Deceased:
			out.State = register.DoorLate
		default:
			d.openid = t.who.ID
		}
		return out, nil
	}
	return register.Door{State: register.DoorNone}, nil
}

// mine is an open door that this openid scanned, nil: none.
func (t *memoryTx) mine(id int64) *door {
	for i := range t.m.doors {
		if d := &t.m.doors[i]; d.ID == id && d.openid == t.who.ID && d.State == register.DoorOpen && t.who.At.Before(d.expires) {
			return d
		}
	}
	return nil
}

func (t *memoryTx) PassDoor(id int64) (register.Door, bool, error) {
	d := t.mine(id)
	if d == nil {
		return register.Door{}, false, nil
	}
	d.State = register.DoorUsed
	if !d.Terms.Proxy() {
		return d.Door, true, t.Bind(d.PersonID)
	}
	t.m.proxies = append(t.m.proxies, held{shown: true, told: true, settled: t.who.At, Proxy: register.Proxy{
		ID: int64(len(t.m.proxies) + 1), PersonID: d.PersonID, ConsentBy: d.PersonID, OpenID: register.OpenID(t.who.ID), Relation: d.Terms.Relation,
		Scope: d.Terms.Scope, EndsOn: d.Terms.EndsOn, State: register.ProxyGiven, At: t.who.At, GivenAt: t.who.At, Consent: d.Terms.Consent,
	}})
	return d.Door, true, nil
}

func (t *memoryTx) RefuseDoor(id int64) error {
	if d := t.mine(id); d != nil {
		d.State = register.DoorRefused
	}
	return nil
}

func (t *memoryTx) Unbind() error {
	delete(t.m.bound, t.who.ID)
	return nil
}
