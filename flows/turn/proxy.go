package turn

import (
	"errors"
	"slices"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/internal/register"
)

// Proxies: somebody looks after the matters of one of their family, who agrees to it by a code that goes to their own
// number, or in their own WeChat.

// The texts of a consent: the code's, by what it allows, and the one that says that it was used.
const (
	consentCodeKey    = "consent_code"
	consentCodeActKey = "consent_code_act"
	proxyGivenKey     = "reply_proxy_given"
	proxyOverKey      = "reply_proxy_over"
)

// proxiesMost is how many people one account looks after. Those it asks for don't count: that would tell which of them are on file.
const proxiesMost = 6

// tell says what became of a proxy to another account in its own language, once the turn has committed.
func (t *oneTurn) tell(to register.OpenID, language string, news register.ProxyNews) {
	if to == "" || string(to) == t.in.Who {
		return
	}
	l, say := t.s.texts.Localizer(localeOf(language)), newsOf(news)
	t.tellings = append(t.tellings, Telling{To: to, Text: l.Text(say.Key, t.values(l, say.Values)), News: news})
}

func (t *oneTurn) proxyGate() (found, error) {
	gate, err := t.gate()
	if err != nil {
		return nil, err
	}
	return found{"locked": gate["locked"], "full": yesNo(len(t.mine) >= proxiesMost)}, nil
}

// askProxy asks the person, or a child's guardian, whether this openid may look after their matters.
func (t *oneTurn) askProxy(with map[string]string) (found, error) {
	number := register.IDNumber(with["id_number"])
	p := register.Proxy{Relation: with["relation"], Scope: []string{register.ScopeLook}, EndsOn: t.inMonths(with["months"])}
	if with["scope"] == register.ScopeAct {
		p.Scope = append(p.Scope, register.ScopeAct)
	}
	if t.self != 0 {
		own, err := t.tx.Person(t.self)
		if err != nil || own.IDNumber == number {
			return found{"sent": "self"}, err
		}
	}
	for _, have := range t.mine {
		person, err := t.tx.Person(have.PersonID)
		if err != nil {
			return nil, err
		}
		if person.IDNumber == number {
			return found{"sent": "have"}, nil
		}
	}
	sent, err := t.sendCode(number, ToConsent, func() error { return t.issueConsent(number, with["name"], p) })
	v := found{"sent": sent, "sign": ""}
	if t.self == 0 { // whoever is to agree is told a name otherwise
		v["sign"] = register.OpenID(t.in.Who).Sign()
	}
	return v, err
}

// inMonths is the civil date so many months from now.
func (t *oneTurn) inMonths(months string) string {
	n := int(number(months))
	if n < 1 || n > 12 {
		n = 12
	}
	return civil(t.now.AddDate(0, n, 0), t.s.zone)
}

// issueConsent asks on both ways. Where nobody fits, a code that no digits match stands open, as for everybody.
func (t *oneTurn) issueConsent(number register.IDNumber, name string, p register.Proxy) error {
	code := Code{Purpose: ToConsent, ID: number, At: t.now, Expires: t.now.Add(codeLife)}
	person, found, err := t.tx.Find(number, name)
	if err == nil && found {
		p.PersonID = person.PersonID
		person, found, err = t.whoAgrees(person)
	}
	if err != nil || !found {
		return errors.Join(err, t.tx.SaveCode(code))
	}
	p.ConsentBy = person.PersonID
	id, err := t.tx.AskProxy(p)
	if err != nil || id == 0 {
		return errors.Join(err, t.tx.SaveCode(code))
	}
	code.ProxyID, p.ID = id, id
	send := false
	if person.Phone != "" {
		if send, err = t.phoneMayGet(person.Phone); err != nil {
			return err
		}
	}
	if send {
		code.PersonID, code.Digits = p.PersonID, t.s.digits()
	}
	if err := t.tx.SaveCode(code); err != nil {
		return err
	}
	if err := t.askInWeChat(p); err != nil || !send {
		return err
	}
	template := consentCodeKey
	if p.MayAct() {
		template = consentCodeActKey
	}
	return t.queue(Message{
		Kind: Verification, Template: template, Phone: person.Phone, PersonID: person.PersonID,
		Params: map[string]string{"code": code.Digits}, At: t.now, Expires: code.Expires,
	})
}

// whoAgrees is the person, or for a child a guardian.
func (t *oneTurn) whoAgrees(person Found) (Found, bool, error) {
	p, err := t.tx.Person(person.PersonID)
	if err != nil {
		return person, false, err
	}
	if p.Age(t.now.In(t.s.zone)) >= register.GuardianUntil {
		return person, true, nil
	}
	return t.tx.Guardian(person.PersonID, t.self)
}

// askInWeChat lets whoever is to agree know that they are asked.
func (t *oneTurn) askInWeChat(p register.Proxy) error {
	to, language, err := t.tx.AccountOf(p.ConsentBy)
	if err != nil || to == "" {
		return err
	}
	if t.self != 0 {
		if p.Who, err = t.nameOf(t.self); err != nil {
			return err
		}
	}
	if p.Name, err = t.nameOf(p.PersonID); err != nil {
		return err
	}
	p.Sign = register.OpenID(t.in.Who).Sign()
	t.tell(to, language, register.ProxyNews{Proxy: withState(p, register.ProxyAsked)})
	return nil
}

func withState(p register.Proxy, state register.ProxyState) register.Proxy {
	p.State = state
	return p
}

// newsOf is how somebody hears of a proxy: of their own (Mine), or of one over their matters.
func newsOf(n register.ProxyNews) flows.Say {
	if n.Mine {
		return flows.Say{Key: "proxy.news_" + string(n.State), Values: map[string]string{"who": n.Name, "ends": n.EndsOn}}
	}
	key := map[register.ProxyState]string{register.ProxyAsked: "proxy.news_asked", register.ProxyGiven: "proxy.news_now", register.ProxyEnded: "proxy.news_over"}[n.State]
	values := whoLooks(n.Proxy)
	values["ends"], values["name"] = n.EndsOn, n.Name
	return flows.Say{Key: key, Values: values}
}

// givenByCode is what the right code of a consent does.
func (t *oneTurn) givenByCode(tried Tried) (map[string]string, error) {
	if err := t.tx.SettleProxy(tried.ProxyID, register.ProxyGiven); errors.Is(err, register.ErrNotFound) {
		return map[string]string{"check": "late"}, nil // refused in the meantime
	} else if err != nil {
		return nil, err
	}
	v, err := t.nowGiven(tried.ProxyID)
	if err != nil {
		return nil, err
	}
	v["check"] = "right"
	return v, nil
}

// nowGiven goes on with whose matters one looks after since now, and lets that person know as well.
func (t *oneTurn) nowGiven(proxyID int64) (found, error) {
	if err := t.readMine(); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(t.mine, func(p register.Proxy) bool { return p.ID == proxyID })
	if i < 0 {
		return nil, register.ErrNotFound
	}
	p := t.mine[i]
	if err := t.tellPerson(p); err != nil {
		return nil, err
	}
	return found{"who": p.Name, "whose": id(p.PersonID)}, t.takeUp(id(p.PersonID))
}

// tellPerson says to the person, or the guardian, that their consent was used: in WeChat, and by SMS to the number on
// file.
func (t *oneTurn) tellPerson(p register.Proxy) error {
	to, language, err := t.tx.AccountOf(p.ConsentBy)
	if err != nil {
		return err
	}
	t.tell(to, language, register.ProxyNews{Proxy: p})
	return t.tellBySMS(p.ConsentBy, proxyGivenKey, map[string]string{"date": t.s.dateDigits(p.EndsOn)})
}

// tellBySMS says something of a proxy to the number on file of whoever agreed to it. A number that may have passed on hears
// nothing.
func (t *oneTurn) tellBySMS(personID int64, template string, params map[string]string) error {
	person, err := t.tx.Person(personID)
	if err != nil {
		return err
	}
	reached, found, err := t.tx.Find(person.IDNumber, person.Name)
	if err != nil || !found || reached.Phone == "" {
		return err
	}
	params["phone"] = t.s.engine.Book().Line("office", person.RegionCode)
	return t.queue(Message{
		Kind: Reply, Template: template, Phone: reached.Phone, PersonID: person.ID, At: t.now, Expires: t.now.Add(movedUpLife), Params: params,
	})
}

// tellOver says to whoever agreed that the one who looked after the matters has given it up.
func (t *oneTurn) tellOver(p register.Proxy) error {
	to, language, err := t.tx.AccountOf(p.ConsentBy)
	if err != nil {
		return err
	}
	t.tell(to, language, register.ProxyNews{Proxy: withState(p, register.ProxyEnded)})
	return t.tellBySMS(p.ConsentBy, proxyOverKey, map[string]string{})
}

// proxyAgreed looks what became of what this openid asked for: over the one named, else over whoever it asked for last. It
// tells no more than the news of it did: what nobody answered sounds as if nobody had been asked. late says that the code that went out no longer holds.
func (t *oneTurn) proxyAgreed(with map[string]string) (found, error) {
	v := found{"agreed": "no", "who": "", "late": "no"}
	of := int64(0)
	if number := register.IDNumber(with["id_number"]); number != "" {
		open, err := t.tx.OpenCode(number, ToConsent)
		if err != nil {
			return nil, err
		}
		v["late"] = yesNo(!open)
		person, found, err := t.tx.Find(number, with["name"])
		if err != nil || !found {
			return v, err
		}
		of = person.PersonID
	}
	last, asked, err := t.tx.LastProxy(of)
	if err != nil || !asked {
		return v, err
	}
	v["who"] = last.Name
	switch {
	case last.State == register.ProxyGiven && slices.ContainsFunc(t.mine, func(p register.Proxy) bool { return p.ID == last.ID }):
		v["agreed"], v["whose"] = "yes", id(last.PersonID)
		return v, t.takeUp(v["whose"])
	case last.State == register.ProxyRefused:
		v["agreed"] = "refused"
	case !last.GivenAt.IsZero():
		v["agreed"] = "ended"
	}
	return v, nil
}

// settleProxy agrees, refuses or ends; the other side hears of it.
func (t *oneTurn) settleProxy(proxyID int64, state register.ProxyState) (found, error) {
	p, side, err := t.findProxy(proxyID)
	if err != nil || side == "none" || side == "mine" && state != register.ProxyEnded {
		return found{"settled": "no"}, err
	}
	if err := t.tx.SettleProxy(proxyID, state); errors.Is(err, register.ErrNotFound) {
		return found{"settled": "no"}, nil
	} else if err != nil {
		return nil, err
	}
	switch {
	case side == "over":
		t.tell(p.OpenID, p.Language, register.ProxyNews{Proxy: withState(p, state), Mine: true})
		if state == register.ProxyGiven { // whoever holds the account agreed; whoever holds the telephone hears of it
			err := t.tellBySMS(p.ConsentBy, proxyGivenKey, map[string]string{"date": t.s.dateDigits(p.EndsOn)})
			if err != nil {
				return nil, err
			}
		}
	case p.State == register.ProxyGiven:
		if err := t.tellOver(p); err != nil {
			return nil, err
		}
	}
	return found{"settled": "yes"}, t.readMine()
}
