package store

import (
	"database/sql"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// addLanguages adds what the people speak, for the recordings of a call by telephone.
func (t *tx) addLanguages(members map[int64]*notify.Facts, people []int64) error {
	return t.each(`SELECT id, language FROM people WHERE `+t.among("id", 1), func(rows *sql.Rows) error {
		var id int64
		var language string
		if err := rows.Scan(&id, &language); err != nil {
			return err
		}
		if f, ok := members[id]; ok {
			f.Language = language
		}
		return nil
	}, t.idList(people))
}

// waitForReport makes the sweeper come back to an accepted call by telephone: where its member has a further channel, to
// fall back; else to stop waiting for its report. Until then those of the household wait behind it.
func (t *tx) waitForReport(c *heldCall, fallAt, now time.Time) error {
	campaign, err := t.campaign(c.key.id, "")
	if err != nil {
		return err
	}
	at := campaign.Spec.AwaitReport(now)
	if len(c.withFurther()) > 0 {
		at = fallAt
	}
	_, err = t.exec(`UPDATE calls SET wake_at = $2 WHERE id = $1`, c.id, toMicros(at))
	return err
}

// voiceWaits is the SQL test that the accepted call by telephone of a row m, whose call is mc, still waits for its report.
func voiceWaits() string {
	return `m.channel = 'voice' AND ` + stateOf("m", "mc") + ` = 'accepted' AND EXISTS (SELECT 1 FROM calls v WHERE v.id = m.call_id AND v.wake_at > 0)`
}

// applyToVoice moves the member of a call by telephone by its report. What such reports say never halts a campaign:
// most calls of a day are not answered, and that is nobody's fault.
func (t *tx) applyToVoice(c callReceipts, now time.Time) error {
	for _, m := range c.list {
		if m.report.Unclear {
			continue
		}
		if m.report.Delivered {
			_, err := t.deliver(c.call, []int64{m.personID}, m.report.Proof(), now)
			return err
		}
		return t.callEnded(c.call, m, now) // the first word on a call holds
	}
	return nil
}

// callEnded: the call was not heard. It is made again some hours later, or the attempt is over.
func (t *tx) callEnded(c *heldCall, m receiptMatch, now time.Time) error {
	if err := t.unfold(c, []int64{m.personID}); err != nil {
		return err
	}
	people, err := t.idsOf(`SELECT person_id FROM deliveries WHERE month = $1 AND campaign_id = $2 AND person_id = $3
		AND call_id = $4 AND state IN (`+quoted(notify.FailAfter.Move().From)+`)`, c.key.month, c.key.id, m.personID, c.id)
	if err != nil || len(people) == 0 {
		return err
	}
	// Held, so that it does not finish while a row of it waits to be called again.
	campaign, err := t.campaign(c.key.id, t.forUpdate())
	if err != nil {
		return err
	}
	end := m.report.CallEnd
	at, again, err := t.redial(c, m, campaign, now)
	if err != nil {
		return err
	}
	if again {
		if err := t.noteAttempts(c.key, []attempt{{m.personID, c.id, c.channel, string(end), m.report.ErrCode}}, now); err != nil {
			return err
		}
		_, err := t.move(c.key, notify.CallAgain, people, "tries = 0, wake_at = $4, updated_at = $5", toMicros(at), toMicros(now))
		return err
	}
	if err := t.endAttempts(c, people, "failed", m.report.ErrCode, false, now); err != nil {
		return err
	}
	if end == notify.NoNumber { // whoever else waits for this number would hear the same
		followers, err := t.followers(c.key, people)
		if err != nil {
			return err
		}
		if err := t.fallOrFail(c.key, followers, notify.Refuse, m.report.ErrCode, now); err != nil {
			return err
		}
	}
	return t.settleSharedHouseholds(c, people, now)
}

// redial says when the call is made again, by the ends of the delivery's calls so far.
func (t *tx) redial(c *heldCall, m receiptMatch, campaign notify.Campaign, now time.Time) (at time.Time, again bool, err error) {
	if campaign.State.Final() {
		return at, false, nil
	}
	var unanswered, heldBack int
	var later string
	err = t.row(`SELECT (SELECT count(*) FROM attempts WHERE campaign_id = $1 AND person_id = $2 AND channel = 'voice' AND outcome = $3),
			(SELECT count(*) FROM attempts WHERE campaign_id = $1 AND person_id = $2 AND channel = 'voice' AND outcome = $4),
			later FROM deliveries WHERE month = $5 AND campaign_id = $1 AND person_id = $2`,
		c.key.id, m.personID, string(notify.NotAnswered), string(notify.HeldBack), c.key.month).Scan(&unanswered, &heldBack, &later)
	if err != nil {
		return at, false, err
	}
	switch m.report.CallEnd {
	case notify.NotAnswered:
		unanswered++
	case notify.HeldBack:
		heldBack++
	default: // nothing to count
	}
	at, again = campaign.Redial(m.report.CallEnd, unanswered, heldBack, later != "", now)
	return at, again, nil
}
