package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// campaignColumns are read by scanCampaign in this order.
const campaignColumns = `id, month, state, reason, detail, spec, template, scope, author_id, editor_id, approver_id,
	starts_at, expires_at, planned_at, raised, created_at, updated_at, submitted_at, approved_at, started_at, finished_at, reply_codes`

// scanner is a row or rows.
type scanner interface{ Scan(dest ...any) error }

func scanCampaign(row scanner) (notify.Campaign, error) {
	var c notify.Campaign
	var spec, template, codes string
	var at [9]int64
	err := row.Scan(&c.ID, &c.Month, &c.State, &c.Reason, &c.Detail, &spec, &template, &c.Scope.Prefix,
		&c.AuthorID, &c.EditorID, &c.ApproverID, &at[0], &at[1], &at[2], &c.Raised, &at[3], &at[4], &at[5], &at[6], &at[7], &at[8], &codes)
	if errors.Is(err, sql.ErrNoRows) {
		return c, notify.ErrNoCampaign
	}
	if err != nil {
		return c, err
	}
	for i, into := range []*time.Time{
		&c.StartsAt, &c.ExpiresAt, &c.PlannedAt, &c.CreatedAt, &c.UpdatedAt,
		&c.SubmittedAt, &c.ApprovedAt, &c.StartedAt, &c.FinishedAt,
	} {
		*into = fromMicros(at[i])
	}
	c.ReplyCodes = replyCodesOf(codes)
	if err := json.Unmarshal([]byte(spec), &c.Spec); err != nil {
		return c, fmt.Errorf("campaign %d: spec: %w", c.ID, err)
	}
	if template != "" {
		if err := json.Unmarshal([]byte(template), &c.Template); err != nil {
			return c, fmt.Errorf("campaign %d: template: %w", c.ID, err)
		}
	}
	return c, nil
}

func (t *tx) campaign(id int64, lock string) (notify.Campaign, error) {
	return scanCampaign(t.row(`SELECT `+campaignColumns+` FROM campaigns WHERE id = $1`+lock, id))
}

// CreateCampaign stores a draft with the audit's entry, whose object it completes, and returns its id.
// The month of its rows is that of its creation; on PostgreSQL the month's partition comes into being with it.
func (s *Store) CreateCampaign(ctx context.Context, c notify.Campaign, by staff.Entry) (int64, error) {
	spec, err := json.Marshal(c.Spec)
	if err != nil {
		return 0, fmt.Errorf("store: create campaign: %w", err)
	}
	starts, err := c.Spec.StartsAt()
	if err != nil {
		return 0, err
	}
	if err := s.ensureMonth(ctx, c.Month); err != nil {
		return 0, err
	}
	var id int64
	err = s.write(ctx, "store: create campaign", func(t *tx) error {
		var err error
		if id, err = t.ids("campaigns", 1); err != nil {
			return err
		}
		_, err = t.exec(`INSERT INTO campaigns (id, month, state, name, kind, template_key, spec, scope, author_id, editor_id,
			starts_at, expires_at, created_at, updated_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)`,
			id, c.Month, notify.Draft, c.Spec.Name, c.Spec.Kind, c.Spec.Template, string(spec), c.Scope.Prefix, c.AuthorID, c.AuthorID,
			toMicros(starts), toMicros(c.Spec.Expires), toMicros(c.CreatedAt), toMicros(c.CreatedAt))
		if err != nil {
			return err
		}
		by.Object = fmt.Sprintf("campaign:%d", id)
		return t.audit(by)
	})
	return id, err
}

// ensureMonth makes the month's partition of deliveries on PostgreSQL. Attaching takes a weaker lock than creating
// it in place, so that running campaigns aren't stopped.
func (s *Store) ensureMonth(ctx context.Context, month int) error {
	if s.d != postgresDialect {
		return nil
	}
	name := fmt.Sprintf("deliveries_%06d", month)
	return s.write(ctx, "store: make partition "+name, func(t *tx) error {
		var there bool
		if err := t.row(`SELECT to_regclass($1) IS NOT NULL`, name).Scan(&there); err != nil || there {
			return err
		}
		if err := t.lockKey("partition"); err != nil {
			return err
		}
		if err := t.row(`SELECT to_regclass($1) IS NOT NULL`, name).Scan(&there); err != nil || there {
			return err
		}
		for _, q := range []string{
			`CREATE TABLE ` + name + ` (LIKE deliveries INCLUDING DEFAULTS) WITH (fillfactor = 90)`,
			fmt.Sprintf(`ALTER TABLE deliveries ATTACH PARTITION %s FOR VALUES IN (%d)`, name, month),
		} {
			if _, err := t.exec(q); err != nil {
				return err
			}
		}
		return nil
	})
}

// ChangeCampaign replaces the spec of a campaign that is not approved yet; it is a draft again.
func (s *Store) ChangeCampaign(ctx context.Context, id int64, spec notify.Spec, m notify.CampaignMoved) error {
	body, err := json.Marshal(spec)
	if err != nil {
		return fmt.Errorf("store: change campaign %d: %w", id, err)
	}
	starts, err := spec.StartsAt()
	if err != nil {
		return err
	}
	return s.write(ctx, fmt.Sprintf("store: change campaign %d", id), func(t *tx) error {
		if err := t.moveCampaign(id, m); err != nil {
			return err
		}
		_, err := t.exec(`UPDATE campaigns SET name = $2, kind = $3, template_key = $4, template = '', spec = $5,
			editor_id = $6, starts_at = $7, expires_at = $8 WHERE id = $1`,
			id, spec.Name, spec.Kind, spec.Template, string(body), m.By.ID, toMicros(starts), toMicros(spec.Expires))
		if err != nil {
			return err
		}
		return t.audit(m.Audit)
	})
}

// FindCampaign finds one. notify.ErrNoCampaign.
func (s *Store) FindCampaign(ctx context.Context, id int64) (c notify.Campaign, err error) {
	err = s.read(ctx, fmt.Sprintf("store: campaign %d", id), func(t *tx) error {
		c, err = t.campaign(id, "")
		return err
	})
	return c, err
}

// ListCampaigns lists those of a scope, the newest first, before an id (0: from the newest).
func (s *Store) ListCampaigns(ctx context.Context, scope register.Scope, before int64, limit int) (list []notify.Campaign, err error) {
	err = s.read(ctx, "store: list campaigns", func(t *tx) error {
		list, err = t.campaigns(`WHERE (id < $1 OR $1 = 0) AND substr(scope, 1, $2) = $3 ORDER BY id DESC LIMIT $4`,
			before, len(scope.Prefix), scope.Prefix, limit)
		return err
	})
	return list, err
}

func (t *tx) campaigns(where string, args ...any) ([]notify.Campaign, error) {
	rows, err := t.query(`SELECT `+campaignColumns+` FROM campaigns `+where, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []notify.Campaign
	for rows.Next() {
		c, err := scanCampaign(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, rows.Err()
}

// MoveCampaign moves a campaign by the table, with the audit's entry.
func (s *Store) MoveCampaign(ctx context.Context, id int64, m notify.CampaignMoved) (c notify.Campaign, err error) {
	err = s.write(ctx, fmt.Sprintf("store: %s campaign %d", m.Event, id), func(t *tx) error {
		if m.Event == notify.Resume {
			// Going on after a halt that a limit made raises the limits and looks at what comes from now on.
			n, err := t.exec(`UPDATE campaigns SET raised = raised + 1 WHERE id = $1 AND state = $2 AND reason IN (`+quoted(notify.Limits())+`)`, id, notify.Halted)
			if err != nil {
				return err
			}
			if n > 0 {
				_, err = t.exec(`DELETE FROM campaign_outcomes WHERE campaign_id = $1`, id)
			}
			if err != nil {
				return err
			}
		}
		if err := t.moveCampaign(id, m); err != nil {
			return err
		}
		if err := t.markMove(id, m); err != nil {
			return err
		}
		if c, err = t.campaign(id, ""); err != nil {
			return err
		}
		if m.Event == notify.Approve && c.WrittenBy(m.By) {
			return notify.ErrSameColleague
		}
		return t.audit(m.Audit)
	})
	return c, err
}

// markMove writes down what a move brings with it besides the state.
func (t *tx) markMove(id int64, m notify.CampaignMoved) error {
	at := toMicros(m.At)
	switch m.Event {
	case notify.Submit:
		body, err := json.Marshal(m.Template)
		if err != nil {
			return err
		}
		_, err = t.exec(`UPDATE campaigns SET submitted_at = $2, template = $3 WHERE id = $1`, id, at, string(body))
		return err
	case notify.Approve:
		_, err := t.exec(`UPDATE campaigns SET approved_at = $2, approver_id = $3 WHERE id = $1`, id, at, m.By.ID)
		return err
	case notify.Return:
		_, err := t.exec(`UPDATE campaigns SET detail = $2 WHERE id = $1`, id, m.Note)
		return err
	case notify.Cancel:
		_, err := t.exec(`UPDATE campaigns SET finished_at = $2 WHERE id = $1`, id, at)
		return err
	}
	return nil
}

// moveCampaign is the compare-and-set of a campaign's state, and of what was seen of it: updated_at grows with each move,
// whatever the clocks say.
func (t *tx) moveCampaign(id int64, moved notify.CampaignMoved) error {
	m := moved.Event.Move()
	n, err := t.exec(`UPDATE campaigns SET state = $2, reason = '', detail = '', check_at = 0,
			updated_at = CASE WHEN updated_at < $3 THEN $3 ELSE updated_at + 1 END
		WHERE id = $1 AND state IN (`+quoted(m.From)+`) AND (updated_at = $4 OR $4 = 0)`, id, m.To, toMicros(moved.At), toMicros(moved.Seen))
	if err != nil || n == 1 {
		return err
	}
	c, err := t.campaign(id, "")
	switch {
	case err != nil:
		return err
	case slices.Contains(m.From, c.State):
		return notify.ErrChanged
	}
	return notify.ErrWrongState
}

// haltCampaign stops a campaign for a reason; one that is not running any more stays as it is.
func (t *tx) haltCampaign(id int64, why notify.Halting, at time.Time) error {
	m := notify.Stop.Move()
	_, err := t.exec(`UPDATE campaigns SET state = $2, reason = $3, detail = $4, updated_at = $5
		WHERE id = $1 AND state IN (`+quoted(m.From)+`)`, id, m.To, why.Reason, why.Detail, toMicros(at))
	return err
}

// quoted writes states of the program's own tables as SQL texts.
func quoted[S ~string](states []S) string {
	parts := make([]string, len(states))
	for i, s := range states {
		parts[i] = "'" + string(s) + "'"
	}
	return strings.Join(parts, ",")
}
