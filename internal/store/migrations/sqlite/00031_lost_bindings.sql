-- How an openid lost its own person, where it has not heard of it yet: moved (another account has them now) or taken (the office
-- ended it). '': nothing to tell.

-- +goose Up
ALTER TABLE bindings ADD COLUMN lost TEXT NOT NULL DEFAULT '';
CREATE INDEX bindings_lost ON bindings (openid_idx) WHERE lost <> '';

-- +goose Down
DROP INDEX bindings_lost;
ALTER TABLE bindings DROP COLUMN lost;
