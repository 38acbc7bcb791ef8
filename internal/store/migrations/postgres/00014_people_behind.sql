-- The people behind the bot: what an item of the inbox is about, whom it was passed on to, how it ended without an
-- answer, and the answers on their way.

-- +goose Up
ALTER TABLE wishes ADD COLUMN about_id BIGINT NOT NULL DEFAULT 0;   -- the interest in a posting, or application, it stands for
ALTER TABLE wishes ADD COLUMN passed_to TEXT NOT NULL DEFAULT '';   -- the region whose desk has it now, '': where the person lives
ALTER TABLE wishes ADD COLUMN passed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE wishes ADD COLUMN passed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE wishes ADD COLUMN note BYTEA;                              -- sealed: the word that went with it
ALTER TABLE wishes ADD COLUMN outcome TEXT NOT NULL DEFAULT '';     -- of one closed without an answer
ALTER TABLE wishes ADD COLUMN hint_id BIGINT NOT NULL DEFAULT 0;    -- the SMS that says an answer waits
CREATE INDEX wishes_passed ON wishes (passed_to, id) WHERE state = 'open';

-- A worker's answer on its way by WeChat. The life is drawn in notify/letter.go. office is whom the SMS names that says
-- an answer waits, hint_at when it may go at the earliest.
CREATE TABLE letters (
    id          BIGINT PRIMARY KEY,
    wish_id     BIGINT NOT NULL,
    who_idx     BYTEA NOT NULL,
    body        BYTEA NOT NULL,
    office      TEXT   NOT NULL,
    hint_at     BIGINT NOT NULL,
    state       TEXT   NOT NULL,
    tries       BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    next_at     BIGINT NOT NULL DEFAULT 0,
    code        TEXT   NOT NULL DEFAULT '',
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    settled_at  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX letters_waiting ON letters (next_at, id) WHERE state IN ('queued', 'sending');
CREATE INDEX letters_kept ON letters (who_idx) WHERE state = 'kept';
CREATE INDEX letters_wish ON letters (wish_id);
CREATE INDEX letters_age ON letters (created_at);

-- +goose Down
DROP TABLE letters;
DROP INDEX wishes_passed;
ALTER TABLE wishes DROP COLUMN hint_id;
ALTER TABLE wishes DROP COLUMN outcome;
ALTER TABLE wishes DROP COLUMN note;
ALTER TABLE wishes DROP COLUMN passed_at;
ALTER TABLE wishes DROP COLUMN passed_by;
ALTER TABLE wishes DROP COLUMN passed_to;
ALTER TABLE wishes DROP COLUMN about_id;
