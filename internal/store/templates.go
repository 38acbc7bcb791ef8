package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// ApplyTemplates stores templates, each in the place of the one with its key. Campaigns that were submitted keep
// the text they were submitted with.
func (s *Store) ApplyTemplates(ctx context.Context, list []notify.Template, at time.Time, by staff.Entry) error {
	return s.write(ctx, "store: apply templates", func(t *tx) error {
		for _, template := range list {
			body, err := json.Marshal(template)
			if err != nil {
				return fmt.Errorf("template %s: %w", template.Key, err)
			}
			_, err = t.exec(`INSERT INTO templates (key, kind, body, updated_at) VALUES ($1,$2,$3,$4)
				ON CONFLICT (key) DO UPDATE SET kind = excluded.kind, body = excluded.body, updated_at = excluded.updated_at`,
				template.Key, template.Kind, string(body), toMicros(at))
			if err != nil {
				return err
			}
		}
		return t.audit(by)
	})
}

// FindTemplate finds one by its key. notify.ErrNoTemplate.
func (s *Store) FindTemplate(ctx context.Context, key string) (notify.Template, error) {
	var template notify.Template
	err := s.read(ctx, "store: template "+key, func(t *tx) error {
		var body string
		err := t.row(`SELECT body FROM templates WHERE key = $1`, key).Scan(&body)
		if errors.Is(err, sql.ErrNoRows) {
			return &notify.TemplateError{Template: key, Err: notify.ErrNoTemplate}
		}
		if err != nil {
			return err
		}
		return json.Unmarshal([]byte(body), &template)
	})
	return template, err
}

// ListTemplates lists all in the order of their keys.
func (s *Store) ListTemplates(ctx context.Context) ([]notify.Template, error) {
	var list []notify.Template
	err := s.read(ctx, "store: list templates", func(t *tx) error {
		rows, err := t.query(`SELECT body FROM templates ORDER BY key`)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var body string
			var template notify.Template
			if err := rows.Scan(&body); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(body), &template); err != nil {
				return err
			}
			list = append(list, template)
		}
		return rows.Err()
	})
	return list, err
}
