package notify

import (
	"strings"
	"time"
)

// Looks are when the carrier is asked after a call whose answer was lost, counted from its last presentation.
type Looks []time.Duration

// ParseLooks reads "60s,6m".
func ParseLooks(text string) (Looks, error) {
	var l Looks
	for part := range strings.SplitSeq(text, ",") {
		d, err := time.ParseDuration(strings.TrimSpace(part))
		if err != nil || d <= 0 || len(l) > 0 && d <= l[len(l)-1] {
			return nil, &LooksError{text}
		}
		l = append(l, d)
	}
	return l, nil
}

// LooksError says that a text is no list of rising durations.
type LooksError struct{ Text string }

func (e *LooksError) Error() string {
	return "looks " + e.Text + " are not rising durations like 60s,6m"
}

// Next is when the look after the given number of looks is due. After the last one listed comes one more, when the
// request can't be taken any more, unless that is past. The gap between two looks never shrinks.
func (l Looks) Next(made int, presented, now, invalid time.Time) time.Time {
	if made == 0 {
		return presented.Add(l[0])
	}
	var at time.Time
	gap := l[0]
	if made < len(l) {
		at, gap = presented.Add(l[made]), l[made]-l[made-1]
	} else {
		at = invalid
		if len(l) > 1 {
			gap = l[len(l)-1] - l[len(l)-2]
		}
	}
	if soonest := now.Add(gap); at.Before(soonest) {
		return soonest
	}
	return at
}

// Enough says whether the looks made, the one just now included, settle that the platform does not have the call:
// all are made, and the bytes can't be taken any more, which was so already when this look began.
func (l Looks) Enough(made int, c Call, began time.Time, validity time.Duration) bool {
	return made >= len(l) && (c.Spent || !began.Before(c.SignedAt.Add(validity)))
}

// Retries are the pauses before another try after a refusal that asked for one.
func Retries() []time.Duration {
	return []time.Duration{time.Second, 5 * time.Second, 30 * time.Second}
}

// Waits are the pauses after transient refusals of a call that people must not be lost for: those of Retries, then
// longer ones, half an hour in all. A campaign that is refused throughout them is halted; when staff go on, they begin
// anew.
func Waits() []time.Duration {
	const m = time.Minute
	return append(Retries(), m, 2*m, 4*m, 5*m, 5*m, 5*m, 5*m, 5*m)
}

// Presented is one call and what came of presenting it.
type Presented struct {
	CallID  int64
	Channel Channel
	Members int
	Tries   int // of its members, the most
	Spec    Spec
	Answer  Answer
	Works   bool // the platform took another call of the channel a moment ago
	Down    bool // the platform has put off every call of the channel for a while
	Again   bool // bytes of an earlier, unanswered presentation: a refusal says only that they are spent now
	Now     time.Time
	Looks   Looks
}

// throttled says whether a refusal is about our speed: it may be tried again for ever, slower.
func throttled(code string) bool { return strings.HasPrefix(code, "Throttling") }

// Result says what an answer makes of a call.
func (p Presented) Result() CallResult {
	a := p.Answer
	r := CallResult{CallID: p.CallID, Code: a.Code, Message: a.Message, BizID: a.ID}
	switch {
	case a.Outcome == Accepted:
		r.Event = Accept
		if p.Channel.Phone() {
			r.WakeAt = p.Now.Add(p.Spec.FallsBackAfter())
		}
	case a.Outcome == NotSent && !p.Again:
		r.Event, r.WakeAt = Retry, p.Now.Add(max(a.RetryAfter, time.Second))
	case a.Outcome == Refused && !p.Again && a.Verdict != BytesSpent:
		p.refused(&r)
	default:
		r.Event, r.WakeAt = Lose, p.Looks.Next(0, p.Now, p.Now, p.Now)
		if fallAt := p.Now.Add(p.Spec.FallsBackAfter()); fallAt.Before(r.WakeAt) {
			r.WakeAt = fallAt
		}
		r.Spent, r.Again = a.Outcome == Refused, p.Again
	}
	return r
}

// refused fills in what an explicit refusal means.
func (p Presented) refused(r *CallResult) {
	a := p.Answer
	switch a.Verdict {
	case RetryLater:
		p.putOff(r)
	case Halt:
		r.Event, r.WakeAt = Retry, p.Now
		r.Halt = &Halting{Reason: "halt.refused", Detail: strings.TrimSpace(a.Code + " " + a.Message)}
	case MemberLater:
		if p.Members > 1 {
			r.Event = Bisect
			return
		}
		r.Event, r.WakeAt = Retry, LimitWake(p.Now.Add(max(a.RetryAfter, time.Minute)))
	default: // MemberFinal, OptedOutThere, ChannelClosed
		r.Common = a.Common
		if p.Members > 1 {
			r.Event = Bisect
			return
		}
		r.Event = Refuse
		r.OptOut = a.Verdict == OptedOutThere
		r.OfPhone = r.OptOut || a.OfPhone
		if r.Common && p.Tries == 0 {
			r.WakeAt = p.Now.Add(secondTry)
		}
	}
}

// putOff fills in what a refusal means that asks for another try. An outage of the platform costs nobody: only a
// message that stands alone, and is refused while the platform does not put off all the others too, ends after a few
// tries. One that spoils a whole call is looked for by halves, as soon as others are taken.
func (p Presented) putOff(r *CallResult) {
	waits, few := Waits(), len(Retries())
	turn := p.Tries % (len(waits) + 1)
	r.Event = Retry
	switch {
	case throttled(p.Answer.Code):
		r.WakeAt = p.Now.Add(max(p.Answer.RetryAfter, 2*time.Second))
	case p.Tries >= few && p.Members > 1 && p.Works:
		r.Event = Bisect
	case p.Tries >= few && p.Members == 1 && !p.Down:
		r.Event = Refuse
	case turn == len(waits):
		r.Tried, r.WakeAt = true, p.Now
		r.Halt = &Halting{Reason: "halt.outage", Detail: strings.TrimSpace(p.Answer.Code + " " + p.Answer.Message)}
	default:
		r.Tried, r.WakeAt = true, p.Now.Add(max(p.Answer.RetryAfter, waits[turn]))
	}
}
