package turn

import (
	"slices"
	"time"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/internal/register"
)

// takeSession is where they stand: nowhere, if a campaign has asked something since.
func (t *oneTurn) takeSession(stored []byte, last time.Time) (flows.Session, error) {
	book := t.s.engine.Book()
	session, err := book.Read(stored)
	if err != nil {
		return session, err
	}
	asked, err := t.askedSince(last, session)
	if err != nil || !asked {
		return session, err
	}
	return book.Read(nil)
}

// askedSince says whether a campaign has put a question to this phone after the conversation put its own: a number answers
// what was asked last.
func (t *oneTurn) askedSince(last time.Time, session flows.Session) (bool, error) {
	if t.in.Channel != SMS || session.Idle() {
		return false, nil
	}
	list, err := t.sentLately(min(askedFor, t.now.Sub(last)))
	return slices.ContainsFunc(list, func(s register.Sent) bool { return s.CourseID != 0 && s.At.After(last) }), err
}
