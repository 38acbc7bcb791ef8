package store

func (t *tx) blobType() string {
	if t.d == postgresDialect {
		return "BYTEA"
	}
	return "BLOB"
}
