-- What the platform counts for a number is counted before anything is sent: texts of one template, codes, calls.

-- +goose Up
DROP INDEX outbox_codes;
CREATE INDEX outbox_number ON outbox (phone_idx, created_at);
CREATE INDEX campaigns_updated ON campaigns (updated_at);

-- +goose Down
DROP INDEX campaigns_updated;
DROP INDEX outbox_number;
CREATE INDEX outbox_codes ON outbox (phone_idx, created_at) WHERE kind = 'verification';
