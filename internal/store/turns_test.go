package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/flows/turn/turntest"
	"github.com/lingjuli/lingjuli/internal/register"
)

// keptStore lets a golden conversation see what was queued for SMS.
type keptStore struct {
	*Store
	t *testing.T
}

func (k keptStore) Sent() []turn.Message {
	k.t.Helper()
	var sent []turn.Message
	err := k.read(k.t.Context(), "read the outbox", func(tx *tx) error {
		sent = nil
		return tx.each(`SELECT id, kind, template_key, phone, params FROM outbox ORDER BY id`, func(rows *sql.Rows) error {
			var id int64
			var m turn.Message
			var phone, params []byte
			if err := rows.Scan(&id, &m.Kind, &m.Template, &phone, &params); err != nil {
				return err
			}
			plain, err := tx.keys.Open(phone, "outbox", "phone", id)
			if err != nil {
				return err
			}
			m.Phone = register.Phone(plain)
			if plain, err = tx.keys.Open(params, "outbox", "params", id); err != nil {
				return err
			}
			sent = append(sent, m)
			return json.Unmarshal(plain, &sent[len(sent)-1].Params)
		})
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return sent
}

// castOnFile writes the people of a conversation into the register, and binds those who are bound.
func castOnFile(t *testing.T, s *Store, cast []turntest.Person) {
	t.Helper()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, p := range cast {
		r := p.Record(int64(i + 1))
		err := s.write(t.Context(), "put on file", func(tx *tx) error {
			row, _ := tx.personRow(r.Person, at)
			if err := tx.bulkInsert("people", peopleColumns(), [][]any{row}); err != nil {
				return err
			}
			return hangOn(tx, r, at)
		})
		if err != nil {
			t.Fatal(err)
		}
		if p.Bound == "" {
			continue
		}
		who := turn.Who{Channel: turn.WeChat, ID: p.Bound, Key: "bind " + p.Bound, At: at}
		err = s.Turn(t.Context(), who, func(tx turn.Tx) error {
			if _, err := tx.Open(); err != nil { // they have written before
				return err
			}
			return tx.Bind(r.Person.ID)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// doorsOnFile makes the codes of the doorstep that a conversation has, and doubts its numbers.
func doorsOnFile(t *testing.T, s *Store, setting turntest.Setting) {
	t.Helper()
	err := s.write(t.Context(), "doors", func(tx *tx) error {
		for _, d := range setting.Doors {
			if err := tx.newDoor(d.Scene, d.Person, d.Terms(), "li", setting.Now, setting.Now.Add(d.Life)); err != nil {
				return err
			}
		}
		for i, p := range setting.People {
			if !p.Doubted {
				continue
			}
			if err := tx.doubt(tx.keys.Index(phoneDomain, p.Phone), int64(i+1), doubtInvalid, setting.Now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// sheetsOnFile imports what else a conversation finds on file.
func sheetsOnFile(t *testing.T, s *Store, sheets map[register.Kind]string) {
	t.Helper()
	for _, kind := range register.Kinds() {
		if sheets[kind] == "" {
			continue
		}
		report, err := register.Importer{Kind: kind}.Run(t.Context(), strings.NewReader(sheets[kind]), int64(len(sheets[kind])), s)
		if err != nil || len(report.Rejected) > 0 {
			t.Fatalf("%s: %+v, %v", kind, report.Rejected, err)
		}
	}
}

func hangOn(tx *tx, r register.Record, at time.Time) error {
	id, us := r.Person.ID, toMicros(at)
	for _, c := range r.Covers {
		_, err := tx.exec(`INSERT INTO covers (person_id, insurance, year, state, enrolled_on, benefit_state, claiming, place, hand_fields, updated_at)
			VALUES ($1, $2, $3, $4, '', $5, $6, '', '', $7)`, id, string(c.Insurance), c.Year, string(c.State), c.BenefitState, false, us)
		if err != nil {
			return err
		}
	}
	for _, p := range r.Premiums {
		_, err := tx.exec(`INSERT INTO premiums (person_id, insurance, year, due_fen, self_fen, subsidy_fen, deadline, state, paid_on, hand_fields, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', '', $9)`, id, string(p.Insurance), p.Year, p.DueFen, p.SelfFen, p.SubsidyFen, p.Deadline, string(p.State), us)
		if err != nil {
			return err
		}
	}
	for i, s := range r.Subsidies {
		row := id*100 + int64(i)
		_, err := tx.exec(`INSERT INTO subsidies (id, person_id, kind, applied_on, state, amount_fen, state_on, note_sealed, office, office_phone, hand_fields, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', $11)`, row, id, s.Kind, s.AppliedOn, string(s.State), s.AmountFen, s.StateOn,
			tx.sealed(s.Note, "subsidies", "note_sealed", row), s.Office, s.OfficePhone, us)
		if err != nil {
			return err
		}
	}
	return nil
}

func TestGoldenConversationsGoAsWrittenOnBothDatabases(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		turntest.Play(t, "../../flows/testdata/conversations", false, func(t *testing.T, setting turntest.Setting) turntest.Kept {
			emptyConversations(t, s)
			castOnFile(t, s, setting.People)
			sheetsOnFile(t, s, setting.Sheets)
			doorsOnFile(t, s, setting)
			return keptStore{s, t}
		})
	})
}

// emptyConversations makes room for the next conversation: migrating a database for each would take minutes.
func emptyConversations(t *testing.T, s *Store) {
	t.Helper()
	err := s.write(t.Context(), "empty", func(tx *tx) error {
		for _, table := range []string{
			"contacts", "bindings", "consents", "sessions", "inbound", "turns", "identity_checks", "codes", "opt_outs", "wishes", "outbox",
			"covers", "premiums", "subsidies", "benefits", "placements", "signups", "job_interests", "applications", "checkups", "proxies", "doorsteps", "phone_doubts",
			"jobs", "courses", "employers", "fairs", "schools", "pairs", "institutions", "tiers", "people",
		} {
			if _, err := tx.exec("DELETE FROM " + table); err != nil {
				return err
			}
		}
		_, err := tx.exec("DELETE FROM sequences WHERE name <> 'people'") // ids are seen in conversations
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The cast of the tests below: fictional, with a valid checksum.
func chen() turntest.Person {
	id, _ := register.CompleteIDNumber("44180219550101001")
	return turntest.Person{Name: "陈大文", ID: string(id), Phone: "13800000001", Region: "441802103201", Bound: "o-chen"}
}

func host(t *testing.T, s *Store, bell turn.Doorbell) *turn.Service {
	t.Helper()
	return turntest.Service(t, s, time.Now, func() string { return "123456" }, bell)
}

func said(key, who, text string) turn.Inbound {
	return turn.Inbound{Key: key, Channel: turn.WeChat, Who: who, Kind: turn.Text, Text: text, At: time.Now()}
}

func count(t *testing.T, s *Store, query string, args ...any) (n int) {
	t.Helper()
	if err := s.read(t.Context(), "count", func(tx *tx) error { return tx.row(query, args...).Scan(&n) }); err != nil {
		t.Fatal(err)
	}
	return n
}

type bells struct {
	mu   sync.Mutex
	rung []int64
}

func (b *bells) Ring(_ context.Context, id int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rung = append(b.rung, id)
}

func TestCopiesOfAnInputHaveOneEffectAndOneReply(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		castOnFile(t, s, []turntest.Person{chen()})
		service := host(t, s, nil)
		for i, text := range []string{"人工", "屋顶漏水"} {
			answers := make([]turn.Answer, 3)
			var wg sync.WaitGroup
			for j := range answers {
				wg.Go(func() {
					a, err := service.Turn(t.Context(), said(fmt.Sprint("m:", i), "o-chen", text))
					if err != nil {
						t.Error(err)
					}
					answers[j] = a
				})
			}
			wg.Wait()
			stored := 0
			for _, a := range answers {
				if a.Text != answers[0].Text || a.Text == "" {
					t.Errorf("copies got %q and %q", answers[0].Text, a.Text)
				}
				if a.Stored {
					stored++
				}
			}
			if stored != 2 {
				t.Errorf("%d of 3 replies were the stored one, want 2", stored)
			}
		}
		if n := count(t, s, `SELECT COUNT(*) FROM wishes`); n != 1 {
			t.Errorf("%d wishes noted, want 1", n)
		}
	})
}

func TestATurnThatFailsLeavesNothing(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		broken := errors.New("broken")
		who := turn.Who{Channel: turn.WeChat, ID: "o-1", Key: "m:1", At: time.Now()}
		err := s.Turn(t.Context(), who, func(tx turn.Tx) error {
			if _, err := tx.Open(); err != nil {
				return err
			}
			if err := tx.OptOut(0); err != nil {
				return err
			}
			if _, err := tx.Queue(turn.Message{Kind: turn.Reply, Phone: "13800000001"}); err != nil {
				return err
			}
			if err := tx.Close(turn.Closing{Session: []byte("{}"), Reply: []byte("{}")}); err != nil {
				return err
			}
			return broken
		})
		if !errors.Is(err, broken) {
			t.Fatal(err)
		}
		for _, table := range []string{"contacts", "sessions", "inbound", "opt_outs", "outbox"} {
			if n := count(t, s, "SELECT COUNT(*) FROM "+table); n != 0 {
				t.Errorf("%s holds %d rows", table, n)
			}
		}
	})
}

func TestNothingPersonalStandsInTheClear(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		person := chen()
		person.Bound = ""
		castOnFile(t, s, []turntest.Person{person})
		b := &bells{}
		service := host(t, s, b)
		for i, text := range []string{"绑定", person.Name, person.ID, "123456", "人工", "我住北山镇"} {
			if _, err := service.Turn(t.Context(), said(fmt.Sprint("m:", i), "o-chen", text)); err != nil {
				t.Fatal(err)
			}
		}
		if len(b.rung) != 1 {
			t.Errorf("rung %v, want once, for the code", b.rung)
		}
		var dump strings.Builder
		err := s.read(t.Context(), "dump", func(tx *tx) error {
			for _, table := range []string{"contacts", "bindings", "sessions", "inbound", "turns", "identity_checks", "codes", "wishes", "outbox"} {
				rows, err := tx.query("SELECT * FROM " + table)
				if err != nil {
					return err
				}
				if err := dumpRows(&dump, rows); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{person.Name, person.ID, person.Phone, "o-chen", "123456", "北山镇"} {
			if strings.Contains(dump.String(), secret) {
				t.Errorf("%s stands in the clear", secret)
			}
		}
		if n := count(t, s, `SELECT COUNT(*) FROM people WHERE wechat_bound`); n != 1 {
			t.Errorf("%d people are marked bound", n)
		}
	})
}

func dumpRows(dump *strings.Builder, rows *sql.Rows) error {
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(sql.RawBytes)
		}
		if err := rows.Scan(values...); err != nil {
			return err
		}
		for _, v := range values {
			dump.Write(*v.(*sql.RawBytes))
			dump.WriteByte('\n')
		}
	}
	return rows.Err()
}

func TestUnfollowingEndsTheBindingAndErasesTheChat(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		castOnFile(t, s, []turntest.Person{chen()})
		service := host(t, s, nil)
		events := []turn.Inbound{
			said("m:1", "o-chen", "人工"), said("m:2", "o-chen", "屋顶漏水"),
			{Key: "e:1", Channel: turn.WeChat, Who: "o-chen", Kind: turn.ConsentSeen, Consents: []turn.Consent{{TemplateID: "A", Accepted: true}, {TemplateID: "B"}}},
		}
		for _, in := range events {
			if _, err := service.Turn(t.Context(), in); err != nil {
				t.Fatal(err)
			}
		}
		if n := count(t, s, `SELECT COUNT(*) FROM people WHERE wechat_bound AND wechat_subscribed`); n != 1 {
			t.Error("consent did not reach the person")
		}
		if n := count(t, s, `SELECT COUNT(*) FROM consents`); n != 2 {
			t.Errorf("%d consents kept, want 2", n)
		}
		answer, err := service.Turn(t.Context(), turn.Inbound{Key: "e:2", Channel: turn.WeChat, Who: "o-chen", Kind: turn.Unfollow})
		if err != nil || answer.Text != "" {
			t.Errorf("%v, %q", err, answer.Text)
		}
		for _, table := range []string{"contacts", "sessions", "turns", "consents", "codes", "wishes"} {
			if n := count(t, s, "SELECT COUNT(*) FROM "+table); n != 0 {
				t.Errorf("%s still holds %d rows", table, n)
			}
		}
		if n := count(t, s, `SELECT COUNT(*) FROM bindings WHERE until = 0`) + count(t, s, `SELECT COUNT(*) FROM people WHERE wechat_bound OR wechat_subscribed`); n != 0 {
			t.Error("the binding still holds")
		}
	})
}

func TestABindingHasOneOpenIDAndOnePerson(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		id, _ := register.CompleteIDNumber("44180219880202002")
		castOnFile(t, s, []turntest.Person{chen(), {Name: "李秀英", ID: string(id), Region: "441802103201", Bound: "o-li"}})
		bind := func(openid string, person int64) {
			t.Helper()
			who := turn.Who{Channel: turn.WeChat, ID: openid, Key: "k", At: time.Now()}
			if err := s.Turn(t.Context(), who, func(tx turn.Tx) error { return tx.Bind(person) }); err != nil {
				t.Fatal(err)
			}
		}
		bind("o-li", 1) // Li's phone is Chen's now: Chen's old one and Li herself are no longer bound
		if n := count(t, s, `SELECT COUNT(*) FROM bindings WHERE until = 0`); n != 1 {
			t.Errorf("%d bindings hold, want 1", n)
		}
		if n := count(t, s, `SELECT COUNT(*) FROM people WHERE wechat_bound AND id = 1`); n != 1 {
			t.Error("Chen is not marked bound")
		}
		if n := count(t, s, `SELECT COUNT(*) FROM people WHERE wechat_bound AND id = 2`); n != 0 {
			t.Error("Li is still marked bound")
		}
	})
}

func TestAnOptOutHoldsForWhatItWasSaidOn(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		person := chen()
		person.Bound = ""
		castOnFile(t, s, []turntest.Person{person})
		service := host(t, s, nil)
		step := 0
		say := func(channel turn.Channel, who, text string) {
			t.Helper()
			step++
			_, err := service.Turn(t.Context(), turn.Inbound{Key: fmt.Sprint("k", step), Channel: channel, Who: who, Kind: turn.Text, Text: text})
			if err != nil {
				t.Fatal(err)
			}
		}
		say(turn.SMS, "13800000001", "TD")
		say(turn.SMS, "19900000009", "退订") // nobody is on it yet
		if n := count(t, s, `SELECT COUNT(*) FROM opt_outs WHERE phone_idx IS NOT NULL`); n != 2 {
			t.Errorf("%d numbers opted out, want 2", n)
		}
		if n := count(t, s, `SELECT COUNT(*) FROM people WHERE opted_out`); n != 1 {
			t.Error("the person on the number is not marked")
		}
		say(turn.SMS, "13800000001", "恢复")
		if n := count(t, s, `SELECT COUNT(*) FROM people WHERE opted_out`); n != 0 {
			t.Error("the person on the number is still marked")
		}
		say(turn.WeChat, "o-chen", "退订") // before we know who it is
		for _, text := range []string{"绑定", person.Name, person.ID, "123456"} {
			say(turn.WeChat, "o-chen", text)
		}
		if n := count(t, s, `SELECT COUNT(*) FROM opt_outs WHERE person_id = 1`); n != 1 {
			t.Error("what was said before binding did not become the person's")
		}
		say(turn.WeChat, "o-chen", "订阅")
		if n := count(t, s, `SELECT COUNT(*) FROM opt_outs WHERE person_id IS NOT NULL OR openid_idx IS NOT NULL`); n != 0 {
			t.Error("the opt-out still holds")
		}
	})
}

func TestEachInputOpensItsOwnWindowForCustomerMessages(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		service := host(t, s, nil)
		for _, in := range []turn.Inbound{
			{Key: "1", Kind: turn.MenuClick, EventKey: "main_menu"},
			{Key: "2", Kind: turn.ConsentSeen},
		} {
			in.Channel, in.Who = turn.WeChat, "o-1"
			if _, err := service.Turn(t.Context(), in); err != nil {
				t.Fatal(err)
			}
		}
		if n := count(t, s, `SELECT COUNT(*) FROM contacts WHERE customer_left = 0 AND click_left = 3`); n != 1 {
			t.Error("a click opens three messages for a minute")
		}
		if _, err := service.Turn(t.Context(), said("3", "o-1", "你好")); err != nil {
			t.Fatal(err)
		}
		if n := count(t, s, `SELECT COUNT(*) FROM contacts WHERE customer_left = 5 AND customer_until > $1`, toMicros(time.Now().Add(47*time.Hour))); n != 1 {
			t.Error("a message opens five for 48 hours")
		}
		spend := func(at time.Time, times, customer, click int) {
			t.Helper()
			for range times {
				if err := s.SpendCustomerMessage(t.Context(), "o-1", at); err != nil {
					t.Fatal(err)
				}
			}
			if n := count(t, s, `SELECT COUNT(*) FROM contacts WHERE customer_left = $1 AND click_left = $2`, customer, click); n != 1 {
				t.Errorf("not %d and %d are left", customer, click)
			}
		}
		spend(time.Now().Add(49*time.Hour), 1, 5, 3) // nothing is open any more
		spend(time.Now(), 1, 4, 3)
		spend(time.Now(), 6, 0, 1) // then those of the click
		spend(time.Now(), 3, 0, 0)
	})
}

func TestPurgeTakesWhatHasHadItsTimeAndNoMore(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		service := host(t, s, nil)
		for _, who := range []string{"o-1", "o-2"} {
			if _, err := service.Turn(t.Context(), said("k"+who, who, "你好")); err != nil {
				t.Fatal(err)
			}
		}
		for table, n := range purged(t, s, time.Now()) {
			if n != 0 {
				t.Errorf("purged %d of %s", n, table)
			}
		}
		purged(t, s, time.Now().Add(25*time.Hour))
		for table, want := range map[string]int{"sessions": 0, "inbound": 0, "turns": 2, "contacts": 2} {
			if n := count(t, s, "SELECT COUNT(*) FROM "+table); n != want {
				t.Errorf("%s holds %d rows, want %d", table, n, want)
			}
		}
	})
}
