-- Staff, their sessions, failed logins, and the audit.

-- +goose Up
CREATE TABLE staff (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    name            TEXT    NOT NULL,            -- as shown
    name_key        TEXT    NOT NULL UNIQUE,     -- lower case, for look-ups
    role            TEXT    NOT NULL,
    region          TEXT    NOT NULL DEFAULT '', -- prefix of region codes, empty: the whole province
    password_hash   TEXT    NOT NULL,            -- argon2id, with its parameters and salt
    disabled        BOOLEAN NOT NULL DEFAULT FALSE,
    session_version BIGINT  NOT NULL DEFAULT 1,  -- raised to end every session of this member
    created_at      BIGINT  NOT NULL,
    updated_at      BIGINT  NOT NULL
);

-- One row for each name that somebody failed to log in with, whether it exists or not: an unknown
-- name locks like a known one, so that a lock tells a stranger nothing.
CREATE TABLE staff_logins (
    name_key     TEXT   PRIMARY KEY,
    failed       BIGINT NOT NULL,
    failed_at    BIGINT NOT NULL,
    locked_until BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX staff_logins_failed_at ON staff_logins (failed_at);

CREATE TABLE staff_sessions (
    token_hash BLOB   PRIMARY KEY, -- SHA-256 of the cookie's token: the table opens no session
    session    BLOB   NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX staff_sessions_expires_at ON staff_sessions (expires_at);

-- Append-only. Ids have no gaps; each row's hash covers the row and the hash before it.
CREATE TABLE audit (
    id     INTEGER PRIMARY KEY,
    at     BIGINT NOT NULL,
    actor  TEXT   NOT NULL, -- a member's name, or os:USER for a command
    act    TEXT   NOT NULL,
    object TEXT   NOT NULL, -- kind:id, empty where the act has none
    detail TEXT   NOT NULL, -- JSON, holds no personal data
    prev   BLOB   NOT NULL,
    hash   BLOB   NOT NULL
);
CREATE INDEX audit_actor ON audit (actor, id);
CREATE INDEX audit_object ON audit (object, id);

-- +goose StatementBegin
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'audit is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'audit is append-only');
END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE audit;
DROP TABLE staff_sessions;
DROP TABLE staff_logins;
DROP TABLE staff;
