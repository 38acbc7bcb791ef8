package flows

import (
	"strings"
	"unicode"
)

// hearSMS takes a reply by SMS: the answer to what was asked there, an answer to what a campaign asked that number,
// or a question of their own. Anything else is answered by the template that names the office's telephone.
func (r *run) hearSMS(said string) {
	bare := r.in.Choice > 0 || r.agrees(said) || r.declines(said)
	q := r.waiting()
	lately := r.in.Asked != "" && r.in.Asked != AskedBefore
	if bare && lately {
		q = nil // a campaign's question, not the conversation's
	}
	if q != nil && r.pick(q, said) {
		return
	}
	if q != nil && q.Ask != nil && r.answer(q.Ask) {
		return
	}
	listed := r.s.Offer
	r.s = Session{Version: sessionVersion}
	if n := r.in.Choice; n >= 1 && n <= len(listed) && !lately {
		r.s.Offer = listed
		r.begin(listed[n-1])
		return
	}
	if bare {
		r.answerSMS(said)
		return
	}
	if r.byWords(said) {
		return
	}
	if r.e.book.settings.Forwarded(r.in.Text) || isCheckCode(r.in.Text) {
		r.understood("report_problem", 1)
		r.begin(flowCheck)
		return
	}
	g := r.understand()
	r.understood(g.Intent, g.Score)
	flow := r.e.book.byIntent[g.Intent]
	sure := flow != "" && g.Score >= r.e.book.settings.Sure
	switch {
	case r.e.words.has(wordMenu, said), r.e.words.has(wordBack, said):
		r.push(flowMenuSMS)
	case r.e.words.has(wordPerson, said):
		r.push(flowSMS)
	case g.Score < r.e.book.settings.Sure && holdsCheckCode(r.in.Text):
		r.begin(flowCheck)
	case wordless(said) && (!sure || r.e.book.flows[flow].Vague):
		r.push(flowWordless)
	case !sure:
		r.push(flowSMS)
	case g.Intent == "unsubscribe":
		r.push(flowOptOut)
	default:
		r.begin(flow)
	}
}

// agrees says whether the words are a yes; in answer to an invitation "I'll go" is one.
func (r *run) agrees(said string) bool {
	return r.e.words.has(wordYes, said) || r.in.Asked != "" && r.e.words.has(wordInvitedYes, said)
}

func (r *run) declines(said string) bool {
	return r.e.words.has(wordNo, said) || r.in.Asked != "" && r.e.words.has(wordInvitedNo, said)
}

// answerSMS takes a bare number, yes or no where the conversation asked nothing: a campaign may have.
func (r *run) answerSMS(said string) {
	r.push(flowInvited)
	answer := "other"
	switch {
	case r.in.Choice == 1 || r.agrees(said):
		answer = "yes"
	case r.in.Choice == 2 || r.declines(said):
		answer = "no"
	}
	r.top().set("answer", answer)
}

// keepList keeps what the numbers of a menu by SMS lead to: somebody who has asked for one thing may send the number of
// the next.
func (r *run) keepList() {
	s := r.waiting()
	if r.in.Env.Channel != SMS || s == nil || s.Choose == nil || s.Choose.Items != nil {
		return
	}
	r.s.Offer = nil
	for _, o := range s.Choose.Options {
		r.s.Offer = append(r.s.Offer, o.Flow)
	}
}

// beginSMS starts a flow by SMS. Where the phone is a household's, it is asked first whose matter it is.
func (r *run) beginSMS(d *Definition) {
	r.s.Stack, r.s.Parked = nil, nil
	if d.OnSMS != "" {
		d = r.e.book.flows[d.OnSMS]
	}
	switch {
	case !d.SMS:
		r.push(flowSMS)
		return
	case d.Needs == needsBound && !r.in.Env.Bound:
		r.push(flowNobody)
		return
	}
	r.push(d.ID)
	r.hearBeginning(d)
	if d.Needs == needsBound && r.in.Env.Several {
		r.push(flowWhose)
	}
}

// wordless says whether nothing in it is a letter or a digit: a sign alone, which may mean thanks, or only hello.
func wordless(said string) bool {
	return !strings.ContainsFunc(said, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) })
}
