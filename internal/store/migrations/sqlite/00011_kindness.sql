-- +goose Up

-- Elder mode: short words, few choices.
ALTER TABLE contacts ADD COLUMN elder BOOLEAN NOT NULL DEFAULT FALSE;

-- Kinds of campaign that somebody does not want; opt_outs stops them all. Exactly one of the two subjects is set.
CREATE TABLE mutes (
    person_id BIGINT,
    phone_idx BLOB,
    kind      TEXT   NOT NULL,
    at        BIGINT NOT NULL
);
CREATE UNIQUE INDEX mutes_person ON mutes (person_id, kind) WHERE person_id IS NOT NULL;
CREATE UNIQUE INDEX mutes_phone ON mutes (phone_idx, kind) WHERE phone_idx IS NOT NULL;

-- SQLite's writer is alone: the purge may not read a whole table while others wait.
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- +goose Down
DROP INDEX sessions_expiry;
DROP TABLE mutes;
ALTER TABLE contacts DROP COLUMN elder;
