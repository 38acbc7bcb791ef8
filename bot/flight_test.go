package bot

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/lingjuli/lingjuli/flows/turn"
)

type panicking struct{}

func (panicking) Turn(_ context.Context, in turn.Inbound) (turn.Answer, error) {
	return make([]turn.Answer, 1)[len(in.Text)], nil // a panic as they really come
}

func TestAPanicInATurnIsSuccess(t *testing.T) {
	f := safe(t, func(o *CallbackOptions) { o.Turner = panicking{} })
	if w := f.deliver(textMessage("1", "x")); w.Code != 200 || w.Body.String() != "success" {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
	if f.posts(resultPanic) != 1 {
		t.Error("not counted")
	}
}

func TestATurnThatFailsIsAnsweredByAnApology(t *testing.T) {
	f := safe(t)
	f.turner.act = func(context.Context, turn.Inbound) (turn.Answer, error) {
		return turn.Answer{}, errors.New("database away")
	}
	if got := f.read(f.deliver(textMessage("1", "x"))); !strings.Contains(got, "系统忙") {
		t.Errorf("got %q", got)
	}
}

func TestAConsentThatCannotBeKeptIsAskedForAgain(t *testing.T) {
	f := safe(t)
	f.turner.act = func(context.Context, turn.Inbound) (turn.Answer, error) {
		return turn.Answer{}, errors.New("database away")
	}
	if w := f.deliver(popupEvent()); w.Code != http.StatusServiceUnavailable {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
	f.proofs.err = errors.New("database away")
	if w := f.deliver(sentEvent()); w.Code != http.StatusServiceUnavailable {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
}

func TestNothingToSayIsSuccess(t *testing.T) {
	f := safe(t)
	f.turner.act = func(context.Context, turn.Inbound) (turn.Answer, error) { return turn.Answer{Text: " \n\x01 "}, nil }
	if w := f.deliver(textMessage("1", "x")); w.Body.String() != "success" {
		t.Errorf("got %q", w.Body)
	}
}

// deliverAtOnce sends the same message n times, each in an envelope of its own, and gives the answers.
func deliverAtOnce(f *fixture, n int, inner string) []*httptest.ResponseRecorder {
	answers := make([]*httptest.ResponseRecorder, n)
	var all sync.WaitGroup
	for i := range answers {
		p := f.newPost(inner)
		all.Go(func() { answers[i] = f.send(p) })
	}
	all.Wait()
	return answers
}

func TestThreeCopiesAtOnceHaveOneEffectAndOneReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := safe(t)
		f.turner.act = func(_ context.Context, in turn.Inbound) (turn.Answer, error) {
			time.Sleep(2 * time.Second)
			return turn.Answer{Text: "只做一次"}, nil
		}
		for _, w := range deliverAtOnce(f, 3, textMessage("7300", "x")) {
			if got := f.read(w); got != "只做一次" {
				t.Errorf("got %q", got)
			}
		}
		if f.turner.count() != 1 || f.turner.effects != 1 {
			t.Errorf("%d turns, %d effects", f.turner.count(), f.turner.effects)
		}
		if got := f.read(f.deliver(textMessage("7300", "x"))); got != "只做一次" || f.turner.effects != 1 {
			t.Errorf("a later copy: %q, %d effects", got, f.turner.effects)
		}
	})
}

func TestASlowTurnIsSuccessInTimeAndAnsweredByCustomerMessageOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := safe(t)
		f.turner.act = func(context.Context, turn.Inbound) (turn.Answer, error) {
			time.Sleep(7 * time.Second)
			return turn.Answer{Text: "来晚了\n1 查医保", Choices: []turn.Choice{{Number: 1, Label: "查医保"}}}, nil
		}
		start := time.Now()
		var copies []*httptest.ResponseRecorder
		done := make(chan struct{})
		go func() {
			time.Sleep(3 * time.Second) // still waiting when the answer comes, at 7 s
			copies = append(copies, f.deliver(textMessage("7301", "x")))
			close(done)
		}()
		w := f.deliver(textMessage("7301", "x"))
		if took := time.Since(start); took > 4600*time.Millisecond || w.Body.String() != "success" {
			t.Errorf("after %v: %q", took, w.Body)
		}
		<-done
		synctest.Wait()
		copies = append(copies, f.deliver(textMessage("7301", "x")))
		for _, w := range copies {
			if w.Body.String() != "success" {
				t.Errorf("a copy of a late answer says it again: %q", f.read(w))
			}
		}
		said := f.late.list()
		if len(said) != 1 || !strings.HasPrefix(said[0], testOpenID+" 来晚了\n1 ") || f.turner.effects != 1 {
			t.Errorf("said %q, %d effects", said, f.turner.effects)
		}
		time.Sleep(2 * lateMemory)
		if got := f.read(f.deliver(textMessage("7301", "x"))); got == "" || f.turner.effects != 1 {
			t.Errorf("much later the stored reply is given: %q", got)
		}
	})
}

func TestALateTurnThatFailsIsStillAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := safe(t)
		f.turner.act = func(ctx context.Context, _ turn.Inbound) (turn.Answer, error) {
			<-ctx.Done()
			return turn.Answer{}, ctx.Err()
		}
		start := time.Now()
		f.deliver(textMessage("7302", "x"))
		if err := f.callback.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != defaultPatience {
			t.Errorf("a turn went on for %v", took)
		}
		if said := f.late.list(); len(said) != 1 || !strings.Contains(said[0], "系统忙") {
			t.Errorf("said %q", said)
		}
	})
}

func TestShutdownWaitsForTurnsAndLateAnswersAndTakesNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := safe(t)
		f.turner.act = func(context.Context, turn.Inbound) (turn.Answer, error) {
			time.Sleep(8 * time.Second)
			return turn.Answer{Text: "最后一句"}, nil
		}
		f.deliver(textMessage("7303", "x"))
		if err := f.callback.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if said := f.late.list(); len(said) != 1 {
			t.Errorf("said %q", said)
		}
		if w := f.deliver(textMessage("7304", "y")); w.Code != http.StatusServiceUnavailable {
			t.Errorf("got %d", w.Code)
		}
		if err := f.callback.Shutdown(t.Context()); err != nil {
			t.Errorf("a second shutdown: %v", err)
		}
	})
}

func TestShutdownGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := safe(t)
		f.turner.act = func(context.Context, turn.Inbound) (turn.Answer, error) {
			time.Sleep(20 * time.Second)
			return turn.Answer{}, nil
		}
		f.deliver(textMessage("7305", "x"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := f.callback.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		time.Sleep(time.Minute)
	})
}

func TestACopyUnderAnotherOpenIDDoesNotHearTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := safe(t)
		f.turner.act = func(_ context.Context, in turn.Inbound) (turn.Answer, error) {
			time.Sleep(time.Second)
			return turn.Answer{Text: "给" + in.Who}, nil
		}
		go f.deliver(textMessage("7306", "x"))
		synctest.Wait()
		other := strings.Replace(textMessage("7306", "x"), testOpenID, "oSomebodyElse", 1)
		w := f.deliver(other)
		if body := string(f.open(w.Body.Bytes())); strings.Contains(body, testOpenID) {
			t.Errorf("got %s", body)
		}
	})
}

func TestACallerWhoHangsUpDoesNotUndoTheTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := safe(t)
		f.turner.act = func(ctx context.Context, _ turn.Inbound) (turn.Answer, error) {
			time.Sleep(time.Second)
			return turn.Answer{Text: "做完了"}, ctx.Err()
		}
		p := f.newPost(textMessage("7307", "x"))
		ctx, hangUp := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, "POST", "/wechat/callback?"+p.query.Encode(), strings.NewReader(p.body))
		go f.callback.ServeHTTP(httptest.NewRecorder(), r)
		synctest.Wait()
		hangUp()
		time.Sleep(2 * time.Second)
		if got := f.read(f.deliver(textMessage("7307", "x"))); got != "做完了" || f.turner.effects != 1 {
			t.Errorf("got %q, %d effects", got, f.turner.effects)
		}
	})
}

func TestNoGoroutineStaysBehind(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	f := safe(t)
	for range 50 {
		f.deliver(textMessage("1", "x"))
	}
	if err := f.callback.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}
