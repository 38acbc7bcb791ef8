-- +goose Up

-- Numbers to which the carrier lets no text of ours through, and when it last said so.
CREATE TABLE blacklisted (
    phone_idx BYTEA  PRIMARY KEY,
    at        BIGINT NOT NULL
);
CREATE INDEX blacklisted_age ON blacklisted (at);
-- Somebody has such a number: a claim looks into blacklisted for these alone.
ALTER TABLE people ADD COLUMN blacklisted BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE people DROP COLUMN blacklisted;
DROP TABLE blacklisted;
