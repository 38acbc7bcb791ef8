package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lingjuli/lingjuli/internal/staff"
)

// ErrAuditBroken: a line of the audit was changed, removed or put in from outside.
var ErrAuditBroken = errors.New("store: the audit's chain is broken")

// AppendAudit writes one line of the audit by itself. Where an act changes rows, its line is written in the
// same transaction, by tx.audit.
func (s *Store) AppendAudit(ctx context.Context, e staff.Entry) error {
	return s.write(ctx, "store: audit "+e.Act, func(t *tx) error { return t.audit(e) })
}

// audit appends a line to the chain. Appends take turns until their transactions end, so call it last.
func (t *tx) audit(e staff.Entry) error {
	if err := t.lockKey("audit"); err != nil {
		return fmt.Errorf("store: lock the audit: %w", err)
	}
	var last int64
	prev := []byte{}
	err := t.row(`SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1`).Scan(&last, &prev)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("store: read the audit's end: %w", err)
	}
	if e.Detail == nil {
		e.Detail = map[string]string{}
	}
	detail, err := json.Marshal(e.Detail) // keys come out sorted
	if err != nil {
		return fmt.Errorf("store: audit detail: %w", err)
	}
	line := auditLine{id: last + 1, at: toMicros(e.At), actor: e.Actor, act: e.Act, object: e.Object, detail: string(detail), prev: prev}
	_, err = t.exec(`INSERT INTO audit (id, at, actor, act, object, detail, prev, hash) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`,
		line.id, line.at, line.actor, line.act, line.object, line.detail, line.prev, line.hash(t))
	if err != nil {
		return fmt.Errorf("store: audit %s: %w", e.Act, err)
	}
	return nil
}

// auditLine is a row of the audit, in the columns' own types.
type auditLine struct {
	id, at                     int64
	actor, act, object, detail string
	prev                       []byte
}

// hash covers the line and the hash before it, keyed: who can write to the database alone can't mend the chain.
func (l auditLine) hash(t *tx) []byte {
	var b bytes.Buffer
	b.Write(binary.BigEndian.AppendUint64(nil, uint64(l.id)))
	b.Write(binary.BigEndian.AppendUint64(nil, uint64(l.at)))
	for _, field := range []string{l.actor, l.act, l.object, l.detail, string(l.prev)} {
		b.Write(binary.BigEndian.AppendUint32(nil, uint32(len(field))))
		b.WriteString(field)
	}
	return t.keys.MAC("audit", b.String())
}

// ListAudit lists lines before an id (0: from the newest), newest first. actor and object narrow it where not empty.
func (s *Store) ListAudit(ctx context.Context, actor, object string, before int64, limit int) ([]staff.Record, error) {
	var list []staff.Record
	err := s.read(ctx, "store: list audit", func(t *tx) error {
		rows, err := t.query(`SELECT id, at, actor, act, object, detail FROM audit
			WHERE (actor = $1 OR $1 = '') AND (object = $2 OR $2 = '') AND (id < $3 OR $3 = 0)
			ORDER BY id DESC LIMIT $4`, actor, object, before, limit)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var r staff.Record
			var at int64
			var detail string
			if err := rows.Scan(&r.ID, &at, &r.Actor, &r.Act, &r.Object, &detail); err != nil {
				return err
			}
			r.At = fromMicros(at)
			if err := json.Unmarshal([]byte(detail), &r.Detail); err != nil {
				return fmt.Errorf("audit %d: %w", r.ID, err)
			}
			list = append(list, r)
		}
		return rows.Err()
	})
	return list, err
}

// VerifyAudit walks the whole chain and returns how many lines it has. ErrAuditBroken names the first bad line.
func (s *Store) VerifyAudit(ctx context.Context) (int64, error) {
	var count int64
	err := s.read(ctx, "store: verify audit", func(t *tx) error {
		var err error
		count, err = t.verifyAudit()
		return err
	})
	return count, err
}

func (t *tx) verifyAudit() (count int64, err error) {
	rows, err := t.query(`SELECT id, at, actor, act, object, detail, prev, hash FROM audit ORDER BY id`)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	before := []byte{}
	for rows.Next() {
		var l auditLine
		var hash []byte
		if err := rows.Scan(&l.id, &l.at, &l.actor, &l.act, &l.object, &l.detail, &l.prev, &hash); err != nil {
			return count, err
		}
		count++
		if l.id != count || !bytes.Equal(l.prev, before) || !bytes.Equal(hash, l.hash(t)) {
			return count, fmt.Errorf("%w at line %d", ErrAuditBroken, l.id)
		}
		before = hash
	}
	return count, rows.Err()
}
