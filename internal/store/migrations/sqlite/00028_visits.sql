-- What came of a visit to somebody whom no channel reached. Rows are only added: the latest of a person and campaign holds.
-- What a visit says of the person (a number, that they died or moved, that they want nothing) stands in the register.

-- +goose Up
CREATE TABLE visits (
    id          BIGINT PRIMARY KEY,
    person_id   BIGINT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    campaign_id BIGINT NOT NULL,                 -- of which they were told, or were to be
    outcome     TEXT   NOT NULL,                 -- reached, not_home, wrong_number, moved_away, died, refused
    by_name     TEXT   NOT NULL,
    at          BIGINT NOT NULL
);
CREATE INDEX visits_person ON visits (person_id, id);
CREATE INDEX visits_campaign ON visits (campaign_id, person_id, id);

-- +goose Down
DROP TABLE visits;
