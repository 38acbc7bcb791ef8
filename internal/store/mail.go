package store

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// sentMost bounds how many messages a conversation looks through.
const sentMost = 20

// Sent implements turn.Mail.
func (t *turnTx) Sent(since time.Time, people ...int64) ([]register.Sent, error) {
	// By WeChat: what went to the person by any channel, and what went to the number they have now, for which somebody
	// else of their household may have carried it.
	of, arg := `d.person_id IN (SELECT id FROM people WHERE phone_idx = $1) AND d.channel IN ('sms', 'voice')`, any(t.idx)
	if t.who.Channel == turn.WeChat {
		of = `(` + t.among("d.person_id", 1) + ` OR d.channel = 'sms' AND d.person_id IN (SELECT q.id FROM people q
			WHERE q.phone_idx IN (SELECT o.phone_idx FROM people o WHERE ` + t.among("o.id", 1) + `)))`
		arg = t.idList(people)
	}
	var list []register.Sent
	campaigns := map[int64]sentCampaign{}
	regions := map[int64]string{}
	err := t.each(`SELECT d.campaign_id, d.person_id, `+sentOf("d", "k")+` AS at, p.region, c.template, c.spec, substr(m.texts, (d.slot - 1) * $4 + 1, $4)
		FROM deliveries d LEFT JOIN calls k ON k.id = d.call_id AND d.state = '' LEFT JOIN calls m ON m.id = d.call_id AND d.slot > 0
			JOIN campaigns c ON c.id = d.campaign_id AND c.month = d.month JOIN people p ON p.id = d.person_id
		WHERE `+of+` AND `+stateOf("d", "k")+` IN ('accepted', 'delivered', 'unconfirmed') AND `+sentOf("d", "k")+` >= $2
		ORDER BY at DESC, d.campaign_id DESC, d.person_id LIMIT $3`,
		func(rows *sql.Rows) error {
			var v register.Sent
			var at int64
			var region, template, spec string
			var mark []byte
			if err := rows.Scan(&v.CampaignID, &v.PersonID, &at, &region, &template, &spec, &mark); err != nil {
				return err
			}
			v.At, v.Mark, regions[v.PersonID] = fromMicros(at), markText(mark), region
			list = append(list, v)
			if _, read := campaigns[v.CampaignID]; read {
				return nil
			}
			var c sentCampaign
			err := json.Unmarshal([]byte(spec), &c.spec)
			if err == nil && template != "" {
				err = json.Unmarshal([]byte(template), &c.template)
			}
			campaigns[v.CampaignID] = c
			return err
		}, arg, toMicros(since), sentMost, notify.MarkSize)
	if err != nil {
		return nil, fmt.Errorf("read what was sent: %w", err)
	}
	for i := range list {
		if err := t.describe(&list[i], campaigns[list[i].CampaignID], regions[list[i].PersonID]); err != nil {
			return nil, fmt.Errorf("read what was sent: %w", err)
		}
	}
	return list, nil
}

// Answered implements turn.Mail.
func (t *turnTx) Answered(since time.Time, people ...int64) (list []register.Sent, err error) {
	of, arg := `phone_idx = $1`, any(t.idx)
	if t.who.Channel == turn.WeChat {
		of, arg = `phone_idx IN (SELECT o.phone_idx FROM people o WHERE `+t.among("o.id", 1)+`)`, t.idList(people)
	}
	err = t.each(`SELECT kind, COALESCE(person_id, 0), created_at, text_mark FROM outbox WHERE `+of+` AND created_at >= $2 AND text_mark IS NOT NULL
		ORDER BY created_at DESC, id DESC LIMIT $3`,
		func(rows *sql.Rows) error {
			var v register.Sent
			var at int64
			var mark []byte
			err := rows.Scan(&v.Kind, &v.PersonID, &at, &mark)
			v.At, v.Mark = fromMicros(at), markText(mark)
			list = append(list, v)
			return err
		}, arg, toMicros(since), sentMost)
	if err != nil {
		return nil, fmt.Errorf("read which answers went by SMS: %w", err)
	}
	return list, nil
}

// TextMark implements turn.Mail.
func (t *turnTx) TextMark(text string) string { return markText(notify.TextMark(t.keys, text)) }

// markText is a mark as conversations compare it; one of zeros is none.
func markText(mark []byte) string {
	if len(bytes.Trim(mark, "\x00")) == 0 {
		return ""
	}
	return hex.EncodeToString(mark)
}

type sentCampaign struct {
	spec     notify.Spec
	template notify.Template
}

// describe says of a message what its campaign says of it: the course or posting as it was chosen on that day.
func (t *turnTx) describe(v *register.Sent, c sentCampaign, region string) error {
	v.Kind, v.Name, v.Check = string(c.spec.Kind), c.spec.Name, notify.CheckCode(t.keys, v.CampaignID, v.PersonID)
	topics := notify.TopicsOf(c.spec, c.template)
	topics = notify.Topics{
		Job: topics.Job || topics.JobNamed != "", JobNamed: topics.JobNamed, Course: topics.Course || topics.CourseNamed != "", CourseNamed: topics.CourseNamed,
	}
	facts := notify.Facts{PersonID: v.PersonID, Region: region}
	if err := t.addAbout(topics, map[int64]*notify.Facts{v.PersonID: &facts}, v.At); err != nil {
		return err
	}
	if facts.About.Course != nil {
		v.CourseID = facts.About.Course.ID
	}
	if facts.About.Job != nil {
		v.JobID = facts.About.Job.ID
	}
	return nil
}

// muted is the subject of a mute in this turn: by SMS the number, by WeChat the person.
func (t *turnTx) muted(personID int64) (column string, subject any) {
	if t.who.Channel == turn.SMS {
		return "phone_idx", t.idx
	}
	return "person_id", personID
}

// Mute implements turn.Mail.
func (t *turnTx) Mute(personID int64, kind string) error {
	column, subject := t.muted(personID)
	_, err := t.exec(`INSERT INTO mutes (`+column+`, kind, at) VALUES ($1, $2, $3) ON CONFLICT (`+column+`, kind) WHERE `+column+` IS NOT NULL DO NOTHING`,
		subject, kind, toMicros(t.who.At))
	if err != nil {
		return fmt.Errorf("mute %s: %w", kind, err)
	}
	return nil
}

// Unmute implements turn.Mail.
func (t *turnTx) Unmute(personID int64, kind string) error {
	column, subject := t.muted(personID)
	if _, err := t.exec(`DELETE FROM mutes WHERE `+column+` = $1 AND kind = $2`, subject, kind); err != nil {
		return fmt.Errorf("unmute %s: %w", kind, err)
	}
	return nil
}

// Muted implements turn.Mail.
func (t *turnTx) Muted(personID int64) (kinds []string, err error) {
	column, subject := t.muted(personID)
	err = t.each(`SELECT kind FROM mutes WHERE `+column+` = $1 ORDER BY kind`, func(rows *sql.Rows) error {
		var kind string
		err := rows.Scan(&kind)
		kinds = append(kinds, kind)
		return err
	}, subject)
	if err != nil {
		return nil, fmt.Errorf("read what is muted: %w", err)
	}
	return kinds, nil
}
