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
func (t *tx) lockForCap(cl claim, key campaignKey, people []int64) error {
	if t.d != postgresDialect || cl.CapSpan == 0 {
		return nil
	}
	var keys []int64
	for _, id := range people {
		keys = append(keys, id>>6)
	}
	numbers, err := t.sharedNumbers(key, people)
	if err != nil {
		return err
	}
	for _, idx := range numbers {
		keys = append(keys, -1-int64(binary.BigEndian.Uint16(idx)))
	}
	slices.Sort(keys)
	_, err = t.exec(`SELECT pg_advisory_xact_lock(7250125 # k) FROM unnest($1::bigint[]) AS k`, slices.Compact(keys))
	return err
}

func (t *tx) sharedNumbers(key campaignKey, people []int64) ([][]byte, error) {
	rows, err := t.query(`SELECT DISTINCT phone_idx FROM deliveries WHERE month = $1 AND campaign_id = $2 AND `+t.amongRows("person_id", 3)+`
		AND shared AND phone_idx IS NOT NULL`, key.month, key.id, t.idList(people))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list [][]byte
	for rows.Next() {
		var idx []byte
		if err := rows.Scan(&idx); err != nil {
			return nil, err
		}
		list = append(list, idx)
	}
	return list, rows.Err()
}

// addSent adds what went to the people, and to their numbers, within the cap's longest stretch. A delivery counts
// from the moment when something may first have left; one that is being sent in this claim does not count itself.
func (t *tx) addSent(cl claim, c notify.Campaign, members map[int64]*notify.Facts, people []int64, now time.Time) error {
	if cl.CapSpan == 0 || len(members) == 0 {
		return nil
	}
	since := toMicros(now.Add(-cl.CapSpan))
	rows, err := t.query(`SELECT m.person_id, o.sent_at, 0 AS by_number FROM deliveries m
			JOIN deliveries o ON o.person_id = m.person_id AND o.sent_at > $4 AND o.campaign_id <> m.campaign_id
			WHERE m.month = $1 AND m.campaign_id = $2 AND `+t.amongRows("m.person_id", 3)+`
		UNION ALL SELECT m.person_id, o.sent_at, 1 FROM deliveries m
			JOIN deliveries o ON o.phone_idx = m.phone_idx AND o.sent_at > $4 AND o.channel IN ('sms', 'voice')
				AND NOT (o.campaign_id = m.campaign_id AND o.person_id = m.person_id)
			WHERE m.month = $1 AND m.campaign_id = $2 AND `+t.amongRows("m.person_id", 3), c.Month, c.ID, t.idList(people), since)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id, at int64
		var byNumber int
		if err := rows.Scan(&id, &at, &byNumber); err != nil {
			return err
		}
		f, ok := members[id]
		switch {
		case !ok:
		case byNumber == 1:
			f.NumberSent = append(f.NumberSent, fromMicros(at))
		default:
			f.Sent = append(f.Sent, fromMicros(at))
		}
	}
	return rows.Err()
}
