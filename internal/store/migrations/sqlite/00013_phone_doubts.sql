-- +goose Up

-- Numbers that may be somebody else's by now. A doubt is about one number of one person: another number on file, or
-- another person on this one, starts without it. reason: invalid, said.
CREATE TABLE phone_doubts (
    phone_idx BLOB  NOT NULL,
    person_id BIGINT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    reason    TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (phone_idx, person_id)
);

-- +goose Down
DROP TABLE phone_doubts;
