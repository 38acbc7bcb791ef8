package store

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/lingjuli/lingjuli/internal/register"
)

// SignUp implements turn.Steps. The course's row is locked while its places are counted.
func (t *turnTx) SignUp(courseID, personID int64) (register.SignUp, error) {
	s, err := t.signUp(courseID, personID)
	if err != nil {
		return s, fmt.Errorf("sign person %d up for course %d: %w", personID, courseID, err)
	}
	return s, nil
}

func (t *turnTx) signUp(courseID, personID int64) (s register.SignUp, err error) {
	course, err := t.lockCourse(courseID)
	if err != nil {
		return s, err
	}
	if course.StartsOn != "" && course.StartsOn < t.today() {
		return s, register.ErrNotFound
	}
	have, err := t.signUps(`WHERE s.course_id = $1 AND s.person_id = $2`, courseID, personID)
	if err != nil {
		return s, err
	}
	if len(have) == 0 || have[0].State == register.SignUpCancelled || have[0].State == register.SignUpAbsent {
		if err := t.enter(course, personID); err != nil {
			return s, err
		}
	}
	now, err := t.signUps(`WHERE s.course_id = $1 AND s.person_id = $2`, courseID, personID)
	if err != nil || len(now) != 1 {
		return s, errors.Join(err, orNil(len(now) != 1, register.ErrNotFound))
	}
	s = now[0]
	s.Already = len(have) > 0 && have[0].State == s.State
	if s.State == register.SignUpWaiting {
		err = t.row(`SELECT COUNT(*) FROM signups WHERE course_id = $1 AND state = 'waiting' AND (at < $2 OR at = $2 AND id < $3)`,
			courseID, toMicros(s.At), s.ID).Scan(&s.Ahead)
	}
	return s, err
}

// lockCourse reads a course and holds it until the transaction ends.
func (t *tx) lockCourse(id int64) (register.Course, error) {
	found, err := t.courses(`WHERE id = $1`+t.forUpdate(), id)
	if err != nil {
		return register.Course{}, err
	}
	if len(found) == 0 {
		return register.Course{}, register.ErrNotFound
	}
	return found[0].Course, nil
}

// enter gives a person a place, or the last one in the waiting list. Nobody goes before those who wait.
func (t *turnTx) enter(course register.Course, personID int64) error {
	var taken, waiting int
	if err := t.row(`SELECT `+places+` FROM courses c WHERE c.id = $1`, course.ID).Scan(&taken, &waiting); err != nil {
		return err
	}
	state := register.SignUpTaken
	if course.Places >= 0 && (taken >= course.Places || waiting > 0) {
		state = register.SignUpWaiting
	}
	id, err := t.newID("signups")
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO signups (id, course_id, person_id, state, trade, at, told_at, updated_at) VALUES ($1, $2, $3, $4, '', $5, $6, $7)
		ON CONFLICT (course_id, person_id) DO UPDATE SET state = excluded.state, at = excluded.at, told_at = excluded.told_at, updated_at = excluded.updated_at`,
		id, course.ID, personID, string(state), toMicros(t.who.At), toMicros(t.who.At), toMicros(t.who.At))
	return err
}

// WishCourse implements turn.Steps.
func (t *turnTx) WishCourse(personID int64, trade string) (s register.SignUp, err error) {
	id, err := t.newID("signups")
	if err != nil {
		return s, err
	}
	at := toMicros(t.who.At)
	added, err := t.exec(`INSERT INTO signups (id, person_id, state, trade, at, told_at, updated_at) VALUES ($1, $2, 'wish', $3, $4, $5, $6)
		ON CONFLICT (person_id, trade) WHERE course_id IS NULL DO NOTHING`, id, personID, trade, at, at, at)
	if err != nil {
		return s, fmt.Errorf("note a wish of person %d: %w", personID, err)
	}
	return register.SignUp{ID: id, PersonID: personID, State: register.SignUpWish, Trade: trade, At: t.who.At, Already: added == 0}, nil
}

// LeaveCourse implements turn.Steps.
func (t *turnTx) LeaveCourse(courseID, personID int64) (was register.SignUpState, err error) {
	course, err := t.lockCourse(courseID)
	if err != nil {
		return "", fmt.Errorf("leave course %d: %w", courseID, err)
	}
	err = t.row(`SELECT state FROM signups WHERE course_id = $1 AND person_id = $2`, courseID, personID).Scan(&was)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !was.Open() {
		return "", nil
	}
	if err == nil {
		_, err = t.exec(`UPDATE signups SET state = 'cancelled', updated_at = $3 WHERE course_id = $1 AND person_id = $2`, courseID, personID, toMicros(t.who.At))
	}
	if err == nil {
		err = t.moveUp(course, toMicros(t.who.At))
	}
	if err != nil {
		return "", fmt.Errorf("person %d leaves course %d: %w", personID, courseID, err)
	}
	return was, nil
}

// moveUp gives the free places of a locked course to those who waited longest. TellMovedUp tells them.
func (t *tx) moveUp(course register.Course, at int64) error {
	var taken, waiting int
	if err := t.row(`SELECT `+places+` FROM courses c WHERE c.id = $1`, course.ID).Scan(&taken, &waiting); err != nil {
		return err
	}
	free := course.Places - taken
	if course.Places < 0 {
		free = waiting
	}
	if free <= 0 || waiting == 0 {
		return nil
	}
	_, err := t.exec(`UPDATE signups SET state = 'signed_up', told_at = 0, updated_at = $2 WHERE id IN (
		SELECT id FROM signups WHERE course_id = $1 AND state = 'waiting' ORDER BY at, id LIMIT $3)`, course.ID, at, free)
	return err
}

// SignUps implements turn.Steps.
func (t *turnTx) SignUps(personID int64) ([]register.SignUp, error) {
	list, err := t.signUps(`WHERE s.person_id = $1 AND s.state <> 'cancelled' ORDER BY s.at DESC, s.id DESC`, personID)
	if err != nil {
		return nil, fmt.Errorf("read the sign-ups of person %d: %w", personID, err)
	}
	return list, nil
}

// signUps reads "signups s" with their courses by the end of a statement.
func (t *tx) signUps(tail string, args ...any) (list []register.SignUp, err error) {
	err = t.each(`SELECT s.id, COALESCE(s.course_id, 0), s.person_id, s.state, s.trade, s.at, COALESCE(c.name, ''), COALESCE(c.trade, ''),
			COALESCE(c.provider, ''), COALESCE(c.place, ''), COALESCE(c.region, ''), COALESCE(c.starts_on, ''), COALESCE(c.ends_on, ''),
			COALESCE(c.places, 0), COALESCE(c.allowance_fen, 0), COALESCE(c.mode, ''), COALESCE(c.phone, ''), COALESCE(c.job_title, '')
		FROM signups s LEFT JOIN courses c ON c.id = s.course_id JOIN people p ON p.id = s.person_id `+tail,
		func(rows *sql.Rows) error {
			var v register.SignUp
			var at int64
			c := &v.Course
			err := rows.Scan(&v.ID, &v.CourseID, &v.PersonID, &v.State, &v.Trade, &at, &c.Name, &c.Trade, &c.Provider, &c.Place, &c.RegionCode,
				&c.StartsOn, &c.EndsOn, &c.Places, &c.AllowanceFen, &c.Mode, &c.Phone, &c.JobTitle)
			v.At, c.ID = fromMicros(at), v.CourseID
			if v.CourseID == 0 {
				v.Course = register.Course{}
			}
			list = append(list, v)
			return err
		}, args...)
	return list, err
}

// WantJob implements turn.Steps.
func (t *turnTx) WantJob(jobID, personID int64) (already bool, err error) {
	if _, err := t.Job(jobID); err != nil {
		return false, err
	}
	id, err := t.newID("job_interests")
	if err != nil {
		return false, err
	}
	at := toMicros(t.who.At)
	// Whoever changed their mind may want it again.
	n, err := t.exec(`INSERT INTO job_interests (id, job_id, person_id, state, at, told_at, updated_at) VALUES ($1, $2, $3, 'wanted', $4, 0, $5)
		ON CONFLICT (job_id, person_id) DO UPDATE SET state = 'wanted', at = excluded.at, told_at = 0, updated_at = excluded.updated_at
		WHERE job_interests.state = 'declined'`, id, jobID, personID, at, at)
	if err != nil {
		return false, fmt.Errorf("note that person %d wants posting %d: %w", personID, jobID, err)
	}
	return n == 0, nil
}
