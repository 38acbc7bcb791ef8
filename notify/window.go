package notify

import (
	"fmt"
	"strings"
	"time"
)

// Window is the part of a day in which messages may go, in local time. It may span midnight.
// The zero Window is any hour.
type Window struct {
	from, to time.Duration // since midnight
	limited  bool
}

// ParseWindow reads "08:00-20:00"; "" is any hour.
func ParseWindow(text string) (Window, error) {
	if text == "" {
		return Window{}, nil
	}
	from, to, ok := strings.Cut(text, "-")
	w := Window{limited: true}
	var err1, err2 error
	w.from, err1 = timeOfDay(from)
	w.to, err2 = timeOfDay(to)
	if !ok || err1 != nil || err2 != nil || w.from == w.to {
		return Window{}, fault("window_wrong", fmt.Sprintf("window %q is not like 08:00-20:00", text), "Got", text)
	}
	return w, nil
}

func timeOfDay(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	if text == "24:00" {
		return 24 * time.Hour, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 0, err
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, nil
}

// Open says whether messages may go at this moment. The end does not belong to the window.
func (w Window) Open(at time.Time, zone *time.Location) bool {
	if !w.limited {
		return true
	}
	now := sinceMidnight(at.In(zone))
	if w.from < w.to {
		return w.from <= now && now < w.to
	}
	return now >= w.from || now < w.to
}

// NextOpen is the first moment not before at when messages may go.
func (w Window) NextOpen(at time.Time, zone *time.Location) time.Time {
	if w.Open(at, zone) {
		return at
	}
	local := at.In(zone)
	open := time.Date(local.Year(), local.Month(), local.Day(), 0, int(w.from.Minutes()), 0, 0, zone)
	if open.Before(at) {
		open = time.Date(local.Year(), local.Month(), local.Day()+1, 0, int(w.from.Minutes()), 0, 0, zone)
	}
	return open
}

// ends is the first moment after at that does not belong to a window that is open then.
func (w Window) ends(at time.Time, zone *time.Location) time.Time {
	local := at.In(zone)
	day := local.Day()
	if sinceMidnight(local) >= w.to {
		day++
	}
	return time.Date(local.Year(), local.Month(), day, 0, int(w.to.Minutes()), 0, 0, zone)
}

// Within says whether the whole window lies inside the other, for warnings.
func (w Window) Within(outer Window) bool {
	if !outer.limited {
		return true
	}
	return w.limited && w.from < w.to && outer.from <= w.from && w.to <= outer.to
}

func sinceMidnight(t time.Time) time.Duration {
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute +
		time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
}
