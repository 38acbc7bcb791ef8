package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// turnsShown is how many turns before a hand-over go with it.
const turnsShown = 10

// home is where a matter of "wishes w" belongs: where the person lives, else where the conversation was placed. One of
// nowhere is the whole province's. desk is whose inbox it is in: its home's, or the one that it was passed on to.
const (
	home = `COALESCE(p.region, w.region_code)`
	desk = `CASE WHEN w.passed_to <> '' THEN w.passed_to ELSE COALESCE(p.region, w.region_code) END`
)

// inRegion is the test that a column lies inside the scope of parameters 1 and 2.
func inRegion(column string) string {
	return `(` + column + `) >= $1 AND (` + column + `) < $2`
}

// mayRead lets those read a matter on whose desk it is, and those from whose desk it was passed on.
func mayRead() string { return `(` + inRegion(home) + ` OR ` + inRegion(desk) + `)` }

// ListInbox lists the matters of a scope that stand in a state, the oldest first, from the one after an id on.
func (s *Store) ListInbox(ctx context.Context, scope register.Scope, q register.InboxQuery) (list []register.InboxItem, err error) {
	in, state := inRegion(desk), q.State
	if q.State == register.InboxPassed {
		in, state = inRegion(home)+` AND NOT (`+inRegion(desk)+`)`, register.InboxOpen
	}
	topic := `$6 = '' OR w.topic = $6`
	if q.Topic == register.TopicHelp {
		topic = `$6 <> '' AND w.topic NOT IN ('` + register.TopicProblem + `', '` + register.TopicJob + `', '` + register.TopicApplication + `')`
	}
	err = s.read(ctx, "store: list the inbox", func(t *tx) error {
		list, err = t.inbox(`WHERE `+in+` AND w.state = $3 AND w.id > $4 AND (`+topic+`) ORDER BY w.id LIMIT $5`,
			append(scopeArgs(scope), string(state), q.After, q.Limit, q.Topic)...)
		return err
	})
	return list, err
}

// InboxFigures says how many matters of a scope are open, how many of them are overdue, and since when the oldest waits.
func (s *Store) InboxFigures(ctx context.Context, scope register.Scope, now time.Time) (f register.InboxFigures, err error) {
	err = s.read(ctx, "store: count the inbox", func(t *tx) error {
		var at int64
		err := t.row(`SELECT COUNT(*), COUNT(CASE WHEN w.due_at > 0 AND w.due_at < $3 THEN 1 END), COALESCE(MIN(w.at), 0)
			FROM wishes w LEFT JOIN people p ON p.id = w.person_id WHERE `+inRegion(desk)+` AND w.state = 'open'`, append(scopeArgs(scope), toMicros(now))...).
			Scan(&f.Open, &f.Overdue, &at)
		f.Oldest = fromMicros(at)
		return err
	})
	return f, err
}

// InboxItem is one matter with the turns that led to it, how an answer would go now, and what became of the one it got;
// register.ErrNotFound outside the scope.
func (s *Store) InboxItem(ctx context.Context, scope register.Scope, id int64) (item register.InboxItem, err error) {
	err = s.read(ctx, fmt.Sprintf("store: inbox item %d", id), func(t *tx) error {
		found, err := t.inbox(`WHERE `+mayRead()+` AND w.id = $3`, append(scopeArgs(scope), id)...)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return register.ErrNotFound
		}
		item = found[0]
		now, err := t.now()
		if err != nil {
			return err
		}
		way, err := t.answerWay(item, now)
		if err != nil {
			return err
		}
		item.Way = way.InboxWay
		if item.Sent, err = t.answerSent(id); err != nil {
			return err
		}
		item.Turns, err = t.turnsBefore(id)
		return err
	})
	return item, err
}

// inbox reads "wishes w" by the end of a statement.
func (t *tx) inbox(tail string, args ...any) (list []register.InboxItem, err error) {
	err = t.each(`SELECT w.id, w.channel, COALESCE(w.person_id, 0), `+home+`, w.topic, w.about_id, w.words, w.state, w.at, w.due_at,
			w.passed_to, w.passed_by, w.passed_at, w.note, w.answer, w.answered_by, w.settled_at, w.outcome
		FROM wishes w LEFT JOIN people p ON p.id = w.person_id `+tail,
		func(rows *sql.Rows) error {
			var v register.InboxItem
			var words, note, answer []byte
			var at, due, passed, settled int64
			err := rows.Scan(&v.ID, &v.Channel, &v.PersonID, &v.RegionCode, &v.Topic, &v.AboutID, &words, &v.State, &at, &due,
				&v.PassedTo, &v.PassedBy, &passed, &note, &answer, &v.AnsweredBy, &settled, &v.Outcome)
			if err != nil {
				return err
			}
			v.At, v.Due, v.PassedAt, v.AnsweredAt = fromMicros(at), fromMicros(due), fromMicros(passed), fromMicros(settled)
			err = errors.Join(t.unseal(&v.Words, words, "wishes", "words", v.ID), t.unseal(&v.Note, note, "wishes", "note", v.ID),
				t.unseal(&v.Answer, answer, "wishes", "answer", v.ID))
			list = append(list, v)
			return err
		}, args...)
	return list, err
}

// turnsBefore reads the last turns of whoever handed over, up to then, the oldest first.
func (t *tx) turnsBefore(id int64) (turns []string, err error) {
	err = t.each(`SELECT t.who_idx, t.body FROM wishes w JOIN turns t ON t.channel = w.channel AND t.who_idx = w.who_idx AND t.at <= w.at
		WHERE w.id = $1 ORDER BY t.at DESC LIMIT $2`,
		func(rows *sql.Rows) error {
			var idx, body []byte
			if err := rows.Scan(&idx, &body); err != nil {
				return err
			}
			plain, err := t.keys.Open(body, "turns", "body", rowID(idx))
			turns = append(turns, string(plain))
			return err
		}, id, turnsShown)
	slices.Reverse(turns)
	return turns, err
}

// openItem reads a matter that is open and on a desk of the scope, and holds it. ErrConflict: somebody else was faster;
// register.ErrNotFound outside the scope.
func (t *tx) openItem(scope register.Scope, id int64) (item register.InboxItem, err error) {
	if _, err := t.exec(`UPDATE wishes SET state = state WHERE id = $1`, id); err != nil { // the lock, whatever else is joined
		return item, err
	}
	found, err := t.inbox(`WHERE `+inRegion(desk)+` AND w.id = $3`, append(scopeArgs(scope), id)...)
	switch {
	case err != nil:
		return item, err
	case len(found) == 0:
		return item, register.ErrNotFound
	case found[0].State != register.InboxOpen:
		return item, ErrConflict
	}
	return found[0], nil
}

// AnswerInbox ends a matter with an answer, once, and puts the answer on its way in the same transaction: a letter by
// WeChat, and where its window is shut, or there is none, an SMS that says that an answer waits. The ids are to be rung for,
// 0: nothing. ErrConflict: somebody else was faster; register.ErrNotFound outside the scope.
func (s *Store) AnswerInbox(ctx context.Context, scope register.Scope, id int64, a register.InboxAnswer) (letter, hint int64, err error) {
	err = s.write(ctx, fmt.Sprintf("store: answer inbox item %d", id), func(t *tx) error {
		letter, hint = 0, 0
		item, err := t.openItem(scope, id)
		if err != nil {
			return err
		}
		_, err = t.exec(`UPDATE wishes SET state = 'answered', answer = $2, answered_by = $3, settled_at = $4 WHERE id = $1`,
			id, t.keys.Seal([]byte(a.Text), "wishes", "answer", id), a.By, toMicros(a.At))
		if err != nil {
			return err
		}
		if err := t.takeUp(item, a.At); err != nil {
			return err
		}
		now, err := t.now()
		if err != nil {
			return err
		}
		way, err := t.answerWay(item, now)
		if err != nil {
			return err
		}
		if way.WeChat {
			if letter, err = t.writeLetter(id, way, a); err != nil {
				return err
			}
		}
		if !way.Open() && way.Phone != "" {
			hint, err = t.hint(id, hinted{phone: string(way.Phone), personID: item.PersonID, office: a.Office, from: a.HintAt}, a.At)
		}
		return err
	})
	return letter, hint, err
}

// SettleInbox ends a matter without an answer in writing, or passes it on to the county. ErrConflict: it is settled, or it
// is with the county already.
func (s *Store) SettleInbox(ctx context.Context, scope register.Scope, id int64, end register.InboxEnd) error {
	return s.write(ctx, fmt.Sprintf("store: settle inbox item %d", id), func(t *tx) error {
		item, err := t.openItem(scope, id)
		if err != nil {
			return err
		}
		if end.Outcome != "" {
			_, err := t.exec(`UPDATE wishes SET state = 'closed', outcome = $2, answered_by = $3, settled_at = $4 WHERE id = $1`,
				id, string(end.Outcome), end.By, toMicros(end.At))
			if err == nil {
				err = t.takeUp(item, end.At)
			}
			return err
		}
		county := register.CountyOf(item.RegionCode)
		if county == "" || item.PassedTo == county || item.RegionCode == county {
			return ErrConflict
		}
		_, err = t.exec(`UPDATE wishes SET passed_to = $2, passed_by = $3, passed_at = $4, note = $5 WHERE id = $1`,
			id, county, end.By, toMicros(end.At), t.sealed(end.Note, "wishes", "note", id))
		return err
	})
}

// takeUp notes on what a matter stands for that staff have taken it up.
func (t *tx) takeUp(item register.InboxItem, at time.Time) (err error) {
	switch item.Topic {
	case register.TopicJob:
		_, err = t.exec(`UPDATE job_interests SET state = 'told', told_at = $2, updated_at = $2 WHERE id = $1 AND state = 'wanted'`, item.AboutID, toMicros(at))
	case register.TopicApplication:
		_, err = t.exec(`UPDATE applications SET state = 'reviewing', updated_at = $2 WHERE id = $1 AND state = 'received'`, item.AboutID, toMicros(at))
	}
	return err
}
