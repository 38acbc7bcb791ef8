package notify

import "time"

// The platform's limits for one number: codes by the clock's minute and hour and in 24 hours; in 24 hours so many texts of one
// template (help.aliyun.com 44335); calls by telephone, failed ones too (393519). They are kept before anything is sent,
// whatever the cap: a refusal would count against us, and say no more.
const (
	codesAMinute = 1
	codesAnHour  = 5
	codesADay    = 10
	textsADay    = 50
	callsAMinute = 1
	callsAnHour  = 5
	callsADay    = 20
	day          = 24 * time.Hour
)

// LimitSpan is how far back the platform's limits look.
const LimitSpan = day

// FewCampaigns says that none of so many campaigns' texts of one template, and so many people who share a number, can come
// to the platform's limit for it: a campaign sends one text to each person, and only where another's failed more to a number.
func FewCampaigns(campaigns int, shared bool) bool {
	const toOneNumber = 10
	if shared {
		return campaigns*toOneNumber < textsADay
	}
	return campaigns < textsADay
}

// TextFreeAt is when the platform takes one more text of a template for a number after those sent; not after now: at once.
func TextFreeAt(sent []time.Time, now time.Time) time.Time {
	return Cap{{textsADay, day}}.FreeAt(sent, now)
}

// callFreeAt is when a number may be called again. Any minute or hour is looked at, so that the clock's are within.
func callFreeAt(rung []time.Time, now time.Time) time.Time {
	return Cap{{callsAMinute, time.Minute}, {callsAnHour, time.Hour}, {callsADay, day}}.FreeAt(rung, now)
}

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

// overLimit says that a member waits for the platform's limit of their number.
func overLimit(channel Channel, f Facts, now time.Time) (Drop, bool) {
	free := now
	switch channel {
	case SMS:
		free = TextFreeAt(f.NumberHad, now)
	case Voice:
		free = callFreeAt(f.NumberHad, now)
	case WeChat: // no number
	}
	if !free.After(now) {
		return Drop{}, false
	}
	return Drop{PersonID: f.PersonID, Event: PutBack, WakeAt: LimitWake(free)}, true
}
