package console

import (
	"strconv"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// Percentage writes a part of a hundred: whole where it is plain, with one digit near the ends, where 100% must
// not be said before it is true.
func (f frame) Percentage(p float64) string {
	switch {
	case p > 0 && p < 1, p > 99 && p < 100:
		return strconv.FormatFloat(float64(int(p*10))/10, 'f', 1, 64) + "%"
	}
	return strconv.Itoa(int(p+0.5)) + "%"
}

// Span writes a duration in its two largest units.
func (f frame) Span(d time.Duration) (string, error) {
	hours, minutes, seconds := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case hours > 0 && minutes == 0:
		return f.T("span.whole_hours", "h", hours)
	case hours > 0:
		return f.T("span.hours", "h", hours, "m", minutes)
	case minutes > 0 && seconds == 0:
		return f.T("span.whole_minutes", "m", minutes)
	case minutes > 0:
		return f.T("span.minutes", "m", minutes, "s", seconds)
	}
	return f.T("span.seconds", "s", seconds)
}

// Rate is a speed in people a second, or a minute where it is slow.
func (f frame) Rate(perSecond float64) (string, error) {
	if perSecond < 1 {
		return f.T("span.per_minute", "n", strconv.FormatFloat(perSecond*60, 'f', 1, 64))
	}
	return f.T("span.per_second", "n", grouped(strconv.Itoa(int(perSecond+0.5))))
}

// Money is an amount in yuan.
func (f frame) Money(yuan float64) string {
	whole, rest, _ := strings.Cut(strconv.FormatFloat(yuan, 'f', 2, 64), ".")
	return "¥" + grouped(whole) + "." + rest
}

// Window says in which hours a campaign goes out.
func (f frame) Window(spec notify.Spec) (string, error) {
	if spec.Window == nil {
		return notify.DefaultWindow, nil
	}
	if *spec.Window == "" {
		return f.T("campaign.any_hour")
	}
	return *spec.Window, nil
}

// Fallback says after how long the next channel is tried.
func (f frame) Fallback(spec notify.Spec) (string, error) {
	return f.Span(time.Duration(spec.FallbackAfter))
}

// Warning is a forecast's warning in words.
func (f frame) Warning(w notify.Warning) (string, error) {
	pairs := make([]any, 0, 2*len(w.Data))
	for name, value := range w.Data {
		pairs = append(pairs, name, value)
	}
	return f.T(w.Key, pairs...)
}
