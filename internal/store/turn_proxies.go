package store

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
)

// How long a person may take to say yes or no, and how long somebody who said no is left in peace by the same account.
const (
	askedFor   = 7 * 24 * time.Hour
	refusedFor = 7 * 24 * time.Hour
	oldNews    = 30 * 24 * time.Hour // after which nobody is told any more that a proxy ended
)

// AskProxy implements turn.Proxies.
func (t *turnTx) AskProxy(p register.Proxy) (int64, error) {
	if err := t.endLateProxies(t.who.At); err != nil {
		return 0, err
	}
	var refused bool
	err := t.row(`SELECT EXISTS (SELECT 1 FROM proxies WHERE openid_idx = $1 AND person_id = $2 AND state = 'refused' AND settled_at > $3)`,
		t.idx, p.PersonID, toMicros(t.who.At.Add(-refusedFor))).Scan(&refused)
	if err != nil {
		return 0, fmt.Errorf("ask to look after person %d: %w", p.PersonID, err)
	}
	if refused {
		return 0, nil
	}
	id, err := t.newID("proxies")
	if err != nil {
		return 0, err
	}
	if p.ConsentBy == 0 {
		p.ConsentBy = p.PersonID
	}
	// Asked again before it was settled, the newer wish stands; what was given stays given.
	err = t.row(`INSERT INTO proxies (id, openid_idx, person_id, relation, scope, ends_on, state, at, settled_at, consent_by) VALUES ($1, $2, $3, $4, $5, $6, 'asked', $7, 0, $8)
		ON CONFLICT (openid_idx, person_id) WHERE state IN ('asked', 'given') DO UPDATE SET
			relation = CASE proxies.state WHEN 'asked' THEN excluded.relation ELSE proxies.relation END,
			scope = CASE proxies.state WHEN 'asked' THEN excluded.scope ELSE proxies.scope END,
			ends_on = CASE proxies.state WHEN 'asked' THEN excluded.ends_on ELSE proxies.ends_on END,
			consent_by = CASE proxies.state WHEN 'asked' THEN excluded.consent_by ELSE proxies.consent_by END,
			at = CASE proxies.state WHEN 'asked' THEN excluded.at ELSE proxies.at END,
			shown_at = CASE proxies.state WHEN 'asked' THEN 0 ELSE proxies.shown_at END
		RETURNING id`, id, t.idx, p.PersonID, p.Relation, register.JoinList(p.Scope), p.EndsOn, toMicros(t.who.At), p.ConsentBy).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("ask to look after person %d: %w", p.PersonID, err)
	}
	return id, nil
}

// endLateProxies ends those whose time is over, whoever they are of, and forgets those that nobody answered.
func (t *tx) endLateProxies(now time.Time) error {
	_, err := t.exec(`UPDATE proxies SET state = 'ended', settled_at = $2, told_at = 0 WHERE state = 'given' AND ends_on <> '' AND ends_on < $1`,
		now.UTC().Format(time.DateOnly), toMicros(now))
	if err == nil {
		_, err = t.exec(`UPDATE proxies SET state = 'ended', settled_at = $2, told_at = $2, shown_at = $2 WHERE state = 'asked' AND at <= $1`,
			toMicros(now.Add(-askedFor)), toMicros(now))
	}
	if err != nil {
		return fmt.Errorf("end proxies: %w", err)
	}
	return nil
}

// Proxies implements turn.Proxies.
func (t *turnTx) Proxies() ([]register.Proxy, error) {
	return t.proxies(`WHERE x.openid_idx = $1 AND `+openProxy(2)+` ORDER BY x.at, x.id`, append([]any{t.idx}, t.openArgs(t.who.At)...)...)
}

// ProxiesOf implements turn.Proxies.
func (t *turnTx) ProxiesOf(personID int64) ([]register.Proxy, error) {
	return t.proxies(`WHERE (x.consent_by = $1 OR x.person_id = $1 AND x.state = 'given') AND `+openProxy(2)+` ORDER BY x.at, x.id`, append([]any{personID}, t.openArgs(t.who.At)...)...)
}

// openProxy is the test that "proxies x" of "people p" is asked for or given and not over, with its two parameters from n on.
func openProxy(n int) string {
	return fmt.Sprintf(`(x.state = 'given' AND (x.ends_on = '' OR x.ends_on >= $%d) OR x.state = 'asked' AND x.at > $%d) AND p.status <> 'deceased'`, n, n+1)
}

func (t *tx) openArgs(now time.Time) []any {
	return []any{now.UTC().Format(time.DateOnly), toMicros(now.Add(-askedFor))}
}

// proxies reads "proxies x" with the people they speak of, by the end of a statement.
func (t *tx) proxies(tail string, args ...any) (list []register.Proxy, err error) {
	err = t.each(`SELECT x.id, x.person_id, p.name_sealed, x.consent_by, x.openid_idx, c.who, COALESCE(c.language, ''), w.id, w.name_sealed, x.relation, x.scope, x.ends_on, x.state, x.at, x.given_at, x.witness, x.consent
		FROM proxies x JOIN people p ON p.id = x.person_id
		LEFT JOIN contacts c ON c.channel = 'wechat' AND c.who_idx = x.openid_idx
		LEFT JOIN bindings b ON b.openid_idx = x.openid_idx AND b.until = 0 AND b.relation = 'self'
		LEFT JOIN people w ON w.id = b.person_id `+tail,
		func(rows *sql.Rows) error {
			v, err := t.scanProxy(rows)
			list = append(list, v)
			return err
		}, args...)
	if err != nil {
		return nil, fmt.Errorf("read proxies: %w", err)
	}
	return list, nil
}

func (t *tx) scanProxy(rows *sql.Rows) (v register.Proxy, err error) {
	var name, idx, openSealed, whoName []byte
	var who sql.NullInt64
	var scope string
	var at, given int64
	if err := rows.Scan(&v.ID, &v.PersonID, &name, &v.ConsentBy, &idx, &openSealed, &v.Language, &who, &whoName, &v.Relation, &scope, &v.EndsOn, &v.State, &at, &given, &v.Witness, &v.Consent); err != nil {
		return v, err
	}
	var openID string
	err = errors.Join(t.unseal(&v.Name, name, "people", "name_sealed", v.PersonID), t.unseal(&openID, openSealed, "contacts", "who", rowID(idx)),
		t.unseal(&v.Who, whoName, "people", "name_sealed", who.Int64))
	v.Name, v.Who, v.WhoID, v.OpenID = register.MaskName(v.Name), register.MaskName(v.Who), who.Int64, register.OpenID(openID)
	v.Sign = v.OpenID.Sign()
	v.Scope, v.At, v.GivenAt = register.SplitList(scope), fromMicros(at), fromMicros(given)
	return v, err
}

// SettleProxy implements turn.Proxies. Whoever settles it has heard of it; the other side has not.
func (t *turnTx) SettleProxy(id int64, state register.ProxyState) error {
	from := map[register.ProxyState]string{
		register.ProxyGiven: `state = 'asked' AND at > $5`, register.ProxyRefused: `state = 'asked' AND at > $5`,
		register.ProxyEnded: `(state = 'given' OR state = 'asked' AND at > $5)`,
	}[state]
	if from == "" {
		return fmt.Errorf("settle proxy %d: no such state %q", id, state)
	}
	n, err := t.exec(`UPDATE proxies SET state = $2, settled_at = $3, given_at = CASE WHEN CAST($2 AS TEXT) = 'given' THEN CAST($3 AS BIGINT) ELSE given_at END, told_at = CASE WHEN openid_idx = $4 THEN CAST($3 AS BIGINT) ELSE 0 END,
			shown_at = CASE WHEN openid_idx = $4 AND (state = 'given' OR CAST($2 AS TEXT) <> 'ended') THEN 0 ELSE CAST($3 AS BIGINT) END WHERE id = $1 AND `+from,
		id, string(state), toMicros(t.who.At), t.idx, toMicros(t.who.At.Add(-askedFor)))
	if err != nil {
		return fmt.Errorf("settle proxy %d: %w", id, err)
	}
	if n == 0 {
		return fmt.Errorf("settle proxy %d: %w", id, register.ErrNotFound)
	}
	return nil
}

// ProxyNews implements turn.News.
func (t *turnTx) ProxyNews(personID int64) (news []register.ProxyNews, err error) {
	if _, err := t.exec(`UPDATE proxies SET state = 'ended', settled_at = $3, told_at = 0 WHERE openid_idx = $1 AND state = 'given' AND ends_on <> '' AND ends_on < $2`,
		t.idx, t.today(), toMicros(t.who.At)); err != nil {
		return nil, fmt.Errorf("end proxies: %w", err)
	}
	mine, err := t.proxies(`WHERE x.openid_idx = $1 AND x.told_at = 0 AND x.state <> 'asked' ORDER BY x.at, x.id`, t.idx)
	if err != nil {
		return nil, err
	}
	for _, p := range mine {
		news = append(news, register.ProxyNews{Proxy: p, Mine: true})
	}
	if len(mine) > 0 {
		if _, err := t.exec(`UPDATE proxies SET told_at = $2 WHERE openid_idx = $1 AND told_at = 0 AND state <> 'asked'`, t.idx, toMicros(t.who.At)); err != nil {
			return nil, fmt.Errorf("note what was told: %w", err)
		}
	}
	if personID == 0 {
		return news, nil
	}
	over, err := t.proxies(`WHERE x.consent_by = $1 AND x.shown_at = 0 AND (`+openProxy(2)+` OR x.state = 'ended' AND x.settled_at > $4) ORDER BY x.at, x.id`,
		append([]any{personID}, append(t.openArgs(t.who.At), toMicros(t.who.At.Add(-oldNews)))...)...)
	if err != nil {
		return news, err
	}
	for _, p := range over {
		news = append(news, register.ProxyNews{Proxy: p})
	}
	if _, err := t.exec(`UPDATE proxies SET shown_at = $2 WHERE consent_by = $1 AND shown_at = 0`, personID, toMicros(t.who.At)); err != nil {
		return nil, fmt.Errorf("note what was shown: %w", err)
	}
	return news, nil
}

// LastProxy implements turn.News.
func (t *turnTx) LastProxy(personID int64) (p register.Proxy, found bool, err error) {
	of, args := "", []any{t.idx}
	if personID != 0 {
		of, args = "AND x.person_id = $2 ", append(args, personID)
	}
	list, err := t.proxies(`WHERE x.openid_idx = $1 `+of+`ORDER BY x.at DESC, x.id DESC LIMIT 1`, args...)
	if err != nil || len(list) == 0 {
		return p, false, err
	}
	return list[0], true, nil
}

// AccountOf implements turn.News.
func (t *turnTx) AccountOf(personID int64) (register.OpenID, string, error) {
	return t.account(personID, `b.until = 0`)
}

// LostTo implements turn.News.
func (t *turnTx) LostTo(personID int64) (register.OpenID, string, error) {
	return t.account(personID, `b.until = $2 AND b.lost <> ''`, toMicros(t.who.At))
}

// Loss implements turn.News.
func (t *turnTx) Loss() (register.Loss, error) {
	var loss string
	err := t.row(`SELECT COALESCE((SELECT lost FROM bindings WHERE openid_idx = $1 AND lost <> '' ORDER BY until DESC LIMIT 1), '')`, t.idx).Scan(&loss)
	if err == nil && loss != "" {
		err = t.lossTold(t.idx)
	}
	if err != nil {
		return "", fmt.Errorf("read whom an account lost: %w", err)
	}
	return register.Loss(loss), nil
}

func (t *tx) lossTold(openid []byte) error {
	_, err := t.exec(`UPDATE bindings SET lost = '' WHERE openid_idx = $1 AND lost <> ''`, openid)
	return err
}

// account is the newest openid that is or was a person's own, by a condition, and its language.
func (t *tx) account(personID int64, where string, args ...any) (id register.OpenID, language string, err error) {
	var idx, sealed []byte
	err = t.row(`SELECT c.who_idx, c.who, c.language FROM bindings b JOIN contacts c ON c.channel = 'wechat' AND c.who_idx = b.openid_idx
		WHERE b.person_id = $1 AND b.relation = 'self' AND `+where+` ORDER BY b.since DESC LIMIT 1`, append([]any{personID}, args...)...).Scan(&idx, &sealed, &language)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", nil
	}
	var plain string
	if err == nil {
		err = t.unseal(&plain, sealed, "contacts", "who", rowID(idx))
	}
	if err != nil {
		return "", "", fmt.Errorf("read the account of person %d: %w", personID, err)
	}
	return register.OpenID(plain), language, nil
}

// adultAge is the age from which somebody may agree in a child's stead.
const adultAge = 18

// Guardian implements turn.People.
func (t *turnTx) Guardian(childID, preferred int64) (turn.Found, bool, error) {
	type adult struct {
		id     int64
		phone  []byte
		mobile bool
	}
	var adults []adult
	born := t.who.At.UTC().AddDate(-adultAge, 0, 0).Format(time.DateOnly)
	err := t.each(`SELECT p.id, p.phone_sealed, p.phone_mobile FROM people c JOIN people p ON p.household = c.household
		WHERE c.id = $1 AND c.household <> '' AND c.household_no <> '' AND p.id <> c.id AND p.status = 'alive' AND p.birth_date <> '' AND p.birth_date <= $2
		ORDER BY p.id`,
		func(rows *sql.Rows) error {
			var a adult
			err := rows.Scan(&a.id, &a.phone, &a.mobile)
			adults = append(adults, a)
			return err
		}, childID, born)
	if err != nil {
		return turn.Found{}, false, fmt.Errorf("find the guardian of person %d: %w", childID, err)
	}
	var best turn.Found
	for _, a := range adults {
		found, err := t.reachedAt(a.id, a.phone, a.mobile)
		if err != nil {
			return turn.Found{}, false, err
		}
		if a.id == preferred {
			return found, true, nil
		}
		if best.PersonID == 0 || best.Phone == "" && found.Phone != "" {
			best = found
		}
	}
	return best, best.PersonID != 0, nil
}
