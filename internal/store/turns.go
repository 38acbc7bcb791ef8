package store

import (
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
)

// How long a stored reply answers copies of its input. An SMS may be pushed again for 16 minutes, and a queue of them may be
// read again later.
const (
	copyLife    = 10 * time.Minute
	copyByPhone = 20 * time.Hour // within what the rows are kept
)

// turnTx is one open turn. Its methods are turn.Tx; they stand in sessions.go, identity.go, bindings.go, outbox.go.
type turnTx struct {
	*tx
	who  turn.Who
	idx  []byte // blind index of the openid or phone
	last int64  // when the turn before this one was, 0: none known

	kept    *keptTurn     // read beforehand, with those of others
	closed  *turn.Closing // what it leaves, where it is written with what others leave
	closing []statement   // what it leaves, written at its end
}

// whoDomain is the domain of the blind index of a channel's address. Phones share it with the register.
func whoDomain(c turn.Channel) string {
	if c == turn.SMS {
		return phoneDomain
	}
	return "openid"
}

// rowID is what sealed values of a row keyed by a blind index are bound to.
func rowID(idx []byte) int64 { return int64(binary.BigEndian.Uint64(idx) &^ (1 << 63)) }

// keyID is the same for a row keyed by text.
func keyID(key string) int64 {
	sum := sha256.Sum256([]byte(key))
	return rowID(sum[:])
}

// Open implements turn.Sessions.
func (t *turnTx) Open() (turn.Opened, error) {
	var o turn.Opened
	var k keptTurn
	if t.kept != nil {
		o.Contact = t.kept.contact
		return o, t.read(&o, *t.kept)
	}
	lock, look := t.locked(&o.Contact), t.look(&k)
	known := true
	lock.none = &known
	if err := t.execAll([]statement{lock, look}); err != nil {
		return o, err
	}
	if !known { // the first input of a person makes their row
		if err := t.newContact(); err != nil {
			return o, err
		}
		lock.none = nil
		if err := t.execAll([]statement{lock, look}); err != nil {
			return o, err
		}
	}
	return o, t.read(&o, k)
}

// locked reads the contact's row and holds it until the transaction ends.
func (t *turnTx) locked(c *turn.Contact) statement {
	return statement{
		act: "lock the contact",
		query: `SELECT language, language_chosen, follows, scene, elder, status_day, status_used, replies_used
			FROM contacts WHERE channel = $1 AND who_idx = $2` + t.forUpdate(),
		args: []any{string(t.who.Channel), t.idx},
		into: []any{&c.Language, &c.LanguageChosen, &c.Follows, &c.Scene, &c.Elder, &c.StatusDay, &c.StatusUsed, &c.RepliesUsed},
	}
}

func (t *turnTx) newContact() error {
	at := toMicros(t.who.At)
	_, err := t.exec(`INSERT INTO contacts (channel, who_idx, who, first_seen_at, last_inbound_at) VALUES ($1, $2, $3, $4, $4)
		ON CONFLICT (channel, who_idx) DO NOTHING`,
		string(t.who.Channel), t.idx, t.keys.Seal([]byte(t.who.ID), "contacts", "who", rowID(t.idx)), at)
	if err != nil {
		return fmt.Errorf("make the contact: %w", err)
	}
	return nil
}

// keptTurn is what is kept of a person and of this input, as the database has it.
type keptTurn struct {
	contact                             turn.Contact
	reply, body                         []byte
	repliedAt, updated, expires, person sql.NullInt64
	region                              sql.NullString
	answered                            bool // a worker's answer waits
	family                              bool
}

// hasFamily says whether an openid looks after somebody's matters, or has something to hear of a proxy or of a person it lost.
func hasFamily(idx string) string {
	return `(EXISTS (SELECT 1 FROM bindings z WHERE z.openid_idx = ` + idx + ` AND z.lost <> '') OR EXISTS (SELECT 1 FROM proxies x WHERE x.openid_idx = ` + idx + ` AND (x.state IN ('asked', 'given') OR x.told_at = 0))
		OR EXISTS (SELECT 1 FROM proxies x WHERE x.consent_by = b.person_id AND x.shown_at = 0 AND x.state <> 'refused'))`
}

// hasLetter says whether a worker's answer waits for an openid to write.
func hasLetter(channel, idx string) string {
	return channel + ` = 'wechat' AND EXISTS (SELECT 1 FROM letters l WHERE l.who_idx = ` + idx + ` AND l.state = 'kept')`
}

// look is a statement of its own, after the lock: its snapshot holds what the turn before this one committed.
func (t *turnTx) look(k *keptTurn) statement {
	return statement{
		act: "read the session",
		query: `SELECT i.reply, i.at, s.body, s.updated_at, s.expires_at, b.person_id, p.region, ` + hasFamily("$3") + `, ` + hasLetter("$2", "$3") + `
			FROM (SELECT 1 AS one) o
			LEFT JOIN inbound i ON i.key = $1
			LEFT JOIN sessions s ON s.channel = $2 AND s.who_idx = $3
			LEFT JOIN bindings b ON b.openid_idx = $3 AND b.until = 0 AND b.relation = 'self'
			LEFT JOIN people p ON p.id = b.person_id
			ORDER BY b.since DESC LIMIT 1`,
		args: []any{t.who.Key, string(t.who.Channel), t.idx},
		into: []any{&k.reply, &k.repliedAt, &k.body, &k.updated, &k.expires, &k.person, &k.region, &k.family, &k.answered},
	}
}

func copyLifeOf(c turn.Channel) time.Duration {
	if c == turn.SMS {
		return copyByPhone
	}
	return copyLife
}

// read opens what was sealed.
func (t *turnTx) read(o *turn.Opened, k keptTurn) (err error) {
	o.PersonID, o.Region, o.Family = k.person.Int64, k.region.String, k.family
	if k.repliedAt.Valid && t.who.At.Sub(fromMicros(k.repliedAt.Int64)) < copyLifeOf(t.who.Channel) {
		o.Copy, err = t.keys.Open(k.reply, "inbound", "reply", keyID(t.who.Key))
		return err
	}
	if k.expires.Valid && t.who.At.Before(fromMicros(k.expires.Int64)) {
		if o.Session, err = t.keys.Open(k.body, "sessions", "body", rowID(t.idx)); err != nil {
			return err
		}
		o.LastAt, t.last = fromMicros(k.updated.Int64), k.updated.Int64
	}
	if k.answered {
		o.Letters, err = t.letters()
	}
	return err
}

// Close implements turn.Sessions. What it leaves is written when the turn ends: nothing is read after it.
func (t *turnTx) Close(c turn.Closing) error {
	if t.kept != nil && c.Session != nil && c.Transcript != nil && len(c.Given) == 0 {
		t.closed = &c
		return nil
	}
	at := t.at()
	list := []statement{t.savedContact(c.Contact, at), t.savedSession(c, at), {
		act: "save the reply",
		query: `INSERT INTO inbound (key, reply, at) VALUES ($1, $2, $3)
			ON CONFLICT (key) DO UPDATE SET reply = excluded.reply, at = excluded.at`,
		args: []any{t.who.Key, t.keys.Seal(c.Reply, "inbound", "reply", keyID(t.who.Key)), at},
	}}
	if c.Transcript != nil {
		person := sql.NullInt64{Int64: c.PersonID, Valid: c.PersonID != 0}
		list = append(list, statement{
			act: "save the transcript",
			query: `INSERT INTO turns (channel, who_idx, at, person_id, intent, body) VALUES ($1, $2, $3, $4, $5, $6)
				ON CONFLICT (channel, who_idx, at) DO NOTHING`,
			args: []any{string(t.who.Channel), t.idx, at, person, c.Intent, t.keys.Seal(c.Transcript, "turns", "body", rowID(t.idx))},
		})
	}
	if len(c.Given) > 0 {
		list = append(list, statement{
			act: "give the answers that waited", query: `UPDATE letters SET state = 'given', settled_at = $2 WHERE ` + t.among("id", 1) + ` AND state = 'kept'`,
			args: []any{t.idList(c.Given), at},
		})
	}
	t.closing = list
	return nil
}

// at is when the turn was: no two of a person at one time, however coarse the clock.
func (t *turnTx) at() int64 { return max(toMicros(t.who.At), t.last+1) }

// What an input opens for customer messages, by
// https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Messages.html
const (
	messagesAfterMessage = 5
	messageWindow        = 48 * time.Hour
	messagesAfterClick   = 3
	clickWindow          = time.Minute
)

func (t *turnTx) savedContact(c turn.Contact, at int64) statement {
	set := ""
	args := []any{string(t.who.Channel), t.idx, c.Language, c.LanguageChosen, c.Follows, c.Scene, c.StatusDay, c.StatusUsed, c.RepliesUsed, at, c.Elder}
	switch t.who.Window {
	case turn.MessageWindow:
		set = `, customer_left = $12, customer_until = $13`
		args = append(args, messagesAfterMessage, toMicros(t.who.At.Add(messageWindow)))
	case turn.ClickWindow:
		set = `, click_left = $12, click_until = $13`
		args = append(args, messagesAfterClick, toMicros(t.who.At.Add(clickWindow)))
	case turn.NoWindow:
	}
	return statement{act: "save the contact", query: `UPDATE contacts SET language = $3, language_chosen = $4, follows = $5, scene = $6, status_day = $7,
		status_used = $8, replies_used = $9, last_inbound_at = $10, elder = $11` + set + ` WHERE channel = $1 AND who_idx = $2`, args: args}
}

func (t *turnTx) savedSession(c turn.Closing, at int64) statement {
	const act = "save the session"
	if c.Session == nil {
		return statement{act: act, query: `DELETE FROM sessions WHERE channel = $1 AND who_idx = $2`, args: []any{string(t.who.Channel), t.idx}}
	}
	return statement{
		act: act, query: `INSERT INTO sessions (channel, who_idx, body, updated_at, expires_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (channel, who_idx) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at, expires_at = excluded.expires_at`,
		args: []any{string(t.who.Channel), t.idx, t.keys.Seal(c.Session, "sessions", "body", rowID(t.idx)), at, toMicros(c.Expires)},
	}
}

// Forget implements turn.Sessions: what WeChat asks for when somebody unfollows. Lock-outs stay, so that following
// anew does not undo them; so does the wish for no campaigns.
func (t *turnTx) Forget() error {
	if err := t.endBindings(t.who.At, ending{by: t.idx}, `openid_idx = $1`, t.idx); err != nil {
		return err
	}
	_, err := t.exec(`UPDATE bindings SET until = $2 WHERE openid_idx = $1 AND until = 0`, t.idx, toMicros(t.who.At))
	if err != nil {
		return fmt.Errorf("end proxies: %w", err)
	}
	_, err = t.exec(`UPDATE proxies SET state = 'ended', settled_at = $2, told_at = $2, shown_at = CASE state WHEN 'given' THEN 0 ELSE shown_at END WHERE openid_idx = $1 AND state IN ('asked', 'given')`, t.idx, toMicros(t.who.At))
	if err != nil {
		return fmt.Errorf("end proxies: %w", err)
	}
	for _, table := range []string{"sessions", "turns", "wishes", "contacts"} {
		if _, err := t.exec(`DELETE FROM `+table+` WHERE channel = $1 AND who_idx = $2`, string(t.who.Channel), t.idx); err != nil {
			return fmt.Errorf("erase %s: %w", table, err)
		}
	}
	if _, err := t.exec(`DELETE FROM letters WHERE who_idx = $1`, t.idx); err != nil {
		return fmt.Errorf("erase letters: %w", err)
	}
	for _, table := range []string{"consents", "codes"} {
		if _, err := t.exec(`DELETE FROM `+table+` WHERE openid_idx = $1`, t.idx); err != nil {
			return fmt.Errorf("erase %s: %w", table, err)
		}
	}
	return nil
}
