package store

import (
	"context"
	"database/sql"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// PersonMessages lists what campaigns sent, or will send, to a person of the scope, newest first. Nobody within
// the scope with that id: an empty list.
func (s *Store) PersonMessages(ctx context.Context, scope register.Scope, id int64, limit int) (list []notify.Received, err error) {
	err = s.read(ctx, "store: messages of a person", func(t *tx) error {
		list = nil
		return t.each(`SELECT d.campaign_id, c.name, d.channel, `+stateOf("d", "k")+`, `+reasonOf("d", "k")+`, CASE WHEN d.state = '' THEN k.updated_at ELSE d.updated_at END AS at
			FROM deliveries d LEFT JOIN calls k ON k.id = d.call_id AND d.state = '' JOIN campaigns c ON c.id = d.campaign_id JOIN people p ON p.id = d.person_id
			WHERE `+inScope(1)+` AND d.person_id = $3 ORDER BY at DESC, d.campaign_id DESC LIMIT $4`,
			func(rows *sql.Rows) error {
				var r notify.Received
				var at int64
				err := rows.Scan(&r.CampaignID, &r.Campaign, &r.Channel, &r.State, &r.Reason, &at)
				r.At = fromMicros(at)
				list = append(list, r)
				return err
			}, append(scopeArgs(scope), id, limit)...)
	})
	return list, err
}
