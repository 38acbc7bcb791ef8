package store

import (
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// inOneMoment has two transactions that change calls end at once: the first has done all it does when the second begins, and is committed
// when the second has done what it can without it.
func inOneMoment(t *testing.T, s *Store, first, second func() error) {
	t.Helper()
	exec(t, s, `CREATE FUNCTION wait_to_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(77); RETURN NULL; END $$`)
	exec(t, s, `CREATE CONSTRAINT TRIGGER wait_to_end AFTER UPDATE ON calls DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_to_end()`)
	free := holdRow(t, s, `SELECT 1 FROM (SELECT pg_advisory_xact_lock(77)) AS held`)
	ended := make(chan error, 2)
	for n, run := range []func() error{first, second} {
		go func() { ended <- run() }()
		waitForLocks(t, s, n+1)
	}
	free()
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	exec(t, s, `DROP FUNCTION wait_to_end CASCADE`)
}

// oneCarries: of a household one member waits for their text, and the others for that member.
func oneCarries(t *testing.T, s *Store, others int) {
	t.Helper()
	const waits = `SELECT count(*) FROM deliveries WHERE state = 'planned' AND channel = 'sms' AND `
	if lead, behind := count(t, s, waits+"lead"), count(t, s, waits+"NOT lead"); lead != 1 || behind != others {
		t.Errorf("%d carry the message, %d wait behind them", lead, behind)
	}
}

// fallsAtClaim claims a call and has its members fall to their next channel.
func fallsAtClaim(t *testing.T, s *Store, call int64) error {
	return s.BeginCalls(t.Context(), notify.ClaimQuery{IDs: []int64{call}, Owner: "w", Lease: time.Minute, Zone: time.UTC},
		func(f notify.ClaimFacts) ([]notify.Beginning, error) {
			var all []notify.Beginning
			for _, c := range f.Calls {
				b := notify.Beginning{CallID: c.ID}
				for _, m := range c.Members {
					b.Drops = append(b.Drops, notify.Drop{PersonID: m.PersonID, Event: notify.Fall})
				}
				all = append(all, b)
			}
			return all, nil
		})
}

func TestOfAHouseholdThatFallsFromWeChatAtOnceOneCarriesTheMessage(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, villager{id: 1, phone: phoneOf(1), household: "a"}, villager{id: 2, phone: phoneOf(1), household: "a"})
		bind(t, s, 1, false)
		bind(t, s, 2, false)
		id := approved(t, s, func(spec *notify.Spec) { spec.Channels = []notify.Channel{notify.WeChat, notify.SMS} })
		calls := dispatched(t, s, id, notify.WeChat)
		if len(calls) != 2 {
			t.Fatalf("%d calls", len(calls))
		}
		fall := func(n int) func() error { return func() error { return fallsAtClaim(t, s, calls[n]) } }
		atOnceWhereTheyCan(t, s, fall(0), fall(1))
		oneCarries(t, s, 1)
	})
}

func TestWhoFallsFromWeChatAsTheCarriersTextIsRefusedCarriesTheMessage(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, villager{id: 1, phone: phoneOf(1), household: "a"}, villager{id: 2, phone: phoneOf(1), household: "a"})
		bind(t, s, 2, false)
		id := approved(t, s, func(spec *notify.Spec) { spec.Channels = []notify.Channel{notify.WeChat, notify.SMS} })
		texts := dispatched(t, s, id, notify.SMS)
		begun(t, s, texts)
		notices, _, err := s.Dispatch(t.Context(), id, notify.WeChat, time.Now(), 100)
		if err != nil || len(texts) != 1 || len(notices) != 1 {
			t.Fatal(texts, notices, err)
		}
		refused := func() error {
			return s.SettleCalls(t.Context(), []notify.CallResult{{CallID: texts[0], Event: notify.Refuse, Code: "isv.MOBILE_NUMBER_ILLEGAL"}})
		}
		falls := func() error { return fallsAtClaim(t, s, notices[0]) }
		atOnceWhereTheyCan(t, s, refused, falls)
		oneCarries(t, s, 0)
	})
}

// atOnceWhereTheyCan is inOneMoment; SQLite has one writer.
func atOnceWhereTheyCan(t *testing.T, s *Store, first, second func() error) {
	t.Helper()
	if s.d == postgresDialect {
		inOneMoment(t, s, first, second)
		return
	}
	for _, run := range []func() error{first, second} {
		if err := run(); err != nil {
			t.Fatal(err)
		}
	}
}
