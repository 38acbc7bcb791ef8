package console

import (
	"context"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
)

// Family is who speaks for whom: the codes of the doorstep, proxies, and numbers that may have passed on. The scope is
// part of every question; what changes is written to the audit with the row.
type Family interface {
	// OpenDoorstep makes a one-time code for a person and gives the scene it brings along, which is kept nowhere.
	OpenDoorstep(ctx context.Context, scope register.Scope, personID int64, life time.Duration, by staff.Entry) (scene string, err error)
	// PersonProxies lists who looks after a person's matters, or asks to.
	PersonProxies(ctx context.Context, scope register.Scope, personID int64, now time.Time) ([]register.Proxy, error)
	// EndProxy ends one of them: the person asked the office to. register.ErrNotFound.
	EndProxy(ctx context.Context, scope register.Scope, personID, proxyID int64, by staff.Entry) error
	// PhoneDoubt is why a person's number may be somebody else's by now, "" where nothing says so.
	PhoneDoubt(ctx context.Context, scope register.Scope, personID int64) (reason string, err error)
	// TrustPhone takes the doubt away. register.ErrNotFound.
	TrustPhone(ctx context.Context, scope register.Scope, personID int64, by staff.Entry) error
}

// Bindings ends that an account is a person's: they told the office that it isn't theirs. register.ErrNotFound: there is none.
type Bindings interface {
	EndBinding(ctx context.Context, scope register.Scope, personID int64, by staff.Entry) error
}

// Codes asks WeChat for a code that brings a scene along: what the code holds, to be drawn.
type Codes interface {
	CreateCode(ctx context.Context, scene string, life time.Duration) (content string, err error)
}

// personFamily is that part of a person's page.
type personFamily struct {
	Proxies []register.Proxy
	Doubt   string
	Binds   bool // a code for the doorstep can be made here
	Bound   bool // an account is theirs, and can be taken away here

	Alone     bool     // they have neither a phone nor WeChat: the family is let in at the door
	Relations []string // what they may be to one of the family
	Months    []int
	Consents  []register.Consent
}

func (v *visit) personFamily(r register.Record) (f personFamily, err error) {
	if v.Family == nil {
		return f, nil
	}
	id := r.Person.ID
	f.Binds = v.Codes != nil && r.Person.Status != register.Deceased && v.who.May(staff.BindPerson, false)
	f.Bound = v.Bindings != nil && r.Contact.WeChatBound && v.who.May(staff.BindPerson, false)
	if f.Proxies, err = v.Family.PersonProxies(v.ctx(), v.who.Scope(), id, v.Now()); err != nil {
		return f, err
	}
	f.Doubt, err = v.Family.PhoneDoubt(v.ctx(), v.who.Scope(), id)
	f.Alone = f.Binds && v.Witnesses != nil && (!r.Person.Phone.IsMobile() || f.Doubt != "") && !r.Contact.WeChatBound && r.Person.Age(v.Now()) >= register.GuardianUntil
	f.Relations, f.Months, f.Consents = relationsTo(r.Person), proxyMonths(), register.Consents()
	return f, err
}
