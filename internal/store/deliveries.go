package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// among is a condition that a column is one of the ids in parameter n.
func (t *tx) among(column string, n int) string {
	if t.d == postgresDialect {
		return fmt.Sprintf("%s = ANY($%d::bigint[])", column, n)
	}
	return fmt.Sprintf("%s IN (SELECT value FROM json_each($%d))", column, n)
}

// amongRows is among for the people of one campaign's rows. On PostgreSQL it names the ends of the list too: where nothing
// is known of a young campaign's numbers the planner would read all of its rows, and a call's people are neighbours.
func (t *tx) amongRows(column string, n int) string {
	if t.d == postgresDialect {
		return fmt.Sprintf("%[1]s = ANY($%[2]d::bigint[]) AND %[1]s >= ($%[2]d::bigint[])[1] AND %[1]s <= ($%[2]d::bigint[])[cardinality($%[2]d::bigint[])]", column, n)
	}
	return t.among(column, n)
}

// idList is the parameter, in order, that among and amongRows read.
func (t *tx) idList(ids []int64) any {
	if t.d == postgresDialect {
		return slices.Sorted(slices.Values(ids))
	}
	b := make([]byte, 0, len(ids)*10+2)
	b = append(b, '[')
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, id, 10)
	}
	return string(append(b, ']'))
}

// listed is parameter n as a table u of ids, each with its place from 1 on.
func (t *tx) listed(n int) string {
	if t.d == postgresDialect {
		return fmt.Sprintf("unnest($%d::bigint[]) WITH ORDINALITY AS u(id, place)", n)
	}
	return fmt.Sprintf("(SELECT value AS id, key + 1 AS place FROM json_each($%d)) AS u", n)
}

// listOf is the parameter that listed reads, in the order given.
func (t *tx) listOf(ids []int64) any {
	if t.d == postgresDialect {
		return ids
	}
	return t.idList(ids)
}

// amongBytes is a condition that a column is one of the blind indexes in parameter n.
func (t *tx) amongBytes(column string, n int) string {
	if t.d == postgresDialect {
		return fmt.Sprintf("%s = ANY($%d::bytea[])", column, n)
	}
	return fmt.Sprintf("%s IN (SELECT unhex(value) FROM json_each($%d))", column, n)
}

// byteList is the parameter that amongBytes reads.
func (t *tx) byteList(list [][]byte) any {
	if t.d == postgresDialect {
		return list
	}
	words := make([]string, len(list))
	for i, b := range list {
		words[i] = fmt.Sprintf("%x", b)
	}
	text, _ := json.Marshal(words) // texts always marshal
	return string(text)
}

// channelsOf reads "sms,voice,".
func channelsOf(text string) []notify.Channel {
	var list []notify.Channel
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' }) {
		list = append(list, notify.Channel(word))
	}
	return list
}

// campaignKey finds the rows of one campaign.
type campaignKey struct {
	month int
	id    int64
}

func keyOf(c notify.Campaign) campaignKey { return campaignKey{c.Month, c.ID} }

// move changes rows that have a state of their own by an event of the table: set is what changes besides the state, its
// parameters from $4 on. Rows in a call are unfolded first, see members.go.
func (t *tx) move(key campaignKey, event notify.DeliveryEvent, people []int64, set string, args ...any) (int64, error) {
	if len(people) == 0 {
		return 0, nil
	}
	m := event.Move()
	args = append([]any{key.month, key.id, t.idList(people)}, args...)
	n, err := t.exec(`UPDATE deliveries SET state = '`+string(m.To)+`', `+set+`
		WHERE month = $1 AND campaign_id = $2 AND `+t.amongRows("person_id", 3)+` AND state IN (`+quoted(m.From)+`)`, args...)
	if err != nil {
		return 0, fmt.Errorf("%s rows of campaign %d: %w", event, key.id, err)
	}
	return n, nil
}

// skip takes rows out for a reason.
func (t *tx) skip(key campaignKey, people []int64, why notify.SkipReason, at time.Time) error {
	_, err := t.move(key, notify.Skip, people, "reason = $4, wake_at = 0, updated_at = $5", why, toMicros(at))
	return err
}

// putBack returns rows to planned, due at wake. waits: since when the cap holds them, 0 where it doesn't.
func (t *tx) putBack(key campaignKey, people []int64, previous int64, wake, waits, at time.Time) error {
	_, err := t.move(key, notify.PutBack, people, "call_id = $4, wake_at = $5, waits_from = $6, updated_at = $7",
		previous, toMicros(wake), toMicros(waits), toMicros(at))
	return err
}

// The next channel of a row and what is left after it; a row without one is "".
const (
	nextChannel = `CASE WHEN later LIKE 'wechat,%' THEN 'wechat' WHEN later LIKE 'sms,%' THEN 'sms' ELSE 'voice' END`
	restLater   = `CASE WHEN later LIKE 'wechat,%' THEN substr(later, 8) WHEN later LIKE 'sms,%' THEN substr(later, 5) ELSE substr(later, 7) END`
)

// fall moves rows to their next channel. Rows that have none stay: the caller decides what becomes of them.
// A row that comes from WeChat to a shared number first sees whether another member carries the message there.
func (t *tx) fall(key campaignKey, people []int64, at time.Time) error {
	if len(people) == 0 {
		return nil
	}
	m := notify.Fall.Move()
	_, err := t.exec(`UPDATE deliveries SET state = 'planned', reason = '', channel = `+nextChannel+`, later = `+restLater+`,
		lead = CASE WHEN channel = 'wechat' AND shared THEN FALSE ELSE lead END,
		tries = 0, wake_at = $4, waits_from = 0, updated_at = $4
		WHERE month = $1 AND campaign_id = $2 AND `+t.amongRows("person_id", 3)+` AND later <> '' AND state IN (`+quoted(m.From)+`)`,
		key.month, key.id, t.idList(people), toMicros(at))
	if err != nil {
		return fmt.Errorf("fall back in campaign %d: %w", key.id, err)
	}
	return nil
}

// settleHouseholds looks at the households of these people after one of them moved: where a member's message was
// taken on the number, those who wait behind are skipped; where nobody carries it any more, the next one does.
func (t *tx) settleHouseholds(key campaignKey, people []int64, at time.Time) error {
	if len(people) == 0 {
		return nil
	}
	if err := t.takeTurns(key, t.amongRows("s.person_id", 4), t.idList(people)); err != nil {
		return err
	}
	waiting := `d.month = $1 AND d.campaign_id = $2 AND d.state = 'planned' AND NOT d.lead AND d.phone_idx IN (SELECT s.phone_idx FROM deliveries s
		WHERE s.month = $1 AND s.campaign_id = $2 AND s.shared AND s.phone_idx IS NOT NULL AND ` + t.amongRows("s.person_id", 4) + `)`
	args := []any{key.month, key.id, toMicros(at), t.idList(people)}
	_, err := t.exec(`UPDATE deliveries AS d SET state = 'skipped', reason = '`+string(notify.ByHousehold)+`', wake_at = 0, updated_at = $3
		WHERE `+waiting+` AND `+mateHeard(), args...)
	if err != nil {
		return fmt.Errorf("settle households of campaign %d: %w", key.id, err)
	}
	_, err = t.exec(`UPDATE deliveries AS d SET lead = TRUE, wake_at = $3, updated_at = $3
		WHERE `+waiting+` AND `+noCarrier(), args...)
	if err != nil {
		return fmt.Errorf("settle households of campaign %d: %w", key.id, err)
	}
	return nil
}

// turnsAtOnce is for how many households a transaction takes turns at most: PostgreSQL has room for six thousand locks in all.
// Of any more it goes by what it sees; who then waits behind nobody is found by EndCampaigns.
const turnsAtOnce = 1000

// takeTurns makes transactions that settle the same household take turns until they commit: of two members who fall from
// WeChat at once neither would see that the other carries the message by now, and who falls as the carrier's attempt ends
// would wait behind nobody. Where no mate is on WeChat, nor has just come from there, one row of a household moves at a time,
// and nothing is locked. of narrows rows s whose numbers are meant; its parameters come from $4 on.
//
// The order of locks: calls by id, the campaign, households by number, the rows of those who wait. A transaction of several
// calls takes them call by call: of two that meet in a circle PostgreSQL ends one, which is run again.
func (t *tx) takeTurns(key campaignKey, of string, args ...any) error {
	if t.d != postgresDialect {
		return nil
	}
	if on, err := t.onWeChat(key.id); err != nil || !on {
		return err
	}
	// First the rows, by their keys: the order and the limit would have PostgreSQL read all of the campaign's in the order of numbers.
	n, err := t.exec(`WITH moved AS MATERIALIZED (
			SELECT s.phone_idx, s.state = 'planned' AND NOT s.lead AS waits FROM deliveries s
			WHERE s.month = $1 AND s.campaign_id = $2 AND s.shared AND s.phone_idx IS NOT NULL AND `+of+`
		), numbers AS (
			SELECT DISTINCT m.phone_idx FROM moved m WHERE m.waits OR COALESCE((SELECT 1 FROM deliveries w WHERE w.month = $1 AND w.campaign_id = $2
				AND w.shared AND w.phone_idx = m.phone_idx AND w.channel = 'wechat' AND w.later <> '' LIMIT 1), 0) = 1
			ORDER BY m.phone_idx LIMIT $3
		) SELECT pg_advisory_xact_lock(hashtextextended('household ' || CAST($2 AS BIGINT) || ' ' || encode(phone_idx, 'hex'), 0)) FROM numbers`,
		append([]any{key.month, key.id, max(0, turnsAtOnce-t.turns)}, args...)...)
	t.turns += int(n)
	if err != nil {
		return fmt.Errorf("take turns for households of campaign %d: %w", key.id, err)
	}
	return nil
}

// onWeChat says whether a campaign goes by WeChat too. It is asked once in a transaction.
func (t *tx) onWeChat(campaignID int64) (bool, error) {
	on, known := t.wechat[campaignID]
	if known {
		return on, nil
	}
	c, err := t.campaign(campaignID, "")
	if err != nil {
		return false, err
	}
	if t.wechat == nil {
		t.wechat = map[int64]bool{}
	}
	on = slices.Contains(c.Channels(), notify.WeChat)
	t.wechat[campaignID] = on
	return on, nil
}

// mates are the other rows of a row's household on its number, on a channel that goes to the number.
const mates = `SELECT 1 FROM deliveries m LEFT JOIN calls mc ON mc.id = m.call_id AND m.state = ''
	WHERE m.month = d.month AND m.campaign_id = d.campaign_id AND m.shared
	AND m.phone_idx = d.phone_idx AND m.household = d.household AND m.person_id <> d.person_id AND m.channel <> 'wechat'`

// mateHeard ends the waiting of a row behind another member: the message was taken on their number. A call by telephone
// that was taken proves nothing before its report.
func mateHeard() string {
	return `EXISTS (` + mates + ` AND ` + stateOf("m", "mc") + ` IN ('accepted', 'delivered') AND NOT (` + voiceWaits() + `))`
}

// noCarrier ends it too: nobody carries the message any more.
func noCarrier() string {
	return `NOT EXISTS (` + mates + ` AND (m.lead AND ` + stateOf("m", "mc") + ` IN ('planned', 'queued', 'sending', 'unconfirmed', 'accepted')
			OR NOT m.lead AND m.state = 'planned' AND m.person_id < d.person_id))`
}

// attempt is a try that ended otherwise than by plain acceptance.
type attempt struct {
	personID, callID int64
	channel          notify.Channel
	outcome, code    string
}

// attempts are the tries of a call for some of its members.
func (c *heldCall) attempts(people []int64, outcome, code string) []attempt {
	list := make([]attempt, len(people))
	for i, id := range people {
		list[i] = attempt{id, c.id, c.channel, outcome, code}
	}
	return list
}

// noteAttempts writes attempts down.
func (t *tx) noteAttempts(key campaignKey, list []attempt, at time.Time) error {
	if len(list) == 0 {
		return nil
	}
	first, err := t.newIDs("attempts", len(list))
	if err != nil {
		return err
	}
	rows := make([][]any, len(list))
	for i, a := range list {
		rows[i] = []any{first + int64(i), key.month, key.id, a.personID, a.callID, string(a.channel), a.outcome, a.code, toMicros(at)}
	}
	return t.bulkInsert("attempts", []string{"id", "month", "campaign_id", "person_id", "call_id", "channel", "outcome", "code", "at"}, rows)
}

// CampaignStatus counts a campaign's rows, what its calls sent and how fast they lately did. The price is not the store's
// to know, see notify.Rules.Bill.
func (s *Store) CampaignStatus(ctx context.Context, id int64) (notify.Status, error) {
	st := notify.Status{ID: id, Skipped: map[notify.SkipReason]int64{}, ByChannel: map[notify.Channel]int64{}}
	err := s.read(ctx, fmt.Sprintf("store: status of campaign %d", id), func(t *tx) error {
		c, err := t.campaign(id, "")
		if err != nil {
			return err
		}
		st.State, st.Reason = c.State, c.Reason
		st.StartedAt, st.FinishedAt = orNever(c.StartedAt), orNever(c.FinishedAt)
		if err := t.countRows(keyOf(c), &st); err != nil {
			return err
		}
		st.Visits = map[notify.VisitOutcome]int64{}
		if err := t.visitsOf(c.ID, register.Scope{}, st.Visits); err != nil {
			return err
		}
		if c.State != notify.Running || st.Planned == 0 {
			return nil
		}
		var wake int64
		err = t.row(`SELECT COALESCE(min(at), 0) FROM (
				SELECT min(wake_at) AS at FROM deliveries WHERE month = $1 AND campaign_id = $2 AND wake_at > 0 AND state = 'planned'
				UNION ALL SELECT min(wake_at) FROM calls WHERE campaign_id = $2 AND wake_at > 0 AND state = 'planned') AS waiting`,
			c.Month, c.ID).Scan(&wake)
		st.NextAt = orNever(fromMicros(wake))
		if err == nil {
			st.Waiting, err = t.waiting(keyOf(c))
		}
		return err
	})
	return st, err
}

// membersIn counts who is in calls, and of whom nothing is known but the call's state.
const membersIn = `sum(length(marks) - length(replace(replace(marks, '-', ''), '+', '')))`

// unitsOf is what a call is billed at: its segments, or where they weren't counted, as of a call by telephone, one for each
// member.
const unitsOf = `CASE WHEN segments = 0 THEN ` + membersBegun + ` ELSE segments END`

// membersBegun counts the members for whom a call's request was made.
const membersBegun = `length(replace(marks, 'o', ''))`

// countRows counts what stands in calls by the calls, which are few and looked at once, and the other rows one by one.
func (t *tx) countRows(key campaignKey, st *notify.Status) error {
	now, err := t.now()
	if err != nil {
		return err
	}
	var people, first int64 // of the calls that lately went
	err = t.each(`SELECT state, reason, channel, count(*), 0 AS arrived, 0 AS heard, 0 AS answered, 0 AS units, 0 AS lately, 0 AS first FROM deliveries
			WHERE month = $1 AND campaign_id = $2 AND state <> '' GROUP BY 1, 2, 3
		UNION ALL SELECT state, '', channel, `+membersIn+`, sum(length(marks) - length(replace(marks, 'd', ''))),
			sum(CASE WHEN marks = 'h' THEN 1 ELSE 0 END), sum(CASE WHEN marks = 'a' THEN 1 ELSE 0 END),
			sum(CASE WHEN state IN ('accepted', 'sending', 'unconfirmed') THEN `+unitsOf+` ELSE 0 END),
			sum(CASE WHEN state = 'accepted' AND begun_at >= $3 THEN `+membersBegun+` ELSE 0 END),
			COALESCE(min(CASE WHEN state = 'accepted' AND begun_at >= $3 THEN begun_at END), 0)
			FROM calls WHERE campaign_id = $2 GROUP BY 1, 2, 3`,
		func(rows *sql.Rows) error {
			var row countedRows
			err := rows.Scan(&row.state, &row.why, &row.channel, &row.n, &row.arrived, &row.heard, &row.answered, &row.units, &row.lately, &row.first)
			row.addTo(st)
			if people += row.lately; row.first > 0 && (first == 0 || row.first < first) {
				first = row.first
			}
			return err
		}, key.month, key.id, toMicros(now.Add(-notify.Lately)))
	st.Pace(people, fromMicros(first), now)
	return err
}

// countedRows are rows of one kind. Those of calls have further figures: of how many members it is known by a receipt that it
// arrived, by hearing, by an answer; what was or may have been billed, how many people lately went, and since when.
type countedRows struct {
	state                                             notify.DeliveryState
	why                                               notify.SkipReason
	channel                                           notify.Channel
	n, arrived, heard, answered, units, lately, first int64
}

func (r countedRows) addTo(st *notify.Status) {
	if r.n > 0 {
		st.Add(r.state, r.why, r.channel, r.n)
	}
	for proof, n := range map[notify.Proof]int64{notify.ByReceipt: r.arrived, notify.ByHearing: r.heard, notify.ByAnswer: r.answered} {
		if n > 0 {
			st.Add(notify.Delivered, notify.SkipReason(proof), r.channel, n)
		}
	}
	if r.units > 0 && r.channel.Phone() {
		if st.Units == nil {
			st.Units = map[notify.Channel]int64{}
		}
		st.Units[r.channel] += r.units
	}
}

func orNever(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
