package store

import (
	"fmt"

	"github.com/lingjuli/lingjuli/internal/register"
)

// onPhoneMost bounds whom one number may stand for in a conversation.
const onPhoneMost = 50

// OnPhone implements turn.People.
func (t *turnTx) OnPhone() ([]int64, error) {
	rows, err := t.query(`SELECT p.id FROM people p WHERE p.phone_idx = $1 AND p.status <> $2
			AND NOT EXISTS (SELECT 1 FROM phone_doubts d WHERE d.phone_idx = p.phone_idx AND d.person_id = p.id) ORDER BY p.id LIMIT $3`,
		t.idx, string(register.Deceased), onPhoneMost)
	if err != nil {
		return nil, fmt.Errorf("find people by phone: %w", err)
	}
	people, err := scanIDs(rows)
	if err != nil {
		return nil, fmt.Errorf("find people by phone: %w", err)
	}
	return people, nil
}

// Record implements turn.People: the person with cover, premiums and subsidies, which is what a conversation tells.
func (t *turnTx) Record(personID int64) (register.Record, error) {
	ids := t.idList([]int64{personID})
	found, err := t.people(`WHERE `+t.among("p.id", 1), ids)
	if err != nil {
		return register.Record{}, fmt.Errorf("read person %d: %w", personID, err)
	}
	if len(found) == 0 {
		return register.Record{}, fmt.Errorf("read person %d: %w", personID, register.ErrNotFound)
	}
	r := register.Record{Person: found[0].Person, Contact: found[0].contact}
	at := map[int64]*register.Record{personID: &r}
	for _, read := range []func(map[int64]*register.Record, any) error{t.addCovers, t.addPremiums, t.addSubsidies} {
		if err := read(at, ids); err != nil {
			return register.Record{}, fmt.Errorf("read the record of person %d: %w", personID, err)
		}
	}
	return r, nil
}
