package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// The lists of whom no channel reached. A list goes by region, village by village, and there are two ways to read the
// next part of it: from the campaign's rows that ended badly, which an index holds, or along the people of the region,
// in windows. Whichever is shorter is taken, and neither reads more than a few ten thousand rows for a page.

const (
	unreachedWindow  = 500   // people looked at in one step along a region
	unreachedWindows = 40    // steps of one page
	unreachedMost    = 50000 // rows of a campaign that are put in order for one page
)

// endedBadly is the predicate of the index deliveries_unreached, word for word.
const endedBadly = `(d.state = 'failed' OR d.state = 'skipped' AND d.reason IN ('no_channel', 'doubted', 'frequency_cap', 'budget', 'expired'))`

// unheardCalls is that of calls_unheard.
const unheardCalls = `k.channel = 'voice' AND k.state = 'accepted' AND k.marks IN ('-', '+')`

// householdHeard: somebody of the row's household got the message on the number that they share.
func householdHeard() string {
	return `EXISTS (` + mates + ` AND (` + stateOf("m", "mc") + ` = 'delivered' OR ` + stateOf("m", "mc") + ` = 'accepted' AND m.channel <> 'voice'))`
}

// manyHouseholds: three or more households have the number of p.
const manyHouseholds = `(p.phone_idx IS NOT NULL AND (SELECT count(DISTINCT CASE WHEN h.household = '' THEN CAST(h.id AS TEXT) ELSE h.household END)
	FROM people h WHERE h.phone_idx = p.phone_idx AND h.status <> 'deceased') >= 3)`

// wantsNothing: p wants no campaigns. What came from their number once it was in doubt is another's word.
const wantsNothing = `(p.opted_out AND (NOT p.doubted OR EXISTS (SELECT 1 FROM opt_outs o WHERE o.person_id = p.id)
	OR EXISTS (SELECT 1 FROM opt_outs o JOIN phone_doubts x ON x.phone_idx = o.phone_idx AND x.person_id = p.id WHERE o.phone_idx = p.phone_idx AND o.at < x.at)))`

// rowEnd are the columns that scanEnd reads, of a row d with its call k and its person p.
func rowEnd() string {
	return stateOf("d", "k") + `, d.reason, d.channel, p.phone_idx IS NOT NULL, p.phone_mobile,
		CASE WHEN d.reason = 'no_channel' THEN ` + manyHouseholds + ` ELSE FALSE END`
}

func endDest(e *notify.RowEnd) []any {
	return []any{&e.State, &e.Reason, &e.Channel, &e.Phone, &e.Mobile, &e.Many}
}

// Unreached lists whom a campaign did not reach, of the people of a scope; notify.ErrNoCampaign.
func (s *Store) Unreached(ctx context.Context, scope register.Scope, campaignID int64, which notify.WhichUnreached, from notify.UnreachedFrom, limit int) (page notify.UnreachedPage, err error) {
	err = s.read(ctx, fmt.Sprintf("store: whom campaign %d did not reach", campaignID), func(t *tx) error {
		c, err := t.campaign(campaignID, "")
		if err != nil {
			return err
		}
		ids, all, err := t.badlyEnded(keyOf(c), min(unreachedMost, peopleWithin(scope)))
		if err != nil {
			return err
		}
		of := func(ids []int64) ([]notify.Unreached, error) {
			list, err := t.unreachedOf(c, ids, which == notify.AllUnreached)
			return only(list, which.Has), err
		}
		if all {
			page, err = t.unreachedAmong(ids, scope, from, limit, of)
		} else {
			page, err = t.unreachedAlong(scope, from, limit, of)
		}
		return err
	})
	return page, err
}

// peopleWithin is about how many people a scope of so many digits may hold.
func peopleWithin(scope register.Scope) int {
	switch digits := len(scope.Prefix); {
	case digits <= 2:
		return 2_000_000
	case digits <= 4:
		return 100_000
	case digits <= countyDigits:
		return 20_000
	case digits <= townDigits:
		return 2_000
	}
	return 200
}

// badlyEnded lists the people of a campaign's rows that ended badly; all is false where there are more than most.
func (t *tx) badlyEnded(key campaignKey, most int) (ids []int64, all bool, err error) {
	ids, err = t.idsOf(`SELECT d.person_id FROM deliveries d WHERE d.month = $1 AND d.campaign_id = $2 AND `+endedBadly+` LIMIT $3`, key.month, key.id, most+1)
	if err != nil || len(ids) > most {
		return nil, false, err
	}
	unheard, err := t.unheard(key, most+1-len(ids))
	if err != nil || len(ids)+len(unheard) > most {
		return nil, false, err
	}
	ids = append(ids, unheard...)
	waited, err := t.waitedBehind(key, ids)
	return append(ids, waited...), err == nil, err
}

// unheard lists whom calls by telephone went to of which no report came that they were heard.
func (t *tx) unheard(key campaignKey, most int) (ids []int64, err error) {
	err = t.each(`SELECT k.members FROM calls k WHERE k.campaign_id = $1 AND `+unheardCalls+` LIMIT $2`, func(rows *sql.Rows) error {
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			return err
		}
		ids = append(ids, peopleOf(decodeMembers(raw))...)
		return nil
	}, key.id, most)
	return ids, err
}

// waitedBehind lists the other members of these people's households who were to hear from them.
func (t *tx) waitedBehind(key campaignKey, people []int64) ([]int64, error) {
	if len(people) == 0 {
		return nil, nil
	}
	return t.idsOf(`SELECT DISTINCT m.person_id FROM deliveries d JOIN deliveries m ON m.month = d.month AND m.campaign_id = d.campaign_id AND m.shared
			AND m.phone_idx = d.phone_idx AND m.household = d.household AND m.state = 'skipped' AND m.reason = 'household'
		WHERE d.month = $1 AND d.campaign_id = $2 AND `+t.amongRows("d.person_id", 3)+` AND d.shared AND d.household <> ''`,
		key.month, key.id, t.idList(people))
}

// unreachedAmong puts known people in the list's order and reads the next of them.
func (t *tx) unreachedAmong(ids []int64, scope register.Scope, from notify.UnreachedFrom, limit int, of func([]int64) ([]notify.Unreached, error)) (notify.UnreachedPage, error) {
	places := make([]notify.UnreachedFrom, 0, len(ids))
	err := t.each(`SELECT p.region, p.id FROM people p WHERE `+t.among("p.id", 1)+` AND `+inScope(2), func(rows *sql.Rows) error {
		var p notify.UnreachedFrom
		err := rows.Scan(&p.Region, &p.PersonID)
		if placeOrder(p, from) > 0 {
			places = append(places, p)
		}
		return err
	}, append([]any{t.idList(ids)}, scopeArgs(scope)...)...)
	if err != nil {
		return notify.UnreachedPage{}, err
	}
	slices.SortFunc(places, placeOrder)
	return fillPage(limit, of, func(notify.UnreachedFrom) ([]notify.UnreachedFrom, error) {
		next := places[:min(len(places), limit+1)]
		places = places[len(next):]
		return next, nil
	})
}

// unreachedAlong reads along the people of a region.
func (t *tx) unreachedAlong(scope register.Scope, from notify.UnreachedFrom, limit int, of func([]int64) ([]notify.Unreached, error)) (notify.UnreachedPage, error) {
	return fillPage(limit, of, func(last notify.UnreachedFrom) (window []notify.UnreachedFrom, err error) {
		if last == (notify.UnreachedFrom{}) {
			last = from
		}
		err = t.each(`SELECT p.region, p.id FROM people p WHERE `+inScope(1)+` AND (p.region, p.id) > ($3, $4) ORDER BY p.region, p.id LIMIT $5`,
			func(rows *sql.Rows) error {
				var p notify.UnreachedFrom
				err := rows.Scan(&p.Region, &p.PersonID)
				window = append(window, p)
				return err
			}, append(scopeArgs(scope), last.Region, last.PersonID, unreachedWindow)...)
		return window, err
	})
}

func placeOrder(a, b notify.UnreachedFrom) int {
	return cmp.Or(cmp.Compare(a.Region, b.Region), cmp.Compare(a.PersonID, b.PersonID))
}

// fillPage looks at windows of people, each after the last of the one before, until a page is full or its steps are used up.
func fillPage(limit int, of func([]int64) ([]notify.Unreached, error), window func(last notify.UnreachedFrom) ([]notify.UnreachedFrom, error)) (page notify.UnreachedPage, err error) {
	var last notify.UnreachedFrom
	for range unreachedWindows {
		people, err := window(last)
		if err != nil || len(people) == 0 {
			return page, err
		}
		ids := make([]int64, len(people))
		for i, p := range people {
			ids[i] = p.PersonID
		}
		found, err := of(ids)
		if err != nil {
			return page, err
		}
		slices.SortFunc(found, func(a, b notify.Unreached) int {
			return placeOrder(notify.UnreachedFrom{Region: a.Region, PersonID: a.PersonID}, notify.UnreachedFrom{Region: b.Region, PersonID: b.PersonID})
		})
		page.List = append(page.List, found...)
		if len(page.List) > limit { // one more than asked for: there is a next page
			page.List = page.List[:limit]
			page.Next = notify.UnreachedFrom{Region: page.List[limit-1].Region, PersonID: page.List[limit-1].PersonID}
			return page, nil
		}
		last = people[len(people)-1]
	}
	page.Next = last
	return page, nil
}

// unreachedOf says which of the people a campaign did not reach. Who wants nothing by now, or died, is nobody's to visit;
// told: those of whom a visit said so are among them.
func (t *tx) unreachedOf(c notify.Campaign, ids []int64, told bool) (list []notify.Unreached, err error) {
	visitable := `NOT ` + wantsNothing + ` AND p.status <> 'deceased'`
	if told {
		visitable = `(` + visitable + ` OR v.outcome IN ('died', 'refused'))`
	}
	err = t.each(`SELECT d.person_id, p.region, CASE WHEN d.state = '' THEN k.updated_at ELSE d.updated_at END, `+rowEnd()+`, COALESCE(v.outcome, ''), COALESCE(v.at, 0)
		FROM deliveries d LEFT JOIN calls k ON k.id = d.call_id AND d.state = '' JOIN people p ON p.id = d.person_id `+latestVisit+`
		WHERE d.month = $1 AND d.campaign_id = $2 AND `+t.amongRows("d.person_id", 3)+` AND `+visitable+`
			AND (`+endedBadly+` OR d.state = 'skipped' AND d.reason = 'household' OR d.state = '' AND `+unheardCalls+` AND k.wake_at = 0)
			AND NOT `+householdHeard(),
		func(rows *sql.Rows) error {
			u, end := notify.Unreached{CampaignID: c.ID, Campaign: c.Spec.Name}, notify.RowEnd{}
			var at, visited int64
			err := rows.Scan(append(append([]any{&u.PersonID, &u.Region, &at}, endDest(&end)...), &u.Visit, &visited)...)
			u.At, u.VisitedAt = fromMicros(at), fromMicros(visited)
			u.Channel, u.Why = end.Channel, end.Why()
			if end.State == notify.Failed {
				u.Code = end.Reason
			}
			if u.Why != "" {
				list = append(list, u)
			}
			return err
		}, c.Month, c.ID, t.idList(ids))
	return list, err
}

// UnreachedFigures counts a campaign's list for a scope, and who isn't on it.
func (s *Store) UnreachedFigures(ctx context.Context, scope register.Scope, campaignID int64) (f notify.UnreachedFigures, err error) {
	err = s.read(ctx, fmt.Sprintf("store: count whom campaign %d did not reach", campaignID), func(t *tx) error {
		f = notify.UnreachedFigures{By: map[notify.UnreachedWhy]int64{}, LeftOut: map[notify.SkipReason]int64{}, Visits: map[notify.VisitOutcome]int64{}}
		c, err := t.campaign(campaignID, "")
		if err != nil {
			return err
		}
		for _, count := range []func(notify.Campaign, register.Scope, *notify.UnreachedFigures) error{t.countBadlyEnded, t.countWaited, t.countLeftOut, t.countVisits} {
			if err := count(c, scope, &f); err != nil {
				return err
			}
		}
		st := notify.Status{Skipped: map[notify.SkipReason]int64{}, ByChannel: map[notify.Channel]int64{}}
		err = t.countRows(keyOf(c), &st)
		f.Open = st.Planned + st.Queued + st.Sending + st.Unconfirmed // what the platform took is at its end, for a list
		return err
	})
	return f, err
}

func (t *tx) countBadlyEnded(c notify.Campaign, scope register.Scope, f *notify.UnreachedFigures) error {
	return t.each(`SELECT `+wantsNothing+`, p.status = 'deceased', substr(p.region, 1, `+strconv.Itoa(placeDigits(scope))+`), `+rowEnd()+`, count(*) FROM deliveries d LEFT JOIN calls k ON FALSE JOIN people p ON p.id = d.person_id
		WHERE d.month = $1 AND d.campaign_id = $2 AND `+endedBadly+` AND `+inScope(3)+` AND NOT `+householdHeard()+` GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9`,
		func(rows *sql.Rows) error {
			var end notify.RowEnd
			var out, dead bool
			var place string
			var n int64
			err := rows.Scan(append(append([]any{&out, &dead, &place}, endDest(&end)...), &n)...)
			switch {
			case out:
				f.LeftOut[notify.OptedOut] += n
			case dead:
				f.LeftOut[notify.IsDeceased] += n
			default:
				f.By[end.Why()] += n
				placeAt(f, place).Open += n
			}
			return err
		}, append([]any{c.Month, c.ID}, scopeArgs(scope)...)...)
}

// countWaited counts those whose calls were not heard, and those who waited behind somebody whose message did not come.
// They are few, and looked at one by one as the list does.
func (t *tx) countWaited(c notify.Campaign, scope register.Scope, f *notify.UnreachedFigures) error {
	unheard, err := t.unheard(keyOf(c), unreachedMost)
	if err != nil {
		return err
	}
	failed, err := t.idsOf(`SELECT d.person_id FROM deliveries d WHERE d.month = $1 AND d.campaign_id = $2 AND d.state = 'failed' AND `+endedBadly+` AND d.shared LIMIT $3`,
		c.Month, c.ID, unreachedMost)
	if err != nil {
		return err
	}
	waited, err := t.waitedBehind(keyOf(c), append(failed, unheard...))
	if err != nil {
		return err
	}
	list, err := t.unreachedOf(c, append(waited, unheard...), false)
	for _, u := range list {
		if scope.Contains(u.Region) && (u.Why == notify.WhyHousehold || u.Why == notify.WhyUnproved) {
			f.By[u.Why]++
			placeAt(f, placeIn(scope, u.Region)).Open++
		}
	}
	return err
}

func (t *tx) countLeftOut(c notify.Campaign, scope register.Scope, f *notify.UnreachedFigures) error {
	w := where{args: append([]any{c.Month, c.ID}, scopeArgs(scope)...)}
	w.oneOf("d.reason", plain(notify.LeftOut()), false)
	return t.each(`SELECT d.reason, count(*) FROM deliveries d JOIN people p ON p.id = d.person_id
		WHERE d.month = $1 AND d.campaign_id = $2 AND d.state <> '' AND d.state = 'skipped' AND `+inScope(3)+` AND `+w.parts[0]+` GROUP BY 1`,
		func(rows *sql.Rows) error {
			var why notify.SkipReason
			var n int64
			err := rows.Scan(&why, &n)
			f.LeftOut[why] += n
			return err
		}, w.args...)
}

func plain[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

// UnreachedSince lists those people of a scope to whom campaigns that began since a moment wanted to speak, and of whom
// none reached one; the reason is that of the latest.
func (s *Store) UnreachedSince(ctx context.Context, scope register.Scope, since time.Time, which notify.WhichUnreached, from notify.UnreachedFrom, limit int) (page notify.UnreachedPage, err error) {
	err = s.read(ctx, "store: whom nothing reached", func(t *tx) error {
		began, err := t.idsOf(`SELECT id FROM campaigns WHERE started_at >= $1 AND started_at > 0`, toMicros(since))
		if err != nil || len(began) == 0 {
			return err
		}
		page, err = t.unreachedAlong(scope, from, limit, func(ids []int64) ([]notify.Unreached, error) {
			list, err := t.unreachedBy(began, ids)
			return only(list, which.Has), err
		})
		return err
	})
	return page, err
}

// unreachedBy says which of the people none of the campaigns reached, though one tried, or would have.
func (t *tx) unreachedBy(campaigns, ids []int64) ([]notify.Unreached, error) {
	reached, latest := map[int64]bool{}, map[int64]notify.Unreached{}
	err := t.each(`SELECT d.person_id, p.region, d.campaign_id, c.name, CASE WHEN d.state = '' THEN k.updated_at ELSE d.updated_at END,
			d.shared AND d.state <> '' AND `+householdHeard()+`, d.state = '' AND k.wake_at > 0 AND k.channel = 'voice', `+rowEnd()+`
		FROM deliveries d LEFT JOIN calls k ON k.id = d.call_id AND d.state = '' JOIN people p ON p.id = d.person_id JOIN campaigns c ON c.id = d.campaign_id
		WHERE `+t.among("d.person_id", 1)+` AND `+t.among("d.campaign_id", 2)+` AND (NOT `+wantsNothing+` AND p.status <> 'deceased' OR `+t.toldGone(2)+`)`,
		func(rows *sql.Rows) error {
			var u notify.Unreached
			var end notify.RowEnd
			var at int64
			var heard, rings bool
			err := rows.Scan(append([]any{&u.PersonID, &u.Region, &u.CampaignID, &u.Campaign, &at, &heard, &rings}, endDest(&end)...)...)
			u.At, u.Channel, u.Why = fromMicros(at), end.Channel, end.Why()
			switch {
			case err != nil:
			case heard, end.Reached():
				reached[u.PersonID] = true
			case u.Why == "", rings:
			case latest[u.PersonID].At.Before(u.At) || latest[u.PersonID].PersonID == 0:
				if end.State == notify.Failed {
					u.Code = end.Reason
				}
				latest[u.PersonID] = u
			}
			return err
		}, t.idList(ids), t.idList(campaigns))
	var list []notify.Unreached
	for id, u := range latest {
		if !reached[id] {
			list = append(list, u)
		}
	}
	return list, errors.Join(err, t.addVisits(campaigns, list))
}
