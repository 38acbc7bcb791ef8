-- +goose Up

-- The number that somebody has is in doubt: a campaign looks into phone_doubts for these alone.
ALTER TABLE people ADD COLUMN doubted BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE people SET doubted = TRUE WHERE id IN (SELECT person_id FROM phone_doubts)
    AND EXISTS (SELECT 1 FROM phone_doubts x WHERE x.phone_idx = people.phone_idx AND x.person_id = people.id);
-- Who said that they are another on a number also wants nothing: that much of it goes with the doubt.
UPDATE opt_outs SET via = 'not_me' WHERE via = 'sms'
    AND EXISTS (SELECT 1 FROM phone_doubts x WHERE x.phone_idx = opt_outs.phone_idx AND x.reason = 'said' AND x.at = opt_outs.at);
-- The lists of whom nothing reached have them too.
DROP INDEX deliveries_unreached;
CREATE INDEX deliveries_unreached ON deliveries (campaign_id, person_id)
    WHERE state = 'failed' OR state = 'skipped' AND reason IN ('no_channel', 'doubted', 'frequency_cap', 'budget', 'expired');

-- +goose Down
UPDATE opt_outs SET via = 'sms' WHERE via = 'not_me';
DROP INDEX deliveries_unreached;
CREATE INDEX deliveries_unreached ON deliveries (campaign_id, person_id)
    WHERE state = 'failed' OR state = 'skipped' AND reason IN ('no_channel', 'frequency_cap', 'budget', 'expired');
ALTER TABLE people DROP COLUMN doubted;
