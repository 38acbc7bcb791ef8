-- +goose Up

-- Since when a region's month is counted: when the row came into being. 0: a process of the version before made it.
ALTER TABLE budgets ADD COLUMN since BIGINT NOT NULL DEFAULT 0;
-- Of rows that are there the audit tells, where it still does; otherwise only when the amount was last set.
UPDATE budgets SET since = COALESCE((SELECT min(a.at) FROM audit a
    WHERE a.object = 'region:' || budgets.region AND a.act = 'budget.set' AND replace(a.detail::jsonb ->> 'month', '-', '')::integer = budgets.month), budgets.updated_at);

-- +goose Down
ALTER TABLE budgets DROP COLUMN since;
