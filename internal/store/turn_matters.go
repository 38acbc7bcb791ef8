package store

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
)

// FillWishes implements turn.Matters.
func (t *turnTx) FillWishes(personID int64, told register.Told) (changed bool, err error) {
	found, err := t.people(`WHERE p.id = $1`+t.forUpdate(), personID)
	if err != nil {
		return false, fmt.Errorf("read person %d: %w", personID, err)
	}
	if len(found) == 0 {
		return false, fmt.Errorf("read person %d: %w", personID, register.ErrNotFound)
	}
	p := found[0].Person
	if !p.Say(told) {
		return false, nil
	}
	row, _ := t.personRow(p, t.who.At)
	if err := t.overwrite(peopleTable(), [][]any{row}); err != nil {
		return false, fmt.Errorf("fill in what person %d says: %w", personID, err)
	}
	return true, nil
}

// Apply implements turn.Matters.
func (t *turnTx) Apply(a register.Application) (already bool, err error) {
	id, err := t.ids("applications", 1)
	if err != nil {
		return false, err
	}
	at := toMicros(t.who.At)
	n, err := t.exec(`INSERT INTO applications (id, person_id, kind, job_id, region, words_sealed, state, at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, 'received', $7, $8)
		ON CONFLICT (person_id, kind, job_id) WHERE state IN ('received', 'reviewing') DO NOTHING`,
		id, a.PersonID, a.Kind, a.JobID, a.Region, t.sealed(a.Words, "applications", "words_sealed", id), at, at)
	if err != nil {
		return false, fmt.Errorf("file an application of person %d: %w", a.PersonID, err)
	}
	return n == 0, nil
}

// Applications implements turn.Matters.
func (t *turnTx) Applications(personID int64) ([]register.Application, error) {
	list, err := t.applications(`WHERE a.person_id = $1 ORDER BY a.at DESC, a.id DESC`, personID)
	if err != nil {
		return nil, fmt.Errorf("read the applications of person %d: %w", personID, err)
	}
	return list, nil
}

// applications reads "applications a" by the end of a statement.
func (t *tx) applications(tail string, args ...any) (list []register.Application, err error) {
	err = t.each(`SELECT a.id, a.person_id, a.kind, a.job_id, a.region, a.words_sealed, a.state, a.at
		FROM applications a JOIN people p ON p.id = a.person_id `+tail,
		func(rows *sql.Rows) error {
			var a register.Application
			var words []byte
			var at int64
			err := rows.Scan(&a.ID, &a.PersonID, &a.Kind, &a.JobID, &a.Region, &words, &a.State, &at)
			if err == nil {
				err = t.unseal(&a.Words, words, "applications", "words_sealed", a.ID)
			}
			a.At = fromMicros(at)
			list = append(list, a)
			return err
		}, args...)
	return list, err
}

// CheckUp implements turn.Matters.
func (t *turnTx) CheckUp(personID int64, answer register.CheckUpAnswer, words string) error {
	id, err := t.ids("checkups", 1)
	if err != nil {
		return err
	}
	var employer, placedOn string
	err = t.row(`SELECT employer, placed_on FROM placements WHERE person_id = $1 ORDER BY placed_on DESC, employer LIMIT 1`, personID).Scan(&employer, &placedOn)
	if errors.Is(err, sql.ErrNoRows) { // the person's own row may know
		err = t.row(`SELECT employer, placed_on FROM people WHERE id = $1`, personID).Scan(&employer, &placedOn)
	}
	if err == nil {
		_, err = t.exec(`INSERT INTO checkups (id, person_id, employer, placed_on, answer, words_sealed, at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			id, personID, employer, placedOn, string(answer), t.sealed(words, "checkups", "words_sealed", id), toMicros(t.who.At))
	}
	if err != nil {
		return fmt.Errorf("keep the check-up of person %d: %w", personID, err)
	}
	return nil
}

// HandOver implements turn.Matters. Its last turns are those of this openid or phone up to now.
func (t *turnTx) HandOver(h register.Handover) (int64, error) {
	id, err := t.ids("wishes", 1)
	if err != nil {
		return 0, err
	}
	_, err = t.exec(`INSERT INTO wishes (id, channel, who_idx, person_id, region_code, topic, words, at, due_at, about_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		id, string(t.who.Channel), t.idx, sql.NullInt64{Int64: h.PersonID, Valid: h.PersonID != 0}, h.Region, h.Topic,
		t.keys.Seal([]byte(h.Words), "wishes", "words", id), toMicros(t.who.At), toMicros(h.Due), h.AboutID)
	if err != nil {
		return 0, fmt.Errorf("hand over: %w", err)
	}
	return id, nil
}

// Note implements turn.Wishes.
func (t *turnTx) Note(w turn.Wish) error {
	_, err := t.HandOver(register.Handover{Topic: w.Topic, Words: w.Words, PersonID: w.PersonID, Region: w.Region})
	return err
}

// AskProxy implements turn.Proxies.
func (t *turnTx) AskProxy(p register.Proxy) (int64, error) {
	if err := t.endLateProxies(); err != nil {
		return 0, err
	}
	id, err := t.ids("proxies", 1)
	if err != nil {
		return 0, err
	}
	// Asked again before it was settled, the newer wish stands; what was given stays given.
	err = t.row(`INSERT INTO proxies (id, openid_idx, person_id, relation, scope, ends_on, state, at, settled_at) VALUES ($1, $2, $3, $4, $5, $6, 'asked', $7, 0)
		ON CONFLICT (openid_idx, person_id) WHERE state IN ('asked', 'given') DO UPDATE SET
			relation = CASE proxies.state WHEN 'asked' THEN excluded.relation ELSE proxies.relation END,
			scope = CASE proxies.state WHEN 'asked' THEN excluded.scope ELSE proxies.scope END,
			ends_on = CASE proxies.state WHEN 'asked' THEN excluded.ends_on ELSE proxies.ends_on END
		RETURNING id`, id, t.idx, p.PersonID, p.Relation, register.JoinList(p.Scope), p.EndsOn, toMicros(t.who.At)).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("ask to look after person %d: %w", p.PersonID, err)
	}
	return id, nil
}

// endLateProxies ends those of this openid whose time is over.
func (t *turnTx) endLateProxies() error {
	_, err := t.exec(`UPDATE proxies SET state = 'ended', settled_at = $3 WHERE openid_idx = $1 AND state IN ('asked', 'given') AND ends_on <> '' AND ends_on < $2`,
		t.idx, t.today(), toMicros(t.who.At))
	if err != nil {
		return fmt.Errorf("end proxies: %w", err)
	}
	return nil
}

// Proxies implements turn.Proxies.
func (t *turnTx) Proxies() ([]register.Proxy, error) {
	return t.openProxies(`x.openid_idx = $1`, t.idx)
}

// ProxiesOf implements turn.Proxies.
func (t *turnTx) ProxiesOf(personID int64) ([]register.Proxy, error) {
	return t.openProxies(`x.person_id = $1`, personID)
}

// openProxies reads those that are asked for or given and not over.
func (t *turnTx) openProxies(where string, arg any) (list []register.Proxy, err error) {
	err = t.each(`SELECT x.id, x.person_id, p.name_sealed, x.openid_idx, c.who, x.relation, x.scope, x.ends_on, x.state, x.at
		FROM proxies x JOIN people p ON p.id = x.person_id LEFT JOIN contacts c ON c.channel = 'wechat' AND c.who_idx = x.openid_idx
		WHERE x.state IN ('asked', 'given') AND (x.ends_on = '' OR x.ends_on >= $2) AND p.status <> 'deceased' AND `+where+` ORDER BY x.at, x.id`,
		func(rows *sql.Rows) error {
			var v register.Proxy
			var name, idx, who []byte
			var scope string
			var at int64
			if err := rows.Scan(&v.ID, &v.PersonID, &name, &idx, &who, &v.Relation, &scope, &v.EndsOn, &v.State, &at); err != nil {
				return err
			}
			var openID string
			err := errors.Join(t.unseal(&v.Name, name, "people", "name_sealed", v.PersonID), t.unseal(&openID, who, "contacts", "who", rowID(idx)))
			v.Name, v.OpenID, v.Scope, v.At = register.MaskName(v.Name), register.OpenID(openID), register.SplitList(scope), fromMicros(at)
			list = append(list, v)
			return err
		}, arg, t.today())
	if err != nil {
		return nil, fmt.Errorf("read proxies: %w", err)
	}
	return list, nil
}

// SettleProxy implements turn.Proxies.
func (t *turnTx) SettleProxy(id int64, state register.ProxyState) error {
	from := map[register.ProxyState]string{
		register.ProxyGiven: `state = 'asked'`, register.ProxyRefused: `state = 'asked'`, register.ProxyEnded: `state IN ('asked', 'given')`,
	}[state]
	if from == "" {
		return fmt.Errorf("settle proxy %d: no such state %q", id, state)
	}
	n, err := t.exec(`UPDATE proxies SET state = $2, settled_at = $3 WHERE id = $1 AND `+from, id, string(state), toMicros(t.who.At))
	if err != nil {
		return fmt.Errorf("settle proxy %d: %w", id, err)
	}
	if n == 0 {
		return fmt.Errorf("settle proxy %d: %w", id, register.ErrNotFound)
	}
	return nil
}
