package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// waysThere are the openids by which people can be written to; of several the first by ownFirst is taken: their own, else
// the one bound longest.
const (
	waysThere = `bindings b JOIN contacts c ON c.channel = 'wechat' AND c.who_idx = b.openid_idx
		WHERE b.until = 0 AND c.follows AND NOT EXISTS (SELECT 1 FROM opt_outs o WHERE o.openid_idx = b.openid_idx)`
	ownFirst = `CASE WHEN b.relation IN ('', 'self') THEN 0 ELSE 1 END, b.since, b.openid_idx`
)

// addWeChat adds each person's way by WeChat: the openid bound to them that follows and has not stopped its own feed,
// its consent to the campaign's notice, and what its window for customer messages has left.
func (t *tx) addWeChat(c notify.Campaign, members map[int64]*notify.Facts, people []int64, now time.Time) error {
	notice := ""
	if c.Template.WeChat != nil {
		notice = c.Template.WeChat.Subscribe
	}
	rows, err := t.query(`SELECT b.person_id, c.who_idx, c.who, CASE WHEN c.customer_until > $2 THEN c.customer_left ELSE 0 END,
			EXISTS (SELECT 1 FROM consents k WHERE k.openid_idx = b.openid_idx AND k.template_id = $3 AND k.accepted)
		FROM `+waysThere+` AND `+t.among("b.person_id", 1)+` ORDER BY b.person_id, `+ownFirst, t.idList(people), toMicros(now), notice)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		var idx, who []byte
		var f notify.WeChatFacts
		if err := rows.Scan(&id, &idx, &who, &f.CustomerLeft, &f.Consented); err != nil {
			return err
		}
		m, ok := members[id]
		if !ok || m.WeChat.OpenID != "" {
			continue
		}
		if f.OpenID, err = t.openOpenID(idx, who); err != nil {
			return err
		}
		m.WeChat = f
	}
	return rows.Err()
}

// openOpenID opens a contact's openid.
func (t *tx) openOpenID(idx, who []byte) (register.OpenID, error) {
	plain, err := t.keys.Open(who, "contacts", "who", rowID(idx))
	return register.OpenID(plain), err
}

// spendCustomerMessage counts one of the customer messages of the open window of the openid that each person is written
// to by. Others that are bound to them keep theirs.
func (t *tx) spendCustomerMessage(people []int64) error {
	_, err := t.exec(`UPDATE contacts SET customer_left = customer_left - 1 WHERE customer_left > 0 AND `+t.writtenTo(), t.idList(people))
	return err
}

// unspendCustomerMessage gives back what a call took that was held before its first byte, or put off: nothing was sent.
func (t *tx) unspendCustomerMessage(call int64, people []int64) error {
	_, err := t.exec(`UPDATE contacts SET customer_left = customer_left + 1 WHERE customer_left < $2 AND `+t.writtenTo()+`
		AND EXISTS (SELECT 1 FROM calls WHERE id = $3 AND route = $4)`, t.idList(people), messagesAfterMessage, call, notify.CustomerMessage)
	return err
}

// writtenTo is the SQL test that a contact is the one by which one of the people in $1 is written to.
func (t *tx) writtenTo() string {
	return `channel = 'wechat' AND who_idx IN (SELECT used.openid_idx FROM (SELECT b.openid_idx, row_number() OVER (PARTITION BY b.person_id ORDER BY ` + ownFirst + `) AS place
			FROM ` + waysThere + ` AND ` + t.among("b.person_id", 1) + `) used WHERE used.place = 1)`
}

// TakeWeChatProof applies WeChat's word on a message: it settles an unconfirmed one, makes an accepted one delivered,
// and sends one that failed to the next channel. A word on a message that isn't ours is passed over.
func (s *Store) TakeWeChatProof(ctx context.Context, p notify.WeChatProof) error {
	return s.write(ctx, "store: take a proof from wechat", func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		c, err := t.provenCall(p)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if c.state != notify.CallAccepted {
			if err := t.acceptCall(c, notify.CallResult{BizID: p.MsgID, Code: "event"}, now); err != nil {
				return err
			}
		}
		if p.OK {
			if _, err = t.deliver(c, c.people, notify.ByReceipt, now); err == nil {
				err = t.keepMarks(c)
			}
		} else {
			_, err = t.failMembers(c, c.people, p.Code, now)
		}
		return err
	})
}

// provenCall finds the call a proof is about: by the message's id, or, where the answer that held it was lost or is not
// written yet, by person and template among the calls that wait for an answer.
func (t *tx) provenCall(p notify.WeChatProof) (*heldCall, error) {
	// Calls that were not answered yet have no id: an empty one must not find them.
	c, err := scanCall(t.row(`SELECT `+callColumns+` FROM calls WHERE biz_id = $1 AND biz_id <> '' AND channel = 'wechat'`+t.forUpdate(), p.MsgID))
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return c, err
	}
	rows, err := t.query(`SELECT d.call_id, d.campaign_id FROM deliveries d
		JOIN calls c ON c.id = d.call_id AND c.channel = 'wechat' AND c.state IN ('sending', 'unconfirmed')
		WHERE d.person_id IN (SELECT person_id FROM bindings WHERE openid_idx = $1) AND d.state = '' ORDER BY d.call_id`, t.keys.Index("openid", string(p.OpenID)))
	if err != nil {
		return nil, err
	}
	waiting, err := scanPairs(rows)
	if err != nil {
		return nil, err
	}
	for _, w := range waiting {
		campaign, err := t.campaign(w[1], "")
		if err != nil {
			return nil, err
		}
		if x := campaign.Template.WeChat; x != nil && (x.Subscribe == p.TemplateID || p.TemplateID == "" && x.Template != "") {
			return t.holdCall(w[0])
		}
	}
	return nil, sql.ErrNoRows
}

func scanPairs(rows *sql.Rows) ([][2]int64, error) {
	defer func() { _ = rows.Close() }()
	var list [][2]int64
	for rows.Next() {
		var p [2]int64
		if err := rows.Scan(&p[0], &p[1]); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, rows.Err()
}
