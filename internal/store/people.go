package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// Domains of the blind indexes of the register.
const (
	phoneDomain = "phone"
	idDomain    = "id_number"
	nameDomain  = "name"
)

// peopleColumns are all columns in the order of personRow and scanPerson. The first importedColumns of them are what an
// import writes; the rest belongs to others or to the row's making.
func peopleColumns() []string {
	return []string{
		"id", "id_idx", "id_number_sealed", "name_idx", "name_sealed", "phone_idx", "phone_sealed", "phone_mobile",
		"remark_sealed", "region", "household_no", "household", "head_relation", "birth_date", "sex", "categories",
		"education", "student", "pupil", "school", "graduated_on", "skills", "labour", "wants_work", "wants_training",
		"wants_business", "employment", "employed", "employer", "placed_on", "status", "disability_level",
		"disability_kind", "health", "language", "hand_fields", "updated_at",
		"wechat_bound", "wechat_subscribed", "opted_out", "last_reached_at", "created_at",
	}
}

const importedColumns = 37

// personSelect are the columns that scanPerson reads, of "people p".
const personSelect = `p.id, p.id_number_sealed, p.name_sealed, p.phone_sealed, p.remark_sealed, p.region, p.household_no,
	p.head_relation, p.birth_date, p.sex, p.categories, p.education, p.student, p.school, p.graduated_on, p.skills, p.labour,
	p.wants_work, p.wants_training, p.wants_business, p.employment, p.employer, p.placed_on, p.status, p.disability_level,
	p.disability_kind, p.health, p.language, p.hand_fields, p.updated_at,
	p.wechat_bound, p.wechat_subscribed, p.opted_out, ` + register.LastReachedSQL

// personOnFile is a person with what others keep on their row.
type personOnFile struct {
	register.Person
	contact register.Contact
}

func (t *tx) people(tail string, args ...any) (list []personOnFile, err error) {
	rows, err := t.query(`SELECT `+personSelect+` FROM people p `+tail, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		p, err := t.scanPerson(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

func (t *tx) scanPerson(rows *sql.Rows) (p personOnFile, err error) {
	var id, name, phone, remark []byte
	var categories, skills, byHand string
	var updated, reached int64
	err = rows.Scan(&p.ID, &id, &name, &phone, &remark, &p.RegionCode, &p.HouseholdNo,
		&p.HeadRelation, &p.BirthDate, &p.Sex, &categories, &p.Education, &p.Student, &p.School, &p.GraduatedOn, &skills, &p.Labour,
		&p.WantsWork, &p.WantsTraining, &p.WantsBusiness, &p.Employment, &p.Employer, &p.PlacedOn, &p.Status, &p.DisabilityLevel,
		&p.DisabilityKind, &p.Health, &p.Language, &byHand, &updated,
		&p.contact.WeChatBound, &p.contact.WeChatSubscribed, &p.contact.OptedOut, &reached)
	if err != nil {
		return p, err
	}
	p.Categories, p.Skills, p.HandFields = register.SplitList(categories), register.SplitList(skills), register.SplitList(byHand)
	p.UpdatedAt, p.contact.LastReachedAt = fromMicros(updated), fromMicros(reached)
	var number, plainPhone string
	err = errors.Join(t.unseal(&number, id, "people", "id_number_sealed", p.ID), t.unseal(&p.Name, name, "people", "name_sealed", p.ID),
		t.unseal(&plainPhone, phone, "people", "phone_sealed", p.ID), t.unseal(&p.Remark, remark, "people", "remark_sealed", p.ID))
	p.IDNumber, p.Phone = register.IDNumber(number), register.Phone(plainPhone)
	return p, err
}

// unseal opens a sealed column into a text; NULL is "".
func (t *tx) unseal(into *string, sealed []byte, table, column string, id int64) error {
	if len(sealed) == 0 {
		return nil
	}
	plain, err := t.keys.Open(sealed, table, column, id)
	if err != nil {
		return fmt.Errorf("open %s of %s %d: %w", column, table, id, err)
	}
	*into = string(plain)
	return nil
}

// sealed is the reverse: "" is NULL.
func (t *tx) sealed(plain, table, column string, id int64) any {
	if plain == "" {
		return nil
	}
	return t.keys.Seal([]byte(plain), table, column, id)
}

// personRow is the person as the columns hold them.
func (t *tx) personRow(p register.Person, at time.Time) (row []any, household string) {
	var phoneIdx any
	token := ""
	if p.Phone != "" {
		idx := t.keys.Index(phoneDomain, string(p.Phone))
		phoneIdx, token = idx, hex.EncodeToString(idx)
	}
	household = register.HouseholdKey(p.HouseholdNo, p.RegionCode, token)
	return []any{
		p.ID, t.keys.Index(idDomain, string(p.IDNumber)), t.sealed(string(p.IDNumber), "people", "id_number_sealed", p.ID),
		t.keys.Index(nameDomain, register.NormaliseName(p.Name)), t.sealed(p.Name, "people", "name_sealed", p.ID),
		phoneIdx, t.sealed(string(p.Phone), "people", "phone_sealed", p.ID), p.Phone.IsMobile(),
		t.sealed(p.Remark, "people", "remark_sealed", p.ID), p.RegionCode, p.HouseholdNo, household, p.HeadRelation,
		p.BirthDate, string(p.Sex), register.JoinList(p.Categories), p.Education, p.Student, p.AtSchool(), p.School,
		p.GraduatedOn, register.JoinList(p.Skills), p.Labour, int64(p.WantsWork), int64(p.WantsTraining), int64(p.WantsBusiness),
		p.Employment, p.InWork(), p.Employer, p.PlacedOn, string(p.Status), int64(p.DisabilityLevel), p.DisabilityKind, p.Health,
		p.Language, register.JoinList(p.HandFields), toMicros(at),
		false, false, false, int64(0), toMicros(at),
	}, household
}

// inScope is the test that "people p" lies inside a scope, with its two parameters from n on.
func inScope(n int) string { return fmt.Sprintf("p.region >= $%d AND p.region < $%d", n, n+1) }

// scopeArgs are the parameters of inScope. The whole province holds those without a region too.
func scopeArgs(scope register.Scope) []any {
	if scope.Prefix == "" {
		return []any{"", ":"}
	}
	return []any{scope.Prefix, register.NextPrefix(scope.Prefix)}
}

// persons drops what is not the register's.
func persons(list []personOnFile) []register.Person {
	out := make([]register.Person, len(list))
	for i, p := range list {
		out[i] = p.Person
	}
	return out
}

// ListPeople lists the people of a scope by id, from the one after an id on.
func (s *Store) ListPeople(ctx context.Context, scope register.Scope, after int64, limit int) (list []register.Person, err error) {
	err = s.read(ctx, "store: list people", func(t *tx) error {
		found, err := t.people(`WHERE `+inScope(1)+` AND p.id > $3 ORDER BY p.id LIMIT $4`, append(scopeArgs(scope), after, limit)...)
		list = persons(found)
		return err
	})
	return list, err
}

// PeopleByID lists those of the ids that are within the scope, by id.
func (s *Store) PeopleByID(ctx context.Context, scope register.Scope, ids []int64) (list []register.Person, err error) {
	err = s.read(ctx, "store: people by id", func(t *tx) error {
		found, err := t.people(`WHERE `+inScope(1)+` AND `+t.among("p.id", 3)+` ORDER BY p.id`, append(scopeArgs(scope), t.idList(ids))...)
		list = persons(found)
		return err
	})
	return list, err
}

// FindPeople finds by exactly one of name, ID number and phone; the two others are empty. Only whole values are found.
func (s *Store) FindPeople(ctx context.Context, scope register.Scope, name string, id register.IDNumber, phone register.Phone, limit int) (list []register.Person, err error) {
	err = s.read(ctx, "store: find people", func(t *tx) error {
		column, idx := "p.name_idx", t.keys.Index(nameDomain, register.NormaliseName(name))
		if id != "" {
			column, idx = "p.id_idx", t.keys.Index(idDomain, string(id))
		} else if phone != "" {
			column, idx = "p.phone_idx", t.keys.Index(phoneDomain, string(phone))
		}
		found, err := t.people(`WHERE `+inScope(1)+` AND `+column+` = $3 ORDER BY p.id LIMIT $4`, append(scopeArgs(scope), idx, limit)...)
		list = persons(found)
		return err
	})
	return list, err
}

// PersonRecord is all that is on file of one person of the scope; register.ErrNotFound.
func (s *Store) PersonRecord(ctx context.Context, scope register.Scope, id int64) (r register.Record, err error) {
	err = s.read(ctx, fmt.Sprintf("store: record of person %d", id), func(t *tx) error {
		r, err = t.record(id)
		if err == nil && !scope.Contains(r.Person.RegionCode) {
			return register.ErrNotFound
		}
		return err
	})
	return r, err
}

// record reads a person with all that hangs on them.
func (t *tx) record(id int64) (register.Record, error) {
	records, err := t.records([]int64{id})
	if err != nil {
		return register.Record{}, err
	}
	if len(records) == 0 {
		return register.Record{}, register.ErrNotFound
	}
	return records[0], nil
}

// records reads the people with these ids, by id, each with all that hangs on them.
func (t *tx) records(ids []int64) ([]register.Record, error) {
	found, err := t.people(`WHERE `+t.among("p.id", 1)+` ORDER BY p.id`, t.idList(ids))
	if err != nil {
		return nil, err
	}
	records := make([]register.Record, len(found))
	at := make(map[int64]*register.Record, len(found))
	for i, p := range found {
		records[i] = register.Record{Person: p.Person, Contact: p.contact}
		at[p.ID] = &records[i]
	}
	for _, read := range []func(map[int64]*register.Record, any) error{t.addCovers, t.addPremiums, t.addSubsidies, t.addPlacements, t.addServices, t.addHouseholds} {
		if err := read(at, t.idList(ids)); err != nil {
			return nil, err
		}
	}
	return records, nil
}

func (t *tx) addServices(at map[int64]*register.Record, ids any) error {
	return t.each(`SELECT person_id, service, year FROM services WHERE `+t.among("person_id", 1)+` ORDER BY person_id, year, service`,
		func(rows *sql.Rows) error {
			var id int64
			var v register.Service
			if err := rows.Scan(&id, &v.Name, &v.Year); err != nil {
				return err
			}
			at[id].Services = append(at[id].Services, v)
			return nil
		}, ids)
}

// addHouseholds counts living members the way the conditions' SQL does.
func (t *tx) addHouseholds(at map[int64]*register.Record, ids any) error {
	return t.each(`SELECT p.id, CASE WHEN p.household = '' THEN 1 ELSE (SELECT COUNT(*) FROM people h WHERE h.household = p.household AND h.household <> '' AND h.status = 'alive') END,
			CASE WHEN p.household <> '' THEN (SELECT COUNT(*) FROM people h WHERE h.household = p.household AND h.household <> '' AND h.status = 'alive' AND h.employed) WHEN p.employed THEN 1 ELSE 0 END,
			CASE WHEN p.household <> '' THEN (SELECT COUNT(*) FROM people h WHERE h.household = p.household AND h.household <> '' AND h.status = 'alive' AND h.pupil) WHEN p.pupil THEN 1 ELSE 0 END
		FROM people p WHERE `+t.among("p.id", 1),
		func(rows *sql.Rows) error {
			var id int64
			var h register.Household
			if err := rows.Scan(&id, &h.Size, &h.Employed, &h.Pupils); err != nil {
				return err
			}
			at[id].Household = h
			return nil
		}, ids)
}

// each runs a query and hands over its rows.
func (t *tx) each(query string, scan func(*sql.Rows) error, args ...any) error {
	rows, err := t.query(query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// PhoneHouseholds lists the keys of the households on file for each of the phones, the dead left out.
func (s *Store) PhoneHouseholds(ctx context.Context, phones []register.Phone) (map[register.Phone][]string, error) {
	found := make(map[register.Phone][]string, len(phones))
	err := s.read(ctx, "store: households of phones", func(t *tx) error {
		clear(found)
		byIdx := make(map[string]register.Phone, len(phones))
		list := make([][]byte, len(phones))
		for i, p := range phones {
			list[i] = t.keys.Index(phoneDomain, string(p))
			byIdx[string(list[i])] = p
		}
		return t.each(`SELECT DISTINCT phone_idx, household FROM people WHERE status <> 'deceased' AND `+t.amongBytes("phone_idx", 1),
			func(rows *sql.Rows) error {
				var idx []byte
				var household string
				err := rows.Scan(&idx, &household)
				found[byIdx[string(idx)]] = append(found[byIdx[string(idx)]], household)
				return err
			}, t.byteList(list))
	})
	return found, err
}

// PeopleFigures counts the living people of a scope.
func (s *Store) PeopleFigures(ctx context.Context, scope register.Scope) (f register.Figures, err error) {
	err = s.read(ctx, "store: count people", func(t *tx) error {
		return t.row(`SELECT COUNT(*), COUNT(CASE WHEN p.phone_mobile THEN 1 END), COUNT(CASE WHEN p.wechat_bound THEN 1 END),
				COUNT(CASE WHEN NOT p.phone_mobile AND NOT p.wechat_bound THEN 1 END), COUNT(CASE WHEN p.opted_out THEN 1 END)
			FROM people p WHERE `+inScope(1)+` AND p.status = 'alive'`, scopeArgs(scope)...).Scan(&f.People, &f.Mobile, &f.WeChat, &f.Unreachable, &f.OptedOut)
	})
	return f, err
}

// CorrectPerson takes what a member of staff gives over what is on file; imports keep it from then on. Absent values
// change nothing. register.ErrNotFound outside the scope.
func (s *Store) CorrectPerson(ctx context.Context, scope register.Scope, id int64, given register.Person, at time.Time) (p register.Person, err error) {
	err = s.write(ctx, fmt.Sprintf("store: correct person %d", id), func(t *tx) (err error) {
		p, err = t.correctPerson(scope, id, given, at)
		return err
	})
	return p, err
}

func (t *tx) correctPerson(scope register.Scope, id int64, given register.Person, at time.Time) (p register.Person, err error) {
	if err := t.lockPeople(); err != nil {
		return p, err
	}
	found, err := t.people(`WHERE `+inScope(1)+` AND p.id = $3`+t.forUpdate(), append(scopeArgs(scope), id)...)
	if err != nil {
		return p, err
	}
	if len(found) == 0 {
		return p, register.ErrNotFound
	}
	p = found[0].Person
	if !p.Correct(given) {
		return p, nil
	}
	row, _ := t.personRow(p, at)
	if err := t.overwrite(peopleTable(), [][]any{row}); err != nil {
		return p, err
	}
	return p, errors.Join(t.numbersChanged(), t.refreshOptedOut([]int64{id}))
}
