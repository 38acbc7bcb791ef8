package console

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
)

// The lengths of what is typed: an answer goes with a reply of 600 characters, and is read on a small screen.
const (
	answerLimit = 300
	noteLimit   = 300
)

// answerInbox takes a worker's answer and sends it on its way.
func (v *visit) answerInbox() error {
	if err := v.r.ParseForm(); err != nil {
		return formError(err)
	}
	item, err := v.matter()
	if err != nil {
		return err
	}
	text := strings.TrimSpace(strings.ReplaceAll(v.r.PostForm.Get("answer"), "\r\n", "\n"))
	switch {
	case text == "":
		return v.showMatter(http.StatusUnprocessableEntity, "inbox.answer_empty", "")
	case utf8.RuneCountInString(text) > answerLimit:
		return v.showMatter(http.StatusUnprocessableEntity, "inbox.answer_long", text)
	case !item.Way.Reaches():
		return v.showMatter(http.StatusUnprocessableEntity, "inbox.answer_nowhere", text)
	}
	err = v.Inbox.AnswerInbox(v.ctx(), v.who.Scope(), item.ID, register.InboxAnswer{By: v.who.Name, At: v.Now(), Text: text})
	if err != nil {
		return err
	}
	if err := v.note(staff.DidAnswerInbox, inboxObject(item.ID), nil); err != nil {
		return err
	}
	return v.redirect(query(inboxAddress(item.ID), "done", "inbox_answered"))
}

// closeInbox ends a matter that was settled otherwise.
func (v *visit) closeInbox() error {
	outcome, err := v.posted("outcome")
	if err != nil {
		return err
	}
	if !slices.Contains(register.InboxOutcomes(), register.InboxOutcome(outcome)) {
		return errBadForm
	}
	return v.settleMatter(register.InboxEnd{Outcome: register.InboxOutcome(outcome)}, staff.DidCloseInbox, "inbox_closed")
}

// passInbox passes a matter on to the county.
func (v *visit) passInbox() error {
	note, err := v.posted("note")
	if err != nil {
		return err
	}
	if runes := []rune(note); len(runes) > noteLimit {
		note = string(runes[:noteLimit])
	}
	return v.settleMatter(register.InboxEnd{Note: note}, staff.DidPassInbox, "inbox_passed")
}

// posted is one value of the form.
func (v *visit) posted(name string) (string, error) {
	if err := v.r.ParseForm(); err != nil {
		return "", formError(err)
	}
	return strings.TrimSpace(v.r.PostForm.Get(name)), nil
}

func (v *visit) settleMatter(end register.InboxEnd, did, done string) error {
	item, err := v.matter()
	if err != nil {
		return err
	}
	end.By, end.At = v.who.Name, v.Now()
	if err := v.Inbox.SettleInbox(v.ctx(), v.who.Scope(), item.ID, end); err != nil {
		return err
	}
	detail := map[string]string{}
	if end.Outcome != "" {
		detail["outcome"] = string(end.Outcome)
	}
	if err := v.note(did, inboxObject(item.ID), detail); err != nil {
		return err
	}
	return v.redirect(query(inboxAddress(item.ID), "done", done))
}
