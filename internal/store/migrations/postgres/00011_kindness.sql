-- +goose Up

-- Elder mode: short words, few choices.
ALTER TABLE contacts ADD COLUMN elder BOOLEAN NOT NULL DEFAULT FALSE;

-- Kinds of campaign that somebody does not want; opt_outs stops them all. Exactly one of the two subjects is set.
CREATE TABLE mutes (
    person_id BIGINT,
    phone_idx BYTEA,
    kind      TEXT   NOT NULL,
    at        BIGINT NOT NULL
);
CREATE UNIQUE INDEX mutes_person ON mutes (person_id, kind) WHERE person_id IS NOT NULL;
CREATE UNIQUE INDEX mutes_phone ON mutes (phone_idx, kind) WHERE phone_idx IS NOT NULL;

-- What comes in is kept in the order in which it comes: its times need no more than the ends of each run of pages.
DROP INDEX inbound_at;
DROP INDEX turns_at;
CREATE INDEX inbound_at ON inbound USING brin (at);
CREATE INDEX turns_at ON turns USING brin (at);

-- +goose Down
DROP INDEX turns_at;
DROP INDEX inbound_at;
CREATE INDEX inbound_at ON inbound (at);
CREATE INDEX turns_at ON turns (at);
DROP TABLE mutes;
ALTER TABLE contacts DROP COLUMN elder;
