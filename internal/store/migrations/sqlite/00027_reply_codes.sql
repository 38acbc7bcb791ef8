-- The extension numbers by which a campaign's questions go out, so that a reply names the question that it answers:
-- ",90998,90999," for the first and the second household of a number; "-": it goes without; "": not decided yet.

-- +goose Up
ALTER TABLE campaigns ADD COLUMN reply_codes TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE campaigns DROP COLUMN reply_codes;
