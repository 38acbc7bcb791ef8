package notify

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// openNow is a look that holds nothing.
func openNow() LastLook { return LastLook{State: Running} }

// anyHour is a campaign that may send at any hour.
func anyHour() Campaign {
	always := ""
	return Campaign{ID: 7, State: Running, Spec: Spec{Window: &always}}
}

func TestATextWhoseAnswerIsLostIsPresentedOnceMoreWithTheSameBytes(t *testing.T) {
	lost, taken := Answer{Outcome: Unknown, Message: "lost"}, Answer{Outcome: Accepted, ID: "b"}
	late := func(s LastLook) []LastLook { return []LastLook{openNow(), s} }
	for name, c := range map[string]struct {
		request shown
		finds   []LastLook
		channel Channel
		event   DeliveryEvent
		went    int
		message string
		spent   bool
		again   bool
	}{
		"it had not arrived":         {shown{answers: []Answer{lost, taken}}, nil, SMS, Accept, 2, "", false, false},
		"it had":                     {shown{answers: []Answer{lost, {Outcome: Refused, Verdict: BytesSpent}}}, nil, SMS, Lose, 2, "", true, true},
		"it is refused otherwise":    {shown{answers: []Answer{lost, {Outcome: Refused, Verdict: Halt, Message: "no money"}}}, nil, SMS, Lose, 2, "no money", true, true},
		"the second is lost too":     {shown{answers: []Answer{lost, {Outcome: Unknown, Message: "lost again"}}}, nil, SMS, Lose, 2, "lost again", false, true},
		"nothing of it was written":  {shown{answers: []Answer{lost, {Outcome: NotSent, Message: "no connection"}}}, nil, SMS, Lose, 2, "lost", false, false},
		"a code":                     {shown{single: true, answers: []Answer{lost, taken}}, nil, SMS, Lose, 1, "lost", false, false},
		"a call by telephone":        {shown{answers: []Answer{lost, taken}}, nil, Voice, Lose, 1, "lost", false, false},
		"a notice":                   {shown{answers: []Answer{lost, taken}}, nil, WeChat, Lose, 1, "lost", false, false},
		"somebody opts out":          {shown{answers: []Answer{lost, taken}}, late(LastLook{State: Running, Out: []int64{1}}), SMS, Lose, 1, "lost", false, false},
		"the campaign is paused":     {shown{answers: []Answer{lost, taken}}, late(LastLook{State: Paused}), SMS, Lose, 1, "lost", false, false},
		"paused while the door shut": {shown{late: 200 * time.Millisecond, answers: []Answer{lost, taken}}, []LastLook{openNow(), openNow(), openNow(), {State: Paused}}, SMS, Lose, 1, "lost", false, false},
		"the lease is nearly over":   {shown{late: claimLease - againAfter - againLeft + time.Millisecond, answers: []Answer{lost, taken}}, nil, SMS, Lose, 1, "lost", false, false},
		"it hangs to the end":        {shown{answers: []Answer{lost}}, nil, SMS, Lose, 2, "out of time", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if c.finds == nil {
					c.finds = []LastLook{openNow()}
				}
				calls := &looked{find: c.finds}
				got := claimedAll(t, t.Context(), calls, anyHour(), c.channel, &c.request)
				if len(got) != 1 || got[0].Event != c.event || got[0].Message != c.message || got[0].Spent != c.spent || got[0].Again != c.again {
					t.Errorf("%+v", got)
				}
				if len(c.request.went) != c.went || c.went > 1 && c.request.went[1]-c.request.went[0] < againAfter {
					t.Errorf("presented at %v, want %d times", c.request.went, c.went)
				}
			})
		})
	}
}

func TestCallsThatWereAnsweredDoNotWaitForOneThatIsPresentedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := &looked{find: []LastLook{openNow()}}
		lost := func() *shown { return &shown{answers: []Answer{{Outcome: Unknown}, {Outcome: Accepted}}} }
		got := claimedAll(t, t.Context(), calls, anyHour(), SMS, &shown{answers: []Answer{{Outcome: Accepted}}}, lost(), lost())
		if len(got) != 3 || slices.ContainsFunc(got, func(s settledCall) bool { return s.Event != Accept }) {
			t.Fatalf("%+v", got)
		}
		if got[0].after > settleEvery || got[1].after < againAfter || got[2].after > againAfter+settleEvery {
			t.Errorf("settled after %v, %v and %v", got[0].after, got[1].after, got[2].after)
		}
		if calls.looks != 2 {
			t.Errorf("%d looks, want one for all and one for those that go again", calls.looks)
		}
	})
}

func TestAWorkerThatStopsPresentsNothingAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alive, stop := context.WithTimeout(t.Context(), againAfter/2)
		defer stop()
		request := &shown{answers: []Answer{{Outcome: Unknown}, {Outcome: Accepted}}}
		got := claimedAll(t, alive, &looked{find: []LastLook{openNow()}}, anyHour(), SMS, request)
		if len(got) != 1 || got[0].Event != Lose || got[0].after > againAfter/2 || len(request.went) != 1 {
			t.Errorf("%+v, presented at %v", got, request.went)
		}
	})
}

func TestWhatGoesAgainTakesItsTurnOrStays(t *testing.T) {
	for bucket, went := range map[string]int{"rate:campaign:7": 1, "rate:sms:bulk": 1, "rate:sms": 1, "rate:wechat": 2} {
		synctest.Test(t, func(t *testing.T) {
			calls := &looked{find: []LastLook{openNow()}, turns: purse{holds: map[string]int{bucket: 0}, after: time.Hour}}
			request := &shown{answers: []Answer{{Outcome: Unknown}, {Outcome: Accepted}}}
			c := anyHour()
			c.Spec.Rate = 100
			if got := claimedAll(t, t.Context(), calls, c, SMS, request); len(got) != 1 || len(request.went) != went {
				t.Errorf("where %s has no turn: %+v, presented %d times", bucket, got, len(request.went))
			}
		})
	}
}
