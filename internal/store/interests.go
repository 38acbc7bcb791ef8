package store

import (
	"context"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// ListInterests lists who of a scope wants which posting, of those in a state, the oldest first, from the one after an
// id on.
func (s *Store) ListInterests(ctx context.Context, scope register.Scope, state register.InterestState, after int64, limit int) (list []register.JobInterest, err error) {
	err = s.read(ctx, "store: list interests in postings", func(t *tx) error {
		list, err = t.interests(`WHERE `+inScope(1)+` AND i.state = $3 AND i.id > $4 ORDER BY i.id LIMIT $5`, append(scopeArgs(scope), string(state), after, limit)...)
		return err
	})
	return list, err
}

// SettleInterest moves an interest on by staff of the scope: told, placed or declined. ErrConflict: it has ended;
// register.ErrNotFound outside the scope.
func (s *Store) SettleInterest(ctx context.Context, scope register.Scope, id int64, state register.InterestState, at time.Time) error {
	return s.write(ctx, fmt.Sprintf("store: settle interest %d", id), func(t *tx) error {
		found, err := t.interests(`WHERE `+inScope(1)+` AND i.id = $3`, append(scopeArgs(scope), id)...)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return register.ErrNotFound
		}
		n, err := t.exec(`UPDATE job_interests SET state = $2, told_at = CASE told_at WHEN 0 THEN $3 ELSE told_at END, updated_at = $4
			WHERE id = $1 AND state IN ('wanted', 'told')`, id, string(state), toMicros(at), toMicros(at))
		if err == nil && n == 0 {
			err = ErrConflict
		}
		return err
	})
}

// ListApplications lists the applications of a scope that stand in a state, the oldest first, from the one after an id
// on.
func (s *Store) ListApplications(ctx context.Context, scope register.Scope, state register.ApplicationState, after int64, limit int) (list []register.Application, err error) {
	err = s.read(ctx, "store: list applications", func(t *tx) error {
		list, err = t.applications(`WHERE `+inScope(1)+` AND a.state = $3 AND a.id > $4 ORDER BY a.id LIMIT $5`, append(scopeArgs(scope), string(state), after, limit)...)
		return err
	})
	return list, err
}

// SettleApplication moves an open application on by staff of the scope. ErrConflict: it is decided already.
func (s *Store) SettleApplication(ctx context.Context, scope register.Scope, id int64, state register.ApplicationState, at time.Time) error {
	return s.write(ctx, fmt.Sprintf("store: settle application %d", id), func(t *tx) error {
		found, err := t.applications(`WHERE `+inScope(1)+` AND a.id = $3`, append(scopeArgs(scope), id)...)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return register.ErrNotFound
		}
		n, err := t.exec(`UPDATE applications SET state = $2, updated_at = $3 WHERE id = $1 AND state IN ('received', 'reviewing')`, id, string(state), toMicros(at))
		if err == nil && n == 0 {
			err = ErrConflict
		}
		return err
	})
}

// ListSignUps lists the people of a scope in a course, by when they came; course 0: the wishes for courses that there
// are not yet.
func (s *Store) ListSignUps(ctx context.Context, scope register.Scope, course int64) (list []register.SignUp, err error) {
	err = s.read(ctx, "store: list sign-ups", func(t *tx) error {
		list, err = t.signUps(`WHERE `+inScope(1)+` AND COALESCE(s.course_id, 0) = $3 ORDER BY s.at, s.id`, append(scopeArgs(scope), course)...)
		return err
	})
	return list, err
}

// MarkAttended writes down who of a scope was there and who was not. Only those with a place are marked; it may be
// corrected.
func (s *Store) MarkAttended(ctx context.Context, scope register.Scope, id int64, there bool, at time.Time) error {
	return s.write(ctx, fmt.Sprintf("store: mark sign-up %d", id), func(t *tx) error {
		found, err := t.signUps(`WHERE `+inScope(1)+` AND s.id = $3`, append(scopeArgs(scope), id)...)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return register.ErrNotFound
		}
		state := register.SignUpAbsent
		if there {
			state = register.SignUpAttended
		}
		n, err := t.exec(`UPDATE signups SET state = $2, updated_at = $3 WHERE id = $1 AND state IN ('signed_up', 'attended', 'absent')`, id, string(state), toMicros(at))
		if err == nil && n == 0 {
			err = ErrConflict
		}
		return err
	})
}
