-- Campaigns and what became of them. A delivery is one person in one campaign, a call one request to a platform
-- with its members, an attempt one channel's try that ended otherwise than by plain acceptance.
-- month is the campaign's month as 202611. Times are UTC microseconds, 0: never.

-- +goose Up
CREATE TABLE templates (
    key        TEXT   PRIMARY KEY,
    kind       TEXT   NOT NULL,
    body       TEXT   NOT NULL,                  -- notify.Template as JSON
    updated_at BIGINT NOT NULL
);

CREATE TABLE campaigns (
    id            BIGINT  PRIMARY KEY,
    month         INTEGER NOT NULL,
    state         TEXT    NOT NULL,
    reason        TEXT    NOT NULL DEFAULT '',   -- why it was halted: a locale key
    detail        TEXT    NOT NULL DEFAULT '',   -- the code and words behind the reason
    name          TEXT    NOT NULL,
    kind          TEXT    NOT NULL,
    template_key  TEXT    NOT NULL,
    template      TEXT    NOT NULL DEFAULT '',   -- the template as it stood at submit, JSON
    spec          TEXT    NOT NULL,              -- the campaign file, JSON
    scope         TEXT    NOT NULL,              -- the author's region, ANDed into the audience
    author_id     BIGINT  NOT NULL,
    editor_id     BIGINT  NOT NULL,              -- who changed it last
    approver_id   BIGINT  NOT NULL DEFAULT 0,
    starts_at     BIGINT  NOT NULL DEFAULT 0,    -- 0: at once
    expires_at    BIGINT  NOT NULL DEFAULT 0,
    plan_cursor   BIGINT  NOT NULL DEFAULT 0,    -- the last person planned
    planned_at    BIGINT  NOT NULL DEFAULT 0,    -- when the plan was complete
    wechat_cursor BIGINT  NOT NULL DEFAULT 0,    -- the last person whose row was dispatched for the first time
    sms_cursor    BIGINT  NOT NULL DEFAULT 0,
    voice_cursor  BIGINT  NOT NULL DEFAULT 0,
    outcomes      TEXT    NOT NULL DEFAULT '',   -- the last 500 receipts, one letter each
    raised        INTEGER NOT NULL DEFAULT 0,    -- how often staff went on after a halt
    check_at      BIGINT  NOT NULL DEFAULT 0,    -- when to see again whether it is finished
    created_at    BIGINT  NOT NULL,
    updated_at    BIGINT  NOT NULL,
    submitted_at  BIGINT  NOT NULL DEFAULT 0,
    approved_at   BIGINT  NOT NULL DEFAULT 0,
    started_at    BIGINT  NOT NULL DEFAULT 0,
    finished_at   BIGINT  NOT NULL DEFAULT 0
);
CREATE INDEX campaigns_state ON campaigns (state);

-- No index on what changes in the ordinary course (state, call), so that updates stay within their page (HOT).
-- First dispatch goes by the campaign's cursors; a row that comes back waits under wake_at.
CREATE TABLE deliveries (
    month       INTEGER  NOT NULL,
    campaign_id BIGINT   NOT NULL,
    person_id   BIGINT   NOT NULL,
    state       TEXT     NOT NULL,
    reason      TEXT     NOT NULL DEFAULT '',    -- why skipped; the platform's code where failed
    channel     TEXT     NOT NULL,               -- the channel it is on, '' where there is none
    later       TEXT     NOT NULL DEFAULT '',    -- the channels after it that the person has, comma-separated
    lead        BOOLEAN  NOT NULL,               -- carries the message for its household and phone
    shared      BOOLEAN  NOT NULL,               -- somebody else on file has the same number
    phone_idx   BYTEA,
    household   TEXT     COLLATE "C" NOT NULL,
    call_id     BIGINT   NOT NULL DEFAULT 0,     -- the call it is in, or the last one that was begun
    tries       INTEGER  NOT NULL DEFAULT 0,     -- refusals that asked for another try on this channel
    wake_at     BIGINT   NOT NULL DEFAULT 0,     -- planned again: due then
    waits_from  BIGINT   NOT NULL DEFAULT 0,     -- the cap has held it back since
    sent_at     BIGINT   NOT NULL DEFAULT 0,     -- when something may first have gone out: counts for the cap
    updated_at  BIGINT   NOT NULL,
    PRIMARY KEY (month, campaign_id, person_id)
) PARTITION BY LIST (month);
CREATE INDEX deliveries_person ON deliveries (person_id);
CREATE INDEX deliveries_phone ON deliveries (phone_idx) WHERE phone_idx IS NOT NULL;
CREATE INDEX deliveries_wake ON deliveries (campaign_id, wake_at) WHERE wake_at > 0;

CREATE TABLE calls (
    id           BIGINT  PRIMARY KEY,
    month        INTEGER NOT NULL,
    campaign_id  BIGINT  NOT NULL,
    channel      TEXT    NOT NULL,
    route        TEXT    NOT NULL DEFAULT '',    -- WeChat: which of the three ways it took
    state        TEXT    NOT NULL,
    members      BYTEA   NOT NULL,               -- 24 bytes each: person id and the phone's blind index
    previous_id  BIGINT  NOT NULL DEFAULT 0,     -- the call whose members these were before
    owner        TEXT    NOT NULL DEFAULT '',
    lease_until  BIGINT  NOT NULL DEFAULT 0,
    signed_at    BIGINT  NOT NULL DEFAULT 0,     -- the request's Timestamp
    begun_at     BIGINT  NOT NULL DEFAULT 0,
    presented_at BIGINT  NOT NULL DEFAULT 0,     -- the last presentation
    looks        INTEGER NOT NULL DEFAULT 0,     -- looks made that found nothing
    spent        BOOLEAN NOT NULL DEFAULT FALSE, -- a presentation was answered: these bytes can't be taken any more
    wake_at      BIGINT  NOT NULL DEFAULT 0,     -- ring again, take back, look, or fall back: by state
    biz_id       TEXT    NOT NULL DEFAULT '',
    code         TEXT    NOT NULL DEFAULT '',
    message      TEXT    NOT NULL DEFAULT '',
    created_at   BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL
);
CREATE INDEX calls_open ON calls (campaign_id, channel) WHERE state IN ('queued', 'sending', 'unconfirmed');
CREATE INDEX calls_wake ON calls (wake_at) WHERE wake_at > 0;
CREATE INDEX calls_biz ON calls (biz_id) WHERE biz_id <> '';

CREATE TABLE attempts (
    id          BIGINT  PRIMARY KEY,
    month       INTEGER NOT NULL,
    campaign_id BIGINT  NOT NULL,
    person_id   BIGINT  NOT NULL,
    call_id     BIGINT  NOT NULL,
    channel     TEXT    NOT NULL,
    outcome     TEXT    NOT NULL,                -- refused, failed, unknown, superseded
    code        TEXT    NOT NULL,
    at          BIGINT  NOT NULL
);
CREATE INDEX attempts_delivery ON attempts (campaign_id, person_id);

-- What platforms pushed, as it came: stored in one insert, applied later.
CREATE TABLE receipts (
    id          BIGINT PRIMARY KEY,
    kind        TEXT   NOT NULL,                 -- sms, voice, reply, wechat
    body        BYTEA  NOT NULL,                 -- sealed
    received_at BIGINT NOT NULL,
    applied_at  BIGINT NOT NULL DEFAULT 0,
    verdict     TEXT   NOT NULL DEFAULT ''       -- applied, unknown, forged, unreadable
);
CREATE INDEX receipts_waiting ON receipts (id) WHERE applied_at = 0;
CREATE INDEX receipts_age ON receipts (received_at);

-- +goose Down
DROP TABLE receipts;
DROP TABLE attempts;
DROP TABLE calls;
DROP TABLE deliveries;
DROP TABLE campaigns;
DROP TABLE templates;
