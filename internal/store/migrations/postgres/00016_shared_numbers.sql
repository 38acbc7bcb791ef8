-- The numbers that more than one person has, or once had. Who plans a campaign looks here first: of a number that is not
-- here one person alone is on file. The database keeps it, so that nobody who writes people can forget it, nor a process
-- of an older version. Writers of numbers take turns: of two who give the same one at once, neither would see the other.

-- +goose Up
CREATE TABLE shared_numbers (
    phone_idx BYTEA PRIMARY KEY
);
-- Both look by the index: before anything is known of the table, all people would be read for every portion of an import.
-- +goose StatementBegin
CREATE FUNCTION people_came() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('import', 0));
    INSERT INTO shared_numbers SELECT DISTINCT c.phone_idx FROM came c
        WHERE (SELECT 1 FROM people p WHERE p.phone_idx = c.phone_idx AND p.id <> c.id LIMIT 1) = 1
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION people_number_changed() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('import', 0));
    INSERT INTO shared_numbers SELECT NEW.phone_idx WHERE EXISTS (SELECT 1 FROM people p WHERE p.phone_idx = NEW.phone_idx AND p.id <> NEW.id)
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER people_came AFTER INSERT ON people REFERENCING NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION people_came();
CREATE TRIGGER people_number_changed AFTER UPDATE OF phone_idx ON people FOR EACH ROW
    WHEN (NEW.phone_idx IS DISTINCT FROM OLD.phone_idx) EXECUTE FUNCTION people_number_changed();
INSERT INTO shared_numbers SELECT phone_idx FROM people WHERE phone_idx IS NOT NULL GROUP BY phone_idx HAVING count(*) > 1;

-- +goose Down
DROP TRIGGER people_came ON people;
DROP TRIGGER people_number_changed ON people;
DROP FUNCTION people_came();
DROP FUNCTION people_number_changed();
DROP TABLE shared_numbers;
