-- Whom no channel of a campaign reached: the lists for township workers read these rows, and no others.

-- +goose Up
CREATE INDEX deliveries_unreached ON deliveries (campaign_id, person_id)
    WHERE state = 'failed' OR state = 'skipped' AND reason IN ('no_channel', 'frequency_cap', 'budget', 'expired');
-- Calls by telephone that were taken and of which no report says that they were heard.
CREATE INDEX calls_unheard ON calls (campaign_id, id) WHERE channel = 'voice' AND state = 'accepted' AND marks IN ('-', '+');

-- +goose Down
DROP INDEX calls_unheard;
DROP INDEX deliveries_unreached;
