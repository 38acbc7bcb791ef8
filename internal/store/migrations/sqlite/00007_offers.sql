-- What is on offer and where, what people are paid and where they work, and what they ask for in conversations.
-- Columns as in 00002: fen or -1, civil dates or '', *_sealed, *_idx.

-- +goose Up
CREATE TABLE benefits (
    person_id   BIGINT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    insurance   TEXT NOT NULL,
    month       TEXT NOT NULL,   -- 2026-11
    item        TEXT NOT NULL,
    amount_fen  BIGINT NOT NULL,
    state       TEXT NOT NULL,
    paid_on     TEXT NOT NULL,
    hand_fields TEXT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (person_id, insurance, month, item)
);

CREATE TABLE placements (
    person_id   BIGINT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    employer    TEXT NOT NULL,
    placed_on   TEXT NOT NULL,
    title       TEXT NOT NULL,
    place       TEXT NOT NULL,
    left_on     TEXT NOT NULL,               -- '': still there
    hand_fields TEXT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (person_id, employer, placed_on)
);

CREATE TABLE employers (
    id          BIGINT PRIMARY KEY,
    name        TEXT NOT NULL,
    place       TEXT NOT NULL,
    credit_code TEXT NOT NULL,
    contact     TEXT NOT NULL,
    phone       TEXT NOT NULL,
    hand_fields TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    UNIQUE (name, place)
);

CREATE TABLE fairs (
    id          BIGINT PRIMARY KEY,
    name        TEXT NOT NULL,
    place       TEXT NOT NULL,
    held_on     TEXT NOT NULL,   -- '': open
    region      TEXT NOT NULL,
    host        TEXT NOT NULL,
    phone       TEXT NOT NULL,
    hand_fields TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    UNIQUE (name, place)
);
CREATE INDEX fairs_held_on ON fairs (held_on);

CREATE TABLE schools (
    id          BIGINT PRIMARY KEY,
    name        TEXT NOT NULL,
    place       TEXT NOT NULL,
    subjects    TEXT NOT NULL,
    phone       TEXT NOT NULL,
    admission   TEXT NOT NULL,
    hand_fields TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    UNIQUE (name, place)
);

CREATE TABLE pairs (
    id          BIGINT PRIMARY KEY,
    giver       TEXT NOT NULL,
    region      TEXT NOT NULL,   -- of the county that is helped
    county      TEXT NOT NULL,               -- as written
    kind        TEXT NOT NULL,               -- city, school, '': not given
    hand_fields TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    UNIQUE (giver, region)
);

CREATE TABLE institutions (
    id          BIGINT PRIMARY KEY,
    name        TEXT NOT NULL,
    place       TEXT NOT NULL,
    kind        TEXT NOT NULL,
    region      TEXT NOT NULL,
    phone       TEXT NOT NULL,
    remote      INTEGER NOT NULL,           -- settles for people insured elsewhere: -1 no, 0 unknown, 1 yes
    hand_fields TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    UNIQUE (name, place)
);
CREATE INDEX institutions_region ON institutions (region, kind);

CREATE TABLE tiers (
    id             BIGINT PRIMARY KEY,
    item           TEXT NOT NULL,
    region         TEXT NOT NULL,
    region_name    TEXT NOT NULL,            -- as written
    year           INTEGER NOT NULL,
    for_group      TEXT NOT NULL,            -- '': everybody
    from_fen       BIGINT NOT NULL,
    to_fen         BIGINT NOT NULL,          -- -1: no upper end
    deductible_fen BIGINT NOT NULL,
    percent        INTEGER NOT NULL,         -- hundredths of a per cent, -1: not given
    source         TEXT NOT NULL,
    published_on   TEXT NOT NULL,
    hand_fields    TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    UNIQUE (item, region, year, for_group, from_fen)
);

-- course_id NULL: a wish for a course that there is not yet. told_at: when somebody who moved up was told, 0: not yet.
CREATE TABLE signups (
    id         BIGINT PRIMARY KEY,
    course_id  BIGINT REFERENCES courses (id) ON DELETE CASCADE,
    person_id  BIGINT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    state      TEXT NOT NULL,                -- wish, signed_up, waiting, cancelled, attended, absent
    trade      TEXT NOT NULL,
    at         BIGINT NOT NULL,              -- when this state was asked for: who waited longest moves up
    told_at    BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (course_id, person_id)
);
CREATE UNIQUE INDEX signups_wish ON signups (person_id, trade) WHERE course_id IS NULL;
CREATE INDEX signups_person ON signups (person_id);
CREATE INDEX signups_untold ON signups (id) WHERE told_at = 0;

CREATE TABLE job_interests (
    id         BIGINT PRIMARY KEY,
    job_id     BIGINT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    person_id  BIGINT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    state      TEXT NOT NULL,                -- wanted, told, placed, declined
    at         BIGINT NOT NULL,
    told_at    BIGINT NOT NULL,              -- staff took it up, 0: not yet
    updated_at BIGINT NOT NULL,
    UNIQUE (job_id, person_id)
);
CREATE INDEX job_interests_person ON job_interests (person_id);

CREATE TABLE applications (
    id           BIGINT PRIMARY KEY,
    person_id    BIGINT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    kind         TEXT NOT NULL,
    job_id       BIGINT NOT NULL,            -- 0: any post
    region       TEXT NOT NULL,
    words_sealed BLOB,
    state        TEXT NOT NULL,              -- received, reviewing, approved, returned
    at           BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX applications_open ON applications (person_id, kind, job_id) WHERE state IN ('received', 'reviewing');
CREATE INDEX applications_person ON applications (person_id);

CREATE TABLE checkups (
    id           BIGINT PRIMARY KEY,
    person_id    BIGINT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    employer     TEXT NOT NULL,              -- of the placement it is about, '': none on file
    placed_on    TEXT NOT NULL,
    answer       TEXT NOT NULL,              -- still, left, other
    words_sealed BLOB,
    at           BIGINT NOT NULL
);
CREATE INDEX checkups_person ON checkups (person_id, at);

-- Who looks after whose matters. state: asked, given, refused, ended. ends_on '': no end.
CREATE TABLE proxies (
    id         BIGINT PRIMARY KEY,
    openid_idx BLOB NOT NULL,
    person_id  BIGINT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    relation   TEXT NOT NULL,
    scope      TEXT NOT NULL,                -- |cover|jobs|
    ends_on    TEXT NOT NULL,
    state      TEXT NOT NULL,
    at         BIGINT NOT NULL,
    settled_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX proxies_now ON proxies (openid_idx, person_id) WHERE state IN ('asked', 'given');
CREATE INDEX proxies_person ON proxies (person_id) WHERE state IN ('asked', 'given');

-- The inbox: what was handed over, by when an answer may be expected, and the answer. A wish's last turns are those of
-- its openid or phone up to its time.
ALTER TABLE wishes ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE wishes ADD COLUMN answer BLOB;
ALTER TABLE wishes ADD COLUMN answered_by TEXT NOT NULL DEFAULT '';

-- Every turn changes its session's expiry: without the index the change stays in its page (HOT). The purge reads the
-- table, which holds a day's sessions.
DROP INDEX sessions_expiry;

-- +goose Down
CREATE INDEX sessions_expiry ON sessions (expires_at);
ALTER TABLE wishes DROP COLUMN answered_by;
ALTER TABLE wishes DROP COLUMN answer;
ALTER TABLE wishes DROP COLUMN due_at;
DROP TABLE proxies;
DROP TABLE checkups;
DROP TABLE applications;
DROP TABLE job_interests;
DROP TABLE signups;
DROP TABLE tiers;
DROP TABLE institutions;
DROP TABLE pairs;
DROP TABLE schools;
DROP TABLE fairs;
DROP TABLE employers;
DROP TABLE placements;
DROP TABLE benefits;
