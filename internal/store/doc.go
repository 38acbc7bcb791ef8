// Package store keeps everything in PostgreSQL or SQLite, behind one set of SQL texts.
//
// Public methods own the transaction, unexported functions of a *tx compose. Times are UTC microseconds in BIGINT,
// civil dates are texts 2006-01-02, money is fen. Personal data is sealed at this edge (package seal) and looked up
// by blind index. dialect.go alone knows which database it is. The package refuses to decide anything: rules live
// in register, notify and flows.
package store
