package store

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// lockForCap makes claims of the same person or number take turns until they commit, so that two campaigns can't both
// find the cap free. People are locked by neighbourhoods of 64 ids, since calls hold neighbours; numbers only where
// somebody else is on file with the same one. In order, so that nobody waits in a circle.
// The platform's limits of numbers that may come to them are kept under the same locks.
func (t *tx) lockForCap(cl claim, l numberLimit, rows map[int64]claimRow) error {
	if t.d != postgresDialect {
		return nil
	}
	var keys []int64
	for id, r := range rows {
		if cl.CapSpan == 0 && !l.all && (!l.shared || !r.shared) {
			continue
		}
		keys = append(keys, id>>6)
		if r.shared && len(r.phone) > 2 {
			keys = append(keys, -1-int64(binary.BigEndian.Uint16(r.phone)))
		}
	}
	if len(keys) == 0 {
		return nil
	}
	slices.Sort(keys)
	// The locks of two numbers are apart from those of one, which the process itself holds.
	_, err := t.exec(`SELECT pg_advisory_xact_lock(7250126, CAST(k AS integer)) FROM unnest($1::bigint[]) AS k`, slices.Compact(keys))
	return err
}

// addSent adds what went to the people, and to the numbers they share, within the cap's longest stretch. A delivery
// counts from the moment when something may first have left; one that is being sent in this claim does not count itself.
// What went to a number is what went to those who have it now: of a number nobody shares, the person's own.
func (t *tx) addSent(cl claim, c notify.Campaign, members map[int64]*notify.Facts, extra map[int64]claimRow, now time.Time) error {
	if cl.CapSpan == 0 || len(members) == 0 {
		return nil
	}
	var people, sharing []int64
	for id := range members {
		people = append(people, id)
		if extra[id].shared {
			sharing = append(sharing, id)
		}
	}
	since := toMicros(now.Add(-cl.CapSpan))
	sent := sentOf("o", "oc")
	err := t.eachSent(`SELECT o.person_id, `+sent+` FROM deliveries o LEFT JOIN calls oc ON oc.id = o.call_id AND o.state = ''
		WHERE `+t.among("o.person_id", 1)+` AND o.campaign_id <> $2 AND `+sent+` > $3`, func(id int64, at time.Time) {
		members[id].Sent = append(members[id].Sent, at)
	}, t.idList(people), c.ID, since)
	if err != nil || len(sharing) == 0 {
		return err
	}
	return t.eachSent(`SELECT m.id, `+sent+` FROM people m JOIN people q ON q.phone_idx = m.phone_idx
			JOIN deliveries o ON o.person_id = q.id AND o.channel IN ('sms', 'voice') LEFT JOIN calls oc ON oc.id = o.call_id AND o.state = ''
		WHERE `+t.among("m.id", 1)+` AND NOT (o.campaign_id = $2 AND o.person_id = m.id) AND `+sent+` > $3`, func(id int64, at time.Time) {
		members[id].NumberSent = append(members[id].NumberSent, at)
	}, t.idList(sharing), c.ID, since)
}

func (t *tx) eachSent(query string, add func(id int64, at time.Time), args ...any) error {
	rows, err := t.query(query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id, at int64
		if err := rows.Scan(&id, &at); err != nil {
			return err
		}
		add(id, fromMicros(at))
	}
	return rows.Err()
}
