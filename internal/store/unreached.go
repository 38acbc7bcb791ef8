package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// missed is the test that a delivery d has ended without reaching its person. Who was left out because a member of their
// household carried the message is among them where that member was not reached after all.
func missed() string {
	return `(d.state = 'failed' OR d.state = 'skipped' AND (d.reason IN (` + quoted(notify.UnreachedReasons()) + `)
		OR d.reason = 'household' AND NOT EXISTS (` + mates + ` AND ` + stateOf("m", "mc") + ` NOT IN ('failed', 'skipped'))))`
}

// toldAtDoor is the test that somebody was told at the door since a delivery d.
const toldAtDoor = `EXISTS (SELECT 1 FROM visits v WHERE v.person_id = d.person_id AND v.result = 'told' AND v.campaign_id IN (0, d.campaign_id) AND v.at >= d.updated_at)`

// ListUnreached lists the people of a scope whom no channel of a campaign reached, by id; without a campaign those whom the
// last one that they were in did not reach. Nobody who has died or moved away is among them, nor who was told at the door.
func (s *Store) ListUnreached(ctx context.Context, scope register.Scope, q notify.UnreachedQuery) (list []notify.Unreached, err error) {
	err = s.read(ctx, "store: list the unreached", func(t *tx) error {
		list = nil
		args := append(scopeArgs(scope), q.After, q.Limit)
		which := `NOT EXISTS (SELECT 1 FROM deliveries n LEFT JOIN calls nk ON nk.id = n.call_id AND n.state = '' WHERE n.person_id = d.person_id
			AND n.campaign_id > d.campaign_id AND (` + stateOf("n", "nk") + ` IN ('accepted', 'delivered', 'failed') OR n.state = 'skipped' AND n.reason NOT IN ('no_longer_matches', 'cancelled')))`
		if q.CampaignID != 0 {
			c, err := t.campaign(q.CampaignID, "")
			if err != nil {
				return err
			}
			which, args = `d.month = $5 AND d.campaign_id = $6`, append(args, c.Month, c.ID)
		}
		if err := t.missedRows(&list, which, args); err != nil {
			return err
		}
		return t.describeMissed(list)
	})
	return list, err
}

// missedRows reads rows of people in the scope of parameters 1 and 2, after the person of 3, at most 4.
func (t *tx) missedRows(list *[]notify.Unreached, which string, args []any) error {
	return t.each(`SELECT d.person_id, d.campaign_id, c.name, d.channel, d.state, d.reason, d.updated_at
		FROM people p JOIN deliveries d ON d.person_id = p.id JOIN campaigns c ON c.id = d.campaign_id AND c.month = d.month
		WHERE `+inScope(1)+` AND p.id > $3 AND p.status = 'alive' AND `+which+` AND `+missed()+` AND NOT `+toldAtDoor+`
		ORDER BY d.person_id LIMIT $4`,
		func(rows *sql.Rows) error {
			var u notify.Unreached
			var state notify.DeliveryState
			var at int64
			err := rows.Scan(&u.Person.ID, &u.CampaignID, &u.Campaign, &u.Channel, &state, &u.Reason, &at)
			u.At = fromMicros(at)
			if u.Reason == string(notify.ByHousehold) {
				u.Reason = notify.MateMissed
			}
			*list = append(*list, u)
			return err
		}, args...)
}

// describeMissed adds who they are, their rows' codes, and the last visit.
func (t *tx) describeMissed(list []notify.Unreached) error {
	ids := make([]int64, len(list))
	at := make(map[int64]*notify.Unreached, len(list))
	for i := range list {
		ids[i] = list[i].Person.ID
		at[ids[i]] = &list[i]
	}
	people, err := t.people(`WHERE `+t.among("p.id", 1), t.idList(ids))
	if err != nil {
		return err
	}
	for _, p := range people {
		u := at[p.ID]
		u.Person, u.Code = p.Person, notify.RowCode(t.keys, p.ID)
		u.Why(u.Reason)
	}
	return t.each(`SELECT person_id, result, at FROM visits WHERE `+t.among("person_id", 1)+` ORDER BY at`, func(rows *sql.Rows) error {
		var id, when int64
		var result register.VisitResult
		err := rows.Scan(&id, &result, &when)
		if u := at[id]; u != nil && fromMicros(when).After(u.At) {
			u.Visit, u.VisitedAt = result, fromMicros(when)
		}
		return err
	}, t.idList(ids))
}

// CountUnreached counts those of one campaign in a scope, by reason as the rows have it.
func (s *Store) CountUnreached(ctx context.Context, scope register.Scope, campaignID int64) (n int64, err error) {
	err = s.read(ctx, fmt.Sprintf("store: count the unreached of campaign %d", campaignID), func(t *tx) error {
		c, err := t.campaign(campaignID, "")
		if err != nil {
			return err
		}
		return t.row(`SELECT COUNT(*) FROM deliveries d JOIN people p ON p.id = d.person_id
			WHERE `+inScope(1)+` AND p.status = 'alive' AND d.month = $3 AND d.campaign_id = $4 AND `+missed()+` AND NOT `+toldAtDoor,
			append(scopeArgs(scope), c.Month, c.ID)...).Scan(&n)
	})
	return n, err
}

// NoteVisit writes down what came of a visit, found by the code of a row on a visit sheet. register.ErrNotFound: the code
// is none of ours, or of somebody outside the scope.
func (s *Store) NoteVisit(ctx context.Context, scope register.Scope, code string, campaignID int64, result register.VisitResult, by string, at time.Time) (personID int64, err error) {
	id, ok := notify.PersonOfRow(s.keys, code)
	if !ok {
		return 0, fmt.Errorf("store: note a visit: %w", register.ErrNotFound)
	}
	err = s.write(ctx, fmt.Sprintf("store: note a visit of person %d", id), func(t *tx) error {
		var there bool
		if err := t.row(`SELECT EXISTS (SELECT 1 FROM people p WHERE `+inScope(1)+` AND p.id = $3)`, append(scopeArgs(scope), id)...).Scan(&there); err != nil {
			return err
		}
		if !there {
			return register.ErrNotFound
		}
		row, err := t.ids("visits", 1)
		if err != nil {
			return err
		}
		_, err = t.exec(`INSERT INTO visits (id, person_id, campaign_id, result, by_staff, at) VALUES ($1, $2, $3, $4, $5, $6)`,
			row, id, campaignID, string(result), by, toMicros(at))
		return err
	})
	return id, err
}
