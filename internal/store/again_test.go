package store

import (
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/notify"
)

// losing is a platform that gives the first request no answer, and takes it or not.
func losing(taken bool) *platform {
	return &platform{answer: func(_ notify.Outgoing, n int) (notify.Answer, bool) {
		if n == 1 {
			return notify.Answer{Outcome: notify.Unknown, Message: "lost"}, taken
		}
		return notify.Answer{Outcome: notify.Accepted, Code: "OK"}, true
	}}
}

// asked is how many requests the platform was shown.
func (p *platform) asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls
}

func TestATextThatWasLostOnTheWayIsTakenTheSecondTimeAndNobodyLooks(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(5)...)
		id, p := approved(t, s, nil), losing(false)
		startLooking(t, noNotices{s}, p, notify.SMS)
		wantCounts(t, until(t, s, id, "finished", finished), map[string]int64{"accepted": 5})
		onceEach(t, p, 5)
		if looks := count(t, s, `SELECT sum(looks) FROM calls`); p.asked() != 2 || looks != 0 {
			t.Errorf("%d requests, %d looks", p.asked(), looks)
		}
	})
}

func TestATextOfWhichOnlyTheAnswerWasLostIsSpentAndFoundByALookCountedFromTheSecondTime(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(5)...)
		id, p := approved(t, s, nil), losing(true)
		startLooking(t, noNotices{s}, p, notify.SMS)
		until(t, s, id, "unconfirmed", func(st notify.Status) bool { return st.Unconfirmed == 5 })
		if n := count(t, s, `SELECT count(*) FROM calls WHERE spent AND code = 'SignatureNonceUsed' AND presented_at >= begun_at + 1000000
			AND wake_at - presented_at BETWEEN 58000000 AND 62000000`); n != 1 {
			t.Errorf("%d calls are spent and wait for a look", n)
		}
		exec(t, s, `UPDATE calls SET presented_at = presented_at - 61000000, wake_at = 1`) // a minute later
		wantCounts(t, until(t, s, id, "finished", finished), map[string]int64{"accepted": 5})
		onceEach(t, p, 5)
		if p.asked() != 2 {
			t.Errorf("%d requests", p.asked())
		}
	})
}

func TestWhatMayNotGoAnyMoreIsNotPresentedAgain(t *testing.T) {
	for name, happens := range map[string]func(t *testing.T, s *Store, id int64){
		"somebody opts out": func(t *testing.T, s *Store, _ int64) {
			if _, err := host(t, s, nil).Turn(t.Context(), turn.Inbound{Key: "k", Channel: turn.SMS, Who: string(phoneOf(3)), Kind: turn.Text, Text: "退订"}); err != nil {
				t.Error(err)
			}
		},
		"it is paused": func(t *testing.T, s *Store, id int64) { moved(t, s, id, notify.Pause) },
	} {
		t.Run(name, func(t *testing.T) {
			eachStore(t, func(t *testing.T, s *Store) {
				putOnFile(t, s, crowd(5)...)
				id, p := approved(t, s, nil), losing(false)
				startLooking(t, &second{noNotices: noNotices{s}, after: 1, happen: func() { happens(t, s, id) }}, p, notify.SMS)
				until(t, s, id, "unconfirmed", func(st notify.Status) bool { return st.Unconfirmed == 5 })
				time.Sleep(2 * time.Second) // in which it would go again
				if n := count(t, s, `SELECT count(*) FROM calls WHERE state = 'unconfirmed' AND NOT spent AND message = 'lost' AND presented_at = begun_at`); n != 1 || p.asked() != 1 {
					t.Errorf("%d calls are as they were, %d requests", n, p.asked())
				}
				if got := p.texts(); len(got) != 0 {
					t.Errorf("%v", got)
				}
			})
		})
	}
}
