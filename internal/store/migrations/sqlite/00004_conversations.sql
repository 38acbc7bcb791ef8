-- +goose Up

-- Who writes to us. who_idx is the blind index of the openid (channel wechat) or phone (channel sms).
-- The row is also the lock of a person's turn. customer_* is the quota of customer messages after a message
-- of theirs (5 in 48 h), click_* after a menu click, follow or scan (3 in 1 min).
CREATE TABLE contacts (
    channel         TEXT    NOT NULL,
    who_idx         BLOB    NOT NULL,
    who             BLOB    NOT NULL,
    language        TEXT    NOT NULL DEFAULT '',
    language_chosen BOOLEAN NOT NULL DEFAULT FALSE,
    follows         BOOLEAN NOT NULL DEFAULT FALSE,
    scene           TEXT    NOT NULL DEFAULT '',
    first_seen_at   BIGINT  NOT NULL,
    last_inbound_at BIGINT  NOT NULL,
    customer_left   BIGINT  NOT NULL DEFAULT 0,
    customer_until  BIGINT  NOT NULL DEFAULT 0,
    click_left      BIGINT  NOT NULL DEFAULT 0,
    click_until     BIGINT  NOT NULL DEFAULT 0,
    status_day      TEXT    NOT NULL DEFAULT '',
    status_used     BIGINT  NOT NULL DEFAULT 0,
    replies_used    BIGINT  NOT NULL DEFAULT 0,
    PRIMARY KEY (channel, who_idx)
);

-- An openid's people. until = 0: holds now.
CREATE TABLE bindings (
    openid_idx BLOB   NOT NULL,
    person_id  BIGINT NOT NULL,
    relation   TEXT   NOT NULL,
    since      BIGINT NOT NULL,
    until      BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX bindings_now ON bindings (openid_idx, person_id) WHERE until = 0;
CREATE INDEX bindings_person ON bindings (person_id) WHERE until = 0;

-- Consent to subscription notices, per template, as the platform's events say.
CREATE TABLE consents (
    openid_idx  BLOB    NOT NULL,
    template_id TEXT    NOT NULL,
    accepted    BOOLEAN NOT NULL,
    at          BIGINT  NOT NULL,
    PRIMARY KEY (openid_idx, template_id)
);

CREATE TABLE sessions (
    channel    TEXT   NOT NULL,
    who_idx    BLOB   NOT NULL,
    body       BLOB   NOT NULL,
    updated_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (channel, who_idx)
);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- What came in and the reply it got; a copy gets the same reply. Purged after a day.
CREATE TABLE inbound (
    key   TEXT   NOT NULL PRIMARY KEY,
    reply BLOB   NOT NULL,
    at    BIGINT NOT NULL
);
CREATE INDEX inbound_at ON inbound (at);

-- The transcript, masked before it is sealed.
CREATE TABLE turns (
    channel   TEXT   NOT NULL,
    who_idx   BLOB   NOT NULL,
    at        BIGINT NOT NULL,
    person_id BIGINT,
    intent    TEXT   NOT NULL,
    body      BLOB   NOT NULL,
    PRIMARY KEY (channel, who_idx, at)
);
CREATE INDEX turns_at ON turns (at);

-- Wrong codes, lock-outs and the codes sent, per openid, per ID number and per phone.
CREATE TABLE identity_checks (
    subject_idx  BLOB   NOT NULL PRIMARY KEY,
    wrong        BIGINT NOT NULL DEFAULT 0,
    wrong_at     BIGINT NOT NULL DEFAULT 0,
    locked_until BIGINT NOT NULL DEFAULT 0,
    sent_at      BIGINT NOT NULL DEFAULT 0,
    hour_from    BIGINT NOT NULL DEFAULT 0,
    hour_sent    BIGINT NOT NULL DEFAULT 0
);

-- The open identity check of an openid. person_id NULL: nobody on file fits, and no code was sent.
CREATE TABLE codes (
    openid_idx  BLOB   NOT NULL PRIMARY KEY,
    id_idx      BLOB   NOT NULL,
    person_id   BIGINT,
    hash        BLOB   NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);

-- Who wants no campaigns. Exactly one of the three subjects is set: a phone (SMS and voice to that number,
-- whoever is on it), a person (every channel), or an openid that stands for nobody or for a proxy (its own feed).
CREATE TABLE opt_outs (
    phone_idx  BLOB   UNIQUE,
    person_id  BIGINT UNIQUE,
    openid_idx BLOB   UNIQUE,
    via        TEXT   NOT NULL,
    at         BIGINT NOT NULL
);

-- Wishes to be called or answered by a person.
CREATE TABLE wishes (
    id          BIGINT NOT NULL PRIMARY KEY,
    channel     TEXT   NOT NULL,
    who_idx     BLOB   NOT NULL,
    person_id   BIGINT,
    region_code TEXT   NOT NULL DEFAULT '',
    topic       TEXT   NOT NULL,
    words       BLOB   NOT NULL,
    state       TEXT   NOT NULL DEFAULT 'open',
    at          BIGINT NOT NULL,
    settled_at  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX wishes_open ON wishes (region_code, at) WHERE state = 'open';

-- SMS that conversations ask for: identity codes and answers. The life is drawn in notify/notice.go.
CREATE TABLE outbox (
    id           BIGINT NOT NULL PRIMARY KEY,
    kind         TEXT   NOT NULL,
    template_key TEXT   NOT NULL,
    phone        BLOB   NOT NULL,
    phone_idx    BLOB   NOT NULL,
    params       BLOB   NOT NULL,
    person_id    BIGINT,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    state        TEXT   NOT NULL,
    tries        BIGINT NOT NULL DEFAULT 0,
    lease_until  BIGINT NOT NULL DEFAULT 0,
    next_at      BIGINT NOT NULL DEFAULT 0,
    out_id       TEXT   NOT NULL DEFAULT '',
    platform_id  TEXT   NOT NULL DEFAULT '',
    code         TEXT   NOT NULL DEFAULT '',
    settled_at   BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX outbox_waiting ON outbox (next_at, id) WHERE state IN ('queued', 'sending');

-- +goose Down
DROP TABLE outbox;
DROP TABLE wishes;
DROP TABLE opt_outs;
DROP TABLE codes;
DROP TABLE identity_checks;
DROP TABLE turns;
DROP TABLE inbound;
DROP TABLE sessions;
DROP TABLE consents;
DROP TABLE bindings;
DROP TABLE contacts;
