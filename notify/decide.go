package notify

import (
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// Rules are what a claim is decided by, besides the campaign itself.
type Rules struct {
	Zone      *time.Location
	Cap       Cap
	CapWait   time.Duration
	PriceFen  map[Channel]float64 // a segment, a voice call
	Nap       Window              // when no telephone rings; the zero Window: there is none
	Signature string              // the SMS signature, for the count of segments
	Holidays  Holidays            // when no telephone rings and no advertising goes
	ReplyPool []string            // the account's extension numbers for replies; none: replies name no question
}

// Gate says whether the campaign may send at all now. Where it may not, the drop says what becomes of its rows.
func (r Rules) Gate(c Campaign, now time.Time) (drop Drop, open bool) {
	switch {
	case c.State == Cancelled:
		return Drop{Event: Skip, Reason: string(WasCancelled)}, false
	case c.Expired(now):
		return Drop{Event: Skip, Reason: string(Expired)}, false
	case c.State != Running:
		return Drop{Event: PutBack, WakeAt: now}, false
	}
	hours, err := c.Spec.Hours()
	if err == nil && !hours.Open(now, r.Zone) {
		return Drop{Event: PutBack, WakeAt: hours.NextOpen(now, r.Zone)}, false
	}
	return Drop{}, true
}

// Drop says whether a member of a call drops out before it begins, and how. now is the database's clock.
func (r Rules) Drop(c Campaign, channel Channel, f Facts, now time.Time) (Drop, bool) {
	skip := func(why SkipReason) (Drop, bool) {
		return Drop{PersonID: f.PersonID, Event: Skip, Reason: string(why)}, true
	}
	switch {
	case f.Status == register.Deceased:
		return skip(IsDeceased)
	case f.OptedOut:
		return skip(OptedOut)
	case !f.Matches:
		return skip(NoLongerMatches)
	case !reachable(channel, f):
		return r.noWay(channel, f)
	}
	if d, over := overLimit(channel, f, now); over {
		return d, true
	}
	return r.capped(channel, f, now)
}

// reachable says whether the channel has a way to the person now.
func reachable(channel Channel, f Facts) bool {
	if channel == WeChat {
		return f.WeChat.OpenID != ""
	}
	return callable(channel, f) && !f.PhoneDoubted && !f.PhoneOut && (channel != SMS || !f.Blacklisted)
}

// callable says whether the person has a number that a channel could go to.
func callable(channel Channel, f Facts) bool {
	return f.Phone != "" && !f.PhoneMany && (f.Mobile || channel != SMS)
}

// noWay: the next channel without an attempt, or a skip. What a number in doubt wants is not the person's word.
func (r Rules) noWay(channel Channel, f Facts) (Drop, bool) {
	d := Drop{PersonID: f.PersonID, Event: Fall}
	if len(f.Later) == 0 {
		d.Event, d.Reason = Skip, string(NoChannel)
		switch {
		case channel.Phone() && f.PhoneDoubted && callable(channel, f):
			d.Reason = string(PhoneDoubted)
		case channel.Phone() && f.PhoneOut:
			d.Reason = string(OptedOut)
		case channel == SMS && f.Blacklisted && callable(channel, f): // as it ended when we last tried
			d.Event, d.Reason = Refuse, InBlack
		}
	}
	return d, true
}

// capped: the cap holds a member back until it has room, and skips them when that is too far away.
func (r Rules) capped(channel Channel, f Facts, now time.Time) (Drop, bool) {
	free := r.Cap.FreeAt(f.Sent, now)
	if channel.Phone() {
		if at := r.Cap.FreeAt(f.NumberSent, now); at.After(free) {
			free = at
		}
	}
	if !free.After(now) {
		return Drop{}, false
	}
	from := f.WaitsFrom
	if from.IsZero() {
		from = now
	}
	if free.After(from.Add(r.CapWait)) {
		if last := from.Add(r.CapWait); last.After(now) {
			// Something may be given back before then: wait as long as waiting is allowed.
			return Drop{PersonID: f.PersonID, Event: PutBack, WakeAt: last, WaitsFrom: from}, true
		}
		return Drop{PersonID: f.PersonID, Event: Skip, Reason: string(FrequencyCap)}, true
	}
	return Drop{PersonID: f.PersonID, Event: PutBack, WakeAt: free, WaitsFrom: from}, true
}

// routeOf is the way a WeChat message takes: the long-term notice, a customer message while the window has enough left
// for answers, a template message for service notices alone.
func routeOf(c Campaign, f WeChatFacts) (WeChatRoute, bool) {
	r := WeChatRoutesOf(c.Spec, c.Template)
	switch {
	case r.Notice != "" && f.Consented:
		return BizSend, true
	case r.Customer && f.CustomerLeft > KeptForAnswers:
		return CustomerMessage, true
	case r.Template:
		return TemplateMessage, true
	}
	return "", false
}

// WeChatRoutes are the ways that a campaign's WeChat message can take: the first to those who have consented to the notice, the
// second to those whose window has messages left, the third to everybody bound.
type WeChatRoutes struct {
	Notice             string // the id of its template at WeChat; "": there is none
	Customer, Template bool
}

// WeChatRoutesOf says which of them a spec with this template has.
func WeChatRoutesOf(s Spec, t Template) WeChatRoutes {
	w := t.WeChat
	if w == nil {
		return WeChatRoutes{}
	}
	return WeChatRoutes{Notice: w.Subscribe, Customer: w.Text != "" || t.SMS != nil, Template: w.Template != "" && s.Kind == ServiceNotice}
}

// KeptForAnswers are the customer messages of a window that campaigns leave for answers.
const KeptForAnswers = 2
