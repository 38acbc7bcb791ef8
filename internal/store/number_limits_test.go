package store

import (
	"errors"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// had writes down that n campaigns like this one reached the people at a time, each in a call of their own.
func had(t *testing.T, s *Store, like int64, n int, at time.Time, people ...int64) {
	t.Helper()
	err := s.write(t.Context(), "test", func(tx *tx) error {
		c, err := tx.campaign(like, "")
		if err != nil {
			return err
		}
		for i := range int64(n) {
			id := 10_000 + i
			_, err := tx.exec(`INSERT INTO campaigns (id, month, state, name, kind, template_key, template, spec, scope, author_id, editor_id, created_at, updated_at, started_at, finished_at)
				SELECT $1, month, 'finished', name, kind, template_key, template, spec, scope, author_id, editor_id, $2, $2, $2, $2 FROM campaigns WHERE id = $3`, id, toMicros(at), like)
			if err != nil {
				return err
			}
			for k, person := range people {
				call := id*10 + int64(k)
				if _, err := tx.exec(`INSERT INTO calls (id, month, campaign_id, channel, state, members, marks, begun_at, created_at, updated_at)
					VALUES ($1, $2, $3, $4, 'accepted', $5, '-', $6, $6, $6)`, call, c.Month, id, string(c.Channels()[0]), encodeMembers([]member{{personID: person}}), toMicros(at)); err != nil {
					return err
				}
				if _, err := tx.exec(`INSERT INTO deliveries (month, campaign_id, person_id, state, channel, lead, shared, household, call_id, slot, updated_at)
					VALUES ($1, $2, $3, '', $4, TRUE, FALSE, '', $5, 1, $6)`, c.Month, id, person, string(c.Channels()[0]), call, toMicros(at)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func heldByLimit(st notify.Status) bool { return st.Waiting[notify.ForLimit] > 0 && st.NextAt != nil }

func TestAfterFiftyTextsOfATemplateInADayANumberWaitsAndSaysUntilWhen(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(2)...)
		p := &platform{}
		w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr())
		defer w.Shutdown()
		first := approved(t, s, nil)
		at := time.Now().Add(-23 * time.Hour)
		until(t, s, first, "finished", finished)
		had(t, s, first, 49, at, 1)

		st := until(t, s, approved(t, s, nil), "held", func(st notify.Status) bool { return heldByLimit(st) && st.Accepted == 1 })
		wantCounts(t, st, map[string]int64{"planned": 1, "accepted": 1}) // the other person had one text, not fifty
		if st.State != notify.Running || st.NextAt.Before(at.Add(24*time.Hour)) || st.NextAt.After(at.Add(24*time.Hour+2*time.Second)) {
			t.Errorf("%s until %v, want a day after %v", st.State, st.NextAt, at)
		}
		other := templateOf(notify.SMS)
		other.Key, other.SMS.Code = "other", "SMS_9"
		spec := notify.Spec{Name: "通知", Kind: notify.PremiumReminder, Channels: []notify.Channel{notify.SMS}, Template: "other", Audience: register.Everybody(), Window: new(string)}
		until(t, s, approvedWith(t, s, spec, other), "a text of another template", func(st notify.Status) bool { return finished(st) && st.Accepted == 2 })

		exec(t, s, `UPDATE calls SET begun_at = begun_at - 3600000001 WHERE id = 100000`) // one of the fifty is a day old
		exec(t, s, `UPDATE deliveries SET wake_at = 1 WHERE wake_at > 0`)
		until(t, s, st.ID, "finished", finished)
		if n := p.texts()[phoneOf(0)]; n != 3 {
			t.Errorf("%d texts", n)
		}
	})
}

func TestThoseWhoShareANumberShareItsFiftyTexts(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, villager{id: 1, phone: phoneOf(1), household: "a"}, villager{id: 2, phone: phoneOf(1), household: "b"}, villager{id: 3, phone: phoneOf(3), household: "c"})
		w := startWorker(t, s, &platform{}, quickRules(), miniredis.RunT(t).Addr())
		defer w.Shutdown()
		all := register.Everybody()
		id := approved(t, s, func(spec *notify.Spec) { spec.Audience = register.Condition{Not: &all} }) // reaches nobody
		until(t, s, id, "finished", finished)
		had(t, s, id, 25, time.Now().Add(-time.Hour), 1, 2, 3)
		id = approved(t, s, nil)
		wantCounts(t, until(t, s, id, "held", func(st notify.Status) bool { return heldByLimit(st) && st.Accepted == 1 }), map[string]int64{"planned": 2, "accepted": 1})
	})
}

func TestANumberIsCalledOnceAMinuteWhoeverCalls(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(1)...)
		p := &platform{}
		w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr())
		defer w.Shutdown()
		until(t, s, approved(t, s, byVoice), "called", func(st notify.Status) bool { return st.Accepted == 1 })
		began := time.Now()
		st := until(t, s, approved(t, s, byVoice), "held", heldByLimit)
		wantCounts(t, st, map[string]int64{"planned": 1})
		if st.NextAt.After(began.Add(62 * time.Second)) {
			t.Errorf("waits until %v", st.NextAt)
		}
		hoursLater(t, s)
		until(t, s, st.ID, "called", func(st notify.Status) bool { return st.Accepted == 1 })
		onceACall(t, p, 2)
	})
}

// onceACall: the number of the one person on file rang n times.
func onceACall(t *testing.T, p *platform, n int) {
	t.Helper()
	if got := len(p.rung(phoneOf(0))); got != n {
		t.Errorf("it rang %d times, want %d", got, n)
	}
}

func TestAnAnswerWaitsWhereItsNumberHadFiftyOfItsTemplate(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		var ids []int64
		who := turn.Who{Channel: turn.SMS, ID: "13800000001", Key: "k", At: time.Now()}
		err := s.Turn(t.Context(), who, func(tx turn.Tx) error {
			for range 51 {
				id, err := tx.Queue(turn.Message{Kind: turn.Reply, Template: "reply_office", Phone: "13800000001", At: time.Now(), Expires: time.Now().Add(48 * time.Hour)})
				if err != nil {
					return err
				}
				ids = append(ids, id)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, id := range ids {
			_, err := s.ClaimNotice(t.Context(), id, "out", time.Minute)
			if i == 50 {
				if !errors.Is(err, notify.ErrNoNotice) {
					t.Errorf("the 51st was claimed: %v", err)
				}
				break
			}
			if err != nil {
				t.Fatal(i, err)
			}
			if err := s.SettleNotice(t.Context(), id, notify.Settlement{State: notify.NoticeAccepted, PlatformID: "biz"}); err != nil {
				t.Fatal(err)
			}
		}
		var next int64
		err = s.read(t.Context(), "test", func(tx *tx) error { return tx.row(`SELECT next_at FROM outbox WHERE id = $1`, ids[50]).Scan(&next) })
		if free := time.Now().Add(24 * time.Hour); err != nil || fromMicros(next).After(free) || fromMicros(next).Before(free.Add(-time.Minute)) {
			t.Errorf("waits until %v: %v", fromMicros(next), err)
		}
	})
}
