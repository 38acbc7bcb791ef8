package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// SetBudget implements notify.Budgets.
func (s *Store) SetBudget(ctx context.Context, b notify.Budget, zone *time.Location, at time.Time, actor string) error {
	var now time.Time
	err := s.write(ctx, "store: set a budget", func(t *tx) (err error) {
		if now, err = t.now(); err != nil {
			return err
		}
		_, err = t.exec(`INSERT INTO budgets (region, month, amount, updated_at, since) VALUES ($1, $2, $3, $4, $4)
			ON CONFLICT (region, month) DO UPDATE SET amount = excluded.amount, updated_at = excluded.updated_at`,
			b.Region, b.Month, b.Amount, toMicros(at))
		if err != nil {
			return err
		}
		amount := "none"
		if b.Amount != notify.NoLimit {
			amount = notify.Yuan(b.Amount)
		}
		return t.audit(staff.Entry{
			At: at, Actor: actor, Act: "budget.set", Object: "region:" + b.Region,
			Detail: map[string]string{"month": notify.FormatMonth(b.Month), "yuan": amount},
		})
	})
	if err != nil || b.Month != notify.MonthOf(now.In(zone)) {
		return err
	}
	return s.wakeForBudget(ctx, b.Region, notify.BudgetWake(now, zone), now, 0)
}

// ListBudgets implements notify.Budgets.
func (s *Store) ListBudgets(ctx context.Context, month int) (list []notify.Budget, err error) {
	err = s.read(ctx, "store: list budgets", func(t *tx) error {
		if list, err = t.budgets(month); err != nil {
			return err
		}
		return t.budgetsSince(list, month)
	})
	return list, err
}

// budgetsSince fills in when each region was first given a budget that applies in the month.
func (t *tx) budgetsSince(list []notify.Budget, month int) error {
	since := map[string]int64{}
	err := t.each(`SELECT region, min(CASE WHEN since > 0 THEN since ELSE updated_at END) FROM budgets WHERE month <= $1 GROUP BY region`,
		func(rows *sql.Rows) error {
			var region string
			var at int64
			err := rows.Scan(&region, &at)
			since[region] = at
			return err
		}, month)
	for i, b := range list {
		list[i].Since = fromMicros(since[b.Region])
	}
	return err
}

// budgets are those that apply in a month: what was said of it, else of the last month before it.
func (t *tx) budgets(month int) ([]notify.Budget, error) {
	rows, err := t.query(`SELECT region, month, amount, used FROM budgets WHERE month <= $1 ORDER BY region, month DESC`, month)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []notify.Budget
	for rows.Next() {
		var b notify.Budget
		if err := rows.Scan(&b.Region, &b.Month, &b.Amount, &b.Used); err != nil {
			return nil, err
		}
		if len(list) > 0 && list[len(list)-1].Region == b.Region {
			continue
		}
		if b.Month != month {
			b.Month, b.Used = month, 0
		}
		list = append(list, b)
	}
	return list, rows.Err()
}

// addBudgets adds the budgets that cover the members of a claim, locked until it commits: two claims never find the
// same money. What costs nothing needs none.
func (t *tx) addBudgets(cl claim, facts *notify.ClaimFacts, members map[int64]*notify.Facts) error {
	if !facts.Channel.Phone() || len(members) == 0 {
		return nil
	}
	month := notify.MonthOf(facts.Now.In(cl.Zone))
	all, err := t.budgets(month)
	if err != nil || len(all) == 0 {
		return err
	}
	regions := map[string]bool{}
	for _, f := range members {
		regions[f.Region] = true
	}
	for _, b := range all {
		covers := false
		for region := range regions {
			covers = covers || b.Covers(region)
		}
		if !covers {
			continue
		}
		if b, err = t.lockBudget(b, facts.Now); err != nil {
			return err
		}
		facts.Budgets = append(facts.Budgets, b)
	}
	return nil
}

// lockBudget makes the month's row where an earlier month's amount goes on, and holds it. Callers go by region, so that
// nobody waits in a circle.
func (t *tx) lockBudget(b notify.Budget, now time.Time) (notify.Budget, error) {
	_, err := t.exec(`INSERT INTO budgets (region, month, amount, updated_at, since) VALUES ($1, $2, $3, $4, $4) ON CONFLICT (region, month) DO NOTHING`,
		b.Region, b.Month, b.Amount, toMicros(now))
	if err == nil {
		err = t.row(`SELECT amount, used FROM budgets WHERE region = $1 AND month = $2`+t.forUpdate(), b.Region, b.Month).Scan(&b.Amount, &b.Used)
	}
	if err != nil {
		return b, fmt.Errorf("budget of %s: %w", b.Region, err)
	}
	return b, nil
}

// reserve takes what the calls of a claim cost out of the budgets that addBudgets holds.
func (t *tx) reserve(decided []notify.Beginning, now time.Time) error {
	type key struct {
		region string
		month  int
	}
	sums := map[key]int64{}
	var uses [][]any
	for _, b := range decided {
		for _, s := range b.Spends {
			sums[key{s.Region, s.Month}] += s.Amount
			uses = append(uses, []any{b.CallID, s.Region, s.Month, s.Amount, 0, toMicros(now)})
		}
	}
	for k, sum := range sums {
		if _, err := t.exec(`UPDATE budgets SET used = used + $3 WHERE region = $1 AND month = $2`, k.region, k.month, sum); err != nil {
			return fmt.Errorf("reserve of the budget of %s: %w", k.region, err)
		}
	}
	if len(uses) == 0 {
		return nil
	}
	return t.bulkInsert("budget_uses", []string{"call_id", "region", "month", "amount", "state", "at"}, uses)
}

// The states of what a call took out of a budget.
const (
	useReserved = 0
	useBack     = 1
	useFinal    = 2
)

// Uses are settled in portions. What a call gave back is kept in sight as long as a late answer may say that it went.
const (
	balanceBatch = 500
	useOpenFor   = 4 * 24 * time.Hour
)

// budgetUse is one call's share of one budget, with where the call stands.
type budgetUse struct {
	callID, amount, at int64
	region             string
	month, state       int
	call               notify.CallState
}

// next is what becomes of a use: what was refused or never written comes back, what was taken is spent.
func (u budgetUse) next(now time.Time) (state int, back int64) {
	sent := u.call == notify.CallAccepted
	switch {
	case sent && u.state == useReserved:
		return useFinal, 0
	case sent:
		return useFinal, -u.amount // given back too early: a look found nothing, and yet it went
	case u.call == notify.CallAbsent && u.state == useReserved:
		return useBack, u.amount
	case u.call == notify.CallAbsent:
		if now.Sub(fromMicros(u.at)) > useOpenFor {
			return useFinal, 0
		}
		return useBack, 0
	}
	return useFinal, u.amount // refused, or withdrawn
}

// BalanceBudgets implements notify.Budgets.
func (s *Store) BalanceBudgets(ctx context.Context, zone *time.Location) (more bool, err error) {
	due := false
	err = s.read(ctx, "store: are there budgets to balance", func(t *tx) error {
		now, err := t.now()
		if err == nil {
			due, err = t.anyUseDue(now)
		}
		return err
	})
	if err != nil || !due {
		return false, err
	}
	var richer map[string]int
	var now time.Time // by the database's clock they were told until when to wait
	err = s.write(ctx, "store: balance budgets", func(t *tx) error {
		richer, more = nil, false
		if err := t.lockKey("balance budgets"); err != nil { // one at a time: a use is settled once
			return err
		}
		if now, err = t.now(); err != nil {
			return err
		}
		uses, err := t.dueUses(now)
		if err != nil {
			return err
		}
		more = len(uses) == balanceBatch
		richer, err = t.balance(uses, now)
		return err
	})
	for region, calls := range richer {
		if err == nil {
			err = s.wakeForBudget(ctx, region, notify.BudgetWake(now, zone), now, calls*wakeForReturned)
		}
	}
	return more, err
}

// usesDue are uses of calls whose end is known; $1 is before when a look's finding counts for good.
const usesDue = `FROM budget_uses u JOIN calls c ON c.id = u.call_id WHERE u.state < 2
	AND (c.state IN ('accepted', 'refused', 'withdrawn') OR c.state = 'absent' AND (u.state = 0 OR u.at < $1))`

func (t *tx) anyUseDue(now time.Time) (due bool, err error) {
	err = t.row(`SELECT EXISTS (SELECT 1 `+usesDue+`)`, toMicros(now.Add(-useOpenFor))).Scan(&due)
	return due, err
}

func (t *tx) dueUses(now time.Time) ([]budgetUse, error) {
	rows, err := t.query(`SELECT u.call_id, u.region, u.month, u.amount, u.state, u.at, c.state `+usesDue+`
		ORDER BY u.call_id, u.region LIMIT $2`, toMicros(now.Add(-useOpenFor)), balanceBatch)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []budgetUse
	for rows.Next() {
		var u budgetUse
		if err := rows.Scan(&u.callID, &u.region, &u.month, &u.amount, &u.state, &u.at, &u.call); err != nil {
			return nil, err
		}
		list = append(list, u)
	}
	return list, rows.Err()
}

// balance settles uses and says in which regions there is more money than before, and of how many calls. Where the portion
// ends within a call, the rest of that call is left to the next.
func (t *tx) balance(uses []budgetUse, now time.Time) (richer map[string]int, err error) {
	type key struct {
		region string
		month  int
	}
	back, gaveBack := map[key]int64{}, map[string]int{}
	calls := map[int][]int64{}
	for _, u := range uses {
		state, amount := u.next(now)
		calls[state] = append(calls[state], u.callID)
		back[key{u.region, u.month}] += amount
		if amount > 0 {
			gaveBack[u.region]++
		}
	}
	for _, state := range []int{useBack, useFinal} {
		if len(calls[state]) == 0 {
			continue
		}
		last := uses[len(uses)-1]
		ids := slices.Compact(slices.Sorted(slices.Values(calls[state])))
		if _, err := t.exec(`UPDATE budget_uses SET state = $2 WHERE `+t.among("call_id", 1)+` AND state < 2 AND (call_id, region) <= ($3, $4)`,
			t.idList(ids), state, last.callID, last.region); err != nil {
			return nil, err
		}
	}
	richer = map[string]int{}
	keys := make([]key, 0, len(back))
	for k := range back {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int { return strings.Compare(a.region, b.region) })
	for _, k := range keys {
		if back[k] == 0 {
			continue
		}
		if _, err := t.exec(`UPDATE budgets SET used = used - $3 WHERE region = $1 AND month = $2`, k.region, k.month, back[k]); err != nil {
			return nil, err
		}
		if back[k] > 0 {
			richer[k.region] = gaveBack[k.region]
		}
	}
	return richer, nil
}

// Who waits for money is woken in portions; where calls gave theirs back, as many as they may have been to, and as many
// again, for some of those who wait may have shorter texts.
const (
	wakeBatch       = 2000
	wakeForReturned = 200
)

// wakeForBudget lets the claims look again at people of a region who wait for its money: all of them (limit 0), or limit.
func (s *Store) wakeForBudget(ctx context.Context, region string, held, now time.Time, limit int) error {
	for left := limit; limit == 0 || left > 0; {
		batch := wakeBatch
		if limit > 0 {
			batch = min(left, wakeBatch)
		}
		woken := 0
		err := s.write(ctx, "store: wake who waits for a budget", func(t *tx) error {
			var err error
			woken, err = t.wakeHeld(region, held, now, batch)
			return err
		})
		if err != nil || woken == 0 {
			return err
		}
		left -= woken
	}
	return nil
}

// wakeHeld wakes up to batch people of one campaign who wait, and says how many: 0 where nobody waits.
func (t *tx) wakeHeld(region string, held, now time.Time, batch int) (int, error) {
	var campaign int64
	var month int
	err := t.row(`SELECT d.campaign_id, d.month FROM campaigns c JOIN deliveries d ON d.campaign_id = c.id AND d.month = c.month
			JOIN people p ON p.id = d.person_id
		WHERE c.state IN ('running', 'paused', 'halted') AND d.wake_at = $1 AND d.state = 'planned' AND substr(p.region, 1, $2) = $3 LIMIT 1`,
		toMicros(held), len(region), region).Scan(&campaign, &month)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	people, err := t.idsOf(`SELECT d.person_id FROM deliveries d JOIN people p ON p.id = d.person_id
		WHERE d.month = $1 AND d.campaign_id = $2 AND d.wake_at = $3 AND d.state = 'planned' AND substr(p.region, 1, $4) = $5
		ORDER BY d.person_id LIMIT $6`, month, campaign, toMicros(held), len(region), region, batch)
	if err != nil {
		return 0, err
	}
	if _, err = t.exec(`UPDATE deliveries SET wake_at = $4 WHERE month = $1 AND campaign_id = $2 AND `+t.amongRows("person_id", 3)+` AND state = 'planned'`,
		month, campaign, t.idList(people), toMicros(now)); err != nil {
		return 0, err
	}
	return len(people), nil
}

// drainHeld takes out of an ended campaign those who wait for money: that, and not the end, is why they got nothing.
func (s *Store) drainHeld(ctx context.Context, c notify.Campaign, now time.Time) (more bool, err error) {
	err = s.write(ctx, fmt.Sprintf("store: take rows without money out of campaign %d", c.ID), func(t *tx) error {
		// The microsecond is the mark of a wait for money, see notify.BudgetWake.
		people, err := t.idsOf(`SELECT person_id FROM deliveries WHERE month = $1 AND campaign_id = $2 AND state = 'planned'
			AND wake_at > $3 AND wake_at % 1000000 = 1 ORDER BY person_id LIMIT $4`, c.Month, c.ID, toMicros(now), drainBatch)
		if err != nil {
			return err
		}
		more = len(people) == drainBatch
		return t.skip(keyOf(c), people, notify.OverBudget, now)
	})
	return more, err
}
