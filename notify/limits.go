package notify

import (
	"slices"
	"time"
)

// The platform's limits for one number (help.aliyun.com 44335): codes by the clock's minute and hour and in 24 hours,
// other texts in 24 hours. They are kept before anything is sent: a refusal would count against us, and say no more.
const (
	codesAMinute = 1
	codesAnHour  = 5
	codesADay    = 10
	textsADay    = 50
	day          = 24 * time.Hour
)

// CodeFreeAt is when the platform takes one more code for a number after those sent; not after now: at once.
func CodeFreeAt(sent []time.Time, now time.Time) time.Time {
	free := Cap{{codesADay, day}}.FreeAt(sent, now)
	for _, limit := range []struct {
		most int
		per  time.Duration
	}{{codesAMinute, time.Minute}, {codesAnHour, time.Hour}} {
		began := now.Truncate(limit.per) // minutes and hours of UTC are those of Beijing
		n := 0
		for _, at := range sent {
			if !at.Before(began) {
				n++
			}
		}
		if next := began.Add(limit.per); n >= limit.most && next.After(free) {
			free = next
		}
	}
	return free
}

// span is how far back a claim looks at what people got: where there is a cap, at least the platform's day.
func (r Rules) span() time.Duration {
	if len(r.Cap) == 0 {
		return 0 // nothing is looked up: what the platform refuses waits
	}
	return max(r.Cap.Longest(), day)
}

// overLimit says that a member waits for the platform's limit of their number. It counts every message to person and
// number, where the platform counts the texts of one template: nobody wants fifty.
func overLimit(channel Channel, f Facts, now time.Time) (Drop, bool) {
	if channel != SMS {
		return Drop{}, false
	}
	free := Cap{{textsADay, day}}.FreeAt(slices.Concat(f.Sent, f.NumberSent), now)
	if !free.After(now) {
		return Drop{}, false
	}
	return Drop{PersonID: f.PersonID, Event: PutBack, WakeAt: LimitWake(free)}, true
}
