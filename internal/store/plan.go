package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// cursorDone stands in a campaign's cursor when there is nothing left behind it.
const cursorDone = math.MaxInt64

// StartDue starts approved campaigns whose time has come.
func (s *Store) StartDue(ctx context.Context, now time.Time) (int, error) {
	var started int64
	m := notify.Start.Move()
	var due bool
	err := s.read(ctx, "store: look for campaigns to start", func(t *tx) error {
		return t.row(`SELECT EXISTS (SELECT 1 FROM campaigns WHERE state IN (`+quoted(m.From)+`) AND starts_at <= $1)`, toMicros(now)).Scan(&due)
	})
	if err != nil || !due {
		return 0, err
	}
	err = s.write(ctx, "store: start campaigns", func(t *tx) error {
		var err error
		started, err = t.exec(`UPDATE campaigns SET state = '`+string(m.To)+`', started_at = $1, updated_at = $1
			WHERE state IN (`+quoted(m.From)+`) AND starts_at <= $1`, toMicros(now))
		return err
	})
	return int(started), err
}

// Running lists running campaigns, the oldest first.
func (s *Store) Running(ctx context.Context) (list []notify.Campaign, err error) {
	err = s.read(ctx, "store: running campaigns", func(t *tx) error {
		list, err = t.campaigns(`WHERE state = 'running' ORDER BY id`)
		return err
	})
	return list, err
}

// PlanPage plans the next people of a running campaign's audience, in the order of their ids, and moves the campaign's
// cursor in the same transaction. done: the plan is complete, or somebody else is at it.
func (s *Store) PlanPage(ctx context.Context, campaignID int64, now time.Time, limit int) (done bool, err error) {
	planned := 0 // the month of a plan that this page completed
	err = s.write(ctx, fmt.Sprintf("store: plan campaign %d", campaignID), func(t *tx) error {
		c, err := t.campaign(campaignID, t.skipLocked())
		if errors.Is(err, notify.ErrNoCampaign) {
			done = true
			return nil
		}
		if err != nil {
			return err
		}
		if done = c.State != notify.Running || !c.PlannedAt.IsZero(); done {
			return nil
		}
		done, err = t.planPage(c, now, limit)
		planned = c.Month
		return err
	})
	if err == nil && done && planned > 0 && s.d == postgresDialect {
		err = s.write(ctx, "store: count a month's rows", func(t *tx) error {
			_, err := t.exec(fmt.Sprintf("ANALYZE deliveries_%06d", planned)) //nolint:misspell // the statement is spelled so
			return err
		})
	}
	return done, err
}

func (t *tx) planPage(c notify.Campaign, now time.Time, limit int) (done bool, err error) {
	var cursor int64
	if err := t.row(`SELECT plan_cursor FROM campaigns WHERE id = $1`, c.ID).Scan(&cursor); err != nil {
		return false, err
	}
	audience, args := c.Spec.Audience.SQL(now, 7)
	args = append([]any{c.Month, c.ID, cursor, limit, toMicros(now), c.Scope.Prefix}, args...)
	n, err := t.exec(planSQL(c.Channels(), c.Spec.Kind, audience), args...)
	if err != nil {
		return false, fmt.Errorf("plan after person %d: %w", cursor, err)
	}
	if n < int64(limit) {
		_, err = t.exec(`UPDATE campaigns SET planned_at = $2, plan_cursor = $3 WHERE id = $1`, c.ID, toMicros(now), int64(cursorDone))
		return true, err
	}
	_, err = t.exec(`UPDATE campaigns SET plan_cursor =
		(SELECT max(person_id) FROM deliveries WHERE month = $2 AND campaign_id = $1) WHERE id = $1`, c.ID, c.Month)
	return false, err
}

// planSQL inserts one page: $1 month, $2 campaign, $3 cursor, $4 limit, $5 now, $6 the author's region, then the audience's.
// busy counts whom else a number belongs to. A number of three or more households is nobody's phone.
func planSQL(channels []notify.Channel, kind notify.Kind, audience string) string {
	return `WITH page AS (
		SELECT p.id, p.phone_idx, p.phone_mobile, p.household, p.status, p.wechat_bound
		FROM people p WHERE p.id > $3 AND substr(p.region, 1, length(CAST($6 AS TEXT))) = $6 AND (` + audience + `) ORDER BY p.id LIMIT $4
	), busy AS (` + busySQL("page") + `), known AS (` + knownSQL(kind) + `
	), ways AS (
		SELECT known.*, ` + waySQL(channels) + ` AS channel FROM known
	), told AS (
		SELECT ways.*, ` + laterSQL(channels) + ` AS later, ` + planSkipSQL(channels) + ` AS why,
			channel IN ('sms', 'voice') AND shared AND household <> '' AS grouped FROM ways
	), ranked AS (
		SELECT told.*, CASE WHEN grouped AND why = '' THEN row_number() OVER (PARTITION BY phone_idx, household, grouped AND why = '' ORDER BY id) ELSE 1 END AS place,
			CASE WHEN grouped AND why = '' THEN ` + mateSQL + ` ELSE 0 END AS mate FROM told
	)
	INSERT INTO deliveries (month, campaign_id, person_id, state, reason, channel, later, lead, shared, phone_idx, household, updated_at)
	SELECT CAST($1 AS INTEGER), CAST($2 AS BIGINT), id,
		CASE WHEN why <> '' OR mate = 2 THEN 'skipped' ELSE 'planned' END,
		CASE WHEN why <> '' THEN why WHEN mate = 2 THEN 'household' ELSE '' END,
		CASE WHEN why <> '' THEN '' ELSE channel END, CASE WHEN why <> '' THEN '' ELSE later END,
		place = 1 AND mate = 0, shared, phone_idx, household, CAST($5 AS BIGINT) FROM ranked ORDER BY id`
}

// knownSQL is what decides a person's ways, for each of page. They may want no campaign, or none of this kind.
func knownSQL(kind notify.Kind) string {
	return `SELECT page.*, COALESCE(busy.people, 0) > 1 AS shared,
			` + personOut("page.id", kind) + ` AS opted_out,
			` + phoneOut("page.phone_idx", kind) + ` AS phone_out,
			page.phone_idx IS NOT NULL AND COALESCE(busy.households, 0) < 3 AS own_phone
		FROM page LEFT JOIN busy ON busy.phone_idx = page.phone_idx`
}

// personOut is the SQL test that a person wants no campaign of a kind.
func personOut(id string, kind notify.Kind) string {
	return `(EXISTS (SELECT 1 FROM opt_outs o WHERE o.person_id = ` + id + `)
				OR EXISTS (SELECT 1 FROM mutes m WHERE m.person_id = ` + id + ` AND m.kind = ` + literal(kind) + `))`
}

// phoneOut is the SQL test that a number wants no campaign of a kind.
func phoneOut(idx string, kind notify.Kind) string {
	return `(EXISTS (SELECT 1 FROM opt_outs o WHERE o.phone_idx = ` + idx + `)
				OR EXISTS (SELECT 1 FROM mutes m WHERE m.phone_idx = ` + idx + ` AND m.kind = ` + literal(kind) + `))`
}

// literal is a kind of campaign as SQL writes a text. There are five of them.
func literal(kind notify.Kind) string { return "'" + strings.ReplaceAll(string(kind), "'", "''") + "'" }

// busySQL counts the people and households of the numbers in a named set of people. Who belongs to no household is one.
func busySQL(set string) string {
	return `SELECT q.phone_idx, count(*) AS people,
			count(DISTINCT CASE WHEN q.household = '' THEN CAST(q.id AS TEXT) ELSE q.household END) AS households
		FROM people q WHERE q.status <> 'deceased' AND q.phone_idx IN (SELECT phone_idx FROM ` + set + ` WHERE phone_idx IS NOT NULL)
		GROUP BY q.phone_idx`
}

// mateSQL says what the plan of earlier pages means for a member of a household on a shared number:
// 2 their message was taken already, 1 somebody carries it, 0 nobody does.
const mateSQL = `COALESCE((SELECT max(CASE WHEN m.state = 'delivered' OR m.state = 'accepted' AND m.channel = 'sms' THEN 2
			WHEN m.state IN ('planned', 'queued', 'sending', 'unconfirmed', 'accepted') THEN 1 ELSE 0 END)
		FROM deliveries m WHERE m.month = $1 AND m.campaign_id = $2 AND m.phone_idx = told.phone_idx
			AND m.household = told.household AND m.channel IN ('sms', 'voice')), 0)`

// has is the SQL test that a person of the set has a channel.
func has(c notify.Channel) string {
	switch c {
	case notify.WeChat:
		return `wechat_bound`
	case notify.SMS:
		return `(own_phone AND phone_mobile AND NOT phone_out)`
	case notify.Voice:
		return `(own_phone AND NOT phone_out)`
	}
	return `FALSE`
}

// waySQL is the first channel that a person has, or ”.
func waySQL(channels []notify.Channel) string {
	var b strings.Builder
	b.WriteString("CASE")
	for _, c := range channels {
		fmt.Fprintf(&b, " WHEN %s THEN '%s'", has(c), c)
	}
	b.WriteString(" WHEN FALSE THEN '' ELSE '' END")
	return b.String()
}

// laterSQL is the further channels that a person has: "sms,voice,".
func laterSQL(channels []notify.Channel) string {
	parts := []string{"''"}
	for _, c := range channels {
		parts = append(parts, fmt.Sprintf("CASE WHEN %s AND channel <> '%s' THEN '%s,' ELSE '' END", has(c), c, c))
	}
	return strings.Join(parts, " || ")
}

// planSkipSQL is why a person gets no row to send, or ”. A number that wants nothing counts only where the
// campaign would have used it.
func planSkipSQL(channels []notify.Channel) string {
	byPhone := "FALSE"
	for _, c := range channels {
		if c.Phone() {
			byPhone = "phone_out"
		}
	}
	return `CASE WHEN status = 'deceased' THEN 'deceased' WHEN opted_out THEN 'opted_out'
		WHEN channel <> '' THEN '' WHEN ` + byPhone + ` THEN 'opted_out' ELSE 'no_channel' END`
}
