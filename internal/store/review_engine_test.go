package store

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

func TestAReceiptThatSaysNothingProvesTheCallAndFailsNobody(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(40)...)
		p := &platform{}
		p.answer = func(notify.Outgoing, int) (notify.Answer, bool) { return notify.Answer{Outcome: notify.Unknown}, true }
		id := approved(t, s, func(spec *notify.Spec) { spec.Channels = []notify.Channel{notify.SMS, notify.Voice} })
		w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr(), time.Hour) // no look comes first
		until(t, s, id, "unconfirmed", func(st notify.Status) bool { return st.Unconfirmed == 40 })
		w.Shutdown()
		out := p.outIDs()
		for i := range 40 {
			push(t, s, notify.Report{Channel: notify.SMS, OutID: out[phoneOf(i)], Phone: phoneOf(i), Unclear: true, ErrCode: "REQUEST_SUCCESS"})
		}
		push(t, s, report(out[phoneOf(0)], phoneOf(0), "DELIVERED"))
		applyAll(t, s)
		st := statusOf(t, s, id)
		wantCounts(t, st, map[string]int64{"accepted": 39, "delivered": 1})
		if st.State != notify.Running {
			t.Errorf("%s (%s)", st.State, st.Reason)
		}
	})
}

// A worker's claim is rolled back after it decided, and another worker takes the call before it tries again.
func TestAClaimThatWasRolledBackAndLostKeepsNothingOfWhatItDecided(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		putOnFile(t, s, crowd(3)...)
		call := dispatched(t, s, approved(t, s, nil), notify.SMS)
		q := notify.ClaimQuery{IDs: call, Owner: "first", Lease: time.Minute, Zone: time.UTC}
		runs, claimed := 0, 0
		err := s.BeginCalls(ctx, q, func(f notify.ClaimFacts) ([]notify.Beginning, error) {
			runs++
			claimed = len(f.Calls)
			if runs == 1 {
				return nil, &pgconn.PgError{Code: "40P01"}
			}
			return begunWith(f), nil
		})
		if err != nil || runs != 2 || claimed != 1 {
			t.Fatal(err, runs, claimed)
		}
		claimed = -1
		q.Owner = "second"
		err = s.BeginCalls(ctx, q, func(f notify.ClaimFacts) ([]notify.Beginning, error) { claimed = len(f.Calls); return nil, nil })
		if err != nil || claimed != 0 {
			t.Errorf("a claim of nothing heard of %d calls: %v", claimed, err)
		}
	})
}

// dispatched plans a campaign and puts its first rows into calls, with no worker.
func dispatched(t *testing.T, s *Store, id int64, channel notify.Channel) []int64 {
	t.Helper()
	now := time.Now()
	if _, err := s.StartDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	if done, err := s.PlanPage(t.Context(), id, now, 100); err != nil || !done {
		t.Fatal(done, err)
	}
	calls, _, err := s.Dispatch(t.Context(), id, channel, now, 100)
	if err != nil || len(calls) == 0 {
		t.Fatal(calls, err)
	}
	return calls
}

func begunWith(f notify.ClaimFacts) (list []notify.Beginning) {
	for _, c := range f.Calls {
		b := notify.Beginning{CallID: c.ID, SignedAt: f.Now, Route: notify.BizSend}
		for _, m := range c.Members {
			b.Begin = append(b.Begin, m.PersonID)
		}
		list = append(list, b)
	}
	return list
}

// begun claims calls for everybody in them.
func begun(t *testing.T, s *Store, calls []int64) {
	t.Helper()
	err := s.BeginCalls(context.Background(), notify.ClaimQuery{IDs: calls, Owner: "w", Lease: time.Minute, Zone: time.UTC},
		func(f notify.ClaimFacts) ([]notify.Beginning, error) { return begunWith(f), nil })
	if err != nil {
		t.Fatal(err)
	}
}

func settled(t *testing.T, s *Store, results ...notify.CallResult) {
	t.Helper()
	if err := s.SettleCalls(t.Context(), results); err != nil {
		t.Fatal(err)
	}
}

func moved(t *testing.T, s *Store, id int64, e notify.CampaignEvent) {
	t.Helper()
	if _, err := s.MoveCampaign(t.Context(), id, notify.CampaignMoved{Event: e, At: time.Now(), Audit: staff.Entry{At: time.Now(), Act: "x"}}); err != nil {
		t.Fatal(err)
	}
}

func ended(t *testing.T, s *Store) {
	t.Helper()
	exec(t, s, `UPDATE campaigns SET check_at = 0`)
	for more := true; more; {
		var err error
		if more, err = s.EndCampaigns(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFailureThatComesAfterTheEndLeavesNobodyPlanned(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(1)...)
		open := bind(t, s, 1, true)
		id := approved(t, s, func(spec *notify.Spec) { spec.Channels = []notify.Channel{notify.WeChat, notify.SMS} })
		calls := dispatched(t, s, id, notify.WeChat)
		begun(t, s, calls)
		settled(t, s, notify.CallResult{CallID: calls[0], Event: notify.Accept, BizID: "7"})
		if _, _, err := s.Dispatch(t.Context(), id, notify.SMS, time.Now(), 100); err != nil {
			t.Fatal(err)
		}
		ended(t, s)
		if st := statusOf(t, s, id); st.State != notify.Finished {
			t.Fatalf("%+v", st)
		}
		if err := s.TakeWeChatProof(t.Context(), notify.WeChatProof{OpenID: open, MsgID: "7", TemplateID: "TPL_A", Code: "user refuse"}); err != nil {
			t.Fatal(err)
		}
		wantCounts(t, statusOf(t, s, id), map[string]int64{"failed": 1})
	})
}

func TestWhatWasAcceptedStaysSoWhenTheCampaignIsCancelled(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(2)...)
		id := approved(t, s, func(spec *notify.Spec) { spec.Channels = []notify.Channel{notify.SMS, notify.Voice} })
		calls := dispatched(t, s, id, notify.SMS)
		begun(t, s, calls)
		settled(t, s, notify.CallResult{CallID: calls[0], Event: notify.Accept, WakeAt: time.Now()})
		moved(t, s, id, notify.Cancel)
		if err := s.FallBackCall(t.Context(), calls[0], false, time.Time{}); err != nil {
			t.Fatal(err)
		}
		ended(t, s)
		wantCounts(t, statusOf(t, s, id), map[string]int64{"accepted": 2})
	})
}

func TestAProofWithoutAnIDFindsNoCall(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(3)...)
		for i := range int64(3) {
			bind(t, s, i+1, true)
		}
		id := approved(t, s, func(spec *notify.Spec) { spec.Channels = []notify.Channel{notify.WeChat} })
		dispatched(t, s, id, notify.WeChat)
		if err := s.TakeWeChatProof(t.Context(), notify.WeChatProof{OpenID: "stranger", TemplateID: "TPL_A", OK: true}); err != nil {
			t.Fatal(err)
		}
		wantCounts(t, statusOf(t, s, id), map[string]int64{"queued": 3})
	})
}

func TestALateAcceptanceKeepsTheChannelThatWasStillAhead(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(1)...)
		id := approved(t, s, func(spec *notify.Spec) { spec.Channels = []notify.Channel{notify.SMS, notify.Voice} })
		calls := dispatched(t, s, id, notify.SMS)
		begun(t, s, calls)
		settled(t, s, notify.CallResult{CallID: calls[0], Event: notify.Lose, WakeAt: time.Now()})
		if err := s.FallBackCall(t.Context(), calls[0], false, time.Now()); err != nil {
			t.Fatal(err)
		}
		wantCounts(t, statusOf(t, s, id), map[string]int64{"planned": 1})
		settled(t, s, notify.CallResult{CallID: calls[0], Event: notify.Accept, WakeAt: time.Now().Add(5 * time.Hour)})
		wantCounts(t, statusOf(t, s, id), map[string]int64{"accepted": 1})
		if hours := count(t, s, `SELECT (wake_at - begun_at) / 3600000000 FROM calls`); hours < 4 || hours > 5 {
			t.Errorf("it goes on after %d hours", hours) // and not when the carrier is asked
		}
		push(t, s, report(notify.OutID(s, calls[0], notify.SMS), phoneOf(0), "MOBILE_NOT_ON_SERVICE"))
		applyAll(t, s)
		wantCounts(t, statusOf(t, s, id), map[string]int64{"planned": 1}) // the voice call is still to come
		if voice, _, err := s.Dispatch(t.Context(), id, notify.Voice, time.Now().Add(time.Second), 100); err != nil || len(voice) != 1 {
			t.Error(voice, err)
		}
	})
}

func TestANumberThatBecameNobodysIsNotSentTo(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(1)...)
		calls := dispatched(t, s, approved(t, s, nil), notify.SMS)
		putOnFile(t, s, villager{id: 11, phone: phoneOf(0), household: "x"}, villager{id: 12, phone: phoneOf(0), household: "y"})
		many := false
		err := s.BeginCalls(t.Context(), notify.ClaimQuery{IDs: calls, Owner: "w", Lease: time.Minute, Zone: time.UTC},
			func(f notify.ClaimFacts) ([]notify.Beginning, error) {
				many = f.Calls[0].Members[0].PhoneMany
				return nil, nil
			})
		if err != nil || !many {
			t.Error(many, err)
		}
	})
}

func TestAnUnconfirmedRowGoesToItsNextChannelOnTime(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(2)...)
		p := &platform{}
		p.answer = func(call notify.Outgoing, _ int) (notify.Answer, bool) {
			if call.Channel == notify.SMS {
				return notify.Answer{Outcome: notify.Unknown}, false
			}
			return notify.Answer{Outcome: notify.Accepted}, true
		}
		id := approved(t, s, func(spec *notify.Spec) {
			spec.Channels, spec.FallbackAfter = []notify.Channel{notify.SMS, notify.Voice}, notify.Span(time.Second)
		})
		w := startPatient(t, s, p, miniredis.RunT(t).Addr())
		defer w.Shutdown()
		st := until(t, s, id, "called", func(st notify.Status) bool { return st.ByChannel[notify.Voice] == 2 })
		wantCounts(t, st, map[string]int64{"accepted": 2})
	})
}

// A lone worker's pulse must not stop for minutes because the carrier does not answer questions.
func TestQueriesThatHangHoldUpNothingElse(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(1200)...) // twelve calls: more than are looked at at once
		p := &platform{hangs: make(chan struct{}, 1), free: make(chan struct{})}
		p.answer = func(call notify.Outgoing, _ int) (notify.Answer, bool) {
			if call.Channel == notify.SMS {
				return notify.Answer{Outcome: notify.Unknown}, false
			}
			return notify.Answer{Outcome: notify.Accepted}, true
		}
		w := startPatient(t, s, p, miniredis.RunT(t).Addr())
		defer w.Shutdown()
		defer close(p.free)
		approved(t, s, nil)
		<-p.hangs
		exec(t, s, `UPDATE people SET region = '441882001001' WHERE id <= 20`)
		id := approved(t, s, func(spec *notify.Spec) {
			spec.Channels = []notify.Channel{notify.Voice}
			spec.Audience = register.Condition{Test: &register.Test{Field: "region", Op: register.Within, Values: []string{"441882"}}}
		})
		until(t, s, id, "called", func(st notify.Status) bool { return st.Accepted == 20 }) // though no query of the other has an answer
	})
}

// startPatient starts a worker whose looks are far away.
func startPatient(t *testing.T, s *Store, p *platform, redis string) *notify.Worker {
	t.Helper()
	w, err := notify.NewWorker(notify.WorkerConfig{
		Store: noNotices{s}, Senders: map[notify.Channel]notify.Sender{notify.SMS: p, notify.Voice: p}, Looker: p,
		Redis: asynq.RedisClientOpt{Addr: redis}, Rules: quickRules(), Looks: notify.Looks{200 * time.Millisecond, time.Hour}, Validity: 2 * time.Hour,
		SMSQPS: 500, WeChat: 500, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWhoWaitsBehindNobodyIsFoundBeforeTheEnd(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, villager{id: 1, phone: phoneOf(1), household: "a"}, villager{id: 2, phone: phoneOf(1), household: "a"})
		id := approved(t, s, nil)
		calls := dispatched(t, s, id, notify.SMS)
		begun(t, s, calls)
		settled(t, s, notify.CallResult{CallID: calls[0], Event: notify.Lose, WakeAt: time.Now()})
		ended(t, s) // the carrier of the message is unconfirmed: nobody takes over
		if again, _, err := s.Dispatch(t.Context(), id, notify.SMS, time.Now().Add(time.Hour), 100); err != nil || len(again) != 0 {
			t.Fatal("a household got a second text", again, err)
		}
		exec(t, s, `UPDATE deliveries SET state = 'failed', phone_idx = $1 WHERE person_id = 1`, phoneIdx(s, phoneOf(7))) // their number changed
		exec(t, s, `UPDATE campaigns SET check_at = 0`)
		ended(t, s)
		if again, _, err := s.Dispatch(t.Context(), id, notify.SMS, time.Now().Add(time.Hour), 100); err != nil || len(again) != 1 {
			t.Error("a follower is forgotten", again, err)
		}
	})
}
