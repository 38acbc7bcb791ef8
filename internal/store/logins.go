package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/internal/staff"
)

// BeginLogin counts a try to log in before the password is looked at, so that tries at the same moment count
// too. It returns the number of this try, or staff.ErrLocked. Failures older than the lock-out are forgotten.
func (s *Store) BeginLogin(ctx context.Context, nameKey string, at time.Time) (int, error) {
	var tries int64
	now, forget := toMicros(at), toMicros(at.Add(-staff.LockFor))
	err := s.write(ctx, "store: begin login", func(t *tx) error {
		if _, err := t.exec(`DELETE FROM staff_logins WHERE failed_at <= $1 AND locked_until <= $2`, forget, now); err != nil {
			return err
		}
		// A locked row is left as it is, so that trying on doesn't lengthen the lock.
		err := t.row(`INSERT INTO staff_logins (name_key, failed, failed_at, locked_until) VALUES ($1, 1, $2, 0)
			ON CONFLICT (name_key) DO UPDATE SET
				failed = CASE WHEN staff_logins.locked_until > 0 THEN 1 ELSE staff_logins.failed + 1 END,
				failed_at = $2,
				locked_until = CASE WHEN staff_logins.locked_until = 0 AND staff_logins.failed + 1 >= $3 THEN CAST($4 AS BIGINT) ELSE 0 END
			WHERE staff_logins.locked_until <= $2
			RETURNING failed`, nameKey, now, staff.MaxFailures, toMicros(at.Add(staff.LockFor))).Scan(&tries)
		if errors.Is(err, sql.ErrNoRows) {
			return staff.ErrLocked
		}
		return err
	})
	return int(tries), err
}

// EndLogin writes the try's line of the audit; a success forgets the failures.
func (s *Store) EndLogin(ctx context.Context, nameKey string, succeeded bool, entry staff.Entry) error {
	return s.write(ctx, "store: end login", func(t *tx) error {
		if succeeded {
			if _, err := t.exec(`DELETE FROM staff_logins WHERE name_key = $1`, nameKey); err != nil {
				return err
			}
		}
		return t.audit(entry)
	})
}

// StaffSessions keeps the console's sessions for scs: rows by the hash of the cookie's token.
type StaffSessions struct {
	store *Store
	now   func() time.Time
}

// StaffSessions returns the session store. now is the clock by which sessions expire.
func (s *Store) StaffSessions(now func() time.Time) *StaffSessions {
	return &StaffSessions{store: s, now: now}
}

// FindCtx returns the session of a token; false where there is none or it has expired.
func (s *StaffSessions) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	var session []byte
	err := s.store.read(ctx, "store: find session", func(t *tx) error {
		return t.row(`SELECT session FROM staff_sessions WHERE token_hash = $1 AND expires_at > $2`,
			tokenHash(token), toMicros(s.now())).Scan(&session)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	return session, err == nil, err
}

// CommitCtx writes a session, and clears away what has expired.
func (s *StaffSessions) CommitCtx(ctx context.Context, token string, session []byte, expiry time.Time) error {
	return s.store.write(ctx, "store: commit session", func(t *tx) error {
		if _, err := t.exec(`DELETE FROM staff_sessions WHERE expires_at <= $1`, toMicros(s.now())); err != nil {
			return err
		}
		_, err := t.exec(`INSERT INTO staff_sessions (token_hash, session, expires_at) VALUES ($1,$2,$3)
			ON CONFLICT (token_hash) DO UPDATE SET session = excluded.session, expires_at = excluded.expires_at`,
			tokenHash(token), session, toMicros(expiry))
		return err
	})
}

// DeleteCtx ends a session.
func (s *StaffSessions) DeleteCtx(ctx context.Context, token string) error {
	return s.store.write(ctx, "store: delete session", func(t *tx) error {
		_, err := t.exec(`DELETE FROM staff_sessions WHERE token_hash = $1`, tokenHash(token))
		return err
	})
}

var errNoContext = errors.New("store: sessions need a context")

// Find is refused: scs calls FindCtx.
func (s *StaffSessions) Find(string) ([]byte, bool, error) { return nil, false, errNoContext }

// Commit is refused: scs calls CommitCtx.
func (s *StaffSessions) Commit(string, []byte, time.Time) error { return errNoContext }

// Delete is refused: scs calls DeleteCtx.
func (s *StaffSessions) Delete(string) error { return errNoContext }

func tokenHash(token string) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "staff session\x00%s", token))
	return sum[:]
}
