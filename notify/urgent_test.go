package notify

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// waiting are notices and letters of which each look finds what is said of it, and whose claims are counted.
type waiting struct {
	Store
	kinds  []Kind // of each look; after the last nothing waits
	claims int
}

func (w *waiting) NoticeWaits(context.Context, int64) (kind Kind, err error) {
	if len(w.kinds) == 0 {
		return "", ErrNoNotice
	}
	kind, w.kinds = w.kinds[0], w.kinds[1:]
	return kind, nil
}

func (w *waiting) LetterWaits(ctx context.Context, id int64) error {
	if _, err := w.NoticeWaits(ctx, id); err != nil {
		return ErrNoLetter
	}
	return nil
}

func (w *waiting) ClaimNotice(context.Context, int64, string, time.Duration) (Notice, error) {
	w.claims++
	return Notice{}, ErrNoNotice
}

func (w *waiting) ClaimLetter(context.Context, int64, time.Duration) (Letter, error) {
	w.claims++
	return Letter{}, ErrNoLetter
}

func (w *waiting) MAC(string, string) []byte { return make([]byte, 32) }

// stopgap says at the first asking that there is no turn yet.
type stopgap struct{ asked, given int }

func (s *stopgap) Take(context.Context, Bucket, int) (time.Duration, error) {
	if s.asked++; s.asked == 1 {
		return time.Millisecond, nil
	}
	s.given++
	return 0, nil
}

type nobody struct{}

func (nobody) Sign(context.Context, Outgoing) (Request, error) {
	return nil, errors.New("nothing is to be signed")
}

func TestWhatOthersHaveSentSpendsNoTurn(t *testing.T) {
	for name, c := range map[string]struct {
		looks []Kind
		asked int
		given int
	}{
		"sent before":                         {nil, 0, 0},
		"sent while it waited for its turn":   {[]Kind{Reply}, 1, 0},
		"still to be sent when its turn came": {[]Kind{Reply, Reply}, 2, 1},
	} {
		for channel, send := range map[string]func(*waiting, *stopgap) error{
			"sms": func(w *waiting, s *stopgap) error {
				u := urgent{store: w, sender: nobody{}, limiter: s, qps: 20, log: slog.New(slog.DiscardHandler)}
				return u.send(t.Context(), 7)
			},
			"wechat": func(w *waiting, s *stopgap) error {
				l := letters{store: w, sender: nobody{}, limiter: s, qps: 20, log: slog.New(slog.DiscardHandler)}
				return l.send(t.Context(), 7)
			},
		} {
			w, s := &waiting{kinds: c.looks}, &stopgap{}
			if err := send(w, s); err != nil {
				t.Errorf("%s by %s: %v", name, channel, err)
			}
			if s.asked != c.asked || s.given != c.given || w.claims != c.given {
				t.Errorf("%s by %s: asked for %d turns, got %d, claimed %d times; want %d, %d, %d", name, channel, s.asked, s.given, w.claims, c.asked, c.given, c.given)
			}
		}
	}
}

// bursts notes the burst that each bucket was asked with.
type bursts map[string]int

func (b bursts) Take(_ context.Context, bucket Bucket, _ int) (time.Duration, error) {
	b[bucket.Key] = bucket.Burst
	return 0, nil
}

func TestCodesAloneMayUseTheWholeBurstOfTheAccount(t *testing.T) {
	const qps, account = 20, "rate:sms"
	for kind, burst := range map[Kind]int{Verification: 2, Reply: 1} {
		got := bursts{}
		u := urgent{store: &waiting{kinds: []Kind{kind}}, sender: nobody{}, limiter: got, qps: qps, log: slog.New(slog.DiscardHandler)}
		if err := u.send(t.Context(), 7); err != nil || got[account] != burst {
			t.Errorf("%s: burst %d, %v, want %d", kind, got[account], err, burst)
		}
	}
	got := bursts{}
	r := &runner{limiter: got, qps: map[Channel]int{SMS: qps}, now: time.Now}
	if _, err := r.takeTurns(t.Context(), callTask{Channel: SMS, Calls: []int64{1}}); err != nil || got[account] != 1 {
		t.Errorf("a campaign: burst %d, %v, want 1", got[account], err)
	}
}

// unanswered is a notice whose request gets no answer, and what became of it.
type unanswered struct {
	waiting
	notice  Notice
	settled Settlement
}

func (u *unanswered) ClaimNotice(context.Context, int64, string, time.Duration) (Notice, error) {
	return u.notice, nil
}

func (u *unanswered) SettleNotice(_ context.Context, _ int64, as Settlement) error {
	u.settled = as
	return nil
}

func (u *unanswered) FindTemplate(context.Context, string) (Template, error) {
	return Template{Kind: u.notice.Kind, SMS: &SMSTemplate{Content: "x"}}, nil
}

// onlySender signs one request, whatever the call.
type onlySender struct{ request *shown }

func (s onlySender) Sign(context.Context, Outgoing) (Request, error) { return s.request, nil }

func TestACodeWhoseAnswerIsLostIsPresentedOnce(t *testing.T) {
	for _, kind := range []Kind{Verification, Reply} {
		synctest.Test(t, func(t *testing.T) {
			store := &unanswered{waiting: waiting{kinds: []Kind{kind, kind}}, notice: Notice{ID: 7, Kind: kind, Phone: "13900000001"}}
			request := &shown{answers: []Answer{{Outcome: Unknown}, {Outcome: Accepted}}}
			u := urgent{store: store, sender: onlySender{request}, limiter: &purse{taken: map[string]int{}}, qps: 20, log: slog.New(slog.DiscardHandler)}
			if err := u.send(t.Context(), 7); err != nil || len(request.went) != 1 || store.settled.State != NoticeUnconfirmed {
				t.Errorf("%s: presented %d times, %s, %v", kind, len(request.went), store.settled.State, err)
			}
		})
	}
}
