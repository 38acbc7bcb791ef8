package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
)

// untoldPlaces are those who moved up and have not heard of it, who can be told by SMS at a number that nobody doubts, and
// whose course is still to come: $1 is the day.
const untoldPlaces = `FROM signups s JOIN courses c ON c.id = s.course_id JOIN people p ON p.id = s.person_id
	WHERE s.told_at = 0 AND s.state = 'signed_up' AND p.phone_mobile AND p.status <> 'deceased' AND (c.starts_on = '' OR c.starts_on >= $1)
	AND NOT EXISTS (SELECT 1 FROM phone_doubts d WHERE d.phone_idx = p.phone_idx AND d.person_id = p.id)`

// TellMovedUp queues the news for those who moved up and were not told: the row of the message and the mark that they are
// told commit together, so that neither a kill nor another process makes it two, or none. It returns how many were told.
func (s *Store) TellMovedUp(ctx context.Context, today string, limit int, news func(register.MovedUp, time.Time) turn.Message) (told int, err error) {
	waiting := false
	err = s.read(ctx, "store: look for who moved up", func(t *tx) error {
		return t.row(`SELECT EXISTS (SELECT 1 `+untoldPlaces+`)`, today).Scan(&waiting)
	})
	if err != nil || !waiting {
		return 0, err
	}
	err = s.write(ctx, "store: tell who moved up", func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		up, err := t.takeUntold(today, limit, now)
		if err != nil {
			return err
		}
		for _, m := range up {
			if _, err := (&turnTx{tx: t}).Queue(news(m, now)); err != nil {
				return fmt.Errorf("tell person %d: %w", m.PersonID, err)
			}
		}
		told = len(up)
		return nil
	})
	return told, err
}

// takeUntold marks the next of them as told. Of two that are at it at once each takes others.
func (t *tx) takeUntold(today string, limit int, now time.Time) (up []register.MovedUp, err error) {
	ids, err := t.idsOf(`SELECT s.id `+untoldPlaces+` ORDER BY s.id LIMIT $2`, today, limit)
	if err != nil {
		return nil, err
	}
	courseOf := map[int64][]int64{}
	err = t.each(`UPDATE signups SET told_at = $2 WHERE `+t.among("id", 1)+` AND told_at = 0 AND state = 'signed_up' RETURNING person_id, course_id`,
		func(rows *sql.Rows) error {
			var person, course int64
			err := rows.Scan(&person, &course)
			courseOf[course] = append(courseOf[course], person)
			return err
		}, t.idList(ids), toMicros(now))
	if err != nil {
		return nil, err
	}
	for id, people := range courseOf {
		courses, err := t.courses(`WHERE id = $1`, id)
		if err != nil {
			return nil, err
		}
		found, err := t.people(`WHERE `+t.among("p.id", 1)+` ORDER BY p.id`, t.idList(people))
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			up = append(up, register.MovedUp{PersonID: p.ID, Phone: p.Phone, Course: courses[0].Course})
		}
	}
	return up, nil
}
