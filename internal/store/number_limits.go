package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// numberLimit is which of the numbers in a claim may come to the platform's limit for them.
type numberLimit struct {
	all       bool    // every number
	shared    bool    // those that several people have
	campaigns []int64 // SMS: those that send the same template, and sent within the limit's time
}

// numberLimit says what of a claim has to be looked up. Of texts that is nothing but after dozens of campaigns in a day.
func (t *tx) numberLimit(c notify.Campaign, channel notify.Channel) (l numberLimit, err error) {
	switch channel {
	case notify.Voice:
		return numberLimit{all: true, shared: true}, nil
	case notify.SMS:
	case notify.WeChat:
		return l, nil
	}
	now, err := t.now()
	if err != nil {
		return l, err
	}
	const lately = ` FROM campaigns WHERE started_at > 0 AND (state IN ('running', 'paused', 'halted') OR updated_at > $1)`
	since, n := toMicros(now.Add(-notify.LimitSpan)), 0
	if err := t.row(`SELECT count(*)`+lately, since).Scan(&n); err != nil || notify.FewCampaigns(n, true) {
		return l, err
	}
	err = t.each(`SELECT id, template`+lately, func(rows *sql.Rows) error {
		var id int64
		var body []byte
		var template notify.Template
		if err := rows.Scan(&id, &body); err != nil {
			return err
		}
		if err := json.Unmarshal(body, &template); err != nil {
			return fmt.Errorf("template of campaign %d: %w", id, err)
		}
		if template.SMS != nil && c.Template.SMS != nil && template.SMS.Code == c.Template.SMS.Code {
			l.campaigns = append(l.campaigns, id)
		}
		return nil
	}, since)
	n = len(l.campaigns)
	l.all, l.shared = !notify.FewCampaigns(n, false), !notify.FewCampaigns(n, true)
	return l, err
}

// addNumberHad adds what the platform counts for the members' numbers: every call that began within the limit's time, this
// campaign's too, of whoever has the number now.
func (t *tx) addNumberHad(l numberLimit, channel notify.Channel, members map[int64]*notify.Facts, extra map[int64]claimRow, now time.Time) error {
	var ids []int64
	for id := range members {
		if l.all || l.shared && extra[id].shared {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	among, args := "", []any{t.idList(ids), string(channel), toMicros(now.Add(-notify.LimitSpan))}
	if channel == notify.SMS {
		among, args = ` AND d.campaign_id = c.campaign_id AND `+t.among("c.campaign_id", 4), append(args, t.idList(l.campaigns))
	}
	const holders = ` FROM people m JOIN people q ON q.phone_idx = m.phone_idx JOIN deliveries d ON d.person_id = q.id `
	begun := ` WHERE ` + t.among("m.id", 1) + ` AND c.channel = $2 AND c.begun_at > $3` + among
	// What is under way or went last stands in the row, what was tried before in its attempts. UNION takes out what is in both.
	return t.each(`SELECT m.id, c.id, d.person_id, c.begun_at`+holders+`JOIN calls c ON c.id = d.call_id`+begun+`
		UNION SELECT m.id, c.id, d.person_id, c.begun_at`+holders+`JOIN attempts a ON a.campaign_id = d.campaign_id AND a.person_id = d.person_id
			JOIN calls c ON c.id = a.call_id`+begun+` AND (a.outcome <> 'refused' OR c.channel = 'voice')`, func(rows *sql.Rows) error {
		var id, callID, personID, at int64
		if err := rows.Scan(&id, &callID, &personID, &at); err != nil {
			return err
		}
		members[id].NumberHad = append(members[id].NumberHad, fromMicros(at))
		return nil
	}, args...)
}
