-- +goose Up

-- Somebody, or the number they have, wants nothing of some kind: a campaign looks into mutes for these alone.
ALTER TABLE people ADD COLUMN muted BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE people SET muted = TRUE WHERE id IN (SELECT person_id FROM mutes WHERE person_id IS NOT NULL)
    OR phone_idx IN (SELECT phone_idx FROM mutes WHERE phone_idx IS NOT NULL);

-- +goose Down
ALTER TABLE people DROP COLUMN muted;
