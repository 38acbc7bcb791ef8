package store

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/flows/turn/turntest"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// hamlet is a household with a child, and a neighbour in another township.
func hamlet(t *testing.T, s *Store) time.Time {
	t.Helper()
	castOnFile(t, s, []turntest.Person{
		{Name: "李秀英", ID: "44180219550101004X", Phone: "13800000002", Household: "44180210301", Region: "441802103201"},
		{Name: "陈志强", ID: "441802199005050032", Phone: "13800000003", Household: "44180210301", Region: "441802103201"},
		{Name: "陈小宝", ID: "441802201706060065", Household: "44180210301", Region: "441802103201"},
		{Name: "陈大文", ID: "441802195301010053", Phone: "13800000004", Household: "44180210501", Region: "441802105201"},
	})
	return time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
}

// turnAt runs something in a turn of an openid or a phone.
func turnAt(t *testing.T, s *Store, channel turn.Channel, who string, at time.Time, do func(turn.Tx) error) {
	t.Helper()
	err := s.Turn(t.Context(), turn.Who{Channel: channel, ID: who, Key: at.String() + who, At: at}, func(tx turn.Tx) error {
		if _, err := tx.Open(); err != nil {
			return err
		}
		return do(tx)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func by(at time.Time, act string) staff.Entry {
	return staff.Entry{At: at, Actor: "wang", Act: act, Object: "person:1"}
}

func TestWhoCanNotBeAskedAgreesBeforeAWitnessWhoStandsInTheProxyAndTheAudit(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		at := hamlet(t, s)
		terms := register.DoorTerms{Relation: "mother", Scope: []string{register.ScopeLook}, EndsOn: "2027-02-23", Consent: register.ConsentSigned}
		open := func(person int64) (string, error) {
			return s.OpenProxyDoor(t.Context(), register.Scope{Prefix: "441802103"}, person, 10*time.Minute, terms, by(at, staff.DidOpenDoorstep))
		}
		for person, want := range map[int64]error{1: register.ErrReachable, 2: register.ErrReachable, 3: register.ErrReachable, 4: register.ErrNotFound} {
			if _, err := open(person); !errors.Is(err, want) {
				t.Errorf("person %d: %v, want %v", person, err, want)
			}
		}
		turnAt(t, s, turn.SMS, "13800000002", at, func(tx turn.Tx) error { return tx.DoubtPhone() })
		scene, err := open(1)
		if err != nil {
			t.Fatal(err)
		}
		turnAt(t, s, turn.WeChat, "o-son", at.Add(time.Minute), func(tx turn.Tx) error {
			d, err := tx.ScanDoor(scene)
			if err != nil || !d.Terms.Proxy() || d.Terms.EndsOn != terms.EndsOn {
				t.Fatalf("%+v, %v", d, err)
			}
			_, passed, err := tx.PassDoor(d.ID)
			if !passed {
				t.Error("it did not pass")
			}
			return err
		})
		list, err := s.PersonProxies(t.Context(), register.Scope{}, 1, at.Add(time.Hour))
		if err != nil || len(list) != 1 {
			t.Fatalf("%+v, %v", list, err)
		}
		if p := list[0]; p.State != register.ProxyGiven || p.Witness != "wang" || p.Consent != register.ConsentSigned || p.MayAct() || p.EndsOn != terms.EndsOn {
			t.Errorf("%+v", p)
		}
		audit, err := s.ListAudit(t.Context(), "wang", "person:1", 0, 10)
		if err != nil || len(audit) != 2 || audit[0].Act != staff.DidWitness || audit[0].Detail["consent"] != "signed" {
			t.Errorf("%+v, %v", audit, err)
		}
		turnAt(t, s, turn.WeChat, "o-mum", at.Add(2*time.Hour), func(tx turn.Tx) error { return tx.Bind(1) })
		if _, err := open(1); !errors.Is(err, register.ErrReachable) {
			t.Errorf("with WeChat: %v", err)
		}
	})
}

func TestADoorstepCodeBindsOnceAndOnlyWhoScannedItFirst(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		at := hamlet(t, s)
		scene, err := s.OpenDoorstep(t.Context(), register.Scope{Prefix: "441802103"}, 1, 10*time.Minute, by(at, staff.DidOpenDoorstep))
		if err != nil || !strings.HasPrefix(scene, turn.DoorScene) || len(scene) > 64 {
			t.Fatal(scene, err)
		}
		scan := func(who string, at time.Time) (d register.Door) {
			turnAt(t, s, turn.WeChat, who, at, func(tx turn.Tx) (err error) { d, err = tx.ScanDoor(scene); return err })
			return d
		}
		pass := func(who string, id int64, at time.Time) (passed bool) {
			turnAt(t, s, turn.WeChat, who, at, func(tx turn.Tx) (err error) { _, passed, err = tx.PassDoor(id); return err })
			return passed
		}
		first := scan("o-mum", at.Add(time.Minute))
		if first.State != register.DoorOpen || first.PersonID != 1 {
			t.Fatalf("%+v", first)
		}
		if d := scan("o-thief", at.Add(2*time.Minute)); d.State != register.DoorUsed {
			t.Errorf("a second one who scans it: %+v", d)
		}
		if pass("o-thief", first.ID, at.Add(3*time.Minute)) {
			t.Error("somebody passed who did not scan it first")
		}
		if d := scan("o-mum", at.Add(4*time.Minute)); d.State != register.DoorOpen {
			t.Errorf("scanned again by the same: %+v", d)
		}
		if !pass("o-mum", first.ID, at.Add(5*time.Minute)) || pass("o-mum", first.ID, at.Add(6*time.Minute)) {
			t.Error("it must pass once")
		}
		if d := scan("o-mum", at.Add(7*time.Minute)); d.State != register.DoorUsed {
			t.Errorf("used: %+v", d)
		}
		r, err := s.PersonRecord(t.Context(), register.Scope{}, 1)
		if err != nil || !r.Contact.WeChatBound {
			t.Errorf("not bound: %+v %v", r.Contact, err)
		}
		list, err := s.ListAudit(t.Context(), "wang", "person:1", 0, 10)
		if err != nil || len(list) != 2 || list[0].Act != staff.DidBind || list[1].Act != staff.DidOpenDoorstep {
			t.Errorf("audit %+v, %v", list, err)
		}
		if n, err := s.VerifyAudit(t.Context()); n < 2 || err != nil {
			t.Error(n, err)
		}
	})
}

func TestOfManyWhoScanADoorstepCodeAtOnceOneHasIt(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		at := hamlet(t, s)
		scene, err := s.OpenDoorstep(t.Context(), register.Scope{}, 1, 10*time.Minute, by(at, staff.DidOpenDoorstep))
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		var open, used atomic.Int64
		for _, who := range []string{"o-a", "o-b", "o-c", "o-d", "o-e"} {
			all.Go(func() {
				var state register.DoorState
				err := s.Turn(t.Context(), turn.Who{Channel: turn.WeChat, ID: who, Key: who, At: at}, func(tx turn.Tx) error {
					if _, err := tx.Open(); err != nil {
						return err
					}
					d, err := tx.ScanDoor(scene)
					state = d.State
					return err
				})
				switch {
				case err != nil:
					t.Error(err)
				case state == register.DoorOpen:
					open.Add(1)
				case state == register.DoorUsed:
					used.Add(1)
				}
			})
		}
		all.Wait()
		if open.Load() != 1 || used.Load() != 4 {
			t.Errorf("%d have it, %d came too late", open.Load(), used.Load())
		}
	})
}

func TestADoorstepCodeEndsByTimeByANewerOneAndByRefusal(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		at := hamlet(t, s)
		open := func(person int64, at time.Time) string {
			scene, err := s.OpenDoorstep(t.Context(), register.Scope{}, person, 10*time.Minute, by(at, staff.DidOpenDoorstep))
			if err != nil {
				t.Fatal(err)
			}
			return scene
		}
		scan := func(scene, who string, at time.Time) (d register.Door) {
			turnAt(t, s, turn.WeChat, who, at, func(tx turn.Tx) (err error) { d, err = tx.ScanDoor(scene); return err })
			return d
		}
		old := open(1, at)
		if d := scan(old, "o-late", at.Add(10*time.Minute)); d.State != register.DoorLate {
			t.Errorf("late: %+v", d)
		}
		newer := open(1, at.Add(time.Minute))
		if d := scan(old, "o-a", at.Add(2*time.Minute)); d.State != register.DoorLate {
			t.Errorf("a newer one ends it: %+v", d)
		}
		d := scan(newer, "o-a", at.Add(3*time.Minute))
		turnAt(t, s, turn.WeChat, "o-a", at.Add(4*time.Minute), func(tx turn.Tx) error { return tx.RefuseDoor(d.ID) })
		if d := scan(newer, "o-a", at.Add(5*time.Minute)); d.State != register.DoorUsed {
			t.Errorf("refused: %+v", d)
		}
		if d := scan("door_unknown", "o-a", at.Add(6*time.Minute)); d.State != register.DoorNone {
			t.Errorf("unknown: %+v", d)
		}
		slow := scan(open(2, at.Add(7*time.Minute)), "o-b", at.Add(8*time.Minute))
		turnAt(t, s, turn.WeChat, "o-b", at.Add(19*time.Minute), func(tx turn.Tx) error {
			if _, passed, err := tx.PassDoor(slow.ID); passed || err != nil {
				t.Errorf("who thinks it over for too long passes: %v", err)
			}
			return nil
		})
		if _, err := s.OpenDoorstep(t.Context(), register.Scope{Prefix: "441802103"}, 4, time.Minute, by(at, staff.DidOpenDoorstep)); !errors.Is(err, register.ErrNotFound) {
			t.Errorf("somebody of another township: %v", err)
		}
		if list, err := s.ListAudit(t.Context(), "wang", "", 0, 20); err != nil || len(list) != 3 {
			t.Errorf("%d lines of audit, %v", len(list), err)
		}
		kept := 0
		err := s.read(t.Context(), "look", func(tx *tx) error {
			return tx.row(`SELECT COUNT(*) FROM doorsteps WHERE CAST(scene_idx AS TEXT) LIKE '%door_%'`).Scan(&kept)
		})
		if err != nil || kept != 0 {
			t.Errorf("a scene is kept in clear: %d, %v", kept, err)
		}
	})
}

func TestAChildsGuardianIsAnAdultOfItsHousehold(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		at := hamlet(t, s)
		turnAt(t, s, turn.WeChat, "o-x", at, func(tx turn.Tx) error {
			for preferred, want := range map[int64]int64{0: 1, 2: 2, 4: 1} {
				if p, found, err := tx.Guardian(3, preferred); !found || p.PersonID != want || p.Phone == "" || err != nil {
					t.Errorf("preferring %d: %+v %v %v, want %d", preferred, p, found, err, want)
				}
			}
			if p, found, err := tx.Guardian(4, 0); found || err != nil {
				t.Errorf("alone in the household: %+v, %v", p, err)
			}
			return nil
		})
	})
}

func TestAnAccountHearsOnceWhatBecameOfAProxyAndARefusalHoldsForAWeek(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		at := hamlet(t, s)
		ask := func(at time.Time) (id int64) {
			turnAt(t, s, turn.WeChat, "o-son", at, func(tx turn.Tx) (err error) {
				id, err = tx.AskProxy(register.Proxy{PersonID: 1, ConsentBy: 1, Relation: "mother", Scope: []string{register.ScopeLook}, EndsOn: "2027-11-23"})
				return err
			})
			return id
		}
		news := func(who string, person int64, at time.Time) (list []register.ProxyNews) {
			turnAt(t, s, turn.WeChat, who, at, func(tx turn.Tx) (err error) { list, err = tx.ProxyNews(person); return err })
			return list
		}
		first := ask(at)
		if got := news("o-mum", 1, at.Add(time.Minute)); len(got) != 1 || got[0].Mine || got[0].State != register.ProxyAsked {
			t.Fatalf("%+v", got)
		}
		if got := news("o-mum", 1, at.Add(2*time.Minute)); len(got) != 0 {
			t.Errorf("told twice: %+v", got)
		}
		turnAt(t, s, turn.WeChat, "o-mum", at.Add(3*time.Minute), func(tx turn.Tx) error { return tx.SettleProxy(first, register.ProxyRefused) })
		if got := news("o-son", 0, at.Add(4*time.Minute)); len(got) != 1 || !got[0].Mine || got[0].State != register.ProxyRefused || got[0].Name != "李**" {
			t.Errorf("%+v", got)
		}
		if got := news("o-son", 0, at.Add(5*time.Minute)); len(got) != 0 {
			t.Errorf("told twice: %+v", got)
		}
		if id := ask(at.Add(6 * 24 * time.Hour)); id != 0 {
			t.Errorf("asked again within a week: %d", id)
		}
		second := ask(at.Add(8 * 24 * time.Hour))
		if second == 0 || second == first {
			t.Errorf("after a week: %d", second)
		}
		late := at.Add(16 * 24 * time.Hour)
		err := s.Turn(t.Context(), turn.Who{Channel: turn.WeChat, ID: "o-mum", Key: "late", At: late}, func(tx turn.Tx) error {
			return tx.SettleProxy(second, register.ProxyGiven)
		})
		if !errors.Is(err, register.ErrNotFound) {
			t.Errorf("an asking that nobody answered for a week is given: %v", err)
		}
	})
}

func TestTheOfficeEndsAProxyOfItsOwnPeopleAlone(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		at := hamlet(t, s)
		var id int64
		turnAt(t, s, turn.WeChat, "o-son", at, func(tx turn.Tx) (err error) {
			id, err = tx.AskProxy(register.Proxy{PersonID: 1, Relation: "mother", Scope: []string{register.ScopeLook}, EndsOn: "2027-11-23"})
			if err == nil {
				err = tx.SettleProxy(id, register.ProxyGiven)
			}
			return err
		})
		far := register.Scope{Prefix: "441802105"}
		if list, err := s.PersonProxies(t.Context(), far, 1, at); err != nil || len(list) != 0 {
			t.Errorf("another township sees %+v, %v", list, err)
		}
		if _, _, err := s.EndProxy(t.Context(), far, 1, id, register.OfficeWord{}, by(at, staff.DidEndProxy)); !errors.Is(err, register.ErrNotFound) {
			t.Errorf("another township ends it: %v", err)
		}
		list, err := s.PersonProxies(t.Context(), register.Scope{Prefix: "441802103"}, 1, at)
		if err != nil || len(list) != 1 || list[0].OpenID != "" || list[0].Name != "李**" {
			t.Fatalf("%+v, %v", list, err)
		}
		ended, notice, err := s.EndProxy(t.Context(), register.Scope{}, 1, id, register.OfficeWord{Phone: "12345"}, by(at, staff.DidEndProxy))
		if err != nil || ended.OpenID != "o-son" || ended.State != register.ProxyEnded || notice != 0 {
			t.Fatalf("%v %s, text %d: whoever had it is on no file: %v", ended.OpenID == "o-son", ended.State, notice, err)
		}
		turnAt(t, s, turn.WeChat, "o-son", at.Add(time.Minute), func(tx turn.Tx) error {
			list, err := tx.Proxies()
			if err != nil || len(list) != 0 {
				t.Errorf("%+v, %v", list, err)
			}
			news, err := tx.ProxyNews(0)
			if err != nil || len(news) != 1 || news[0].State != register.ProxyEnded {
				t.Errorf("%+v, %v", news, err)
			}
			return nil
		})
	})
}

func TestAProxyEndsByItselfAndThePurgeWritesItDown(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		at := hamlet(t, s)
		var id int64
		turnAt(t, s, turn.WeChat, "o-son", at, func(tx turn.Tx) (err error) {
			id, err = tx.AskProxy(register.Proxy{PersonID: 1, Relation: "mother", EndsOn: "2026-12-23"})
			if err == nil {
				err = tx.SettleProxy(id, register.ProxyGiven)
			}
			return err
		})
		if _, err := s.Purge(t.Context(), at.Add(31*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		var state string
		err := s.read(t.Context(), "look", func(tx *tx) error { return tx.row(`SELECT state FROM proxies WHERE id = $1`, id).Scan(&state) })
		if err != nil || state != string(register.ProxyEnded) {
			t.Errorf("%s, %v", state, err)
		}
	})
}

func TestANumberThatMayHavePassedOnHearsNothingAndGetsNoCode(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		at := hamlet(t, s)
		known := func(at time.Time) (people []int64, phone register.Phone) {
			turnAt(t, s, turn.SMS, "13800000002", at, func(tx turn.Tx) (err error) { people, err = tx.OnPhone(); return err })
			turnAt(t, s, turn.WeChat, "o-x", at, func(tx turn.Tx) error {
				f, _, err := tx.Find("44180219550101004X", "李秀英")
				phone = f.Phone
				return err
			})
			return people, phone
		}
		if people, phone := known(at); len(people) != 1 || phone == "" {
			t.Fatal(people, phone)
		}
		var notice int64
		turnAt(t, s, turn.WeChat, "o-x", at.Add(time.Minute), func(tx turn.Tx) (err error) {
			notice, err = tx.Queue(turn.Message{Kind: turn.Verification, Template: "verify_code", Phone: "13800000002", PersonID: 1, At: at, Expires: at.Add(time.Hour)})
			return err
		})
		err := s.write(t.Context(), "receipt", func(tx *tx) error {
			if _, err := tx.exec(`UPDATE outbox SET state = 'accepted' WHERE id = $1`, notice); err != nil {
				return err
			}
			if v, err := tx.applyToNotice(notice, notify.Report{Phone: "13800000002", ErrCode: "INVALID_NUMBER"}, at); v != verdictApplied || err != nil {
				t.Errorf("verdict %c, %v", v, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if people, phone := known(at.Add(2 * time.Minute)); len(people) != 0 || phone != "" {
			t.Errorf("an invalid number still hears of %v and gets codes: %q", people, phone)
		}
		own, far := register.Scope{Prefix: "441802103"}, register.Scope{Prefix: "441802105"}
		if why, err := s.PhoneDoubt(t.Context(), own, 1); why != "invalid" || err != nil {
			t.Errorf("%q %v", why, err)
		}
		if why, err := s.PhoneDoubt(t.Context(), far, 1); why != "" || err != nil {
			t.Errorf("another township: %q %v", why, err)
		}
		if err := s.TrustPhone(t.Context(), far, 1, by(at, staff.DidTrustPhone)); !errors.Is(err, register.ErrNotFound) {
			t.Errorf("another township: %v", err)
		}
		if err := s.TrustPhone(t.Context(), own, 1, by(at, staff.DidTrustPhone)); err != nil {
			t.Fatal(err)
		}
		if people, phone := known(at.Add(3 * time.Minute)); len(people) != 1 || phone == "" {
			t.Errorf("trusted again: %v %q", people, phone)
		}
		turnAt(t, s, turn.SMS, "13800000002", at.Add(4*time.Minute), func(tx turn.Tx) error { return tx.DoubtPhone() })
		if people, _ := known(at.Add(5 * time.Minute)); len(people) != 0 {
			t.Errorf("who said that they are another still hears of %v", people)
		}
		if _, err := s.CorrectPerson(t.Context(), own, 1, register.Person{Phone: "13900000009"}, at); err != nil {
			t.Fatal(err)
		}
		turnAt(t, s, turn.SMS, "13900000009", at.Add(6*time.Minute), func(tx turn.Tx) error {
			if people, err := tx.OnPhone(); len(people) != 1 || err != nil {
				t.Errorf("a new number is not doubted: %v %v", people, err)
			}
			return nil
		})
	})
}

func TestACodeOfConsentNeverBindsAndAnIdentityCodeNeverConsents(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		at := hamlet(t, s)
		turnAt(t, s, turn.WeChat, "o-son", at, func(tx turn.Tx) error {
			code := turn.Code{Purpose: turn.ToConsent, ProxyID: 7, ID: "44180219550101004X", PersonID: 1, Digits: "123456", At: at, Expires: at.Add(time.Minute)}
			if err := tx.SaveCode(code); err != nil {
				return err
			}
			tried, err := tx.TryCode("123456")
			if err != nil || !tried.Right || tried.Purpose != turn.ToConsent || tried.ProxyID != 7 {
				t.Errorf("%+v, %v", tried, err)
			}
			if open, err := tx.OpenCode("44180219550101004X", turn.ToBind); open || err != nil {
				t.Errorf("it is open for binding: %v", err)
			}
			if open, err := tx.OpenCode("44180219550101004X", turn.ToConsent); !open || err != nil {
				t.Errorf("it is not open for consent: %v", err)
			}
			code.Purpose, code.ProxyID = turn.ToBind, 0
			if err := tx.SaveCode(code); err != nil {
				return err
			}
			if tried, err := tx.TryCode("123456"); err != nil || tried.Purpose != turn.ToBind || tried.ProxyID != 0 {
				t.Errorf("%+v, %v", tried, err)
			}
			return nil
		})
	})
}

func TestOfManyTurnsAtOnceEachKnowsItsOwnFamily(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		at := hamlet(t, s)
		turnAt(t, s, turn.WeChat, "o-mum", at, func(tx turn.Tx) error { return tx.Bind(1) })
		turnAt(t, s, turn.WeChat, "o-son", at, func(tx turn.Tx) error {
			_, err := tx.AskProxy(register.Proxy{PersonID: 1, Relation: "mother", EndsOn: "2027-11-23"})
			return err
		})
		for round := range 5 {
			var all sync.WaitGroup
			for i := range 24 {
				who := []string{"o-son", "o-mum", fmt.Sprint("o-", i)}[i%3]
				all.Go(func() {
					err := s.Turn(t.Context(), turn.Who{Channel: turn.WeChat, ID: who, Key: fmt.Sprint(round, " ", i), At: at.Add(time.Minute)}, func(tx turn.Tx) error {
						o, err := tx.Open()
						if want := i%3 < 2; err == nil && o.Family != want {
							t.Errorf("%s: %v, want %v", who, o.Family, want)
						}
						return errors.Join(err, tx.Close(turn.Closing{Contact: o.Contact, Session: []byte("{}"), Expires: at.Add(time.Hour), Reply: []byte("{}"), Transcript: []byte("{}")}))
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
		}
	})
}

func TestAnAccountHearsOnceThatAnotherOneHasItsPerson(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		at := hamlet(t, s)
		in := func(who string, after time.Duration, do func(turn.Tx) error) {
			turnAt(t, s, turn.WeChat, who, at.Add(after), do)
		}
		hears := func(who string, after time.Duration, want register.Loss) {
			t.Helper()
			err := s.Turn(t.Context(), turn.Who{Channel: turn.WeChat, ID: who, Key: fmt.Sprint(who, after), At: at.Add(after)}, func(tx turn.Tx) error {
				o, err := tx.Open()
				if err != nil {
					return err
				}
				if o.Family != (want != register.LossNone) {
					t.Errorf("%s after %s: there is news: %v", who, after, o.Family)
				}
				loss, err := tx.Loss()
				if loss != want {
					t.Errorf("%s after %s lost %q, want %q", who, after, loss, want)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		bind := func(who string, after time.Duration, wantLost register.OpenID) {
			t.Helper()
			in(who, after, func(tx turn.Tx) error {
				if err := tx.Bind(1); err != nil {
					return err
				}
				lost, _, err := tx.LostTo(1)
				if lost != wantLost {
					t.Errorf("%s took the person from %q, want %q", who, string(lost), string(wantLost))
				}
				return err
			})
		}
		bind("o-first", 1*time.Minute, "")
		bind("o-first", 2*time.Minute, "")
		hears("o-first", 3*time.Minute, register.LossNone)
		bind("o-second", 4*time.Minute, "o-first")
		hears("o-second", 5*time.Minute, register.LossNone)
		hears("o-first", 6*time.Minute, register.LossMoved)
		hears("o-first", 7*time.Minute, register.LossNone)
		bind("o-third", 8*time.Minute, "o-second")
		if err := s.LossTold(t.Context(), "o-second"); err != nil {
			t.Fatal(err)
		}
		hears("o-second", 9*time.Minute, register.LossNone)
		in("o-third", 10*time.Minute, func(tx turn.Tx) error { return tx.Unbind() })
		hears("o-third", 11*time.Minute, register.LossNone)
		bind("o-first", 12*time.Minute, "")
		in("o-first", 13*time.Minute, func(tx turn.Tx) error { return tx.Bind(2) }) // theirs is another's account now
		hears("o-first", 14*time.Minute, register.LossNone)
	})
}

func TestTheOfficeEndsABindingAndBothTheAccountAndThePersonHearOfIt(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		at := hamlet(t, s)
		word := register.OfficeWord{Phone: "0763-3000001", From: at.Add(10 * time.Hour)}
		end := func(scope string) (register.OpenID, int64, error) {
			lost, _, notice, err := s.EndBinding(t.Context(), register.Scope{Prefix: scope}, 1, word, by(at, staff.DidUnbind))
			return lost, notice, err
		}
		if _, _, err := end(""); !errors.Is(err, register.ErrNotFound) {
			t.Errorf("nobody is bound: %v", err)
		}
		turnAt(t, s, turn.WeChat, "o-thief", at, func(tx turn.Tx) error { return tx.Bind(1) })
		turnAt(t, s, turn.WeChat, "o-other", at, func(tx turn.Tx) error {
			return tx.SaveCode(turn.Code{PersonID: 1, ID: "44180219550101004X", Digits: "123456", At: at, Expires: at.Add(time.Hour)})
		})
		if _, _, err := end("441802105"); !errors.Is(err, register.ErrNotFound) {
			t.Errorf("another township ends it: %v", err)
		}
		lost, notice, err := end("441802103")
		if err != nil || lost != "o-thief" || notice == 0 {
			t.Fatalf("%v, text %d, %v", lost == "o-thief", notice, err)
		}
		var template string
		var from, expires int64
		err = s.read(t.Context(), "look", func(tx *tx) error {
			return tx.row(`SELECT template_key, next_at, expires_at FROM outbox WHERE id = $1 AND phone_idx = $2`, notice, tx.keys.Index(phoneDomain, "13800000002")).Scan(&template, &from, &expires)
		})
		if err != nil || template != turn.BindingTaken || from != toMicros(word.From) || expires <= from {
			t.Errorf("%s at %d until %d: %v", template, from, expires, err)
		}
		r, err := s.PersonRecord(t.Context(), register.Scope{}, 1)
		if err != nil || r.Contact.WeChatBound {
			t.Errorf("still bound: %v", err)
		}
		turnAt(t, s, turn.WeChat, "o-thief", at.Add(time.Minute), func(tx turn.Tx) error {
			loss, err := tx.Loss()
			if loss != register.LossTaken {
				t.Errorf("the account heard %q", loss)
			}
			return err
		})
		turnAt(t, s, turn.WeChat, "o-other", at.Add(time.Minute), func(tx turn.Tx) error {
			tried, err := tx.TryCode("123456")
			if tried.Open {
				t.Error("a code that was open binds on")
			}
			return err
		})
		if list, err := s.ListAudit(t.Context(), "wang", "person:1", 0, 10); err != nil || len(list) != 1 || list[0].Act != staff.DidUnbind {
			t.Errorf("audit %+v, %v", list, err)
		}
		turnAt(t, s, turn.WeChat, "o-mum", at.Add(time.Hour), func(tx turn.Tx) error { return tx.Bind(1) })
		turnAt(t, s, turn.SMS, "13800000002", at.Add(time.Hour), func(tx turn.Tx) error { return tx.DoubtPhone() })
		if lost, notice, err := end("441802103"); err != nil || lost != "o-mum" || notice != 0 {
			t.Errorf("a number that may have passed on is told: text %d, %v", notice, err)
		}
	})
}

func TestWhoeverLookedAfterSomebodyIsTextedWhereTheirOwnNumberIsKnown(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		at := hamlet(t, s)
		var id int64
		turnAt(t, s, turn.WeChat, "o-son", at, func(tx turn.Tx) (err error) {
			id, err = tx.AskProxy(register.Proxy{PersonID: 1, Relation: "mother", Scope: []string{register.ScopeLook}, EndsOn: "2027-11-23"})
			return errors.Join(err, tx.SettleProxy(id, register.ProxyGiven), tx.Bind(2))
		})
		_, notice, err := s.EndProxy(t.Context(), register.Scope{}, 1, id, register.OfficeWord{Phone: "12345"}, by(at, staff.DidEndProxy))
		if err != nil || notice == 0 {
			t.Fatalf("text %d: %v", notice, err)
		}
		var template string
		err = s.read(t.Context(), "look", func(tx *tx) error {
			return tx.row(`SELECT template_key FROM outbox WHERE id = $1 AND phone_idx = $2`, notice, tx.keys.Index(phoneDomain, "13800000003")).Scan(&template)
		})
		if err != nil || template != turn.ProxyStopped {
			t.Errorf("%s: %v", template, err)
		}
	})
}
