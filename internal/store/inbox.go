package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
)

// turnsShown is how many turns before a hand-over go with it.
const turnsShown = 10

// inboxScope: a hand-over belongs where the person lives, else where the conversation was placed; one of nowhere is
// the whole province's.
const inboxScope = `COALESCE(p.region, w.region_code) >= $1 AND COALESCE(p.region, w.region_code) < $2`

// ListInbox lists the hand-overs of a scope that stand in a state, the oldest first, from the one after an id on.
// Those whose answer is due come with their due time: a page shows how they age.
func (s *Store) ListInbox(ctx context.Context, scope register.Scope, state register.InboxState, after int64, limit int) (list []register.InboxItem, err error) {
	err = s.read(ctx, "store: list the inbox", func(t *tx) error {
		list, err = t.inbox(`WHERE `+inboxScope+` AND w.state = $3 AND w.id > $4 ORDER BY w.id LIMIT $5`, append(scopeArgs(scope), string(state), after, limit)...)
		return err
	})
	return list, err
}

// InboxFigures says how many hand-overs of a scope are open, how many of them are overdue, and since when the oldest
// waits (zero: none).
func (s *Store) InboxFigures(ctx context.Context, scope register.Scope, now time.Time) (open, overdue int64, oldest time.Time, err error) {
	err = s.read(ctx, "store: count the inbox", func(t *tx) error {
		var at int64
		err := t.row(`SELECT COUNT(*), COUNT(CASE WHEN w.due_at > 0 AND w.due_at < $3 THEN 1 END), COALESCE(MIN(w.at), 0)
			FROM wishes w LEFT JOIN people p ON p.id = w.person_id WHERE `+inboxScope+` AND w.state = 'open'`, append(scopeArgs(scope), toMicros(now))...).
			Scan(&open, &overdue, &at)
		oldest = fromMicros(at)
		return err
	})
	return open, overdue, oldest, err
}

// InboxItem is one hand-over with the turns that led to it; register.ErrNotFound outside the scope.
func (s *Store) InboxItem(ctx context.Context, scope register.Scope, id int64) (item register.InboxItem, err error) {
	err = s.read(ctx, fmt.Sprintf("store: inbox item %d", id), func(t *tx) error {
		found, err := t.inbox(`WHERE `+inboxScope+` AND w.id = $3`, append(scopeArgs(scope), id)...)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return register.ErrNotFound
		}
		item = found[0]
		item.Turns, err = t.turnsBefore(id)
		return err
	})
	return item, err
}

// inbox reads "wishes w" by the end of a statement.
func (t *tx) inbox(tail string, args ...any) (list []register.InboxItem, err error) {
	err = t.each(`SELECT w.id, w.channel, COALESCE(w.person_id, 0), COALESCE(p.region, w.region_code), w.topic, w.words, w.state, w.at, w.due_at,
			w.answer, w.answered_by, w.settled_at
		FROM wishes w LEFT JOIN people p ON p.id = w.person_id `+tail,
		func(rows *sql.Rows) error {
			var v register.InboxItem
			var words, answer []byte
			var at, due, settled int64
			err := rows.Scan(&v.ID, &v.Channel, &v.PersonID, &v.RegionCode, &v.Topic, &words, &v.State, &at, &due, &answer, &v.AnsweredBy, &settled)
			if err != nil {
				return err
			}
			v.At, v.Due, v.AnsweredAt = fromMicros(at), fromMicros(due), fromMicros(settled)
			err = errors.Join(t.unseal(&v.Words, words, "wishes", "words", v.ID), t.unseal(&v.Answer, answer, "wishes", "answer", v.ID))
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

// AnswerInbox closes a hand-over with an answer, once, and says where the answer goes: an openid, or a phone that is
// only told that one waits. ErrConflict: somebody else was faster; register.ErrNotFound outside the scope.
func (s *Store) AnswerInbox(ctx context.Context, scope register.Scope, id int64, by, answer string, at time.Time) (channel turn.Channel, who string, err error) {
	err = s.write(ctx, fmt.Sprintf("store: answer inbox item %d", id), func(t *tx) error {
		found, err := t.inbox(`WHERE `+inboxScope+` AND w.id = $3`, append(scopeArgs(scope), id)...)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return register.ErrNotFound
		}
		n, err := t.exec(`UPDATE wishes SET state = 'answered', answer = $2, answered_by = $3, settled_at = $4 WHERE id = $1 AND state = 'open'`,
			id, t.keys.Seal([]byte(answer), "wishes", "answer", id), by, toMicros(at))
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrConflict
		}
		channel = turn.Channel(found[0].Channel)
		var idx, sealed []byte
		err = t.row(`SELECT c.who_idx, c.who FROM wishes w JOIN contacts c ON c.channel = w.channel AND c.who_idx = w.who_idx WHERE w.id = $1`, id).Scan(&idx, &sealed)
		if errors.Is(err, sql.ErrNoRows) {
			return nil // they unfollowed: the answer is kept, and goes nowhere
		}
		if err == nil {
			err = t.unseal(&who, sealed, "contacts", "who", rowID(idx))
		}
		return err
	})
	return channel, who, err
}

// CloseInbox settles a hand-over without an answer: a telephone call did it. ErrConflict: it is settled already.
func (s *Store) CloseInbox(ctx context.Context, scope register.Scope, id int64, by string, at time.Time) error {
	return s.write(ctx, fmt.Sprintf("store: close inbox item %d", id), func(t *tx) error {
		found, err := t.inbox(`WHERE `+inboxScope+` AND w.id = $3`, append(scopeArgs(scope), id)...)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return register.ErrNotFound
		}
		n, err := t.exec(`UPDATE wishes SET state = 'closed', answered_by = $2, settled_at = $3 WHERE id = $1 AND state = 'open'`, id, by, toMicros(at))
		if err == nil && n == 0 {
			err = ErrConflict
		}
		return err
	})
}
