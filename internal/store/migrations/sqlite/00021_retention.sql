-- What is deleted after a time is found by it.

-- +goose Up
CREATE INDEX outbox_age ON outbox (created_at);
CREATE INDEX codes_expiry ON codes (expires_at);

-- +goose Down
DROP INDEX codes_expiry;
DROP INDEX outbox_age;
