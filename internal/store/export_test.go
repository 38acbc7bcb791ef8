package store

import (
	"context"
	"time"
)

// Scatter spreads over the first n people what the owners of bindings, consents, opt-outs, deliveries and services keep.
func (s *Store) Scatter(ctx context.Context, at time.Time, n int) error {
	return s.write(ctx, "scatter", func(t *tx) error {
		for i := range int64(n) {
			id := []int64{i + 1}
			if i%3 == 0 {
				if err := t.setWeChatBound(id, true); err != nil {
					return err
				}
			}
			if i%5 == 0 {
				if err := t.setWeChatSubscribed(id, true); err != nil {
					return err
				}
			}
			if i%4 == 0 {
				if _, err := t.exec(`UPDATE people SET last_reached_at = $2 WHERE id = $1`, i+1, at.Add(-time.Duration(i*7)*time.Hour).UnixMicro()); err != nil {
					return err
				}
			}
			if i%7 == 0 {
				if _, err := t.exec(`INSERT INTO opt_outs (person_id, via, at) VALUES ($1, 'sms', 1)`, i+1); err != nil {
					return err
				}
				if err := t.refreshOptedOut(id); err != nil {
					return err
				}
			}
			if i%6 == 0 {
				if _, err := t.exec(`INSERT INTO services (person_id, service, year, at) VALUES ($1, $2, $3, 1)`, i+1, []string{"policy", "training"}[i%4/2], 2025+i%4/2); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// OptOutPhone notes a number that wants no campaigns.
func (s *Store) OptOutPhone(ctx context.Context, phone string) error {
	return s.write(ctx, "opt out", func(t *tx) error {
		_, err := t.exec(`INSERT INTO opt_outs (phone_idx, via, at) VALUES ($1, 'sms', 1)`, t.keys.Index(phoneDomain, phone))
		return err
	})
}
