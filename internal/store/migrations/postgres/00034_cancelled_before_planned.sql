-- +goose Up

-- A campaign that was cancelled before all of its audience was planned is planned to its end now. Those of the version before were
-- left as they were, maybe months ago: the audience of today is not theirs.
UPDATE campaigns SET planned_at = updated_at WHERE state = 'cancelled' AND planned_at = 0 AND started_at > 0;

-- +goose Down
SELECT 1;
