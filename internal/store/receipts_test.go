package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// outIDs maps each phone to the call its text went out in.
func (p *platform) outIDs() map[register.Phone]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	ids := map[register.Phone]string{}
	for out, phones := range p.taken {
		for phone := range phones {
			ids[phone] = out
		}
	}
	return ids
}

func push(t *testing.T, s *Store, list ...notify.Report) {
	t.Helper()
	if err := s.StoreReports(t.Context(), list, time.Now()); err != nil {
		t.Fatal(err)
	}
}

func applyAll(t *testing.T, s *Store) {
	t.Helper()
	for {
		more, err := s.ApplyReports(t.Context(), 0, 100, notify.Judge)
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return
		}
	}
}

func report(out string, phone register.Phone, code string) notify.Report {
	return notify.Report{Channel: notify.SMS, OutID: out, Phone: phone, Delivered: code == "DELIVERED", ErrCode: code, Raw: []byte("{}")}
}

func TestReceiptsAreAppliedOnceInAnyOrderAndForgedOnesNever(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(6)...)
		p := &platform{}
		id := approved(t, s, nil)
		play(t, s, p, id, quickRules(), finished)
		out := p.outIDs()
		ph := phoneOf
		push(t, s,
			report(out[ph(0)], ph(0), "DELIVERED"), report(out[ph(0)], ph(0), "DELIVERED"), report(out[ph(0)], ph(0), "MOBILE_NOT_ON_SERVICE"),
			report(out[ph(1)], ph(1), "MOBILE_NOT_ON_SERVICE"), report(out[ph(1)], ph(1), "MOBILE_NOT_ON_SERVICE"), report(out[ph(1)], ph(1), "DELIVERED"),
			report(out[ph(2)], "13899999999", "DELIVERED"),                        // a number that is not in the call
			report(strings.Replace(out[ph(2)], ".", ".A", 1), ph(2), "DELIVERED"), // forged
			report("", ph(3), "DELIVERED"), report("67890", ph(3), "DELIVERED"),   // somebody else's
			notify.Report{Channel: notify.Voice, OutID: out[ph(3)], Phone: ph(3), Delivered: true}, // of another channel
		)
		applyAll(t, s)
		wantCounts(t, statusOf(t, s, id), map[string]int64{"accepted": 4, "delivered": 1, "failed": 1})
		var reached int64
		if err := s.read(t.Context(), "x", func(tx *tx) error {
			return tx.row(`SELECT count(*) FROM people p WHERE ` + register.LastReachedSQL + ` > 0`).Scan(&reached)
		}); err != nil || reached != 1 {
			t.Errorf("%d people count as reached, want 1: %v", reached, err)
		}
	})
}

func TestAReceiptProvesAnUnconfirmedCall(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(3)...)
		p := &platform{}
		p.answer = func(notify.Outgoing, int) (notify.Answer, bool) { return notify.Answer{Outcome: notify.Unknown}, true }
		id := approved(t, s, nil)
		w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr(), time.Hour) // no look comes first
		until(t, s, id, "unconfirmed", func(st notify.Status) bool { return st.Unconfirmed == 3 })
		w.Shutdown()
		push(t, s, report(p.outIDs()[phoneOf(1)], phoneOf(1), "DELIVERED"))
		applyAll(t, s)
		wantCounts(t, statusOf(t, s, id), map[string]int64{"accepted": 2, "delivered": 1})
	})
}

func TestAReceiptOfAnOlderCallWithdrawsTheRowFromANewerOne(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(2)...)
		p := &platform{}
		p.answer = func(notify.Outgoing, int) (notify.Answer, bool) { return notify.Answer{Outcome: notify.Unknown}, true }
		id := approved(t, s, nil)
		w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr(), time.Hour) // no look comes first
		until(t, s, id, "unconfirmed", func(st notify.Status) bool { return st.Unconfirmed == 2 })
		w.Shutdown()
		next, err := s.RequeueCall(t.Context(), 1)
		if err != nil || next == 0 {
			t.Fatal(next, err)
		}
		wantCounts(t, statusOf(t, s, id), map[string]int64{"queued": 2})
		push(t, s, report(p.outIDs()[phoneOf(0)], phoneOf(0), "DELIVERED"))
		applyAll(t, s)
		wantCounts(t, statusOf(t, s, id), map[string]int64{"delivered": 1, "accepted": 1})
		p.answer = nil
		play(t, s, p, id, quickRules(), finished)
		onceEach(t, p, 2)
	})
}

// threeTexted is a campaign of which three people have a text, and which telephones them where it is silent for an hour.
func threeTexted(t *testing.T, s *Store) (p *platform, id int64, w *notify.Worker) {
	t.Helper()
	putOnFile(t, s, crowd(3)...)
	p = &platform{}
	id = approved(t, s, func(spec *notify.Spec) {
		spec.Channels, spec.FallbackAfter = []notify.Channel{notify.SMS, notify.Voice}, notify.Span(time.Hour)
	})
	w = startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr())
	until(t, s, id, "accepted", func(st notify.Status) bool { return st.ByChannel[notify.SMS] == 3 })
	return p, id, w
}

// pass lets time go by for texts that were taken: it is time to look after them.
func pass(t *testing.T, s *Store, d time.Duration) {
	t.Helper()
	exec(t, s, fmt.Sprintf(`UPDATE calls SET wake_at = 1, begun_at = begun_at - %d WHERE channel = 'sms' AND state = 'accepted'`, d.Microseconds()))
}

func TestAFailedReceiptGoesToTheNextChannelAndSilenceDoesAfterAWhile(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		p, id, w := threeTexted(t, s)
		defer w.Shutdown()
		out := p.outIDs()
		push(t, s, report(out[phoneOf(0)], phoneOf(0), "DELIVERED"), report(out[phoneOf(1)], phoneOf(1), "MOBILE_NOT_ON_SERVICE"))
		st := until(t, s, id, "called at once", func(st notify.Status) bool { return st.ByChannel[notify.Voice] == 1 })
		if st.State != notify.Running {
			t.Error("finished while a row waits for its next channel")
		}
		pass(t, s, time.Hour)
		st = until(t, s, id, "called", func(st notify.Status) bool { return st.ByChannel[notify.Voice] == 2 })
		if st.Delivered != 1 || st.Accepted != 2 || st.ByChannel[notify.SMS] != 1 {
			t.Errorf("%+v", st)
		}
	})
}

func TestWhoToldTheCarrierThatTheyWantNoTextsHasOptedOut(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(2)...)
		p := &platform{}
		id := approved(t, s, func(spec *notify.Spec) { spec.Channels = []notify.Channel{notify.SMS, notify.Voice} })
		w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr())
		defer w.Shutdown()
		until(t, s, id, "accepted", func(st notify.Status) bool { return st.ByChannel[notify.SMS] == 2 })
		out := p.outIDs()
		push(t, s, report(out[phoneOf(0)], phoneOf(0), "USER_REJECT"), report(out[phoneOf(1)], phoneOf(1), "MOBILE_NOT_ON_SERVICE"))
		st := until(t, s, id, "called", func(st notify.Status) bool {
			return st.ByChannel[notify.Voice] == 1 && st.Skipped[notify.OptedOut] == 1
		})
		if got := p.rung(phoneOf(0)); len(got) != 1 {
			t.Errorf("a phone whose holder wants nothing got %v; %+v", got, st)
		}
		again := approved(t, s, nil)
		st = until(t, s, again, "planned", func(st notify.Status) bool { return st.Accepted == 1 })
		wantCounts(t, st, map[string]int64{"accepted": 1, "opted_out": 1})
	})
}

// threeCalled are those of threeTexted once the silence has led to a telephone call: the out ids of their texts, and of their
// calls. The worker is gone.
func threeCalled(t *testing.T, s *Store) (id int64, text map[register.Phone]string, call func(i int) string) {
	t.Helper()
	p, id, w := threeTexted(t, s)
	text = p.outIDs()
	pass(t, s, time.Hour)
	until(t, s, id, "called", func(st notify.Status) bool { return st.ByChannel[notify.Voice] == 3 && st.Accepted == 3 })
	w.Shutdown()
	return id, text, func(i int) string {
		return slices.DeleteFunc(p.rung(phoneOf(i)), func(out string) bool { return out == text[phoneOf(i)] })[0]
	}
}

// What the carrier says late of a text comes together with what became of the call that the text's silence led to.
func TestALateReceiptAndTheReportOfTheCallThatFollowedComeTogether(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		id, text, call := threeCalled(t, s)
		push(t, s,
			callReport(call(0), phoneOf(0), notify.NotAnswered, "200003"), report(text[phoneOf(0)], phoneOf(0), "DELIVERED"),
			callReport(call(1), phoneOf(1), "", "200000"), report(text[phoneOf(1)], phoneOf(1), "DELIVERED"),
			callReport(call(2), phoneOf(2), "", "200000"))
		applyAll(t, s)
		st := statusOf(t, s, id)
		wantCounts(t, st, map[string]int64{"delivered": 3})
		if st.ByChannel[notify.SMS] != 2 || st.ByChannel[notify.Voice] != 1 {
			t.Errorf("by channel %v", st.ByChannel)
		}
	})
}

// awaitingReceipts is a campaign that so many have accepted texts of, with the calls that these went out in. It still runs: whom
// no text reaches is telephoned later.
func awaitingReceipts(t *testing.T, s *Store, people int) (id int64, out map[register.Phone]string) {
	t.Helper()
	putOnFile(t, s, crowd(people)...)
	p := &platform{}
	id = approved(t, s, func(spec *notify.Spec) {
		spec.Channels, spec.FallbackAfter = []notify.Channel{notify.SMS, notify.Voice}, notify.Span(time.Hour)
	})
	play(t, s, p, id, quickRules(), func(st notify.Status) bool { return st.Accepted == int64(people) })
	return id, p.outIDs()
}

func TestManyReceiptsThatTheTextIsRefusedHaltTheCampaign(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		id, out := awaitingReceipts(t, s, 200)
		push(t, s, report(out[phoneOf(0)], phoneOf(0), "CONTENT_KEYWORD"))
		applyAll(t, s)
		if st := statusOf(t, s, id); st.State != notify.Running {
			t.Fatalf("a single receipt: %+v", st)
		}
		for i := 1; i < 30; i++ {
			push(t, s, report(out[phoneOf(i)], phoneOf(i), "CONTENT_KEYWORD"))
		}
		applyAll(t, s)
		if st := statusOf(t, s, id); st.State != notify.Halted || st.Reason != "halt.content" {
			t.Errorf("%+v", st)
		}
	})
}

func TestGoingOnRaisesTheLimitsOnlyAfterAHaltThatALimitMade(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		id, out := awaitingReceipts(t, s, 100)
		refuse := func(from, to int) notify.Status {
			for i := from; i < to; i++ {
				push(t, s, report(out[phoneOf(i)], phoneOf(i), "MOBILE_NOT_ON_SERVICE"))
			}
			applyAll(t, s)
			return statusOf(t, s, id)
		}
		goOn := func() int {
			t.Helper()
			c, err := s.MoveCampaign(t.Context(), id, notify.CampaignMoved{Event: notify.Resume, At: time.Now(), Audit: staff.Entry{At: time.Now(), Act: "x"}})
			if err != nil {
				t.Fatal(err)
			}
			return c.Raised
		}
		for n, why := range []string{"halt.refused", "halt.outage", "halt.request"} {
			if st := refuse(8*n, 8*n+8); st.State != notify.Running {
				t.Fatalf("too few receipts to tell: %+v", st)
			}
			err := s.write(t.Context(), "test", func(tx *tx) error {
				return tx.haltCampaign(id, notify.Halting{Reason: why, Detail: "isv.AMOUNT_NOT_ENOUGH"}, time.Now())
			})
			if err != nil {
				t.Fatal(err)
			}
			if raised := goOn(); raised != 0 {
				t.Errorf("going on after %s raised the limits to step %d", why, raised)
			}
		}
		if st := refuse(24, 26); st.State != notify.Halted || st.Reason != "halt.numbers" { // with those of before
			t.Fatalf("%+v", st)
		}
		if raised := goOn(); raised != 1 {
			t.Errorf("going on after the limit's own halt raised it to step %d", raised)
		}
		if st := refuse(26, 60); st.State != notify.Running {
			t.Errorf("halted by a limit that was raised: %+v", st)
		}
	})
}

func TestReceiptsOfAProcessWhoseClockIsAheadAreAppliedAtOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		id, out := awaitingReceipts(t, s, 1)
		if err := s.StoreReports(t.Context(), []notify.Report{report(out[phoneOf(0)], phoneOf(0), "DELIVERED")}, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		w := startWorker(t, s, &platform{}, quickRules(), miniredis.RunT(t).Addr())
		defer w.Shutdown()
		until(t, s, id, "delivered", func(st notify.Status) bool { return st.Delivered == 1 }) // not only when our clock is there too
	})
}

func TestGoingOnAfterAHaltIsNotUndoneByReceiptsThatAreBeingApplied(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		id, out := awaitingReceipts(t, s, 60)
		refuse := func(from, to int) {
			for i := from; i < to; i++ {
				push(t, s, report(out[phoneOf(i)], phoneOf(i), "CONTENT_KEYWORD"))
			}
		}
		refuse(0, 30)
		applyAll(t, s)
		if st := statusOf(t, s, id); st.State != notify.Halted {
			t.Fatalf("%+v", st)
		}

		refuse(30, 32)
		resume := func() {
			t.Helper()
			if _, err := s.MoveCampaign(t.Context(), id, notify.CampaignMoved{Event: notify.Resume, At: time.Now(), Audit: staff.Entry{At: time.Now(), Act: "x"}}); err != nil {
				t.Fatal(err)
			}
		}
		if s.d != postgresDialect { // one writes at a time there
			resume()
			applyAll(t, s)
		} else {
			free := holdRow(t, s, `SELECT 1 FROM deliveries WHERE campaign_id = $1 AND person_id = 31 FOR UPDATE`, id)
			applied := make(chan error, 1)
			go func() {
				_, err := s.ApplyReports(t.Context(), 0, 1000, notify.Judge)
				applied <- err
			}()
			waitForALock(t, s)
			resume()
			free()
			if err := <-applied; err != nil {
				t.Fatal(err)
			}
		}
		if st := statusOf(t, s, id); st.State != notify.Running {
			t.Errorf("halted again by what came before: %+v", st)
		}
		refuse(32, 34)
		applyAll(t, s)
		if st := statusOf(t, s, id); st.State != notify.Running {
			t.Errorf("halted again by two that came after: %+v", st)
		}
	})
}

// holdRow holds what a SELECT FOR UPDATE finds until it is freed.
func holdRow(t *testing.T, s *Store, query string, args ...any) (free func()) {
	t.Helper()
	tx, err := s.writer.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() })
	var one int
	if err := tx.QueryRowContext(t.Context(), query, args...).Scan(&one); err != nil {
		t.Fatal(err)
	}
	return func() { _ = tx.Rollback() }
}

// waitForALock returns when somebody in this database waits for another.
func waitForALock(t *testing.T, s *Store) {
	t.Helper()
	waitForLocks(t, s, 1)
}

// waitForLocks returns when so many do.
func waitForLocks(t *testing.T, s *Store, n int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		wait := 0
		err := s.reader.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&wait)
		if err != nil || time.Now().After(deadline) {
			t.Fatal(wait, "wait", err)
		}
		if wait >= n {
			return
		}
	}
}

// bind gives a person an openid that follows, and may consent.
func bind(t *testing.T, s *Store, person int64, consented bool) register.OpenID {
	t.Helper()
	open := register.OpenID(fmt.Sprint("openid", person))
	idx := s.keys.Index("openid", string(open))
	exec(t, s, `INSERT INTO contacts (channel, who_idx, who, follows, first_seen_at, last_inbound_at) VALUES ('wechat', $1, $2, $3, 1, 1)`,
		idx, s.keys.Seal([]byte(open), "contacts", "who", rowID(idx)), true)
	exec(t, s, `INSERT INTO bindings (openid_idx, person_id, relation, since) VALUES ($1, $2, 'self', 1)`, idx, person)
	exec(t, s, `UPDATE people SET wechat_bound = $1 WHERE id = $2`, true, person)
	if consented {
		exec(t, s, `INSERT INTO consents (openid_idx, template_id, accepted, at) VALUES ($1, 'TPL_A', $2, 1)`, idx, true)
	}
	return open
}

func TestWeChatGoesFirstAndSMSWhereItHasNoWay(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(40)...)
		for i := range int64(20) {
			bind(t, s, i+1, i < 12) // eight are bound and never consented
		}
		p := &platform{}
		id := approved(t, s, func(spec *notify.Spec) { spec.Channels = []notify.Channel{notify.WeChat, notify.SMS} })
		st := play(t, s, p, id, quickRules(), finished)
		if st.ByChannel[notify.WeChat] != 12 || st.ByChannel[notify.SMS] != 28 || st.Accepted != 40 {
			t.Errorf("%+v", st)
		}
	})
}

func TestAnUnconfirmedNoticeIsSettledByItsEvent(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(3)...)
		var open []register.OpenID
		for i := range int64(3) {
			open = append(open, bind(t, s, i+1, true))
		}
		p := &platform{}
		p.answer = func(notify.Outgoing, int) (notify.Answer, bool) { return notify.Answer{Outcome: notify.Unknown}, true }
		id := approved(t, s, func(spec *notify.Spec) {
			spec.Channels, spec.FallbackAfter = []notify.Channel{notify.WeChat, notify.SMS}, notify.Span(time.Hour)
		})
		w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr())
		defer w.Shutdown()
		until(t, s, id, "unconfirmed", func(st notify.Status) bool { return st.Unconfirmed == 3 })
		for i, proof := range []notify.WeChatProof{
			{OpenID: open[0], MsgID: "9", TemplateID: "TPL_A", OK: true},
			{OpenID: open[1], MsgID: "10", TemplateID: "TPL_B", OK: true}, // another template: says nothing of ours
			{OpenID: "stranger", MsgID: "11", TemplateID: "TPL_A", OK: true},
		} {
			if err := s.TakeWeChatProof(t.Context(), proof); err != nil {
				t.Fatal(i, err)
			}
		}
		if st := statusOf(t, s, id); st.Delivered != 1 || st.Unconfirmed != 2 {
			t.Errorf("%+v", st)
		}
		p.mu.Lock()
		p.answer = nil
		p.mu.Unlock()
		soon := toMicros(time.Now().Add(time.Minute))
		until(t, s, id, "looked at once", func(notify.Status) bool {
			return count(t, s, `SELECT count(*) FROM calls WHERE state = 'unconfirmed' AND wake_at < $1`, soon) == 0
		}) // a look that is under way writes down when the next is due, by the begin that it read
		exec(t, s, `UPDATE calls SET begun_at = begun_at - 660000000, wake_at = 1`) // eleven minutes: no proof will come any more
		until(t, s, id, "looked at again", func(notify.Status) bool {
			return count(t, s, `SELECT count(*) FROM calls WHERE state = 'unconfirmed' AND wake_at < $1`, soon) == 0
		})
		if st := statusOf(t, s, id); st.Unconfirmed != 2 {
			t.Errorf("the hour is not over: %+v", st)
		}
		exec(t, s, `UPDATE calls SET begun_at = begun_at - 3000000000, wake_at = 1`) // the hour is over
		st := until(t, s, id, "finished", finished)
		if st.Delivered != 1 || st.ByChannel[notify.SMS] != 2 {
			t.Errorf("%+v", st)
		}
	})
}

func TestAnUnconfirmedNoticeWithoutAnotherChannelFailsWhenNoProofCanCome(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(1)...)
		bind(t, s, 1, true)
		p := &platform{}
		p.answer = func(notify.Outgoing, int) (notify.Answer, bool) { return notify.Answer{Outcome: notify.Unknown}, true }
		id := approved(t, s, func(spec *notify.Spec) { spec.Channels = []notify.Channel{notify.WeChat} })
		w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr())
		defer w.Shutdown()
		until(t, s, id, "unconfirmed", func(st notify.Status) bool { return st.Unconfirmed == 1 })
		soon := toMicros(time.Now().Add(time.Minute))
		until(t, s, id, "looked at once", func(notify.Status) bool {
			return count(t, s, `SELECT count(*) FROM calls WHERE state = 'unconfirmed' AND wake_at < $1`, soon) == 0
		})
		exec(t, s, `UPDATE calls SET begun_at = begun_at - 660000000, wake_at = 1`) // eleven minutes
		wantCounts(t, until(t, s, id, "finished", finished), map[string]int64{"failed": 1})
	})
}
