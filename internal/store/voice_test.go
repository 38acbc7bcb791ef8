package store

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

func byVoice(spec *notify.Spec) { spec.Channels = []notify.Channel{notify.Voice} }

// rung lists the calls that a phone got.
func (p *platform) rung(phone register.Phone) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var outs []string
	for _, out := range slices.Sorted(maps.Keys(p.taken)) {
		if p.taken[out][phone] > 0 {
			outs = append(outs, out)
		}
	}
	return outs
}

func callReport(out string, phone register.Phone, end notify.CallEnd, code string) notify.Report {
	return notify.Report{Channel: notify.Voice, OutID: out, Phone: phone, Delivered: end == "" || end == notify.PickedUp, CallEnd: end, ErrCode: code, Raw: []byte("{}")}
}

// hoursLater lets the time come for rows that wait.
func hoursLater(t *testing.T, s *Store) {
	t.Helper()
	exec(t, s, `UPDATE calls SET begun_at = begun_at - 7200000000 WHERE begun_at > 0`)
	exec(t, s, `UPDATE deliveries SET wake_at = 1 WHERE wake_at > 0`)
}

// dialled waits until a phone has rung n times, and gives the last call.
func dialled(t *testing.T, s *Store, p *platform, id int64, phone register.Phone, n int) string {
	t.Helper()
	until(t, s, id, "called", func(st notify.Status) bool { return len(p.rung(phone)) == n && st.Accepted > 0 })
	return p.rung(phone)[n-1]
}

func TestACallIsMadeThreeTimesHoursApartAndHeardToTheEndIsTheProof(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(1)...)
		p, id, phone := &platform{}, approved(t, s, byVoice), phoneOf(0)
		w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr())
		defer w.Shutdown()
		for n, code := range []string{"200003", "200002"} {
			out := dialled(t, s, p, id, phone, n+1)
			began := time.Now()
			push(t, s, callReport(out, phone, notify.NotAnswered, code), callReport(out, phone, notify.NotAnswered, code))
			st := until(t, s, id, "put off", func(st notify.Status) bool { return st.Planned == 1 && st.NextAt != nil })
			if st.State != notify.Running || st.NextAt.Before(began.Add(2*time.Hour-time.Second)) {
				t.Errorf("after %s: %s, next at %s", code, st.State, st.NextAt)
			}
			if st.Waiting[notify.ForAnswer] != 1 {
				t.Errorf("what it waits for is not said: %v", st.Waiting)
			}
			hoursLater(t, s)
		}
		out := dialled(t, s, p, id, phone, 3)
		if st := statusOf(t, s, id); st.State != notify.Running {
			t.Errorf("%s before the report of the call", st.State)
		}
		push(t, s, callReport(out, phone, "", "200000"))
		wantCounts(t, until(t, s, id, "finished", finished), map[string]int64{"delivered": 1})
	})
}

func TestACampaignByVoiceIsFinishedWhenNoTelephoneRingsAndLateReportsStillCount(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(3)...)
		p, id := &platform{}, approved(t, s, byVoice)
		w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr())
		defer w.Shutdown()
		until(t, s, id, "taken", func(st notify.Status) bool { return st.Accepted == 3 })
		exec(t, s, `UPDATE campaigns SET check_at = 0`)
		if st := statusOf(t, s, id); st.State != notify.Running {
			t.Errorf("%s while telephones ring", st.State)
		}
		exec(t, s, `UPDATE calls SET presented_at = presented_at - 120000000`)
		wantCounts(t, until(t, s, id, "finished", finished), map[string]int64{"accepted": 3})
		push(t, s, callReport(p.rung(phoneOf(0))[0], phoneOf(0), "", "200000"), callReport(p.rung(phoneOf(1))[0], phoneOf(1), notify.NotAnswered, "200003"))
		st := until(t, s, id, "reported on", func(st notify.Status) bool { return st.Delivered+st.Failed == 2 })
		wantCounts(t, st, map[string]int64{"accepted": 1, "delivered": 1, "failed": 1})
		hoursLater(t, s)
		if st = statusOf(t, s, id); st.State != notify.Finished {
			t.Errorf("%s after a report", st.State)
		}
		onceEach(t, p, 3) // a campaign that is over calls nobody again
	})
}

func TestHowADeliveryIsProvedIsKnownAfterwards(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		id, text, call := threeCalled(t, s)
		push(t, s,
			callReport(call(0), phoneOf(0), "", "200000"), callReport(call(1), phoneOf(1), notify.PickedUp, "200001"),
			report(text[phoneOf(2)], phoneOf(2), "DELIVERED"))
		applyAll(t, s)
		want := func(after string) {
			t.Helper()
			st := statusOf(t, s, id)
			wantCounts(t, st, map[string]int64{"delivered": 3})
			if !maps.Equal(st.Proofs, map[notify.Proof]int64{notify.ByReceipt: 1, notify.ByHearing: 1, notify.ByAnswer: 1}) {
				t.Errorf("%s: %v", after, st.Proofs)
			}
			if n := count(t, s, `SELECT count(*) FROM people p WHERE `+register.LastReachedSQL+` > 0`); n != 3 {
				t.Errorf("%s: %d people count as reached", after, n)
			}
			for person, proof := range map[int64]string{1: "heard", 2: "answered", 3: ""} {
				list, err := s.PersonMessages(t.Context(), register.Scope{}, person, 10)
				if err != nil || len(list) != 1 || list[0].State != notify.Delivered || list[0].Reason != proof {
					t.Errorf("%s: person %d: %+v, %v", after, person, list, err)
				}
			}
		}
		want("in the call")
		eachByThemselves(t, s, id)
		want("by themselves")
	})
}

// eachByThemselves lets everybody out of a campaign's calls: each has a state of their own.
func eachByThemselves(t *testing.T, s *Store, id int64) {
	t.Helper()
	err := s.write(t.Context(), "leave", func(tx *tx) error {
		ids, err := tx.idsOf(`SELECT id FROM calls WHERE campaign_id = $1`, id)
		if err != nil {
			return err
		}
		calls, err := tx.holdCalls(ids, "")
		for _, c := range calls {
			err = errors.Join(err, tx.unfold(c, c.people))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAFurtherChannelKeepsACampaignByVoiceGoingUntilItsReport(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(1)...)
		p, id := &platform{}, approved(t, s, func(spec *notify.Spec) { spec.Channels = []notify.Channel{notify.Voice, notify.SMS} })
		w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr())
		defer w.Shutdown()
		out := dialled(t, s, p, id, phoneOf(0), 1)
		exec(t, s, `UPDATE campaigns SET check_at = 0`)
		ended(t, s)
		if st := statusOf(t, s, id); st.State != notify.Running {
			t.Fatalf("%s, and a text may still have to go", st.State)
		}
		push(t, s, callReport(out, phoneOf(0), notify.NoNumber, "200004"))
		until(t, s, id, "the text taken", func(st notify.Status) bool { return st.Accepted == 1 })
		exec(t, s, `UPDATE campaigns SET check_at = 0`) // it is looked at again after a minute
		st := until(t, s, id, "finished", finished)
		if st.ByChannel[notify.SMS] != 1 || st.Accepted != 1 {
			t.Errorf("%+v", st)
		}
	})
}

func TestNobodyAnswersThreeTimesAndTheNextOfTheHouseholdCarriesIt(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, villager{id: 1, phone: phoneOf(1), household: "a"}, villager{id: 2, phone: phoneOf(1), household: "a"})
		p, id, phone := &platform{}, approved(t, s, byVoice), phoneOf(1)
		w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr())
		defer w.Shutdown()
		for n := range 3 {
			push(t, s, callReport(dialled(t, s, p, id, phone, n+1), phone, notify.NotAnswered, "200003"))
			if n < 2 {
				until(t, s, id, "put off", func(st notify.Status) bool { return st.Planned == 2 && st.NextAt != nil })
				hoursLater(t, s)
			}
		}
		until(t, s, id, "given up on", func(st notify.Status) bool { return st.Failed == 1 })
		hoursLater(t, s) // a phone rings once a minute
		push(t, s, callReport(dialled(t, s, p, id, phone, 4), phone, "", "200000"))
		st := until(t, s, id, "heard", func(st notify.Status) bool { return finished(st) && st.Delivered == 1 })
		wantCounts(t, st, map[string]int64{"failed": 1, "delivered": 1})
		var reason string
		if err := s.read(t.Context(), "x", func(tx *tx) error {
			return tx.row(`SELECT reason FROM deliveries WHERE state = 'failed' AND person_id = 1`).Scan(&reason)
		}); err != nil || reason != "200003" {
			t.Errorf("failed for %q: %v", reason, err)
		}
	})
}

func TestAHouseholdWaitsForTheProofOfTheCallAndAWrongNumberEndsItForAll(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, villager{id: 1, phone: phoneOf(1), household: "a"}, villager{id: 2, phone: phoneOf(1), household: "a"},
			villager{id: 3, phone: phoneOf(3), household: "b"}, villager{id: 4, phone: phoneOf(3), household: "b"})
		p, id := &platform{}, approved(t, s, byVoice)
		w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr())
		defer w.Shutdown()
		wantCounts(t, until(t, s, id, "called", func(st notify.Status) bool { return st.Accepted == 2 }), map[string]int64{"accepted": 2, "planned": 2})
		push(t, s, callReport(p.rung(phoneOf(1))[0], phoneOf(1), notify.NoNumber, "200004"), callReport(p.rung(phoneOf(3))[0], phoneOf(3), "", "200001"))
		wantCounts(t, until(t, s, id, "finished", finished), map[string]int64{"failed": 2, "delivered": 1, "household": 1})
	})
}

func TestCallsThatNobodyAnswersHaltNoCampaign(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(60)...)
		p, id := &platform{}, approved(t, s, byVoice)
		w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr())
		defer w.Shutdown()
		until(t, s, id, "called", func(st notify.Status) bool { return st.Accepted == 60 })
		for i := range 60 {
			push(t, s, callReport(p.rung(phoneOf(i))[0], phoneOf(i), notify.HungUp, "200001"))
		}
		wantCounts(t, until(t, s, id, "reported on", func(st notify.Status) bool { return st.Failed == 60 }), map[string]int64{"failed": 60})
	})
}

func TestACallWithoutAReportIsNotMadeAgain(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(2)...)
		p := &platform{}
		p.answer = func(call notify.Outgoing, _ int) (notify.Answer, bool) {
			if call.Members[0].PersonID == 1 {
				return notify.Answer{Outcome: notify.Unknown}, true
			}
			return notify.Answer{Outcome: notify.Accepted}, true
		}
		id := approved(t, s, byVoice)
		w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr())
		defer w.Shutdown()
		until(t, s, id, "called", func(st notify.Status) bool { return st.Accepted == 1 && st.Unconfirmed == 1 })
		time.Sleep(1500 * time.Millisecond) // more than the looks and the validity of this worker's texts
		wantCounts(t, statusOf(t, s, id), map[string]int64{"accepted": 1, "unconfirmed": 1})
		exec(t, s, `UPDATE calls SET begun_at = begun_at - 1801000000, wake_at = 1`) // half an hour is over
		wantCounts(t, until(t, s, id, "finished", finished), map[string]int64{"accepted": 1, "failed": 1})
		onceEach(t, p, 2)
	})
}

func TestARecordingInThePersonsLanguageIsPlayed(t *testing.T) {
	t.Parallel()
	s := openReady(t, templates().SQLite(t))
	putOnFile(t, s, crowd(2)...)
	exec(t, s, `UPDATE people SET language = '客家话' WHERE id = 1`)
	spoken := map[int64]notify.Member{}
	p := &platform{}
	p.answer = func(call notify.Outgoing, _ int) (notify.Answer, bool) {
		spoken[call.Members[0].PersonID] = call.Members[0]
		return notify.Answer{Outcome: notify.Accepted}, true
	}
	id := approved(t, s, byVoice)
	exec(t, s, `UPDATE campaigns SET template = REPLACE(template, '"code":"TTS_1"', '"code":"TTS_1","recordings":{"客家话":"hakka.wav","粤语":"yue.wav"}')`)
	w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr())
	until(t, s, id, "called", func(st notify.Status) bool { return st.Accepted == 2 })
	w.Shutdown()
	if m := spoken[1]; m.Record != "hakka.wav" {
		t.Errorf("%+v", m)
	}
	if m := spoken[2]; m.Record != "" || m.Params["name"] != "王小明" {
		t.Errorf("%+v", m)
	}
}
