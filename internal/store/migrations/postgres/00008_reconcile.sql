-- Our books against the carrier's, day by day, in segments: what a call was billed at, and what came of comparing.

-- +goose Up
ALTER TABLE calls ADD COLUMN segments INTEGER NOT NULL DEFAULT 0;  -- of all members of an SMS call, from its beginning
ALTER TABLE outbox ADD COLUMN segments INTEGER NOT NULL DEFAULT 0;

CREATE TABLE reconciliations (
    day         TEXT    NOT NULL,                -- the carrier's, 2006-01-02
    age         INTEGER NOT NULL,                -- so many days after it; 0: by hand, at any time
    lease_until BIGINT  NOT NULL DEFAULT 0,
    done_at     BIGINT  NOT NULL DEFAULT 0,
    body        TEXT    NOT NULL DEFAULT '',     -- notify.Reconciliation as JSON
    PRIMARY KEY (day, age)
);

-- +goose Down
DROP TABLE reconciliations;
ALTER TABLE outbox DROP COLUMN segments;
ALTER TABLE calls DROP COLUMN segments;
