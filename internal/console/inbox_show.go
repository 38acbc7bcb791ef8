package console

import (
	"net/http"
	"slices"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// matterPage is one matter of the inbox. Until somebody asks, nobody's words, name or number stand on it.
type matterPage struct {
	frame
	Item     register.InboxItem
	Name     string // masked or plain, empty: nobody we know
	Phone    string // masked or plain
	Place    string
	PassedTo string
	Waiting  waiting
	Turns    []saidTurn // empty while masked
	HasTurns bool
	Public   bool      // the words say nothing of the person: a posting's name
	Mine     bool      // it is on the visitor's desk, and open
	CanPass  bool      // there is a county above it
	Revealed time.Time // until when it is shown plain, zero: masked
	Problem  string    // key of what is wrong with what was typed
	Typed    string    // the answer as it was typed
}

func (v *visit) showInbox() error { return v.showMatter(http.StatusOK, "", "") }

// showMatter shows a matter; problem is what is wrong with an answer that was typed.
func (v *visit) showMatter(status int, problem, typed string) error {
	item, err := v.matter()
	if err != nil {
		return err
	}
	page := matterPage{
		frame: v.frame("inbox.item", "inbox"), Item: item, Waiting: waitingOf(item, v.Now()), Problem: problem, Typed: typed,
		Revealed: v.objectRevealedUntil(v.ctx(), inboxObject(item.ID)),
		Public:   item.Topic == register.TopicJob || item.Topic == register.TopicApplication, HasTurns: len(item.Turns) > 0,
	}
	desk := item.RegionCode
	if item.PassedTo != "" {
		desk = item.PassedTo
	}
	page.Mine = item.State == register.InboxOpen && v.who.Scope().Contains(desk) && v.who.May(staff.AnswerInbox, false)
	county := register.CountyOf(item.RegionCode)
	page.CanPass = page.Mine && county != "" && item.PassedTo == "" && item.RegionCode != county
	if page.Place, err = v.place(item.RegionCode); err != nil {
		return err
	}
	if item.PassedTo != "" {
		if page.PassedTo, err = v.place(item.PassedTo); err != nil {
			return err
		}
	}
	if err := page.show(v); err != nil {
		return err
	}
	masked := "yes"
	if !page.Revealed.IsZero() {
		masked = "no"
	}
	if err := v.note(staff.DidLookInbox, inboxObject(item.ID), map[string]string{"masked": masked}); err != nil {
		return err
	}
	return v.render(status, "matter", page)
}

// show fills what depends on whether the page is masked; what is masked must not reach the template at all.
func (p *matterPage) show(v *visit) error {
	if !v.who.May(staff.RevealPerson, false) {
		p.Revealed = time.Time{}
	}
	phone := p.Item.Way.Phone
	if p.Item.PersonID != 0 {
		people, err := v.People.PeopleByID(v.ctx(), v.who.Scope(), []int64{p.Item.PersonID})
		if err != nil {
			return err
		}
		for _, person := range people {
			p.Name = maskName(person.Name)
			if !p.Revealed.IsZero() {
				p.Name = person.Name
			}
			phone = person.Phone
		}
	}
	p.Phone = maskPhone(phone)
	if !p.Revealed.IsZero() {
		p.Phone, p.Turns = string(phone), readTurns(p.Item.Turns)
	} else {
		if !p.Public {
			p.Item.Words = ""
		}
		p.Item.Note, p.Item.Answer = "", ""
	}
	p.Item.Turns = nil
	return nil
}

// Reasons are the purposes for which a matter may be shown plain.
func (p matterPage) Reasons() []string { return revealReasons() }

// Outcomes are how a matter may end without an answer in writing.
func (p matterPage) Outcomes() []register.InboxOutcome { return register.InboxOutcomes() }

// AnswerLimit is how long an answer may be.
func (p matterPage) AnswerLimit() int { return answerLimit }

// revealInbox writes the asking to the audit, then shows the matter plain for a few minutes.
func (v *visit) revealInbox() error {
	if err := v.r.ParseForm(); err != nil {
		return formError(err)
	}
	item, err := v.matter()
	if err != nil {
		return err
	}
	reason := v.r.PostForm.Get("reason")
	if !slices.Contains(revealReasons(), reason) {
		reason = "unstated"
	}
	detail := map[string]string{"reason": reason}
	if item.PersonID != 0 {
		detail["about"] = personObject(item.PersonID)
	}
	if err := v.note(staff.DidRevealInbox, inboxObject(item.ID), detail); err != nil {
		return err
	}
	v.revealObject(v.ctx(), inboxObject(item.ID))
	return v.redirect(inboxAddress(item.ID))
}

// hideInbox masks the page again at once.
func (v *visit) hideInbox() error {
	id, err := v.pathID()
	if err != nil {
		return err
	}
	v.revealObject(v.ctx(), "")
	return v.redirect(inboxAddress(id))
}

// Refresh is after how many seconds the page loads itself anew, 0: never. An answer that is on its way is there in a moment;
// each look is in the audit, so that nobody looks for longer.
func (p matterPage) Refresh() int {
	const soon, enough = 5, 30 * time.Second
	onItsWay := p.Item.Sent.Letter == string(notify.LetterQueued) || p.Item.Sent.Letter == string(notify.LetterSending)
	if onItsWay && p.v.Now().Sub(p.Item.AnsweredAt) < enough {
		return soon
	}
	return 0
}
