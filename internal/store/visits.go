package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// doubtVisited is the reason of a doubt that somebody at the door told.
const doubtVisited = "visit"

// latestVisit joins the latest visit, for the campaign of a row d, to its person as v.
const latestVisit = `LEFT JOIN visits v ON v.id = (SELECT max(w.id) FROM visits w WHERE w.campaign_id = d.campaign_id AND w.person_id = d.person_id)`

// only keeps those of a list that belong to a part of it.
func only(list []notify.Unreached, belongs func(notify.Unreached) bool) []notify.Unreached {
	return slices.DeleteFunc(list, func(u notify.Unreached) bool { return !belongs(u) })
}

// RecordVisit writes down what came of a visit to somebody of the scope, and what it says of them into the register: a new
// number, that they died or moved away, that they want nothing. What an earlier visit said and this one doesn't is taken
// back. register.ErrNotFound outside the scope, or where the campaign was not for them.
func (s *Store) RecordVisit(ctx context.Context, scope register.Scope, v notify.Visit, by staff.Entry) (notify.Visit, error) {
	if err := v.Check(); err != nil {
		return v, err
	}
	var campaign int64
	err := s.write(ctx, fmt.Sprintf("store: record a visit to person %d", v.PersonID), func(t *tx) (err error) {
		if err := t.lockPeople(); err != nil {
			return err
		}
		campaign, err = t.visitedFor(scope, v)
		if err != nil {
			return err
		}
		before, err := t.lastVisit(v.PersonID)
		if err != nil {
			return err
		}
		id, err := t.ids("visits", 1)
		if err != nil {
			return err
		}
		_, err = t.exec(`INSERT INTO visits (id, person_id, campaign_id, outcome, by_name, at) VALUES ($1, $2, $3, $4, $5, $6)`,
			id, v.PersonID, campaign, string(v.Outcome), v.By, toMicros(v.At))
		if err == nil {
			err = t.learnt(scope, v, before)
		}
		if err != nil {
			return err
		}
		entry := by
		entry.Detail = maps.Clone(by.Detail)
		if entry.Detail == nil {
			entry.Detail = map[string]string{}
		}
		entry.Detail["campaign"], entry.Detail["outcome"] = strconv.FormatInt(campaign, 10), string(v.Outcome)
		return t.audit(entry)
	})
	v.CampaignID = campaign
	return v, err
}

// visitedFor is the campaign that a visit was for: the one named, if it had a row for them; else the latest that did not
// reach them, else none.
func (t *tx) visitedFor(scope register.Scope, v notify.Visit) (id int64, err error) {
	var there, planned bool
	err = t.row(`SELECT EXISTS (SELECT 1 FROM people p WHERE `+inScope(1)+` AND p.id = $3), EXISTS (SELECT 1 FROM deliveries d WHERE d.person_id = $3 AND d.campaign_id = $4)`,
		append(scopeArgs(scope), v.PersonID, v.CampaignID)...).Scan(&there, &planned)
	switch {
	case err != nil:
		return 0, err
	case !there, v.CampaignID != 0 && !planned:
		return 0, register.ErrNotFound
	case v.CampaignID != 0:
		return v.CampaignID, nil
	}
	began, err := t.idsOf(`SELECT DISTINCT campaign_id FROM deliveries WHERE person_id = $1`, v.PersonID)
	if err != nil || len(began) == 0 {
		return 0, err
	}
	list, err := t.unreachedBy(began, []int64{v.PersonID})
	for _, u := range list {
		id = u.CampaignID
	}
	return id, err
}

func (t *tx) lastVisit(person int64) (o notify.VisitOutcome, err error) {
	err = t.row(`SELECT outcome FROM visits WHERE person_id = $1 ORDER BY id DESC LIMIT 1`, person).Scan(&o)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return o, err
}

// learnt writes what a visit says of the person.
func (t *tx) learnt(scope register.Scope, v notify.Visit, before notify.VisitOutcome) error {
	given := register.Person{Phone: v.Phone}
	switch {
	case v.Outcome == notify.VisitDied:
		given.Status = register.Deceased
	case v.Outcome == notify.VisitMoved:
		given.Status = register.MovedOut
	case before == notify.VisitDied, before == notify.VisitMoved:
		given.Status = register.Alive
	}
	if given.Phone != "" || given.Status != "" {
		if _, err := t.correctPerson(scope, v.PersonID, given, v.At); err != nil {
			return err
		}
	}
	if v.Outcome == notify.VisitWrongNumber && v.Phone == "" {
		return t.doubtNumberOf(v.PersonID, v.At)
	}
	var query string
	args := []any{v.PersonID}
	switch {
	case v.Outcome == notify.VisitRefused:
		query, args = `INSERT INTO opt_outs (person_id, via, at) VALUES ($1, 'visit', $2) ON CONFLICT (person_id) DO NOTHING`, append(args, toMicros(v.At))
	case before == notify.VisitRefused:
		query = `DELETE FROM opt_outs WHERE person_id = $1 AND via = 'visit'`
	default:
		return nil
	}
	_, err := t.exec(query, args...)
	return errors.Join(err, t.refreshOptedOut([]int64{v.PersonID}), t.outsChanged())
}

func (t *tx) doubtNumberOf(person int64, at time.Time) error {
	var number []byte
	err := t.row(`SELECT phone_idx FROM people WHERE id = $1`, person).Scan(&number)
	if err != nil || number == nil {
		return err
	}
	return t.doubt(number, person, doubtVisited, at)
}

// visitsOf counts a campaign's visits by what came of the latest to each person.
func (t *tx) visitsOf(campaignID int64, scope register.Scope, into map[notify.VisitOutcome]int64) error {
	return t.each(`SELECT v.outcome, count(*) FROM visits v JOIN people p ON p.id = v.person_id WHERE `+inScope(1)+` AND v.campaign_id = $3
			AND NOT EXISTS (SELECT 1 FROM visits w WHERE w.campaign_id = v.campaign_id AND w.person_id = v.person_id AND w.id > v.id) GROUP BY 1`,
		func(rows *sql.Rows) error {
			var o notify.VisitOutcome
			var n int64
			err := rows.Scan(&o, &n)
			into[o] += n
			return err
		}, append(scopeArgs(scope), campaignID)...)
}

// countVisits counts what visits settled of a campaign's list.
func (t *tx) countVisits(c notify.Campaign, scope register.Scope, f *notify.UnreachedFigures) error {
	if err := t.visitsOf(c.ID, scope, f.Visits); err != nil {
		return err
	}
	visited, err := t.idsOf(`SELECT DISTINCT v.person_id FROM visits v WHERE v.campaign_id = $1`, c.ID)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(visited, unreachedWindow) {
		list, err := t.unreachedOf(c, some, true)
		if err != nil {
			return err
		}
		for _, u := range list {
			if !scope.Contains(u.Region) || !u.Visit.Settles() {
				continue
			}
			place := placeAt(f, placeIn(scope, u.Region))
			place.Visited++
			if u.Visit != notify.VisitDied && u.Visit != notify.VisitRefused { // those have left the list by the register
				place.Open--
				f.Settled++
			}
		}
	}
	slices.SortFunc(f.Places, func(a, b notify.PlaceCount) int { return cmp.Compare(a.Region, b.Region) })
	return nil
}

// addVisits adds the latest visit, for any of the campaigns, to each of a list.
func (t *tx) addVisits(campaigns []int64, list []notify.Unreached) error {
	at := make(map[int64]*notify.Unreached, len(list))
	ids := make([]int64, len(list))
	for i := range list {
		at[list[i].PersonID], ids[i] = &list[i], list[i].PersonID
	}
	if len(ids) == 0 {
		return nil
	}
	return t.each(`SELECT v.person_id, v.outcome, v.at FROM visits v WHERE `+t.among("v.person_id", 1)+` AND `+t.among("v.campaign_id", 2)+` ORDER BY v.id`,
		func(rows *sql.Rows) error {
			var id, when int64
			var o notify.VisitOutcome
			err := rows.Scan(&id, &o, &when)
			at[id].Visit, at[id].VisitedAt = o, fromMicros(when)
			return err
		}, t.idList(ids), t.idList(campaigns))
}

// placeDigits is the length of the codes of the places below a scope.
func placeDigits(scope register.Scope) int {
	for _, digits := range []int{4, countyDigits, townDigits} {
		if len(scope.Prefix) < digits {
			return digits
		}
	}
	return villageDigits
}

const villageDigits = 12

func placeIn(scope register.Scope, region string) string {
	return region[:min(len(region), placeDigits(scope))]
}

// placeAt is the count of a place, which comes into being. There are some dozens.
func placeAt(f *notify.UnreachedFigures, region string) *notify.PlaceCount {
	for i := range f.Places {
		if f.Places[i].Region == region {
			return &f.Places[i]
		}
	}
	f.Places = append(f.Places, notify.PlaceCount{Region: region})
	return &f.Places[len(f.Places)-1]
}

// toldGone: a visit for one of the campaigns of parameter n said of p that they died or want nothing more.
func (t *tx) toldGone(n int) string {
	return `EXISTS (SELECT 1 FROM visits g WHERE g.person_id = p.id AND g.outcome IN ('died', 'refused') AND ` + t.among("g.campaign_id", n) + `)`
}

// UnreachedPlaces counts, for the places below a scope, whom none of the campaigns reached that began since a moment: who is
// open, and who was settled by a visit. It reads every row of these campaigns within the scope.
func (s *Store) UnreachedPlaces(ctx context.Context, scope register.Scope, since time.Time) (list []notify.PlaceCount, err error) {
	err = s.read(ctx, "store: count whom nothing reached", func(t *tx) error {
		began, err := t.idsOf(`SELECT id FROM campaigns WHERE started_at >= $1 AND started_at > 0`, toMicros(since))
		if err != nil || len(began) == 0 {
			return err
		}
		var f notify.UnreachedFigures
		state := stateOf("d", "k")
		// As notify.RowEnd says it of one row: what reached somebody, and what is on a list.
		reached := `CASE WHEN ` + state + ` = 'delivered' OR ` + state + ` = 'accepted' AND d.channel <> 'voice' OR d.shared AND d.state <> '' AND ` + householdHeard() + ` THEN 1 ELSE 0 END`
		listed := `CASE WHEN ` + endedBadly + ` OR d.state = 'skipped' AND d.reason = 'household'
			OR ` + state + ` = 'accepted' AND d.channel = 'voice' AND NOT (d.state = '' AND k.wake_at > 0) THEN 1 ELSE 0 END`
		err = t.each(`SELECT substr(u.region, 1, `+strconv.Itoa(placeDigits(scope))+`),
				COALESCE((SELECT v.outcome FROM visits v WHERE v.person_id = u.id AND `+t.among("v.campaign_id", 3)+` ORDER BY v.id DESC LIMIT 1), ''), count(*)
			FROM (SELECT p.id, p.region FROM people p JOIN deliveries d ON d.person_id = p.id LEFT JOIN calls k ON k.id = d.call_id AND d.state = ''
				WHERE `+inScope(1)+` AND `+t.among("d.campaign_id", 3)+` AND (NOT `+wantsNothing+` AND p.status <> 'deceased' OR `+t.toldGone(3)+`)
				GROUP BY p.id, p.region HAVING max(`+reached+`) = 0 AND max(`+listed+`) = 1) u GROUP BY 1, 2`,
			func(rows *sql.Rows) error {
				var place string
				var o notify.VisitOutcome
				var n int64
				if err := rows.Scan(&place, &o, &n); err != nil {
					return err
				}
				if at := placeAt(&f, place); o.Settles() {
					at.Visited += n
				} else {
					at.Open += n
				}
				return nil
			}, append(scopeArgs(scope), t.idList(began))...)
		slices.SortFunc(f.Places, func(a, b notify.PlaceCount) int { return cmp.Compare(a.Region, b.Region) })
		list = f.Places
		return err
	})
	return list, err
}
