package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// cursorDone stands in a campaign's cursor when there is nothing left behind it.
const cursorDone = math.MaxInt64

// StartDue starts approved campaigns whose time has come by the database's clock: a worker's that is ahead starts nothing early.
func (s *Store) StartDue(ctx context.Context) (int, error) {
	var started int64
	m := notify.Start.Move()
	var due bool
	err := s.read(ctx, "store: look for campaigns to start", func(t *tx) error {
		return t.row(`SELECT EXISTS (SELECT 1 FROM campaigns WHERE state IN (` + quoted(m.From) + `) AND starts_at <= (` + s.d.nowSQL() + `))`).Scan(&due)
	})
	if err != nil || !due {
		return 0, err
	}
	err = s.write(ctx, "store: start campaigns", func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		started, err = t.exec(`UPDATE campaigns SET state = '`+string(m.To)+`', started_at = $1, updated_at = $1
			WHERE state IN (`+quoted(m.From)+`) AND starts_at <= $1`, toMicros(now))
		return err
	})
	return int(started), err
}

// Running lists running campaigns, and those that were stopped before all of their audience was planned, the oldest first. now
// is the database's clock: by it they are planned and dispatched.
func (s *Store) Running(ctx context.Context) (list []notify.Campaign, now time.Time, err error) {
	err = s.read(ctx, "store: running campaigns", func(t *tx) (err error) {
		if now, err = t.now(); err != nil {
			return err
		}
		list, err = t.campaigns(`WHERE state = 'running' OR state IN ('paused', 'halted', 'cancelled') AND planned_at = 0 AND started_at > 0 ORDER BY id`)
		return err
	})
	return list, now, err
}

// PlanPage plans the next people of the audience of a campaign that has begun, in the order of their ids, and moves the
// campaign's cursor in the same transaction. done: the plan is complete, or somebody else is at it.
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
		if done = !c.Plans(); done {
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

// planWindow is how far a page looks for each person that it may hold. A small audience is scattered: a page ends, and lets
// others have their turn, before all people of a province are read for it.
const planWindow = 20

func (t *tx) planPage(c notify.Campaign, now time.Time, limit int) (done bool, err error) {
	var cursor, last int64
	err = t.row(`SELECT plan_cursor, (SELECT COALESCE(max(id), 0) FROM people) FROM campaigns WHERE id = $1`, c.ID).Scan(&cursor, &last)
	if err != nil {
		return false, err
	}
	numbers, err := t.numbersNow() // before the rows: what changes meanwhile is noticed
	if err != nil {
		return false, err
	}
	upTo := cursor + int64(planWindow*limit)
	rows, err := t.plannedRows(c, cursor, upTo, now, limit)
	if err != nil {
		return false, fmt.Errorf("plan after person %d: %w", cursor, err)
	}
	if err := t.planCalls(c, rows, numbers, now); err != nil {
		return false, err
	}
	if err := t.insertPlanned(c, rows, now); err != nil {
		return false, err
	}
	if len(rows) == limit {
		upTo = rows[len(rows)-1].personID
	} else if upTo >= last {
		_, err = t.exec(`UPDATE campaigns SET planned_at = $2, plan_cursor = $3 WHERE id = $1`, c.ID, toMicros(now), int64(cursorDone))
		return true, err
	}
	_, err = t.exec(`UPDATE campaigns SET plan_cursor = $2 WHERE id = $1`, c.ID, upTo)
	return false, err
}

// plannedRow is one person of a page, as the plan decides about them.
type plannedRow struct {
	waitingRow
	mobile    bool
	household string
	status    register.LifeStatus
	bound     bool // an openid of their own is bound to them
	optedOut  bool
	phoneOut  bool
	doubted   bool // their number may no longer be theirs
	maybe     bool // their number may be somebody else's too
	many      bool // three or more households have the number: it is nobody's

	why     notify.SkipReason
	channel notify.Channel
	later   string // the channels after it that they have: "sms,voice,"
	lead    bool
	callID  int64
	slot    int
}

// plannedRows reads the next people of the audience and decides about each.
func (t *tx) plannedRows(c notify.Campaign, cursor, upTo int64, now time.Time, limit int) ([]plannedRow, error) {
	rows, err := t.page(c, cursor, upTo, now, limit)
	if err != nil {
		return nil, err
	}
	if err := t.addHolders(rows); err != nil {
		return nil, err
	}
	channels := c.Channels()
	for i := range rows {
		rows[i].choose(channels)
		if c.State == notify.Cancelled && rows[i].why == "" {
			rows[i].leaveOut(notify.WasCancelled)
		}
	}
	return rows, t.addMates(keyOf(c), rows)
}

// page reads people in the order of their ids, and never otherwise: an index on the region would have all of a region's
// people sorted for each page.
func (t *tx) page(c notify.Campaign, cursor, upTo int64, now time.Time, limit int) ([]plannedRow, error) {
	byKey, err := t.inKeyOrder()
	if err != nil {
		return nil, err
	}
	audience, args := c.Spec.Audience.SQL(now, 5)
	list := make([]plannedRow, 0, limit)
	err = t.stream(`SELECT p.id, p.phone_idx, p.phone_mobile, p.household, p.status, p.wechat_bound, `+maybeShared("p")+`,
			`+personOut("p", c.Spec.Kind)+`, `+phoneOut("p", c.Spec.Kind)+`, `+phoneDoubted("p")+` FROM people p`+byKey+`
		WHERE p.id > $1 AND p.id <= $4 AND substr(p.region, 1, length(CAST($3 AS TEXT))) = $3 AND (`+audience+`) ORDER BY p.id LIMIT $2`,
		func(scan func(...any) error) error {
			var r plannedRow
			var status string
			err := scan(&r.personID, &r.phone, &r.mobile, &r.household, &status, &r.bound, &r.maybe, &r.optedOut, &r.phoneOut, &r.doubted)
			r.status = register.LifeStatus(status)
			list = append(list, r)
			return err
		}, append([]any{cursor, limit, c.Scope.Prefix, upTo}, args...)...)
	return list, err
}

// addHolders says whose number is somebody else's too. Few are, and only those are counted.
func (t *tx) addHolders(page []plannedRow) error {
	byPhone := map[string][]*plannedRow{}
	for i := range page {
		if r := &page[i]; r.maybe {
			byPhone[string(r.phone)] = append(byPhone[string(r.phone)], r)
		}
	}
	if len(byPhone) == 0 {
		return nil
	}
	// Who belongs to no household is one.
	return t.each(`SELECT phone_idx, count(DISTINCT CASE WHEN household = '' THEN CAST(id AS TEXT) ELSE household END) FROM people
		WHERE status <> 'deceased' AND `+t.amongBytes("phone_idx", 1)+` GROUP BY phone_idx HAVING count(*) > 1`, func(rows *sql.Rows) error {
		var phone []byte
		var households int
		err := rows.Scan(&phone, &households)
		for _, r := range byPhone[string(phone)] {
			r.shared, r.many = true, households >= 3
		}
		return err
	}, t.byteList(keysOf(byPhone)))
}

func keysOf(m map[string][]*plannedRow) [][]byte {
	list := make([][]byte, 0, len(m))
	for k := range m {
		list = append(list, []byte(k))
	}
	return list
}

// has says whether a channel has a way to the person. The preview reads the same in SQL: see hasSQL.
func (r *plannedRow) has(c notify.Channel) bool {
	return r.would(c) && (!c.Phone() || !r.phoneOut && !r.doubted)
}

// would says the same, did the number not want nothing, and were it not in doubt.
func (r *plannedRow) would(c notify.Channel) bool {
	switch c {
	case notify.WeChat:
		return r.bound
	case notify.SMS:
		return r.phone != nil && !r.many && r.mobile
	}
	return r.phone != nil && !r.many
}

// choose picks the person's channel and those after it, or says why there is nothing to send. A number that wants
// nothing, or is in doubt, counts only where the campaign would have used it; what one in doubt wants is not the person's word.
func (r *plannedRow) choose(channels []notify.Channel) {
	usesPhone, would := false, false
	for _, c := range channels {
		usesPhone = usesPhone || c.Phone()
		switch {
		case !r.has(c):
			would = would || r.would(c)
		case r.channel == "":
			r.channel = c
		default:
			r.later += string(c) + ","
		}
	}
	r.lead = true
	switch {
	case r.status == register.Deceased:
		r.why = notify.IsDeceased
	case r.optedOut:
		r.why = notify.OptedOut
	case r.channel == "" && r.doubted && would:
		r.why = notify.PhoneDoubted
	case r.channel == "" && usesPhone && r.phoneOut:
		r.why = notify.OptedOut
	case r.channel == "":
		r.why = notify.NoChannel
	}
	if r.why != "" {
		r.leaveOut(r.why)
	}
}

func (r *plannedRow) leaveOut(why notify.SkipReason) { r.why, r.channel, r.later = why, "", "" }

// group is a household on a number.
type group struct{ phone, household string }

// addMates lets one of each household on a shared number carry the message: the first of this page, if the plan of
// earlier pages has nobody who carries it, or has.
func (t *tx) addMates(key campaignKey, page []plannedRow) error {
	groups := map[group][]*plannedRow{}
	numbers := map[string][]*plannedRow{}
	for i := range page {
		if r := &page[i]; r.why == "" && r.channel.Phone() && r.shared && r.household != "" {
			g := group{string(r.phone), r.household}
			groups[g] = append(groups[g], r)
			numbers[g.phone] = nil
		}
	}
	if len(groups) == 0 {
		return nil
	}
	for _, mates := range groups {
		for _, follower := range mates[1:] {
			follower.lead = false
		}
	}
	list := t.byteList(keysOf(numbers))
	if err := t.takeTurns(key, t.amongBytes("s.phone_idx", 4), list); err != nil { // somebody of an earlier page may fall from WeChat this very moment
		return err
	}
	return t.each(`SELECT m.phone_idx, m.household, `+stateOf("m", "mc")+`, m.channel FROM deliveries m LEFT JOIN calls mc ON mc.id = m.call_id AND m.state = ''
		WHERE m.month = $1 AND m.campaign_id = $2 AND m.shared AND `+t.amongBytes("m.phone_idx", 3)+` AND m.channel IN ('sms', 'voice')`, func(rows *sql.Rows) error {
		var phone []byte
		var household string
		var state notify.DeliveryState
		var channel notify.Channel
		err := rows.Scan(&phone, &household, &state, &channel)
		for _, r := range groups[group{string(phone), household}] {
			switch {
			case state == notify.Delivered, state == notify.Taken && channel == notify.SMS:
				r.why = notify.ByHousehold
			case !state.Final():
				r.lead = false
			}
		}
		return err
	}, key.month, key.id, list)
}

// planCalls puts those of a page who can go at once into calls, which wait for their turn.
func (t *tx) planCalls(c notify.Campaign, rows []plannedRow, numbers int64, now time.Time) error {
	at := make(map[int64]*plannedRow, len(rows))
	ready := map[notify.Channel][]waitingRow{}
	for i := range rows {
		if r := &rows[i]; r.why == "" && r.lead {
			at[r.personID] = r
			ready[r.channel] = append(ready[r.channel], r.waitingRow)
		}
	}
	for _, channel := range c.Channels() {
		calls := splitIntoCalls(ready[channel], notify.CallSize(c.Spec, channel))
		if len(calls) == 0 {
			continue
		}
		first, err := t.newIDs("calls", len(calls))
		if err != nil {
			return err
		}
		ids := make([]int64, len(calls))
		for i := range calls {
			ids[i] = first + int64(i)
			calls[i].state, calls[i].numbers = notify.CallPlanned, numbers
			marks := make([]byte, len(calls[i].members))
			for n, m := range calls[i].members {
				r := at[m.personID]
				r.callID, r.slot, marks[n] = ids[i], n+1, markIn
				if r.later != "" {
					marks[n] = markFurther
				}
			}
			calls[i].marks = string(marks)
		}
		if err := t.insertCalls(keyOf(c), channel, ids, calls, now); err != nil {
			return err
		}
	}
	return nil
}

// insertPlanned writes a page's rows. What only a shared number needs is kept for those alone; columns that say nothing on
// the whole page are left to their defaults.
func (t *tx) insertPlanned(c notify.Campaign, rows []plannedRow, now time.Time) error {
	at := toMicros(now)
	columns := []string{"month", "campaign_id", "person_id", "channel", "lead", "shared", "household", "call_id", "slot", "updated_at", "state"}
	plain := !slices.ContainsFunc(rows, func(r plannedRow) bool { return r.why != "" || r.later != "" || r.shared })
	if !plain {
		columns = append(columns, "reason", "later", "phone_idx")
	}
	// What is the same for all is made a value of its own once, not for each row.
	var month, campaign, updated any = c.Month, c.ID, at
	out := make([][]any, len(rows))
	for i := range rows {
		r := &rows[i]
		state, phone, household := notify.Planned, []byte(nil), ""
		switch {
		case r.why != "":
			state = notify.Skipped
		case r.callID > 0:
			state = ""
		}
		if r.shared {
			phone, household = r.phone, r.household
		}
		row := append(make([]any, 0, len(columns)), month, campaign, r.personID, string(r.channel), r.lead, r.shared, household, r.callID, r.slot, updated, string(state))
		if !plain {
			row = append(row, string(r.why), r.later, phone)
		}
		out[i] = row
	}
	return t.bulkInsert("deliveries", columns, out)
}
