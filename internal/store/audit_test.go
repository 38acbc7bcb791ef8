package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/staff"
)

func line(i int) staff.Entry {
	return staff.Entry{At: time.Unix(int64(i), 0).UTC(), Actor: "lin", Act: staff.DidLook, Object: fmt.Sprintf("person:%d", i)}
}

func TestTheAuditIsOneChainHoweverManyWriteAtOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				if err := s.AppendAudit(ctx, line(i)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n, err := s.VerifyAudit(ctx); n != 20 || err != nil {
			t.Fatalf("%d lines, %v", n, err)
		}
		list, err := s.ListAudit(ctx, "lin", "", 11, 3)
		if err != nil || len(list) != 3 || list[0].ID != 10 || list[2].ID != 8 {
			t.Fatalf("page %+v, %v", list, err)
		}
	})
}

func TestTheDatabaseRefusesToChangeOrDropALineOfTheAudit(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		if err := s.AppendAudit(ctx, line(1)); err != nil {
			t.Fatal(err)
		}
		for _, query := range []string{`UPDATE audit SET actor = 'mei'`, `DELETE FROM audit`} {
			if _, err := s.writer.ExecContext(ctx, query); err == nil {
				t.Errorf("%s passed", query)
			}
		}
	})
}

func TestALineChangedBehindTheProgramsBackBreaksTheChain(t *testing.T) {
	tampers := map[string]string{
		"actor changed": `UPDATE audit SET actor = 'mei' WHERE id = 2`,
		"time changed":  `UPDATE audit SET at = at + 1 WHERE id = 2`,
		"line removed":  `DELETE FROM audit WHERE id = 2`,
		"first removed": `DELETE FROM audit WHERE id = 1`,
	}
	eachStore(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		for i := range 3 {
			if err := s.AppendAudit(ctx, line(i)); err != nil {
				t.Fatal(err)
			}
		}
		allow := []string{`DROP TRIGGER audit_no_update`, `DROP TRIGGER audit_no_delete`}
		if s.d == postgresDialect {
			allow = []string{`DROP TRIGGER audit_no_change ON audit`}
		}
		for _, query := range allow {
			if _, err := s.writer.ExecContext(ctx, query); err != nil {
				t.Fatal(err)
			}
		}
		for name, query := range tampers {
			err := s.write(ctx, "tamper", func(tx *tx) error {
				if _, err := tx.exec(query); err != nil {
					return err
				}
				_, err := tx.verifyAudit()
				return err
			})
			if !errors.Is(err, ErrAuditBroken) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n, err := s.VerifyAudit(ctx); n != 3 || err != nil {
			t.Fatalf("rolled back, yet %d lines, %v", n, err)
		}
	})
}
