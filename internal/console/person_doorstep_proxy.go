package console

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
)

// Witnesses makes codes for the family of somebody who has neither a phone nor WeChat, and who agreed before the worker.
type Witnesses interface {
	// OpenProxyDoor makes a one-time code on these terms and gives its scene, which is kept nowhere. register.ErrReachable: the
	// person can be asked themselves.
	OpenProxyDoor(ctx context.Context, scope register.Scope, personID int64, life time.Duration, terms register.DoorTerms, by staff.Entry) (scene string, err error)
}

// proxyMonths are the lengths that such a proxy may have.
func proxyMonths() []int { return []int{12, 3, 1} }

// relationsTo are what a person may be to one of their family: a parent is a mother or a father.
func relationsTo(p register.Person) []string {
	other := "mother"
	if p.Sex == register.Female {
		other = "father"
	}
	return slices.DeleteFunc(register.Relations(), func(relation string) bool { return relation == other })
}

// openProxyDoor records that the person agreed, and shows the code once.
func (v *visit) openProxyDoor() error {
	record, err := v.record()
	if err != nil {
		return err
	}
	p := record.Person
	if v.Witnesses == nil || v.Codes == nil || p.Status == register.Deceased {
		return errNotFound
	}
	terms, err := v.doorTerms(p)
	if err != nil {
		return err
	}
	now := v.Now()
	scene, err := v.Witnesses.OpenProxyDoor(v.ctx(), v.who.Scope(), p.ID, doorstepLife, terms, staff.Entry{
		At: now, Actor: v.who.Name, Act: staff.DidOpenDoorstep, Object: personObject(p.ID),
		Detail: map[string]string{"relation": terms.Relation, "scope": register.JoinList(terms.Scope), "until": terms.EndsOn, "consent": string(terms.Consent)},
	})
	if err != nil {
		return err
	}
	return v.showDoorstep(p, scene, doorstepPage{frame: v.frame("doorstep.proxy_title", "people"), Until: now.Add(doorstepLife), Proxy: true})
}

// doorTerms reads the form. How the person agreed must have been said: without it there is no consent.
func (v *visit) doorTerms(p register.Person) (terms register.DoorTerms, err error) {
	if err := v.r.ParseForm(); err != nil {
		return terms, errBadForm
	}
	form := v.r.PostForm
	months, err := strconv.Atoi(form.Get("months"))
	terms = register.DoorTerms{
		Relation: form.Get("relation"), Scope: []string{register.ScopeLook}, Consent: register.Consent(form.Get("consent")),
		EndsOn: v.Now().In(v.Location).AddDate(0, months, 0).Format(time.DateOnly),
	}
	if form.Get("scope") == register.ScopeAct {
		terms.Scope = append(terms.Scope, register.ScopeAct)
	}
	if err != nil || !slices.Contains(proxyMonths(), months) || !slices.Contains(relationsTo(p), terms.Relation) || !slices.Contains(register.Consents(), terms.Consent) {
		return terms, errBadForm
	}
	return terms, nil
}
