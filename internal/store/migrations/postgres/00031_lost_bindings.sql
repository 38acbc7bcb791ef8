-- How an openid lost its own person, where it has not heard of it yet: moved (another account has them now) or taken (the office
-- ended it). '': nothing to tell.

-- +goose Up
ALTER TABLE bindings ADD COLUMN lost TEXT NOT NULL DEFAULT '';
CREATE INDEX bindings_lost ON bindings (openid_idx) WHERE lost <> '';

-- When a proxy was given, 0: never. Who asked for somebody and was never given anything hears the same as who asked for nobody.
ALTER TABLE proxies ADD COLUMN given_at BIGINT NOT NULL DEFAULT 0;
UPDATE proxies SET given_at = settled_at WHERE state = 'given';

-- +goose Down
DROP INDEX bindings_lost;
ALTER TABLE bindings DROP COLUMN lost;
ALTER TABLE proxies DROP COLUMN given_at;
