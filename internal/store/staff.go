package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/lingjuli/lingjuli/internal/staff"
)

// CreateStaff stores a new member with the audit's line of who made them. staff.ErrNameTaken.
func (s *Store) CreateStaff(ctx context.Context, m staff.Member, hash string, by staff.Entry) (staff.Member, error) {
	err := s.write(ctx, "store: create staff", func(t *tx) error {
		at := toMicros(by.At)
		err := t.row(`INSERT INTO staff (name, name_key, role, region, password_hash, disabled, created_at, updated_at)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$7) ON CONFLICT (name_key) DO NOTHING RETURNING id`,
			m.Name, staff.NameKey(m.Name), string(m.Role), m.Region, hash, m.Disabled, at).Scan(&m.ID)
		if errors.Is(err, sql.ErrNoRows) {
			return staff.ErrNameTaken
		}
		if err != nil {
			return err
		}
		by.Object = staff.Object(m.ID)
		return t.audit(by)
	})
	return m, err
}

const staffColumns = `SELECT id, name, role, region, disabled, password_hash, session_version FROM staff`

// StaffByName finds a member by name, whatever its case. staff.ErrNotFound.
func (s *Store) StaffByName(ctx context.Context, name string) (staff.Account, error) {
	return s.staffBy(ctx, staffColumns+` WHERE name_key = $1`, staff.NameKey(name))
}

// StaffByID finds a member by id. staff.ErrNotFound.
func (s *Store) StaffByID(ctx context.Context, id int64) (staff.Account, error) {
	return s.staffBy(ctx, staffColumns+` WHERE id = $1`, id)
}

func (s *Store) staffBy(ctx context.Context, query string, arg any) (staff.Account, error) {
	var account staff.Account
	err := s.read(ctx, "store: find staff", func(t *tx) error {
		var err error
		account, err = scanStaff(t.row(query, arg))
		return err
	})
	return account, err
}

// ListStaff lists all members by name.
func (s *Store) ListStaff(ctx context.Context) ([]staff.Member, error) {
	var list []staff.Member
	err := s.read(ctx, "store: list staff", func(t *tx) error {
		rows, err := t.query(staffColumns + ` ORDER BY name_key`)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			account, err := scanStaff(rows)
			if err != nil {
				return err
			}
			list = append(list, account.Member)
		}
		return rows.Err()
	})
	return list, err
}

func scanStaff(row interface{ Scan(...any) error }) (staff.Account, error) {
	var a staff.Account
	err := row.Scan(&a.ID, &a.Name, (*string)(&a.Role), &a.Region, &a.Disabled, &a.PasswordHash, &a.SessionVersion)
	if errors.Is(err, sql.ErrNoRows) {
		return staff.Account{}, staff.ErrNotFound
	}
	return a, err
}

// SetStaffPassword stores a new hash, ends every session of the member, and returns the version of the next ones.
func (s *Store) SetStaffPassword(ctx context.Context, id int64, hash string, by staff.Entry) (int64, error) {
	return s.changeStaff(ctx, "set password", by,
		`UPDATE staff SET password_hash = $2, session_version = session_version + 1, updated_at = $3
		WHERE id = $1 RETURNING session_version`, id, hash, toMicros(by.At))
}

// DisableStaff ends a member's sessions and lets them in no more; enable undoes it.
func (s *Store) DisableStaff(ctx context.Context, id int64, disabled bool, by staff.Entry) error {
	_, err := s.changeStaff(ctx, "disable", by,
		`UPDATE staff SET disabled = $2, session_version = session_version + 1, updated_at = $3
		WHERE id = $1 RETURNING session_version`, id, disabled, toMicros(by.At))
	return err
}

// RevokeStaffSessions ends every session of a member.
func (s *Store) RevokeStaffSessions(ctx context.Context, id int64, by staff.Entry) error {
	_, err := s.changeStaff(ctx, "revoke sessions", by,
		`UPDATE staff SET session_version = session_version + 1, updated_at = $2
		WHERE id = $1 RETURNING session_version`, id, toMicros(by.At))
	return err
}

func (s *Store) changeStaff(ctx context.Context, act string, by staff.Entry, query string, args ...any) (int64, error) {
	var version int64
	err := s.write(ctx, fmt.Sprintf("store: staff %v: %s", args[0], act), func(t *tx) error {
		err := t.row(query, args...).Scan(&version)
		if errors.Is(err, sql.ErrNoRows) {
			return staff.ErrNotFound
		}
		if err != nil {
			return err
		}
		return t.audit(by)
	})
	return version, err
}
