-- The numbers that more than one person has, or once had. Who plans a campaign looks here first: of a number that is not
-- here one person alone is on file. The database keeps it, so that nobody who writes people can forget it.

-- +goose Up
CREATE TABLE shared_numbers (
    phone_idx BLOB PRIMARY KEY
) WITHOUT ROWID;
-- +goose StatementBegin
CREATE TRIGGER people_came AFTER INSERT ON people WHEN NEW.phone_idx IS NOT NULL BEGIN
    INSERT INTO shared_numbers SELECT NEW.phone_idx WHERE EXISTS (SELECT 1 FROM people p WHERE p.phone_idx = NEW.phone_idx AND p.id <> NEW.id)
        ON CONFLICT DO NOTHING;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER people_number_changed AFTER UPDATE OF phone_idx ON people WHEN NEW.phone_idx IS NOT OLD.phone_idx BEGIN
    INSERT INTO shared_numbers SELECT NEW.phone_idx WHERE EXISTS (SELECT 1 FROM people p WHERE p.phone_idx = NEW.phone_idx AND p.id <> NEW.id)
        ON CONFLICT DO NOTHING;
END;
-- +goose StatementEnd
INSERT INTO shared_numbers SELECT phone_idx FROM people WHERE phone_idx IS NOT NULL GROUP BY phone_idx HAVING count(*) > 1;

-- +goose Down
DROP TRIGGER people_came;
DROP TRIGGER people_number_changed;
DROP TABLE shared_numbers;
