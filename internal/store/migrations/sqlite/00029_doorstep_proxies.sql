-- +goose Up

-- A code of the doorstep may let somebody look after the matters of a person who has neither a phone nor WeChat and agreed to
-- it before the worker: relation, scope and end of that proxy, and how they agreed (spoken, signed). relation '': the code binds.
ALTER TABLE doorsteps ADD COLUMN relation TEXT NOT NULL DEFAULT '';
ALTER TABLE doorsteps ADD COLUMN scope TEXT NOT NULL DEFAULT '';
ALTER TABLE doorsteps ADD COLUMN ends_on TEXT NOT NULL DEFAULT '';
ALTER TABLE doorsteps ADD COLUMN consent TEXT NOT NULL DEFAULT '';
-- Who of the staff saw the consent, and how it was given; '': a code or their own WeChat gave it.
ALTER TABLE proxies ADD COLUMN witness TEXT NOT NULL DEFAULT '';
ALTER TABLE proxies ADD COLUMN consent TEXT NOT NULL DEFAULT '';

-- What whoever agreed has not heard yet. What ended before this is no news.
UPDATE proxies SET shown_at = settled_at WHERE shown_at = 0 AND state IN ('ended', 'refused') AND settled_at > 0;
CREATE INDEX proxies_unheard ON proxies (consent_by) WHERE shown_at = 0;

-- +goose Down
DROP INDEX proxies_unheard;
ALTER TABLE proxies DROP COLUMN consent;
ALTER TABLE proxies DROP COLUMN witness;
ALTER TABLE doorsteps DROP COLUMN consent;
ALTER TABLE doorsteps DROP COLUMN ends_on;
ALTER TABLE doorsteps DROP COLUMN scope;
ALTER TABLE doorsteps DROP COLUMN relation;
