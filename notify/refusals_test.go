package notify

import (
	"testing"
	"time"
)

const missing = "isv.TEMPLATE_MISSING_PARAMETERS"

// halved is a pair of calls that a refused one was halved into.
func halved(id int64, size int, one, other CallState) []Answered {
	pair := []Answered{
		{ID: id, PreviousID: id - 1000, State: one, Code: missing, Size: size, BegunAt: id},
		{ID: id + 1, PreviousID: id - 1000, State: other, Code: missing, Size: size, BegunAt: id},
	}
	for i := range pair {
		if pair[i].State == CallAccepted {
			pair[i].Code = "OK"
		}
	}
	return pair
}

// times repeats pairs, each later than the one before.
func times(n int, pair func(id int64) []Answered) (list []Answered) {
	for i := range n {
		list = append(list, pair(int64(2000+2*i))...)
	}
	return list
}

func TestRefusalsInARowAreThoseSinceTheLastThatWasTaken(t *testing.T) {
	bad := func(size int) func(int64) []Answered {
		return func(id int64) []Answered { return halved(id, size, CallRefused, CallRefused) }
	}
	alone := func(id int64) []Answered { // of WeChat
		return []Answered{{ID: id, State: CallRefused, Code: missing, Size: 1, BegunAt: id}}
	}
	for name, c := range map[string]struct {
		list  []Answered
		inRow int
		taken bool
	}{
		"nothing":                                 {nil, 0, false},
		"both halves each time":                   {times(8, bad(4)), 16, false},
		"of one each":                             {times(20, alone), 20, false},
		"large calls say little":                  {times(8, bad(5)), 0, false},
		"one half each time, the other taken":     {times(8, func(id int64) []Answered { return halved(id, 1, CallRefused, CallAccepted) }), 0, true},
		"the other half has not gone":             {times(8, func(id int64) []Answered { return halved(id, 1, CallRefused, CallQueued) }), 0, false},
		"the other half's answer was lost":        {times(8, func(id int64) []Answered { return halved(id, 1, CallRefused, CallUnconfirmed) }), 0, false},
		"something is taken in between":           {append(times(8, bad(1)), Answered{ID: 9000, State: CallAccepted, BegunAt: 2007}), 8, true},
		"something is taken that began with them": {append(times(8, bad(1)), Answered{ID: 9000, State: CallAccepted, BegunAt: 2014}), 0, true},
		"something was taken before":              {append(times(8, bad(1)), Answered{ID: 9000, State: CallAccepted, BegunAt: 1500}), 16, false},
		"an older call is not answered yet":       {append(times(8, bad(1)), Answered{ID: 9000, State: CallSending, BegunAt: 2006}), 6, false},
		"another code, as of a number": {times(20, func(id int64) []Answered {
			return []Answered{{ID: id, State: CallRefused, Code: "isv.MOBILE_NUMBER_ILLEGAL", Size: 1, BegunAt: id}}
		}), 0, false},
		"the same people once more are no evidence": {times(20, func(id int64) []Answered { a := alone(id); a[0].Repeat = true; return a }), 0, false},
	} {
		near := Weigh(missing, 2000, c.list)
		if near.InRow != c.inRow || near.Taken != c.taken {
			t.Errorf("%s: %+v, want %d in a row, taken %v", name, near, c.inRow, c.taken)
		}
	}
}

func TestWhatACommonRefusalComesTo(t *testing.T) {
	now := at("2026-11-23T12:00:00Z")
	alone := CallResult{CallID: 1, Event: Refuse, Common: true, Code: missing, Message: "why", WakeAt: now.Add(secondTry)}
	again := alone
	again.WakeAt = time.Time{}
	few := CallResult{CallID: 1, Event: Bisect, Common: true, Code: missing, Message: "why"}
	for name, c := range map[string]struct {
		r      CallResult
		of     Campaign
		near   Near
		event  DeliveryEvent
		halts  bool
		counts bool
	}{
		"somebody's was taken":               {alone, Campaign{State: Running}, Near{Taken: true, InRow: 3}, Refuse, false, false},
		"nobody's was taken":                 {alone, Campaign{State: Running}, Near{InRow: 3}, Retry, false, true},
		"nobody's was taken, a second time":  {again, Campaign{State: Running}, Near{InRow: 3}, Refuse, false, false},
		"everybody is refused":               {alone, Campaign{State: Running}, Near{InRow: 16}, Retry, true, false},
		"a second time":                      {again, Campaign{State: Running}, Near{InRow: 16}, Retry, true, false},
		"in company":                         {few, Campaign{State: Running}, Near{InRow: 16}, Retry, true, false},
		"in company, not everybody":          {few, Campaign{State: Running}, Near{InRow: 15}, Bisect, false, false},
		"once the limit is raised":           {few, Campaign{State: Running, Raised: 1}, Near{InRow: 31}, Bisect, false, false},
		"beyond the raised limit":            {few, Campaign{State: Running, Raised: 1}, Near{InRow: 32}, Retry, true, false},
		"answered as the campaign is halted": {again, Campaign{State: Halted, Reason: haltEverybody}, Near{}, Retry, false, false},
		"halted for another reason":          {again, Campaign{State: Halted, Reason: "halt.refused"}, Near{}, Refuse, false, false},
	} {
		got := c.r.ByRefusals(c.of, c.near, now)
		if got.Event != c.event || (got.Halt != nil) != c.halts || got.Tried != c.counts {
			t.Errorf("%s: %+v", name, got)
		}
		if got.Halt != nil && (got.Halt.Reason != haltEverybody || got.Halt.Detail != missing+" why" || !got.WakeAt.Equal(now)) {
			t.Errorf("%s: %+v", name, got.Halt)
		}
	}
}

func TestOnlyACommonRefusalOfFewIsHeldAgainstOthers(t *testing.T) {
	p := Presented{CallID: 1, Channel: SMS, Now: at("2026-11-23T12:00:00Z"), Looks: Looks{time.Minute}}
	for name, c := range map[string]struct {
		answer  Answer
		members int
		tries   int
		weighs  bool
		tryOnce bool
	}{
		"alone":            {Answer{Outcome: Refused, Verdict: MemberFinal, Common: true}, 1, 0, true, true},
		"alone, tried":     {Answer{Outcome: Refused, Verdict: MemberFinal, Common: true}, 1, 1, true, false},
		"four":             {Answer{Outcome: Refused, Verdict: MemberFinal, Common: true}, 4, 0, true, false},
		"five":             {Answer{Outcome: Refused, Verdict: MemberFinal, Common: true}, 5, 0, false, false},
		"a person's code":  {Answer{Outcome: Refused, Verdict: MemberFinal, OfPhone: true}, 1, 0, false, false},
		"taken":            {Answer{Outcome: Accepted}, 1, 0, false, false},
		"of these bytes":   {Answer{Outcome: Refused, Verdict: BytesSpent, Common: true}, 1, 0, false, false},
		"the account":      {Answer{Outcome: Refused, Verdict: Halt}, 1, 0, false, false},
		"closed to them":   {Answer{Outcome: Refused, Verdict: ChannelClosed}, 1, 0, false, false},
		"they opted out":   {Answer{Outcome: Refused, Verdict: OptedOutThere}, 1, 0, false, false},
		"the platform off": {Answer{Outcome: Refused, Verdict: RetryLater}, 1, 0, false, false},
	} {
		p.Answer, p.Members, p.Tries = c.answer, c.members, c.tries
		r := p.Result()
		if r.RefusalWeighs(c.members) != c.weighs || (r.Event == Refuse && !r.WakeAt.IsZero()) != c.tryOnce {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
