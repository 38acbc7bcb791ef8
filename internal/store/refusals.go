package store

import (
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// weighRefusal holds a refusal that may meet everybody against what the calls near it were answered. Nothing is written down
// for it: a call that was taken costs nothing more, whichever process sends is seen, and so is what another sent before it was killed.
func (t *tx) weighRefusal(c *heldCall, r notify.CallResult, now time.Time) (notify.CallResult, error) {
	campaign, near, err := t.near(c, r.Code, "")
	if err != nil {
		return r, fmt.Errorf("weigh its refusal: %w", err)
	}
	weighed := r.ByRefusals(campaign, near, now)
	if weighed.Halt == nil {
		return weighed, nil
	}
	// The campaign is held from here on: somebody who goes on after a halt must not be undone by what was refused before.
	if campaign, near, err = t.near(c, r.Code, t.forUpdate()); err != nil {
		return r, fmt.Errorf("weigh its refusal: %w", err)
	}
	return r.ByRefusals(campaign, near, now), nil
}

// near reads what the calls near a refused one come to, since staff last moved the campaign. They are found by their ids:
// those around it, and around the call before it, which went out with other neighbours.
func (t *tx) near(c *heldCall, code, lock string) (notify.Campaign, notify.Near, error) {
	campaign, err := t.campaign(c.key.id, lock)
	if err != nil {
		return campaign, notify.Near{}, err
	}
	before, since := c.id, c.begunAt
	if c.previous != 0 {
		before = c.previous
		if err := t.row(`SELECT begun_at FROM calls WHERE id = $1`, before).Scan(&since); err != nil {
			return campaign, notify.Near{}, err
		}
	}
	moved, by := toMicros(campaign.UpdatedAt), campaign.NearBy()
	// The plus keeps both databases from reading all the campaign's calls by their index: it is a few hundred ids that are wanted.
	rows, err := t.query(`SELECT c.id, c.previous_id, c.state, c.code, length(c.marks), c.begun_at,
			COALESCE(p.code = c.code AND length(p.marks) <= length(c.marks) AND p.begun_at >= $1, FALSE)
		FROM calls c LEFT JOIN calls p ON p.id = c.previous_id
		WHERE (c.id BETWEEN $2 AND $3 OR c.id BETWEEN $4 AND $5) AND +c.campaign_id = $6 AND c.channel = $7 AND c.begun_at >= $1
			AND c.begun_at > 0 AND c.route = (SELECT route FROM calls WHERE id = $8)`,
		moved, c.id-by, c.id+by, before-by, before+by, c.key.id, c.channel, c.id)
	if err != nil {
		return campaign, notify.Near{}, err
	}
	defer func() { _ = rows.Close() }()
	var list []notify.Answered
	for rows.Next() {
		var a notify.Answered
		if err := rows.Scan(&a.ID, &a.PreviousID, &a.State, &a.Code, &a.Size, &a.BegunAt, &a.Repeat); err != nil {
			return campaign, notify.Near{}, err
		}
		list = append(list, a)
	}
	if err := rows.Err(); err != nil {
		return campaign, notify.Near{}, err
	}
	near := notify.Weigh(code, since, list)
	if campaign.MeetsEverybody(near) {
		// A village whose rows are at fault stands together. Where others go on being taken, it is not everybody.
		err = t.row(`SELECT EXISTS (SELECT 1 FROM calls WHERE campaign_id = $1 AND channel = $2 AND state = 'accepted' AND begun_at >= $3
			AND route = (SELECT route FROM calls WHERE id = $4))`, c.key.id, c.channel, near.Since, c.id).Scan(&near.Taken)
		if near.Taken {
			near.InRow = 0
		}
	}
	return campaign, near, err
}
