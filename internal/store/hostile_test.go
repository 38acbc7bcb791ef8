package store

import (
	"errors"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
)

// What outlives a stolen binding.

// stolen is a hamlet whose first person is bound to a thief, who agreed in their name that another account of theirs looks after
// their matters.
func stolen(t *testing.T, s *Store) (at time.Time) {
	t.Helper()
	at = hamlet(t, s)
	turnAt(t, s, turn.WeChat, "o-thief", at, func(tx turn.Tx) error { return tx.Bind(1) })
	var id int64
	turnAt(t, s, turn.WeChat, "o-second", at.Add(time.Minute), func(tx turn.Tx) (err error) {
		id, err = tx.AskProxy(register.Proxy{PersonID: 1, Relation: "mother", Scope: []string{register.ScopeLook}, EndsOn: "2027-11-23"})
		return err
	})
	turnAt(t, s, turn.WeChat, "o-thief", at.Add(2*time.Minute), func(tx turn.Tx) error {
		if _, err := tx.ProxyNews(1); err != nil {
			return err
		}
		return tx.SettleProxy(id, register.ProxyGiven)
	})
	return at
}

func TestWhoeverIsBoundAfterAThiefHearsWhatTheThiefAgreedTo(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		at := stolen(t, s)
		turnAt(t, s, turn.WeChat, "o-mum", at.Add(time.Hour), func(tx turn.Tx) error { return tx.Bind(1) })
		for i, want := range []int{1, 0} {
			turnAt(t, s, turn.WeChat, "o-mum", at.Add(time.Duration(2+i)*time.Hour), func(tx turn.Tx) error {
				news, err := tx.ProxyNews(1)
				if len(news) != want || want == 1 && (news[0].Mine || news[0].State != register.ProxyGiven) {
					t.Errorf("turn %d: %+v", i, news)
				}
				return err
			})
		}
	})
}

func TestWhatTheOfficeTakesAwayTakesWhatTheThiefAgreedToWithIt(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		at := stolen(t, s)
		if _, _, _, err := s.EndBinding(t.Context(), register.Scope{}, 1, register.OfficeWord{Phone: "12345"}, by(at.Add(time.Hour), staff.DidUnbind)); err != nil {
			t.Fatal(err)
		}
		if list, err := s.PersonProxies(t.Context(), register.Scope{}, 1, at.Add(2*time.Hour)); err != nil || len(list) != 0 {
			t.Errorf("%+v, %v", list, err)
		}
		turnAt(t, s, turn.WeChat, "o-second", at.Add(2*time.Hour), func(tx turn.Tx) error {
			news, err := tx.ProxyNews(0)
			if len(news) != 1 || news[0].State != register.ProxyEnded {
				t.Errorf("%+v", news)
			}
			return err
		})
	})
}

func TestAnAskingThatTheOfficeEndsTellsNobodyThatThereWasAnybodyToAsk(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		at := hamlet(t, s)
		var id int64
		turnAt(t, s, turn.WeChat, "o-second", at, func(tx turn.Tx) (err error) {
			id, err = tx.AskProxy(register.Proxy{PersonID: 1, Relation: "mother", Scope: []string{register.ScopeLook}, EndsOn: "2027-11-23"})
			return errors.Join(err, tx.Bind(2))
		})
		ended, notice, err := s.EndProxy(t.Context(), register.Scope{}, 1, id, register.OfficeWord{Phone: "12345"}, by(at, staff.DidEndProxy))
		if err != nil || notice != 0 || ended.OpenID != "" {
			t.Errorf("text %d, to be told: %v, %v", notice, ended.OpenID != "", err)
		}
		turnAt(t, s, turn.WeChat, "o-second", at.Add(time.Hour), func(tx turn.Tx) error {
			news, err := tx.ProxyNews(2)
			if len(news) != 0 {
				t.Errorf("%+v", news)
			}
			last, _, lastErr := tx.LastProxy(0)
			if !last.GivenAt.IsZero() {
				t.Error("it counts as given")
			}
			return errors.Join(err, lastErr)
		})
	})
}

func TestAnAccountThatLostItsPersonGetsNoAnswerToTheirMatters(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(1)...)
		kept, late := asked(t, s, "想问低保"), asked(t, s, "想问残疾")
		shutWindow(t, s)
		if ring, _ := answered(t, s, kept, "低保批了"); ring != 0 {
			t.Fatal("it goes at once")
		}
		inTurn(t, s, turn.WeChat, "o-new", func(tx *turnTx) error {
			if _, err := tx.Open(); err != nil {
				return err
			}
			return tx.Bind(1)
		})
		if given := writes(t, s); len(given) != 0 {
			t.Errorf("the old account reads %v", given)
		}
		answered(t, s, late, "残疾证好了")
		if given := writes(t, s); len(given) != 0 {
			t.Errorf("what was answered since: %v", given)
		}
	})
}
