-- +goose Up
CREATE TABLE keys (
	id          BIGINT PRIMARY KEY,
	index_key   BLOB NOT NULL,
	check_value BLOB NOT NULL
);
CREATE TABLE sequences (
	name TEXT PRIMARY KEY,
	next BIGINT NOT NULL
);

-- +goose Down
DROP TABLE sequences;
DROP TABLE keys;
