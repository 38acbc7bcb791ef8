package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// letterLife is how long an answer waits for the person to write; hintLife how long the SMS about it is worth sending.
const (
	letterLife = 30 * 24 * time.Hour
	hintLife   = 24 * time.Hour
)

// answerWay is how an answer to a matter would go, with the openid's index.
type answerWay struct {
	register.InboxWay
	idx []byte
}

// stillTheirs says that the matter of "wishes w" is still one that an openid may hear of: it lost nobody since it asked.
func stillTheirs(openid string) string {
	return `(w.person_id IS NULL OR EXISTS (SELECT 1 FROM bindings o WHERE o.openid_idx = ` + openid + ` AND o.person_id = w.person_id AND o.until = 0)
		OR EXISTS (SELECT 1 FROM proxies x WHERE x.openid_idx = ` + openid + ` AND x.person_id = w.person_id AND x.state = 'given'))`
}

// answerWay finds who is to hear an answer: whoever wrote, while they follow and the matter is theirs; of what was not said by WeChat, or by somebody
// who has left, the person's own openid. The SMS goes to the number that wrote, or to the one on file.
func (t *tx) answerWay(item register.InboxItem, now time.Time) (w answerWay, err error) {
	const window = `c.who_idx, CASE WHEN c.customer_until > $2 THEN c.customer_left ELSE 0 END, CASE WHEN c.click_until > $2 THEN c.click_left ELSE 0 END,
		c.customer_until, c.click_until`
	err = t.scanWay(&w, now, `SELECT `+window+` FROM wishes w JOIN contacts c ON c.channel = w.channel AND c.who_idx = w.who_idx
		WHERE w.id = $1 AND w.channel = 'wechat' AND c.follows AND `+stillTheirs("w.who_idx"), item.ID, toMicros(now))
	if err == nil && !w.WeChat && item.PersonID != 0 {
		err = t.scanWay(&w, now, `SELECT `+window+` FROM `+waysThere+` AND b.person_id = $1 AND b.relation IN ('', 'self') ORDER BY `+ownFirst+` LIMIT 1`,
			item.PersonID, toMicros(now))
	}
	if err != nil {
		return w, fmt.Errorf("how to answer item %d: %w", item.ID, err)
	}
	w.Phone, err = t.hintPhone(item)
	return w, err
}

func (t *tx) scanWay(w *answerWay, now time.Time, query string, args ...any) error {
	var messages, clicks int
	var until, clickUntil int64
	err := t.row(query, args...).Scan(&w.idx, &messages, &clicks, &until, &clickUntil)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	w.WeChat = true
	if messages > 0 {
		w.Left, w.OpenUntil = messages, fromMicros(until)
	} else if clicks > 0 {
		w.Left, w.OpenUntil = clicks, fromMicros(clickUntil)
	}
	return nil
}

// hintPhone is the mobile number that may be told that an answer waits: the one that wrote, or that of the person who wrote
// for themselves. A proxy's own number is not on file, and the person's is not theirs. One that may be somebody else's by now
// is none.
func (t *tx) hintPhone(item register.InboxItem) (register.Phone, error) {
	if item.Channel == string(turn.SMS) {
		var idx, sealed []byte
		err := t.row(`SELECT c.who_idx, c.who FROM wishes w JOIN contacts c ON c.channel = w.channel AND c.who_idx = w.who_idx WHERE w.id = $1`, item.ID).Scan(&idx, &sealed)
		if errors.Is(err, sql.ErrNoRows) {
			return "", nil
		}
		var phone string
		if err := errors.Join(err, t.unseal(&phone, sealed, "contacts", "who", rowID(idx))); err != nil {
			return "", err
		}
		return t.undoubted(item.PersonID, register.Phone(phone))
	}
	if item.PersonID == 0 {
		return "", nil
	}
	found, err := t.people(`WHERE p.id = $1 AND p.phone_mobile AND NOT EXISTS (SELECT 1 FROM wishes w JOIN bindings b ON b.openid_idx = w.who_idx
		AND b.person_id = p.id AND b.until = 0 AND b.relation NOT IN ('', 'self') WHERE w.id = $2 AND w.channel = 'wechat')`, item.PersonID, item.ID)
	if err != nil || len(found) == 0 {
		return "", err
	}
	return t.undoubted(item.PersonID, found[0].Phone)
}

// writeLetter puts an answer on its way to an openid. Where the window is shut it is kept from the start.
func (t *tx) writeLetter(wish int64, way answerWay, a register.InboxAnswer) (int64, error) {
	id, err := t.ids("letters", 1)
	if err != nil {
		return 0, err
	}
	state, ring := notify.LetterKept, int64(0)
	if way.Open() {
		state, ring = notify.LetterQueued, id
	}
	_, err = t.exec(`INSERT INTO letters (id, wish_id, who_idx, body, office, hint_at, state, created_at, expires_at, settled_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		id, wish, way.idx, t.keys.Seal([]byte(a.Text), "letters", "body", id), a.Office, toMicros(a.HintAt), string(state), toMicros(a.At), toMicros(a.At.Add(letterLife)), toMicros(a.At))
	return ring, err
}

// hinted is who is told by SMS that an answer waits, whom to call, and from when on.
type hinted struct {
	phone    string
	personID int64
	office   string
	from     time.Time
}

// hint queues the SMS, once for a matter.
func (t *tx) hint(wish int64, h hinted, at time.Time) (int64, error) {
	var have int64
	if err := t.row(`SELECT hint_id FROM wishes WHERE id = $1`, wish).Scan(&have); err != nil || have != 0 {
		return 0, err
	}
	expires := at
	if h.from.After(at) {
		expires = h.from
	}
	id, err := t.queueNotice(turn.Message{
		Kind: turn.Reply, Template: turn.AnswerWaits, Phone: register.Phone(h.phone), Params: map[string]string{"phone": h.office},
		PersonID: h.personID, At: at, Expires: expires.Add(hintLife),
	}, h.from)
	if err == nil {
		_, err = t.exec(`UPDATE wishes SET hint_id = $2 WHERE id = $1`, wish, id)
	}
	return id, err
}

// answerSent says what became of the answer to a matter.
func (t *tx) answerSent(wish int64) (s register.InboxSent, err error) {
	var letterAt, hintAt int64
	err = t.row(`SELECT COALESCE(l.state, ''), COALESCE(l.settled_at, 0), COALESCE(o.state, ''), COALESCE(CASE WHEN o.settled_at > 0 THEN o.settled_at ELSE o.next_at END, 0)
		FROM wishes w LEFT JOIN letters l ON l.wish_id = w.id LEFT JOIN outbox o ON o.id = w.hint_id AND w.hint_id <> 0
		WHERE w.id = $1 ORDER BY l.id DESC LIMIT 1`, wish).Scan(&s.Letter, &letterAt, &s.Hint, &hintAt)
	s.LetterAt, s.HintAt = fromMicros(letterAt), fromMicros(hintAt)
	return s, err
}

// LetterWaits implements notify.Letters.
func (s *Store) LetterWaits(ctx context.Context, id int64) error {
	return s.read(ctx, fmt.Sprintf("store: whether letter %d waits", id), func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		err = t.row(`SELECT id FROM letters WHERE id = $1 AND state = 'queued' AND next_at <= $2`, id, toMicros(now)).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return notify.ErrNoLetter
		}
		return err
	})
}

// ClaimLetter implements notify.Letters.
func (s *Store) ClaimLetter(ctx context.Context, id int64, lease time.Duration) (l notify.Letter, err error) {
	claimed := false
	err = s.write(ctx, fmt.Sprintf("store: claim letter %d", id), func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		claimed = false
		var idx []byte
		err = t.row(`UPDATE letters SET state = 'sending', lease_until = $3, tries = tries + 1 WHERE id = $1 AND state = 'queued' AND next_at <= $2 RETURNING who_idx, tries`,
			id, toMicros(now), toMicros(now.Add(lease))).Scan(&idx, &l.Tries)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		l, claimed, err = t.spendOnLetter(id, idx, l.Tries, now)
		return err
	})
	if err == nil && !claimed {
		err = fmt.Errorf("claim letter %d: %w", id, notify.ErrNoLetter)
	}
	return l, err
}

// spendOnLetter takes one message out of the open window of whom a claimed letter is for. Where there is none, the letter
// is kept; where nobody follows any more, it has failed.
func (t *tx) spendOnLetter(id int64, idx []byte, tries int, now time.Time) (l notify.Letter, open bool, err error) {
	l.ID, l.Tries = id, tries
	var who, body []byte
	var theirs bool
	if err := t.row(`SELECT EXISTS (SELECT 1 FROM letters l LEFT JOIN wishes w ON w.id = l.wish_id WHERE l.id = $1 AND `+stillTheirs("l.who_idx")+`)`, id).Scan(&theirs); err != nil {
		return l, false, err
	}
	if !theirs {
		return l, false, t.keepLetter(id, "lost", now)
	}
	err = t.row(spendWindowSQL+` RETURNING who, language`, idx, toMicros(now)).Scan(&who, &l.Language)
	if errors.Is(err, sql.ErrNoRows) {
		return l, false, t.keepLetter(id, "window", now)
	}
	if err != nil {
		return l, false, err
	}
	if l.OpenID, err = t.openOpenID(idx, who); err != nil {
		return l, false, err
	}
	if err := t.row(`SELECT body FROM letters WHERE id = $1`, id).Scan(&body); err != nil {
		return l, false, err
	}
	return l, true, t.unseal(&l.Text, body, "letters", "body", id)
}

// keepLetter keeps a claimed letter until they write, and tells them by SMS that it waits.
func (t *tx) keepLetter(id int64, code string, now time.Time) error {
	var wish, from int64
	var office string
	err := t.row(`UPDATE letters SET state = 'kept', code = $2, lease_until = 0, settled_at = $3 WHERE id = $1 AND state IN (`+quoted(notify.LetterKept.From())+`)
		RETURNING wish_id, office, hint_at`, id, code, toMicros(now)).Scan(&wish, &office, &from)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("keep letter %d: %w", id, notify.ErrNoLetter)
	}
	if err != nil {
		return err
	}
	found, err := t.inbox(`WHERE w.id = $1`, wish)
	if err != nil || len(found) == 0 {
		return err
	}
	phone, err := t.hintPhone(found[0])
	if err != nil || phone == "" {
		return err
	}
	_, err = t.hint(wish, hinted{phone: string(phone), personID: found[0].PersonID, office: office, from: fromMicros(from)}, now) // the sweeper rings
	return err
}

// SettleLetter implements notify.Letters.
func (s *Store) SettleLetter(ctx context.Context, id int64, as notify.LetterEnd) error {
	return s.write(ctx, fmt.Sprintf("store: settle letter %d", id), func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		from := as.State.From()
		if len(from) == 0 || as.State == notify.LetterSending || as.State == notify.LetterGiven {
			return fmt.Errorf("letter %d to %s: %w", id, as.State, notify.ErrNoLetter)
		}
		if as.State == notify.LetterKept {
			return t.keepLetter(id, as.Code, now)
		}
		n, err := t.exec(`UPDATE letters SET state = $2, code = $3, lease_until = 0, next_at = $4, settled_at = $5 WHERE id = $1 AND state IN (`+quoted(from)+`)`,
			id, string(as.State), as.Code, toMicros(retryAt(now, as.RetryIn)), toMicros(now))
		if err == nil && n == 0 {
			err = fmt.Errorf("letter %d to %s: %w", id, as.State, notify.ErrNoLetter)
		}
		return err
	})
}

// WaitingLetters implements notify.Letters. Where no lease has run out it only reads.
func (s *Store) WaitingLetters(ctx context.Context, limit int) (ids []int64, err error) {
	lost := false
	err = s.read(ctx, "store: waiting letters", func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		err = t.row(`SELECT EXISTS (SELECT 1 FROM letters WHERE state IN ('queued', 'sending') AND state = 'sending' AND lease_until <= $1)`, toMicros(now)).Scan(&lost)
		if err != nil {
			return err
		}
		ids, err = t.idsOf(`SELECT id FROM letters WHERE state IN ('queued', 'sending') AND state = 'queued' AND next_at <= $1 ORDER BY id LIMIT $2`, toMicros(now), limit)
		return err
	})
	if err != nil || !lost {
		return ids, err
	}
	return ids, s.write(ctx, "store: letters of a worker that is gone", func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		_, err = t.exec(`UPDATE letters SET state = 'unconfirmed', lease_until = 0, settled_at = $1
			WHERE state IN ('queued', 'sending') AND state = 'sending' AND lease_until <= $1`, toMicros(now))
		return err
	})
}

// endLateLetters ends those that nobody came for.
func (t *tx) endLateLetters(now time.Time) error {
	_, err := t.exec(`UPDATE letters SET state = 'expired', settled_at = expires_at WHERE state = 'kept' AND expires_at <= $1`, toMicros(now))
	return err
}

// letters are the answers that wait for this openid to write.
func (t *turnTx) letters() (list []turn.Letter, err error) {
	err = t.each(`SELECT l.id, l.body FROM letters l LEFT JOIN wishes w ON w.id = l.wish_id
		WHERE l.who_idx = $1 AND l.state = 'kept' AND l.expires_at > $2 AND `+stillTheirs("$1")+` ORDER BY l.id`,
		func(rows *sql.Rows) error {
			var l turn.Letter
			var body []byte
			if err := rows.Scan(&l.ID, &body); err != nil {
				return err
			}
			err := t.unseal(&l.Text, body, "letters", "body", l.ID)
			list = append(list, l)
			return err
		}, t.idx, toMicros(t.who.At))
	if err != nil {
		return nil, fmt.Errorf("read the answers that wait: %w", err)
	}
	return list, nil
}
