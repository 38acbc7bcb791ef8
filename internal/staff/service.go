package staff

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// Errors that the service and its store return.
var (
	ErrNotFound    = errors.New("staff: no such member")
	ErrNameTaken   = errors.New("staff: this name is taken")
	ErrName        = errors.New("staff: a name has 2 to 32 letters, digits, '.', '_' or '-'")
	ErrRole        = errors.New("staff: unknown role; one of author, approver, operator, township, auditor, admin")
	ErrRegion      = errors.New("staff: a region is 2, 4, 6, 9 or 12 digits of Guangdong, beginning with 44")
	ErrBadLogin    = errors.New("staff: name or password is wrong")
	ErrLocked      = errors.New("staff: locked after too many failures")
	ErrOldPassword = errors.New("staff: the present password is wrong")
)

// The lock-out: so many failures, for so long.
const (
	MaxFailures = 5
	LockFor     = 15 * time.Minute
)

// Account is a member with what logging in needs.
type Account struct {
	Member
	PasswordHash   string
	SessionVersion int64 // sessions of another version have ended
}

// Accounts keeps members of staff.
type Accounts interface {
	// CreateStaff stores a new member with the audit's entry, and returns it with its id. ErrNameTaken.
	CreateStaff(ctx context.Context, m Member, hash string, by Entry) (Member, error)
	// StaffByName finds by NameKey. ErrNotFound.
	StaffByName(ctx context.Context, name string) (Account, error)
	// StaffByID finds by id. ErrNotFound.
	StaffByID(ctx context.Context, id int64) (Account, error)
	// SetStaffPassword stores the hash with the audit's entry and ends the member's sessions; it returns their new version.
	SetStaffPassword(ctx context.Context, id int64, hash string, by Entry) (int64, error)
	// ListStaff lists all members by name.
	ListStaff(ctx context.Context) ([]Member, error)
}

// Logins counts failures, by name whether it exists or not.
type Logins interface {
	// BeginLogin counts a try before the password is looked at, so that tries at the same moment count too.
	// It returns how many tries this one makes, or ErrLocked.
	BeginLogin(ctx context.Context, nameKey string, at time.Time) (int, error)
	// EndLogin writes the audit's entry; a success forgets the failures.
	EndLogin(ctx context.Context, nameKey string, succeeded bool, entry Entry) error
}

// Service adds members, logs them in, and changes passwords, for the console and the commands alike.
type Service struct {
	Accounts Accounts
	Logins   Logins
	Hasher   *Hasher
	Now      func() time.Time
}

// NameKey is the form of a name by which it is looked up.
func NameKey(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// Add makes a new member. by is who does it ("os:USER" for a command). An empty password is replaced by a
// generated one; the password in force is returned, to be shown once.
func (s *Service) Add(ctx context.Context, by string, m Member, password string) (Member, string, error) {
	m.Name = strings.TrimSpace(m.Name)
	region, err := RegionPrefix(m.Region)
	switch {
	case !goodName(m.Name):
		return Member{}, "", ErrName
	case !slices.Contains(Roles(), m.Role):
		return Member{}, "", ErrRole
	case err != nil:
		return Member{}, "", err
	}
	m.Region = region
	if password == "" {
		password = GeneratePassword()
	}
	if err := CheckPassword(m.Name, password); err != nil {
		return Member{}, "", err
	}
	hash, err := s.Hasher.Hash(ctx, password)
	if err != nil {
		return Member{}, "", err
	}
	m, err = s.Accounts.CreateStaff(ctx, m, hash, Entry{
		At: s.Now(), Actor: by, Act: DidAddStaff,
		Detail: map[string]string{"name": m.Name, "role": string(m.Role), "region": m.Region},
	})
	if err != nil {
		return Member{}, "", fmt.Errorf("staff add %q: %w", m.Name, err)
	}
	return m, password, nil
}

// goodName says whether a name can be typed, shown and written in a log as it is.
func goodName(name string) bool {
	return regexp.MustCompile(`^[\p{L}\p{N}._-]{2,32}$`).MatchString(name)
}

// LogIn checks name and password. ErrBadLogin for a wrong password, an unknown name and a disabled member
// alike; ErrLocked for LockFor after MaxFailures, for a name that doesn't exist too.
func (s *Service) LogIn(ctx context.Context, name, password string) (Account, error) {
	return s.check(ctx, name, password, DidLogIn)
}

// check counts the try, looks at the password, and writes the outcome; act is what a success is called.
func (s *Service) check(ctx context.Context, name, password, act string) (Account, error) {
	key, at := bounded(NameKey(name)), s.Now()
	try, err := s.Logins.BeginLogin(ctx, key, at)
	if err != nil {
		return Account{}, fmt.Errorf("staff login: %w", err)
	}
	account, err := s.Accounts.StaffByName(ctx, key)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Account{}, fmt.Errorf("staff login: %w", err)
	}
	match, err := s.Hasher.Matches(ctx, password, account.PasswordHash)
	if err != nil {
		return Account{}, err
	}
	if match && !account.Disabled {
		entry := Entry{At: at, Actor: account.Name, Act: act, Object: Object(account.ID)}
		return account, s.Logins.EndLogin(ctx, key, true, entry)
	}
	return Account{}, s.failed(ctx, account, key, try, at)
}

// failed writes a failure. A name that nobody has is not written out: people type passwords into that field.
func (s *Service) failed(ctx context.Context, account Account, key string, try int, at time.Time) error {
	entry := Entry{At: at, Actor: "?", Act: DidFailLogIn, Detail: map[string]string{"try": strconv.Itoa(try)}}
	if account.ID != 0 {
		entry.Actor, entry.Object = account.Name, Object(account.ID)
	}
	verdict := ErrBadLogin
	if try >= MaxFailures {
		entry.Act, verdict = DidLock, ErrLocked
	}
	if err := s.Logins.EndLogin(ctx, key, false, entry); err != nil {
		return fmt.Errorf("staff login: %w", err)
	}
	return verdict
}

// ChangePassword sets a member's own password; every session of theirs ends but the one that gets the
// version returned. The present password counts like a login, so that an open desk can't be used to guess it.
func (s *Service) ChangePassword(ctx context.Context, m Member, present, wished string) (int64, error) {
	if err := CheckPassword(m.Name, wished); err != nil {
		return 0, err
	}
	if _, err := s.check(ctx, m.Name, present, DidConfirm); err != nil {
		if errors.Is(err, ErrBadLogin) {
			return 0, ErrOldPassword
		}
		return 0, err
	}
	hash, err := s.Hasher.Hash(ctx, wished)
	if err != nil {
		return 0, err
	}
	return s.Accounts.SetStaffPassword(ctx, m.ID, hash,
		Entry{At: s.Now(), Actor: m.Name, Act: DidChangePassword, Object: Object(m.ID)})
}

// Member returns the member of a session, if the session is still good.
func (s *Service) Member(ctx context.Context, id, sessionVersion int64) (Member, error) {
	account, err := s.Accounts.StaffByID(ctx, id)
	if err != nil {
		return Member{}, err
	}
	if account.Disabled || account.SessionVersion != sessionVersion {
		return Member{}, ErrNotFound
	}
	return account.Member, nil
}

// ListStaff lists all members by name.
func (s *Service) ListStaff(ctx context.Context) ([]Member, error) { return s.Accounts.ListStaff(ctx) }

// Object names a member in the audit.
func Object(id int64) string { return "staff:" + strconv.FormatInt(id, 10) }

// bounded keeps what a stranger typed as a name from filling the table.
func bounded(key string) string {
	const most = 96 // 32 characters of three bytes
	if len(key) > most {
		return strings.ToValidUTF8(key[:most], "")
	}
	return strings.ToValidUTF8(key, "")
}

// RegionPrefix turns a region's code of 2, 4, 6, 9 or 12 digits into the prefix that a scope holds. Zeros that
// stand for "all of it" are dropped; the whole province is empty.
func RegionPrefix(code string) (string, error) {
	code = strings.TrimSpace(code)
	if code == "" {
		return "", nil
	}
	prefix, err := register.RegionPrefix(code)
	switch {
	case err != nil:
		return "", ErrRegion
	case prefix == "44":
		return "", nil
	}
	return prefix, nil
}
