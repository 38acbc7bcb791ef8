package store

import (
	"context"
	"slices"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
)

// TellMovedUp looks at those who moved up because an import added places and were not told yet: compose says what each is
// told, ok is false where no SMS can reach them and staff see them in the course's list. Message and mark are written
// together, so that two processes, or a kill between them, tell nobody twice and nobody never. It returns the messages to
// ring for.
func (s *Store) TellMovedUp(ctx context.Context, limit int, at time.Time, compose func(register.MovedUp) (m turn.Message, ok bool)) (notices []int64, err error) {
	some := false
	err = s.read(ctx, "store: look for who moved up", func(t *tx) error {
		return t.row(`SELECT EXISTS (SELECT 1 FROM signups WHERE told_at = 0)`).Scan(&some)
	})
	if err != nil || !some {
		return nil, err
	}
	err = s.write(ctx, "store: tell who moved up", func(t *tx) error {
		notices = nil
		ids, err := t.idsOf(`UPDATE signups SET told_at = $1 WHERE id IN (SELECT id FROM signups WHERE told_at = 0 ORDER BY id LIMIT $2) AND told_at = 0 RETURNING id`,
			toMicros(at), limit)
		if err != nil {
			return err
		}
		slices.Sort(ids)
		list, err := t.signUps(`WHERE `+t.among("s.id", 1)+` AND s.state = 'signed_up' ORDER BY s.id`, t.idList(ids))
		if err != nil {
			return err
		}
		for _, v := range list {
			found, err := t.people(`WHERE p.id = $1 AND p.status <> 'deceased'`, v.PersonID)
			if err != nil {
				return err
			}
			for _, p := range found {
				m, ok := compose(register.MovedUp{PersonID: v.PersonID, Phone: p.Phone, Course: v.Course})
				if !ok {
					continue
				}
				id, err := t.queueNotice(m, time.Time{})
				if err != nil {
					return err
				}
				notices = append(notices, id)
			}
		}
		return nil
	})
	return notices, err
}
