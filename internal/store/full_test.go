package store

import (
	"errors"
	"fmt"
	"testing"

	"github.com/lingjuli/lingjuli/flows/turn"
)

// fill leaves the database no room to write until the function it gives is called. SQLite itself says that the disk is full where its file may
// not grow, and so does its log; on PostgreSQL the tables of a turn answer what the server answers when it can't extend a file.
func fill(t *testing.T, s *Store) (makeRoom func()) {
	t.Helper()
	if s.d == sqliteDialect {
		exec(t, s, `PRAGMA max_page_count = 1`) // it is never less than what the file has
		return func() { exec(t, s, `PRAGMA max_page_count = 1073741823`) }
	}
	exec(t, s, `CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$`)
	for _, table := range []string{"inbound", "turns", "sequences"} {
		exec(t, s, `CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON `+table+` FOR EACH ROW EXECUTE FUNCTION no_room()`)
	}
	return func() { exec(t, s, `DROP FUNCTION no_room CASCADE`) }
}

// TestAFullDiskKeepsNothingOfATurnAndIsOverWhenThereIsRoom has many turns at once meet it, and one alone.
func TestAFullDiskKeepsNothingOfATurnAndIsOverWhenThereIsRoom(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		big := func(i int) func(turn.Tx) error {
			return func(tx turn.Tx) error {
				if _, err := tx.Open(); err != nil {
					return err
				}
				c := closing(i)
				c.Transcript = make([]byte, 64<<10) // no page that is there already has room for it
				return tx.Close(c)
			}
		}
		say := func(i int) error { return s.Turn(t.Context(), whoSays(i), big(i)) }
		if err := say(0); err != nil {
			t.Fatal(err)
		}
		if err := s.Writable(t.Context()); err != nil {
			t.Fatal(err)
		}
		makeRoom := fill(t, s)
		for i, err := range append(atOnce(t, s, 8, 8, func(i int) error { return say(1 + i) }), say(9)) {
			if !isFull(err) {
				t.Errorf("turn %d: %v", i+1, err)
			}
		}
		if s.d == postgresDialect { // SQLite has room for a number in a page that it has
			if err := s.Writable(t.Context()); !errors.Is(err, ErrFull) {
				t.Errorf("writable: %v", err)
			}
		}
		if got := kept(t, s, 10); got != "r0" {
			t.Errorf("kept: %q", got)
		}
		makeRoom()
		if err := s.Writable(t.Context()); err != nil {
			t.Error(err)
		}
		want := "r0"
		for i := range 9 {
			if err := say(1 + i); err != nil {
				t.Errorf("turn %d with room again: %v", i+1, err)
			}
			want += fmt.Sprint(" r", i+1)
		}
		if got := kept(t, s, 10); got != want {
			t.Errorf("kept: %q", got)
		}
	})
}
