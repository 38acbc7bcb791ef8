-- +goose Up

-- Codes that a township worker shows on the doorstep: of the scene that a code brings along only a keyed hash is kept.
-- state: open, used, refused, ended. openid_idx: who scanned it first; it is theirs alone.
CREATE TABLE doorsteps (
    id         BIGINT PRIMARY KEY,
    scene_idx  BLOB  NOT NULL UNIQUE,
    person_id  BIGINT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    issued_by  TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    openid_idx BLOB,
    at         BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    settled_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX doorsteps_person ON doorsteps (person_id, at);
CREATE INDEX doorsteps_expiry ON doorsteps (expires_at);

-- Who agrees to a proxy (0: the person), when they saw that it is asked, and when the proxy heard what became of it.
ALTER TABLE proxies ADD COLUMN consent_by BIGINT NOT NULL DEFAULT 0;
ALTER TABLE proxies ADD COLUMN shown_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE proxies ADD COLUMN told_at BIGINT NOT NULL DEFAULT 0;
UPDATE proxies SET consent_by = person_id, told_at = at;
CREATE INDEX proxies_openid ON proxies (openid_idx);
CREATE INDEX proxies_consent ON proxies (consent_by) WHERE state IN ('asked', 'given');

-- What a code is for: '' to say who one is, or to agree to a proxy.
ALTER TABLE codes ADD COLUMN purpose TEXT NOT NULL DEFAULT '';
ALTER TABLE codes ADD COLUMN proxy_id BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE codes DROP COLUMN proxy_id;
ALTER TABLE codes DROP COLUMN purpose;
DROP INDEX proxies_consent;
DROP INDEX proxies_openid;
ALTER TABLE proxies DROP COLUMN told_at;
ALTER TABLE proxies DROP COLUMN shown_at;
ALTER TABLE proxies DROP COLUMN consent_by;
DROP TABLE doorsteps;
