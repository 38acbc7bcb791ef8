-- The state of a row that is in a call stands in the call: deliveries.state is '' there, and slot is its place among
-- the call's members. marks has a letter for each member: - in the call, + in it and another channel is left,
-- d delivered, x no longer in it, o taken out before it began. A row that leaves its call has a state of its own again.

-- +goose Up
ALTER TABLE deliveries ADD COLUMN slot SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE calls ADD COLUMN marks TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE calls ADD COLUMN shared BOOLEAN NOT NULL DEFAULT FALSE; -- a member's number is somebody else's too
ALTER TABLE calls ADD COLUMN numbers BIGINT NOT NULL DEFAULT -1;    -- how often numbers on file had changed when it was planned; -1: not known
ALTER TABLE calls ALTER COLUMN members SET STORAGE EXTERNAL;

UPDATE deliveries d SET state = '', slot = (position(int8send(d.person_id) IN c.members) - 1) / 24 + 1
	FROM calls c WHERE c.id = d.call_id AND c.state = d.state AND d.state IN ('queued', 'sending', 'unconfirmed', 'accepted')
		AND position(int8send(d.person_id) IN c.members) > 0;
UPDATE calls SET marks = s.marks, shared = s.shared FROM (
	SELECT c.id, string_agg(CASE WHEN d.person_id IS NULL AND c.begun_at = 0 THEN 'o' WHEN d.person_id IS NULL THEN 'x' WHEN d.later <> '' THEN '+' ELSE '-' END, '' ORDER BY n.i) AS marks,
		COALESCE(bool_or(d.shared), FALSE) AS shared
	FROM calls c CROSS JOIN LATERAL generate_series(1, length(c.members) / 24) AS n(i)
		LEFT JOIN deliveries d ON d.month = c.month AND d.campaign_id = c.campaign_id AND d.call_id = c.id AND d.slot = n.i AND d.state = ''
	GROUP BY c.id) s WHERE s.id = calls.id;
-- Calls that wait without anybody in them, and rows that the cursors of the first dispatch had not come to.
UPDATE calls SET state = 'withdrawn', wake_at = 0 WHERE state = 'queued' AND marks NOT LIKE '%-%' AND marks NOT LIKE '%+%';
UPDATE deliveries SET state = 'planned', wake_at = 1 WHERE state = 'queued' OR state = 'planned' AND lead AND wake_at = 0;
ALTER TABLE campaigns DROP COLUMN wechat_cursor;
ALTER TABLE campaigns DROP COLUMN sms_cursor;
ALTER TABLE campaigns DROP COLUMN voice_cursor;

-- The last 500 receipts of a campaign, one letter each: beside it, so that receipts and the plan don't wait for one another.
CREATE TABLE campaign_outcomes (
	campaign_id BIGINT PRIMARY KEY,
	outcomes    TEXT   NOT NULL
);
INSERT INTO campaign_outcomes SELECT id, outcomes FROM campaigns WHERE outcomes <> '';
ALTER TABLE campaigns DROP COLUMN outcomes;

-- One key serves a person's rows and a campaign's.
ALTER TABLE deliveries DROP CONSTRAINT deliveries_pkey;
ALTER TABLE deliveries ADD PRIMARY KEY (person_id, campaign_id, month);
DROP INDEX deliveries_person;
DROP INDEX deliveries_phone;
CREATE INDEX deliveries_shared ON deliveries (campaign_id, phone_idx) WHERE shared;
CREATE INDEX deliveries_own ON deliveries (campaign_id, state, reason, channel) WHERE state <> '';
CREATE INDEX calls_planned ON calls (campaign_id, channel, id) WHERE state = 'planned';
CREATE INDEX calls_campaign ON calls (campaign_id);

-- +goose Down
DROP INDEX calls_campaign;
DROP INDEX calls_planned;
DROP INDEX deliveries_own;
DROP INDEX deliveries_shared;
ALTER TABLE deliveries DROP CONSTRAINT deliveries_pkey;
ALTER TABLE deliveries ADD PRIMARY KEY (month, campaign_id, person_id);
CREATE INDEX deliveries_person ON deliveries (person_id);
CREATE INDEX deliveries_phone ON deliveries (phone_idx) WHERE phone_idx IS NOT NULL;
ALTER TABLE campaigns ADD COLUMN outcomes TEXT NOT NULL DEFAULT '';
UPDATE campaigns SET outcomes = o.outcomes FROM campaign_outcomes o WHERE o.campaign_id = campaigns.id;
DROP TABLE campaign_outcomes;
ALTER TABLE campaigns ADD COLUMN wechat_cursor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE campaigns ADD COLUMN sms_cursor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE campaigns ADD COLUMN voice_cursor BIGINT NOT NULL DEFAULT 0;
UPDATE deliveries d SET state = CASE WHEN substr(c.marks, d.slot, 1) = 'd' THEN 'delivered' ELSE c.state END,
	sent_at = CASE WHEN d.sent_at = 0 THEN c.begun_at ELSE d.sent_at END,
	wake_at = 0, updated_at = c.updated_at FROM calls c WHERE c.id = d.call_id AND d.state = '';
UPDATE calls SET state = 'queued', wake_at = 1 WHERE state = 'planned';
UPDATE deliveries SET state = 'queued' WHERE state = 'planned' AND call_id IN (SELECT id FROM calls WHERE state = 'queued');
ALTER TABLE calls ALTER COLUMN members SET STORAGE EXTENDED;
ALTER TABLE calls DROP COLUMN numbers;
ALTER TABLE calls DROP COLUMN shared;
ALTER TABLE calls DROP COLUMN marks;
ALTER TABLE deliveries DROP COLUMN slot;
