package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
)

// Bind implements turn.Wishes. What the openid or the person were bound to before ends. A wish for no campaigns
// said before we knew who it was becomes the person's.
func (t *turnTx) Bind(personID int64) error {
	if err := t.lockKey(fmt.Sprintf("bind person %d", personID)); err != nil {
		return err
	}
	if err := t.endBindings(t.who.At, ending{by: t.idx, loss: register.LossMoved}, `(openid_idx = $1 OR person_id = $2)`, t.idx, personID); err != nil {
		return err
	}
	if err := t.showAgain(personID); err != nil {
		return err
	}
	_, err := t.exec(`INSERT INTO bindings (openid_idx, person_id, relation, since) VALUES ($1, $2, 'self', $3)`,
		t.idx, personID, toMicros(t.who.At))
	if err != nil {
		return fmt.Errorf("bind person %d: %w", personID, err)
	}
	out, err := t.exec(`DELETE FROM opt_outs WHERE openid_idx = $1`, t.idx)
	if err != nil {
		return fmt.Errorf("take over an opt-out: %w", err)
	}
	if out > 0 {
		if err := t.OptOut(personID); err != nil {
			return err
		}
	}
	if err := t.setWeChatBound([]int64{personID}, true); err != nil {
		return fmt.Errorf("mark person %d bound: %w", personID, err)
	}
	if err := t.markSubscribed(personID); err != nil {
		return err
	}
	if _, err := t.exec(`DELETE FROM codes WHERE openid_idx = $1`, t.idx); err != nil {
		return fmt.Errorf("drop the code: %w", err)
	}
	return nil
}

// showAgain has whoever is bound to a person now hear of the proxies that the account before them agreed to: it may have been a
// thief's.
func (t *turnTx) showAgain(personID int64) error {
	_, err := t.exec(`UPDATE proxies SET shown_at = 0 WHERE consent_by = $1 AND state = 'given' AND given_at >=
		(SELECT MAX(b.since) FROM bindings b WHERE b.person_id = $1 AND b.until = $2 AND b.lost <> '')`, personID, toMicros(t.who.At))
	if err != nil {
		return fmt.Errorf("show person %d who looks after their matters: %w", personID, err)
	}
	return nil
}

// ending says who ended bindings, and what that is to any other account: whoever ends their own has lost nothing.
type ending struct {
	by   []byte // the openid's index
	loss register.Loss
}

// endBindings ends own bindings by a condition and marks their people as not reachable by WeChat.
func (t *tx) endBindings(at time.Time, how ending, where string, args ...any) error {
	rows, err := t.query(`SELECT person_id FROM bindings WHERE until = 0 AND relation = 'self' AND `+where, args...)
	if err != nil {
		return fmt.Errorf("read bindings: %w", err)
	}
	people, err := scanIDs(rows)
	if err != nil {
		return fmt.Errorf("read bindings: %w", err)
	}
	if len(people) == 0 {
		return nil
	}
	_, err = t.exec(`UPDATE bindings SET until = $2, lost = CASE WHEN openid_idx = $3 THEN '' ELSE CAST($4 AS TEXT) END
		WHERE until = 0 AND relation = 'self' AND `+t.among("person_id", 1), t.idList(people), toMicros(at), how.by, string(how.loss))
	if err != nil {
		return fmt.Errorf("end bindings: %w", err)
	}
	if err := errors.Join(t.setWeChatBound(people, false), t.setWeChatSubscribed(people, false)); err != nil {
		return fmt.Errorf("mark people unbound: %w", err)
	}
	return nil
}

// markSubscribed notes on the person of this openid whether some subscription notice may go to them.
func (t *turnTx) markSubscribed(personID int64) error {
	var accepted bool
	err := t.row(`SELECT EXISTS (SELECT 1 FROM consents WHERE openid_idx = $1 AND accepted)`, t.idx).Scan(&accepted)
	if err == nil {
		err = t.setWeChatSubscribed([]int64{personID}, accepted)
	}
	if err != nil {
		return fmt.Errorf("mark person %d subscribed: %w", personID, err)
	}
	return nil
}

func scanIDs(rows *sql.Rows) ([]int64, error) {
	defer func() { _ = rows.Close() }()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// Consent implements turn.Wishes: per template, as the platform's event says.
func (t *turnTx) Consent(consents []turn.Consent) error {
	for _, c := range consents {
		_, err := t.exec(`INSERT INTO consents (openid_idx, template_id, accepted, at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (openid_idx, template_id) DO UPDATE SET accepted = excluded.accepted, at = excluded.at`,
			t.idx, c.TemplateID, c.Accepted, toMicros(t.who.At))
		if err != nil {
			return fmt.Errorf("save a consent: %w", err)
		}
	}
	rows, err := t.query(`SELECT person_id FROM bindings WHERE openid_idx = $1 AND until = 0 AND relation = 'self'`, t.idx)
	if err != nil {
		return fmt.Errorf("read bindings: %w", err)
	}
	people, err := scanIDs(rows)
	if err != nil {
		return fmt.Errorf("read bindings: %w", err)
	}
	for _, id := range people {
		if err := t.markSubscribed(id); err != nil {
			return err
		}
	}
	return nil
}

// OptOut implements turn.Wishes: by SMS the number, whoever is on it; by WeChat the person, or the openid while it
// stands for nobody.
func (t *turnTx) OptOut(personID int64) error {
	at := toMicros(t.who.At)
	if err := t.outsChanged(); err != nil {
		return asOptOut(err)
	}
	if t.who.Channel == turn.SMS {
		_, err := t.exec(`INSERT INTO opt_outs (phone_idx, via, at) VALUES ($1, 'sms', $2)
			ON CONFLICT (phone_idx) DO UPDATE SET via = excluded.via WHERE opt_outs.via = 'not_me'`, t.idx, at)
		return asOptOut(errors.Join(err, t.refreshOptedOutPhone(t.idx)))
	}
	if personID == 0 {
		_, err := t.exec(`INSERT INTO opt_outs (openid_idx, via, at) VALUES ($1, 'wechat', $2) ON CONFLICT (openid_idx) DO NOTHING`, t.idx, at)
		return asOptOut(err)
	}
	_, err := t.exec(`INSERT INTO opt_outs (person_id, via, at) VALUES ($1, 'wechat', $2) ON CONFLICT (person_id) DO NOTHING`, personID, at)
	return asOptOut(errors.Join(err, t.refreshOptedOut([]int64{personID})))
}

// OptIn implements turn.Wishes: it undoes OptOut on the same channel.
func (t *turnTx) OptIn(personID int64) error {
	if t.who.Channel == turn.SMS {
		_, err := t.exec(`DELETE FROM opt_outs WHERE phone_idx = $1`, t.idx)
		return asOptOut(errors.Join(err, t.refreshOptedOutPhone(t.idx)))
	}
	_, err := t.exec(`DELETE FROM opt_outs WHERE openid_idx = $1`, t.idx)
	if personID != 0 && err == nil {
		_, err = t.exec(`DELETE FROM opt_outs WHERE person_id = $1`, personID)
		err = errors.Join(err, t.refreshOptedOut([]int64{personID}))
	}
	return asOptOut(err)
}

func asOptOut(err error) error {
	if err != nil {
		return fmt.Errorf("opt out or in: %w", err)
	}
	return nil
}

// RefuseConsent records that the platform says this person has not consented to a template (43101).
func (s *Store) RefuseConsent(ctx context.Context, openID register.OpenID, template string, at time.Time) error {
	return s.write(ctx, "store: refuse a consent", func(t *tx) error {
		tt := &turnTx{tx: t, who: turn.Who{Channel: turn.WeChat, ID: string(openID), At: at}, idx: t.keys.Index("openid", string(openID))}
		return tt.Consent([]turn.Consent{{TemplateID: template}})
	})
}
