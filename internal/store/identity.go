package store

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/hanzi"
	"github.com/lingjuli/lingjuli/internal/register"
)

func (t *turnTx) subject(s turn.Subject) []byte {
	if s.Index != nil {
		return s.Index
	}
	return t.keys.Index("identity_"+string(s.Kind), s.Value)
}

// Checks implements turn.Identities. Rows are locked in the order of their keys, so that two turns never wait for
// one another.
func (t *turnTx) Checks(subjects ...turn.Subject) ([]turn.Check, error) {
	keys := make([][]byte, len(subjects))
	for i, s := range subjects {
		keys[i] = t.subject(s)
	}
	sorted := slices.Clone(keys)
	slices.SortFunc(sorted, bytes.Compare)
	found := make(map[string]turn.Check, len(keys))
	for _, key := range sorted {
		c, err := t.check(key)
		if err != nil {
			return nil, fmt.Errorf("read an identity check: %w", err)
		}
		found[string(key)] = c
	}
	checks := make([]turn.Check, len(keys))
	for i, key := range keys {
		checks[i] = found[string(key)]
	}
	return checks, nil
}

func (t *turnTx) check(key []byte) (turn.Check, error) {
	// The update takes the lock: the purge may be at the row.
	if _, err := t.exec(`INSERT INTO identity_checks (subject_idx) VALUES ($1) ON CONFLICT (subject_idx) DO UPDATE SET subject_idx = excluded.subject_idx`, key); err != nil {
		return turn.Check{}, err
	}
	var c turn.Check
	var wrongAt, locked, sent, hour int64
	err := t.row(`SELECT wrong, wrong_at, locked_until, sent_at, hour_from, hour_sent FROM identity_checks
		WHERE subject_idx = $1`+t.forUpdate(), key).Scan(&c.Wrong, &wrongAt, &locked, &sent, &hour, &c.HourSent)
	c.WrongAt, c.LockedUntil, c.SentAt, c.HourFrom = fromMicros(wrongAt), fromMicros(locked), fromMicros(sent), fromMicros(hour)
	return c, err
}

// SaveCheck implements turn.Identities.
func (t *turnTx) SaveCheck(s turn.Subject, c turn.Check) error {
	_, err := t.exec(`UPDATE identity_checks SET wrong = $2, wrong_at = $3, locked_until = $4, sent_at = $5, hour_from = $6, hour_sent = $7
		WHERE subject_idx = $1`, t.subject(s), c.Wrong, toMicros(c.WrongAt), toMicros(c.LockedUntil), toMicros(c.SentAt),
		toMicros(c.HourFrom), c.HourSent)
	if err != nil {
		return fmt.Errorf("save an identity check: %w", err)
	}
	return nil
}

// Find implements turn.Identities. Names are compared in one writing: a card says 陳, a spreadsheet 陈.
func (t *turnTx) Find(id register.IDNumber, name string) (turn.Found, bool, error) {
	var personID int64
	var nameSealed, phoneSealed []byte
	var mobile bool
	err := t.row(`SELECT id, name_sealed, phone_sealed, phone_mobile FROM people WHERE id_idx = $1 AND status <> $2`,
		t.keys.Index(idDomain, string(id)), string(register.Deceased)).Scan(&personID, &nameSealed, &phoneSealed, &mobile)
	if errors.Is(err, sql.ErrNoRows) {
		return turn.Found{}, false, nil
	}
	if err != nil {
		return turn.Found{}, false, fmt.Errorf("find a person: %w", err)
	}
	onFile, err := t.keys.Open(nameSealed, "people", "name_sealed", personID)
	if err != nil {
		return turn.Found{}, false, err
	}
	if subtle.ConstantTimeCompare([]byte(sameWriting(string(onFile))), []byte(sameWriting(name))) != 1 {
		return turn.Found{}, false, nil
	}
	found, err := t.reachedAt(personID, phoneSealed, mobile)
	return found, err == nil, err
}

// reachedAt is a person with the mobile that a code may go to: one that may be somebody else's by now is none.
func (t *tx) reachedAt(personID int64, phoneSealed []byte, mobile bool) (turn.Found, error) {
	found := turn.Found{PersonID: personID}
	if !mobile {
		return found, nil
	}
	phone, err := t.keys.Open(phoneSealed, "people", "phone_sealed", personID)
	if err != nil {
		return found, err
	}
	found.Phone, err = t.undoubted(personID, register.Phone(phone))
	return found, err
}

// sameWriting drops what differs between two spellings of one name.
func sameWriting(name string) string { return hanzi.Simplify(register.NormaliseName(name)) }

// SaveCode implements turn.Identities. What no digits match is a hash of nothing.
func (t *turnTx) SaveCode(c turn.Code) error {
	hash := make([]byte, 16)
	_, _ = rand.Read(hash) // crypto/rand.Read never fails since Go 1.24
	person := sql.NullInt64{Int64: c.PersonID, Valid: c.PersonID != 0 && c.Digits != ""}
	if person.Valid {
		hash = t.codeHash(c.Digits, toMicros(c.At))
	}
	_, err := t.exec(`INSERT INTO codes (openid_idx, id_idx, person_id, hash, created_at, expires_at, purpose, proxy_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (openid_idx) DO UPDATE SET id_idx = excluded.id_idx, person_id = excluded.person_id, hash = excluded.hash,
			created_at = excluded.created_at, expires_at = excluded.expires_at, purpose = excluded.purpose, proxy_id = excluded.proxy_id`,
		t.idx, t.subject(turn.Subject{Kind: turn.ByID, Value: string(c.ID)}), person, hash, toMicros(c.At), toMicros(c.Expires), string(c.Purpose), c.ProxyID)
	if err != nil {
		return fmt.Errorf("save a code: %w", err)
	}
	return nil
}

// codeHash is keyed: six digits alone would be found by trying them all.
func (t *turnTx) codeHash(digits string, at int64) []byte {
	return t.keys.Index("identity_code", string(t.idx)+strconv.FormatInt(at, 10)+digits)
}

// TryCode implements turn.Identities.
func (t *turnTx) TryCode(digits string) (turn.Tried, error) {
	var id, hash []byte
	var person sql.NullInt64
	var created, expires, proxy int64
	var purpose string
	err := t.row(`SELECT id_idx, person_id, hash, created_at, expires_at, purpose, proxy_id FROM codes WHERE openid_idx = $1`, t.idx).
		Scan(&id, &person, &hash, &created, &expires, &purpose, &proxy)
	if errors.Is(err, sql.ErrNoRows) {
		return turn.Tried{}, nil
	}
	if err != nil {
		return turn.Tried{}, fmt.Errorf("read the code: %w", err)
	}
	right := subtle.ConstantTimeCompare(hash, t.codeHash(digits, created)) == 1 && person.Valid
	return turn.Tried{
		Open: true, Right: right, PersonID: person.Int64, Expires: fromMicros(expires), Purpose: turn.Purpose(purpose), ProxyID: proxy,
		ID: turn.Subject{Kind: turn.ByID, Index: id},
	}, nil
}

// OpenCode implements turn.People.
func (t *turnTx) OpenCode(id register.IDNumber, purpose turn.Purpose) (bool, error) {
	var open bool
	err := t.row(`SELECT EXISTS (SELECT 1 FROM codes WHERE openid_idx = $1 AND id_idx = $2 AND expires_at > $3 AND purpose = $4)`,
		t.idx, t.subject(turn.Subject{Kind: turn.ByID, Value: string(id)}), toMicros(t.who.At), string(purpose)).Scan(&open)
	if err != nil {
		return false, fmt.Errorf("read the open code: %w", err)
	}
	return open, nil
}
