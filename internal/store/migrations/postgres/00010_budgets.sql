-- What regions may spend on campaigns by SMS and telephone, and what calls have taken out of it. Money in millionths of
-- a yuan; month as 202611.

-- +goose Up
CREATE TABLE budgets (
    region     TEXT COLLATE "C" NOT NULL,                 -- 2, 4, 6, 9 or 12 digits
    month      INTEGER NOT NULL,
    amount     BIGINT  NOT NULL,                 -- -1: no limit
    used       BIGINT  NOT NULL DEFAULT 0,
    updated_at BIGINT  NOT NULL,
    PRIMARY KEY (region, month)
);

-- 0: reserved, the call's end is open; 1: given back, though a late answer may still say that it went; 2: for good.
CREATE TABLE budget_uses (
    call_id BIGINT  NOT NULL,
    region  TEXT    COLLATE "C" NOT NULL,
    month   INTEGER NOT NULL,
    amount  BIGINT  NOT NULL,
    state   INTEGER NOT NULL DEFAULT 0,
    at      BIGINT  NOT NULL,
    PRIMARY KEY (call_id, region)
);
CREATE INDEX budget_uses_open ON budget_uses (call_id) WHERE state < 2;

-- Codes to a number are counted before another is sent.
CREATE INDEX outbox_codes ON outbox (phone_idx, created_at) WHERE kind = 'verification';

-- +goose Down
DROP INDEX outbox_codes;
DROP TABLE budget_uses;
DROP TABLE budgets;
