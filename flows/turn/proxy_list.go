package turn

import (
	"slices"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/internal/register"
)

// Lists of people to choose from: whoever chooses must be able to tell any two apart, by no more than they know anyway.

// naming is a masked name that somebody reads, and whose it is.
type naming struct {
	person int64 // 0: nobody we know
	name   *string
}

// apart changes the names of different people that come out alike.
func (t *oneTurn) apart(list []naming) error {
	var people []int64
	shown := make(map[string]bool)
	for _, n := range list {
		if n.person != 0 && !slices.Contains(people, n.person) {
			people = append(people, n.person)
			shown[*n.name] = true
		}
	}
	if len(shown) == len(people) {
		return nil
	}
	named := make([]register.Named, len(people))
	for i, id := range people {
		p, err := t.tx.Person(id)
		if err != nil {
			return err
		}
		named[i] = register.Named{Name: p.Name, Born: p.BirthDate}
	}
	names := register.TellApart(named)
	for _, n := range list {
		if i := slices.Index(people, n.person); i >= 0 {
			*n.name = names[i]
		}
	}
	return nil
}

// whoLooks names who looks after somebody's matters: by name where we know it, else by what they say they are, and by the sign
// of their account, since anybody can say so.
func whoLooks(p register.Proxy) map[string]string {
	if p.Who != "" {
		return map[string]string{"who": p.Who, "sign": ""}
	}
	return map[string]string{"who_key": "as." + p.Relation, "sign": p.Sign}
}

// both lists who looks after the matters of who writes, then whose they look after. What they only asked for is not listed: it
// would tell who of those is on file.
func (t *oneTurn) both() (over, mine []register.Proxy, err error) {
	if t.self != 0 {
		if over, err = t.tx.ProxiesOf(t.self); err != nil {
			return nil, nil, err
		}
	}
	mine = slices.Clone(t.mine)
	var lookers, looked []naming
	for i := range over {
		lookers = append(lookers, naming{over[i].WhoID, &over[i].Who})
		looked = append(looked, naming{over[i].PersonID, &over[i].Name})
	}
	for i := range mine {
		looked = append(looked, naming{mine[i].PersonID, &mine[i].Name})
	}
	if err := t.apart(lookers); err != nil {
		return nil, nil, err
	}
	return over, mine, t.apart(looked)
}

// waitingMost is how many who wait for an answer are listed.
const waitingMost = 5

// mostOf takes the oldest out of those who wait for an answer where they are too many. Who may look is always listed: nobody hides
// behind strangers who ask.
func mostOf(over []register.Proxy) []register.Proxy {
	waiting := only(over, func(p register.Proxy) bool { return p.State == register.ProxyAsked })
	if len(waiting) <= waitingMost {
		return over
	}
	old := waiting[:len(waiting)-waitingMost]
	return only(over, func(p register.Proxy) bool {
		return !slices.ContainsFunc(old, func(o register.Proxy) bool { return o.ID == p.ID })
	})
}

// proxies lists both. Where one alone waits for an answer it is the one that is meant.
func (t *oneTurn) proxies() (f flows.Facts, err error) {
	over, mine, err := t.both()
	if err != nil {
		return f, err
	}
	over = mostOf(over)
	asked := 0
	f.Vars = found{"only": ""}
	for _, p := range over {
		item := whoLooks(p)
		item["id"], item["side_key"], item["of"] = id(p.ID), "proxy.side_over", ""
		if p.PersonID != t.self {
			item["of"] = p.Name // a child's
		}
		if p.State == register.ProxyAsked {
			item["side_key"], f.Vars["only"] = "proxy.side_asks", id(p.ID)
			asked++
		}
		f.Items = append(f.Items, item)
	}
	if asked > 1 {
		f.Vars["only"] = ""
	}
	for _, p := range mine {
		f.Items = append(f.Items, map[string]string{"id": id(p.ID), "who": p.Name, "sign": "", "of": "", "side_key": "proxy.side_mine"})
	}
	f.Vars["found"] = yesNo(len(f.Items) > 0)
	return f, nil
}

// proxy is one of both.
func (t *oneTurn) proxy(proxyID int64) (found, error) {
	p, side, err := t.findProxy(proxyID)
	if err != nil || side == "none" {
		return found{"side": side}, err
	}
	v := found{"side": side, "state": string(p.State), "ends": p.EndsOn, "what_key": "proxy.what_look", "who": p.Name, "sign": "", "name": p.Name}
	if side == "over" {
		delete(v, "who")
		for name, value := range whoLooks(p) {
			v[name] = value
		}
	}
	if p.MayAct() {
		v["what_key"] = "proxy.what_act"
	}
	return v, nil
}

func (t *oneTurn) findProxy(proxyID int64) (p register.Proxy, side string, err error) {
	over, mine, err := t.both()
	is := func(p register.Proxy) bool { return p.ID == proxyID }
	if i := slices.IndexFunc(over, is); i >= 0 {
		return over[i], "over", err
	}
	if i := slices.IndexFunc(mine, is); i >= 0 {
		return mine[i], "mine", err
	}
	return p, "none", err
}
