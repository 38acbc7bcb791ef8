package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// sentMost bounds how many messages a conversation looks through.
const sentMost = 20

// ownAndMates are people and those who have one phone and one household with them: a text to any of these was theirs to
// read (decision 10). A number that may have passed on holds nobody together.
func (t *turnTx) ownAndMates(n int) string {
	return `SELECT o.id FROM people o WHERE ` + t.among("o.id", n) + `
		UNION SELECT m.id FROM people o JOIN people m ON m.phone_idx = o.phone_idx AND m.household = o.household
		WHERE ` + t.among("o.id", n) + ` AND o.household <> '' AND o.phone_mobile
		AND NOT EXISTS (SELECT 1 FROM phone_doubts x WHERE x.phone_idx = o.phone_idx AND x.person_id = o.id)`
}

// Sent implements turn.Mail.
func (t *turnTx) Sent(since time.Time, people ...int64) ([]register.Sent, error) {
	of, arg := `d.person_id IN (SELECT id FROM people WHERE phone_idx = $1) AND d.channel IN ('sms', 'voice')`, any(t.idx)
	if t.who.Channel == turn.WeChat {
		of = `d.person_id IN (` + t.ownAndMates(1) + `) AND (` + t.among("d.person_id", 1) + ` OR d.channel IN ('sms', 'voice'))`
		arg = t.idList(people)
	}
	var list []register.Sent
	campaigns := map[int64]sentCampaign{}
	regions := map[int64]string{}
	var channels []notify.Channel // by which each went
	err := t.each(`SELECT d.campaign_id, d.person_id, `+sentOf("d", "k")+` AS at, d.channel, p.region, c.template, c.spec
		FROM deliveries d LEFT JOIN calls k ON k.id = d.call_id AND d.state = '' JOIN campaigns c ON c.id = d.campaign_id AND c.month = d.month JOIN people p ON p.id = d.person_id
		WHERE `+of+` AND `+stateOf("d", "k")+` IN ('accepted', 'delivered', 'unconfirmed') AND `+sentOf("d", "k")+` >= $2
		ORDER BY at DESC, d.campaign_id DESC, d.person_id LIMIT $3`,
		func(rows *sql.Rows) error {
			var v register.Sent
			var at int64
			var channel, region, template, spec string
			if err := rows.Scan(&v.CampaignID, &v.PersonID, &at, &channel, &region, &template, &spec); err != nil {
				return err
			}
			v.At, regions[v.PersonID] = fromMicros(at), region
			list, channels = append(list, v), append(channels, notify.Channel(channel))
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
		}, arg, toMicros(since), sentMost)
	if err != nil {
		return nil, fmt.Errorf("read what was sent: %w", err)
	}
	for i := range list {
		if err := t.describe(&list[i], campaigns[list[i].CampaignID], channels[i], regions[list[i].PersonID]); err != nil {
			return nil, fmt.Errorf("read what was sent: %w", err)
		}
	}
	return list, t.nameReplies(list)
}

type sentCampaign struct {
	spec     notify.Spec
	template notify.Template
}

// describe says of a message what its campaign says of it: the course or posting as it was chosen on that day.
func (t *turnTx) describe(v *register.Sent, c sentCampaign, channel notify.Channel, region string) error {
	v.Kind, v.Name, v.Check = string(c.spec.Kind), c.spec.Name, notify.CheckCode(t.keys, v.CampaignID, v.PersonID)
	switch {
	case channel == notify.WeChat && c.template.WeChat != nil && c.template.WeChat.Text != "":
		v.Content = c.template.WeChat.Text
	case c.template.SMS != nil:
		v.Content = c.template.SMS.Content
	}
	topics := notify.TopicsOf(c.spec, c.template)
	topics.Job, topics.Course = topics.Job || topics.JobNamed != "", topics.Course || topics.CourseNamed != ""
	facts := notify.Facts{PersonID: v.PersonID, Region: region}
	if err := t.addAbout(topics, map[int64]*notify.Facts{v.PersonID: &facts}, v.At); err != nil {
		return err
	}
	if err := t.retell(v, c, topics, facts); err != nil {
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

// retell fills the texts of a message again from what is on file, and says whether that has changed since it went.
func (t *turnTx) retell(v *register.Sent, c sentCampaign, topics notify.Topics, facts notify.Facts) error {
	var name []byte
	changed := `p.updated_at > $2`
	for _, topic := range []struct {
		used  bool
		table string
	}{{topics.Due, "premiums"}, {topics.Subsidy, "subsidies"}} {
		if topic.used {
			changed += ` OR EXISTS (SELECT 1 FROM ` + topic.table + ` x WHERE x.person_id = p.id AND x.updated_at > $2)`
		}
	}
	args := []any{v.PersonID, toMicros(v.At)}
	if job := facts.About.Job; topics.Job && job != nil {
		args = append(args, job.ID)
		changed += fmt.Sprintf(` OR EXISTS (SELECT 1 FROM jobs x WHERE x.id = $%d AND x.updated_at > $2)`, len(args))
	}
	if course := facts.About.Course; topics.Course && course != nil {
		args = append(args, course.ID)
		changed += fmt.Sprintf(` OR EXISTS (SELECT 1 FROM courses x WHERE x.id = $%d AND x.updated_at > $2)`, len(args))
	}
	err := t.row(`SELECT p.name_sealed, `+changed+` FROM people p WHERE p.id = $1`, args...).Scan(&name, &v.Changed)
	if err != nil {
		return err
	}
	if err := t.openMember(&facts, name, nil); err != nil {
		return err
	}
	v.Changed = v.Changed || topics.Lacks(facts.About)
	v.Texts, err = notify.SentTexts(notify.Campaign{ID: v.CampaignID, Spec: c.spec, Template: c.template}, facts, t.keys)
	return err
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
	if err = errors.Join(err, t.refreshMuted(personID)); err != nil {
		return fmt.Errorf("mute %s: %w", kind, err)
	}
	return t.outsChanged()
}

// refreshMuted notes a mute of this turn, or its end, on those whom it concerns.
func (t *turnTx) refreshMuted(personID int64) error {
	if t.who.Channel == turn.SMS {
		return t.refreshOptedOutPhone(t.idx)
	}
	return t.refreshOptedOut([]int64{personID})
}

// Unmute implements turn.Mail.
func (t *turnTx) Unmute(personID int64, kind string) error {
	column, subject := t.muted(personID)
	_, err := t.exec(`DELETE FROM mutes WHERE `+column+` = $1 AND kind = $2`, subject, kind)
	if err = errors.Join(err, t.refreshMuted(personID)); err != nil {
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
