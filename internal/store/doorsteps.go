package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
)

// doorTime is how long whoever scanned a code may take to say that it is them.
const doorTime = 10 * time.Minute

func (t *tx) doorIndex(scene string) []byte { return t.keys.Index("doorstep", scene) }

// doorScene makes a scene that nobody guesses: 128 bits in letters and digits.
func doorScene() string {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // crypto/rand.Read never fails since Go 1.24
	return turn.DoorScene + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw))
}

// OpenDoorstep makes a one-time code for somebody in a scope and writes who did; those made before for the same person
// end. The scene is given once: only its keyed hash is kept. register.ErrNotFound outside the scope, and for the dead.
func (s *Store) OpenDoorstep(ctx context.Context, scope register.Scope, personID int64, life time.Duration, by staff.Entry) (scene string, err error) {
	return s.openDoor(ctx, scope, personID, life, register.DoorTerms{}, by)
}

// OpenProxyDoor makes such a code that lets whoever scans it look after the person's matters: they agreed before who makes it.
// register.ErrReachable: they can be asked themselves.
func (s *Store) OpenProxyDoor(ctx context.Context, scope register.Scope, personID int64, life time.Duration, terms register.DoorTerms, by staff.Entry) (scene string, err error) {
	return s.openDoor(ctx, scope, personID, life, terms, by)
}

func (s *Store) openDoor(ctx context.Context, scope register.Scope, personID int64, life time.Duration, terms register.DoorTerms, by staff.Entry) (scene string, err error) {
	scene = doorScene()
	err = s.write(ctx, fmt.Sprintf("store: open a doorstep code for person %d", personID), func(t *tx) error {
		found, err := t.people(`WHERE `+inScope(1)+` AND p.id = $3 AND p.status <> 'deceased'`, append(scopeArgs(scope), personID)...)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return register.ErrNotFound
		}
		if terms.Proxy() {
			if err := t.unreachable(found[0].Person, by.At); err != nil {
				return err
			}
		}
		if _, err := t.exec(`UPDATE doorsteps SET state = 'ended', settled_at = $2 WHERE person_id = $1 AND state = 'open'`, personID, toMicros(by.At)); err != nil {
			return err
		}
		if err := t.newDoor(scene, personID, terms, by.Actor, by.At, by.At.Add(life)); err != nil {
			return err
		}
		return t.audit(by)
	})
	return scene, err
}

// unreachable refuses those who can be asked themselves, and children, for whom a guardian agrees.
func (t *tx) unreachable(p register.Person, now time.Time) error {
	var reached bool
	err := t.row(`SELECT (p.phone_mobile AND NOT EXISTS (SELECT 1 FROM phone_doubts d WHERE d.phone_idx = p.phone_idx AND d.person_id = p.id)) OR
		EXISTS (SELECT 1 FROM bindings b WHERE b.person_id = p.id AND b.until = 0 AND b.relation = 'self') FROM people p WHERE p.id = $1`, p.ID).Scan(&reached)
	if err == nil && (reached || p.Age(now) < register.GuardianUntil) {
		return register.ErrReachable
	}
	return err
}

func (t *tx) newDoor(scene string, personID int64, terms register.DoorTerms, by string, at, expires time.Time) error {
	id, err := t.ids("doorsteps", 1)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO doorsteps (id, scene_idx, person_id, issued_by, state, at, expires_at, relation, scope, ends_on, consent)
		VALUES ($1, $2, $3, $4, 'open', $5, $6, $7, $8, $9, $10)`,
		id, t.doorIndex(scene), personID, by, toMicros(at), toMicros(expires), terms.Relation, register.JoinList(terms.Scope), terms.EndsOn, string(terms.Consent))
	return err
}

// ScanDoor implements turn.Doors. The row is held, so that of two who scan at once one is the first.
func (t *turnTx) ScanDoor(scene string) (register.Door, error) {
	d := register.Door{State: register.DoorNone}
	var state, scope string
	var openid []byte
	var expires int64
	var dead bool
	err := t.row(`SELECT d.id, d.person_id, d.state, d.openid_idx, d.expires_at, (SELECT p.status = 'deceased' FROM people p WHERE p.id = d.person_id), d.relation, d.scope, d.ends_on
		FROM doorsteps d WHERE d.scene_idx = $1`+t.forUpdate(), t.doorIndex(scene)).Scan(&d.ID, &d.PersonID, &state, &openid, &expires, &dead, &d.Terms.Relation, &scope, &d.Terms.EndsOn)
	if errors.Is(err, sql.ErrNoRows) {
		return d, nil
	}
	if err != nil {
		return d, fmt.Errorf("read a doorstep code: %w", err)
	}
	d.State, d.Terms.Scope = register.DoorState(state), register.SplitList(scope)
	switch {
	case d.State == register.DoorEnded:
		d.State = register.DoorLate
	case d.State != register.DoorOpen, openid != nil && string(openid) != string(t.idx):
		d.State = register.DoorUsed
	case toMicros(t.who.At) >= expires, dead:
		d.State = register.DoorLate
	case openid == nil:
		_, err = t.exec(`UPDATE doorsteps SET openid_idx = $2, expires_at = $3 WHERE id = $1`, d.ID, t.idx, toMicros(t.who.At.Add(doorTime)))
	}
	if err != nil {
		return d, fmt.Errorf("take doorstep code %d: %w", d.ID, err)
	}
	return d, nil
}

// settleDoor moves an open code that this openid scanned; by is who made it.
func (t *turnTx) settleDoor(id int64, state register.DoorState) (d register.Door, by string, moved bool, err error) {
	d = register.Door{ID: id, State: state}
	var scope string
	err = t.row(`UPDATE doorsteps SET state = $3, settled_at = $4 WHERE id = $1 AND openid_idx = $2 AND state = 'open' AND expires_at > $4
		RETURNING person_id, issued_by, relation, scope, ends_on, consent`,
		id, t.idx, string(state), toMicros(t.who.At)).Scan(&d.PersonID, &by, &d.Terms.Relation, &scope, &d.Terms.EndsOn, &d.Terms.Consent)
	d.Terms.Scope = register.SplitList(scope)
	if errors.Is(err, sql.ErrNoRows) {
		return d, "", false, nil
	}
	if err != nil {
		return d, "", false, fmt.Errorf("settle doorstep code %d: %w", id, err)
	}
	return d, by, true, nil
}

// PassDoor implements turn.Doors. The audit says at whose door it was.
func (t *turnTx) PassDoor(id int64) (register.Door, bool, error) {
	d, by, moved, err := t.settleDoor(id, register.DoorUsed)
	if err != nil || !moved {
		return d, false, err
	}
	if d.Terms.Proxy() {
		return d, true, t.giveAtDoor(d, by)
	}
	if err := t.Bind(d.PersonID); err != nil {
		return d, false, err
	}
	return d, true, t.audit(staff.Entry{At: t.who.At, Actor: by, Act: staff.DidBind, Object: fmt.Sprintf("person:%d", d.PersonID)})
}

// giveAtDoor lets who scanned look after the person's matters: they agreed before the worker, whose name stands with it.
func (t *turnTx) giveAtDoor(d register.Door, witness string) error {
	id, err := t.newID("proxies")
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO proxies (id, openid_idx, person_id, relation, scope, ends_on, state, at, settled_at, given_at, consent_by, shown_at, told_at, witness, consent)
		VALUES ($1, $2, $3, $4, $5, $6, 'given', $7, $7, $7, $3, $7, $7, $8, $9)
		ON CONFLICT (openid_idx, person_id) WHERE state IN ('asked', 'given') DO UPDATE SET relation = excluded.relation, scope = excluded.scope, ends_on = excluded.ends_on,
			state = 'given', settled_at = excluded.settled_at, given_at = excluded.given_at, consent_by = excluded.consent_by, shown_at = excluded.shown_at, told_at = excluded.told_at,
			witness = excluded.witness, consent = excluded.consent`,
		id, t.idx, d.PersonID, d.Terms.Relation, register.JoinList(d.Terms.Scope), d.Terms.EndsOn, toMicros(t.who.At), witness, string(d.Terms.Consent))
	if err != nil {
		return fmt.Errorf("give a proxy over person %d at the door: %w", d.PersonID, err)
	}
	return t.audit(staff.Entry{
		At: t.who.At, Actor: witness, Act: staff.DidWitness, Object: fmt.Sprintf("person:%d", d.PersonID),
		Detail: map[string]string{"relation": d.Terms.Relation, "scope": register.JoinList(d.Terms.Scope), "until": d.Terms.EndsOn, "consent": string(d.Terms.Consent)},
	})
}

// RefuseDoor implements turn.Doors.
func (t *turnTx) RefuseDoor(id int64) error {
	_, _, _, err := t.settleDoor(id, register.DoorRefused)
	return err
}

// Unbind implements turn.Doors.
func (t *turnTx) Unbind() error {
	return t.endBindings(t.who.At, ending{by: t.idx}, `openid_idx = $1`, t.idx)
}
