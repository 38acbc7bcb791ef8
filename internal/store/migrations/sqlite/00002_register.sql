-- What we know of people. Sealed columns are BLOB named *_sealed; *_idx are blind indexes (16-byte HMAC).
-- Lists are TEXT like '|a|b|'. Civil dates are TEXT '2026-01-02' or ''. Amounts are fen, -1: not given.
-- Tri-states: -1 no, 0 unknown, 1 yes. Times are UTC microseconds, 0: never.

-- +goose Up
CREATE TABLE regions (
    code   TEXT PRIMARY KEY,     -- 12 digits
    parent TEXT NOT NULL,        -- '' for the province
    name   TEXT NOT NULL,
    level  INTEGER NOT NULL                 -- 1 province, 2 city, 3 county, 4 town, 5 village
);
CREATE INDEX regions_parent ON regions (parent, name);

CREATE TABLE people (
    id                BIGINT PRIMARY KEY,
    id_idx            BLOB NOT NULL UNIQUE,
    id_number_sealed  BLOB NOT NULL,
    name_idx          BLOB NOT NULL,
    name_sealed       BLOB NOT NULL,
    phone_idx         BLOB,                 -- NULL: no phone on file
    phone_sealed      BLOB,
    phone_mobile      BOOLEAN NOT NULL,
    remark_sealed     BLOB,
    region            TEXT NOT NULL, -- 12 digits
    household_no      TEXT NOT NULL,         -- as written
    household         TEXT NOT NULL, -- key of the household, '' alone; see register.HouseholdKey
    head_relation     TEXT NOT NULL,
    birth_date        TEXT NOT NULL,
    sex               TEXT NOT NULL,
    categories        TEXT NOT NULL,
    education         TEXT NOT NULL,
    student           TEXT NOT NULL,
    pupil             BOOLEAN NOT NULL,      -- student says they are at school now
    school            TEXT NOT NULL,
    graduated_on      TEXT NOT NULL,
    skills            TEXT NOT NULL,
    labour            TEXT NOT NULL,
    wants_work        INTEGER NOT NULL,
    wants_training    INTEGER NOT NULL,
    wants_business    INTEGER NOT NULL,
    employment        TEXT NOT NULL,
    employed          BOOLEAN NOT NULL,      -- employment says they are in work
    employer          TEXT NOT NULL,
    placed_on         TEXT NOT NULL,
    status            TEXT NOT NULL,
    disability_level  INTEGER NOT NULL,
    disability_kind   TEXT NOT NULL,
    health            TEXT NOT NULL,
    language          TEXT NOT NULL,
    hand_fields       TEXT NOT NULL,         -- columns corrected by hand: an import keeps them
    wechat_bound      BOOLEAN NOT NULL,      -- these four are kept by the owners of bindings, consents,
    wechat_subscribed BOOLEAN NOT NULL,      -- opt-outs and deliveries, in their transactions
    opted_out         BOOLEAN NOT NULL,
    last_reached_at   BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL
);
CREATE INDEX people_region ON people (region, id);
CREATE INDEX people_name ON people (name_idx);
CREATE INDEX people_phone ON people (phone_idx) WHERE phone_idx IS NOT NULL;
CREATE INDEX people_household ON people (household) WHERE household <> '';

CREATE TABLE covers (
    person_id     BIGINT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    insurance     TEXT NOT NULL,
    year          INTEGER NOT NULL,
    state         TEXT NOT NULL,
    enrolled_on   TEXT NOT NULL,
    benefit_state TEXT NOT NULL,
    claiming      BOOLEAN NOT NULL,          -- benefit_state says the benefit is being drawn
    place         TEXT NOT NULL,
    hand_fields   TEXT NOT NULL,
    updated_at    BIGINT NOT NULL,
    PRIMARY KEY (person_id, insurance, year)
);

CREATE TABLE premiums (
    person_id   BIGINT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    insurance   TEXT NOT NULL,
    year        INTEGER NOT NULL,
    due_fen     BIGINT NOT NULL,
    self_fen    BIGINT NOT NULL,
    subsidy_fen BIGINT NOT NULL,
    deadline    TEXT NOT NULL,
    state       TEXT NOT NULL,
    paid_on     TEXT NOT NULL,
    hand_fields TEXT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (person_id, insurance, year)
);

CREATE TABLE subsidies (
    id           BIGINT PRIMARY KEY,
    person_id    BIGINT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    kind         TEXT NOT NULL,
    applied_on   TEXT NOT NULL,
    state        TEXT NOT NULL,
    amount_fen   BIGINT NOT NULL,
    state_on     TEXT NOT NULL,
    note_sealed  BLOB,
    office       TEXT NOT NULL,
    office_phone TEXT NOT NULL,
    hand_fields  TEXT NOT NULL,
    updated_at   BIGINT NOT NULL,
    UNIQUE (person_id, kind, applied_on)
);

CREATE TABLE jobs (
    id            BIGINT PRIMARY KEY,
    employer      TEXT NOT NULL,
    title         TEXT NOT NULL,
    kind          TEXT NOT NULL,
    headcount     INTEGER NOT NULL,          -- -1: open
    place         TEXT NOT NULL,
    region        TEXT NOT NULL, -- '' where the posting names none
    wage_min_fen  BIGINT NOT NULL,
    wage_max_fen  BIGINT NOT NULL,
    demands       TEXT NOT NULL,
    contact       TEXT NOT NULL,
    contact_phone TEXT NOT NULL,
    closes_on     TEXT NOT NULL,
    source_city   TEXT NOT NULL,
    held          BOOLEAN NOT NULL,          -- asks for money: waits for staff
    hand_fields   TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    UNIQUE (employer, title, place)
);
CREATE INDEX jobs_region ON jobs (region, id);

CREATE TABLE courses (
    id            BIGINT PRIMARY KEY,
    name          TEXT NOT NULL,
    trade         TEXT NOT NULL,
    provider      TEXT NOT NULL,
    place         TEXT NOT NULL,
    region        TEXT NOT NULL,
    starts_on     TEXT NOT NULL,
    ends_on       TEXT NOT NULL,
    places        INTEGER NOT NULL,          -- -1: open
    allowance_fen BIGINT NOT NULL,
    mode          TEXT NOT NULL,
    phone         TEXT NOT NULL,
    job_title     TEXT NOT NULL,
    hand_fields   TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    UNIQUE (name, provider, starts_on)
);
CREATE INDEX courses_region ON courses (region, id);

-- One line for a person, a service of measure 8 (or training) and a year: it was given at least once.
CREATE TABLE services (
    person_id BIGINT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    service   TEXT NOT NULL,
    year      INTEGER NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (person_id, service, year)
);

-- +goose Down
DROP TABLE services;
DROP TABLE courses;
DROP TABLE jobs;
DROP TABLE subsidies;
DROP TABLE premiums;
DROP TABLE covers;
DROP TABLE people;
DROP TABLE regions;
