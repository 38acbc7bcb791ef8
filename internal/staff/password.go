package staff

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
)

// What is wrong with a password that somebody wants to set.
var (
	ErrPasswordShort  = errors.New("staff: the password needs at least 8 characters")
	ErrPasswordLong   = errors.New("staff: the password is longer than 128 bytes")
	ErrPasswordSimple = errors.New("staff: the password is too easy to guess")
)

const (
	passwordMinRunes = 8
	passwordMaxBytes = 128 // also bounds what a stranger can make us hash
)

// CheckPassword holds a wished-for password against the rules: length, and not what a guesser tries
// first. Composition rules ("one digit, one capital") are left out on purpose: they make passwords that
// people write down.
func CheckPassword(name, password string) error {
	switch {
	case utf8.RuneCountInString(password) < passwordMinRunes:
		return ErrPasswordShort
	case len(password) > passwordMaxBytes:
		return ErrPasswordLong
	case guessable(NameKey(name), strings.ToLower(password)):
		return ErrPasswordSimple
	}
	return nil
}

// guessable says whether a password is the name, one run of the keyboard, or few different characters.
func guessable(name, password string) bool {
	runs := []string{
		"01234567890", "09876543210", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl",
		"password", "password1", "password123", "admin123", "iloveyou", "1qaz2wsx", "1q2w3e4r",
	}
	if password == name || slices.ContainsFunc(runs, func(run string) bool { return strings.Contains(run, password) }) {
		return true
	}
	different := map[rune]bool{}
	for _, r := range password {
		different[r] = true
	}
	return len(different) < 3
}

// GeneratePassword makes a password of 16 characters that can be read aloud: no letter that looks like
// another, in groups of four; about 78 bits.
func GeneratePassword() string {
	const letters = "abcdefghjkmnpqrstuvwxyz23456789"
	out := make([]byte, 0, 19)
	for len(out) < 19 {
		if len(out)%5 == 4 {
			out = append(out, '-')
			continue
		}
		out = append(out, letters[below(len(letters))])
	}
	return string(out)
}

// below draws evenly from 0..n-1, n ≤ 256.
func below(n int) int {
	limit := 256 - 256%n
	for {
		var b [1]byte
		_, _ = rand.Read(b[:]) // crypto/rand never returns an error since Go 1.24
		if int(b[0]) < limit {
			return int(b[0]) % n
		}
	}
}

// Hasher hashes and checks passwords with argon2id. A few at a time: each takes memory and a core, and
// strangers may ask for as many as they like.
type Hasher struct {
	params argon2id.Params
	slots  chan struct{}
	decoy  string
}

// NewHasher makes a hasher with the costs that OWASP recommends (19 MiB, 2 passes, 1 lane).
func NewHasher() (*Hasher, error) {
	h := &Hasher{
		params: argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32},
		slots:  make(chan struct{}, 2),
	}
	// The decoy is nobody's hash, which takes as long to check as any other. It is made at little cost and only then says
	// that it was dear: every process makes one, and few ever check it.
	cheap := h.params
	cheap.Memory, cheap.Iterations = 8, 1
	decoy, err := argon2id.CreateHash(GeneratePassword(), &cheap)
	if err != nil {
		return nil, fmt.Errorf("staff: hash decoy: %w", err)
	}
	h.decoy = strings.Replace(decoy, "m=8,t=1,", fmt.Sprintf("m=%d,t=%d,", h.params.Memory, h.params.Iterations), 1)
	return h, nil
}

// Hash makes the hash to keep.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	hash, err := argon2id.CreateHash(password, &h.params)
	if err != nil {
		return "", fmt.Errorf("staff: hash password: %w", err)
	}
	return hash, nil
}

// Matches says whether the password is the hash's. An empty hash never matches and costs the same time,
// so that an unknown name can't be told from a known one.
func (h *Hasher) Matches(ctx context.Context, password, hash string) (bool, error) {
	if len(password) > passwordMaxBytes {
		password = password[:passwordMaxBytes] + "-" // never equal to a password that could be set
	}
	if err := h.enter(ctx); err != nil {
		return false, err
	}
	defer h.leave()
	known := hash != ""
	if !known {
		hash = h.decoy
	}
	match, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, fmt.Errorf("staff: check password: %w", err)
	}
	return match && known, nil
}

func (h *Hasher) enter(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("staff: wait to check a password: %w", ctx.Err())
	}
}

func (h *Hasher) leave() { <-h.slots }
