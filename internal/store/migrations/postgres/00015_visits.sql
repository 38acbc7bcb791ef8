-- Visits at the door, as township workers report them by the rows of a visit sheet. Who was told counts as reached by the
-- campaign (0: by no campaign in particular).

-- +goose Up
CREATE TABLE visits (
    id          BIGINT PRIMARY KEY,
    person_id   BIGINT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    campaign_id BIGINT NOT NULL,
    result      TEXT   NOT NULL,                 -- told, absent, moved, wrong
    by_staff    TEXT   NOT NULL,
    at          BIGINT NOT NULL
);
CREATE INDEX visits_person ON visits (person_id, at);

-- +goose Down
DROP TABLE visits;
