package notify

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"time"

	"gopkg.in/yaml.v3"
)

//go:embed holidays.yaml
var holidayFile []byte

// Holidays are the public holidays that are known, by year.
type Holidays []HolidayYear

// HolidayYear is one year's holidays. Complete is false where not all of them were published.
type HolidayYear struct {
	Year     int       `yaml:"year"`
	Complete bool      `yaml:"complete"`
	Source   string    `yaml:"source"`
	Days     []Holiday `yaml:"days"`
	Work     []string  `yaml:"work"` // Saturdays and Sundays worked for them, as 2006-01-02
}

// Holiday is a stretch of days, both ends included, as 2006-01-02.
type Holiday struct {
	Name string `yaml:"name"`
	From string `yaml:"from"`
	To   string `yaml:"to"`
}

// LoadHolidays reads the embedded holidays.
func LoadHolidays() (Holidays, error) {
	var file struct {
		Years Holidays `yaml:"years"`
	}
	if err := yaml.Unmarshal(holidayFile, &file); err != nil {
		return nil, fmt.Errorf("holidays: %w", err)
	}
	for _, y := range file.Years {
		if y.Source == "" {
			return nil, fmt.Errorf("holidays: %d names no source", y.Year)
		}
		for _, h := range y.Days {
			from, err1 := time.Parse(time.DateOnly, h.From)
			to, err2 := time.Parse(time.DateOnly, h.To)
			if errors.Join(err1, err2) != nil || h.Name == "" || to.Before(from) || from.Year() != y.Year || to.Year() != y.Year {
				return nil, fmt.Errorf("holidays: %d: %s from %q to %q", y.Year, h.Name, h.From, h.To)
			}
		}
		for _, date := range y.Work {
			day, err := time.Parse(time.DateOnly, date)
			_, off := file.Years.On(day)
			if weekend := day.Weekday() == time.Saturday || day.Weekday() == time.Sunday; err != nil || !weekend || off || day.Year() != y.Year {
				return nil, fmt.Errorf("holidays: %d: %q is no weekend's day to be worked", y.Year, date)
			}
		}
	}
	return file.Years, nil
}

// On finds the holiday of a local day.
func (h Holidays) On(day time.Time) (Holiday, bool) {
	date := day.Format(time.DateOnly)
	for _, y := range h {
		for _, d := range y.Days {
			if d.From <= date && date <= d.To {
				return d, true
			}
		}
	}
	return Holiday{}, false
}

// Works says of a local day whether people work, where that was decreed for it; other days are as their week is.
func (h Holidays) Works(day time.Time) (works, decreed bool) {
	if _, off := h.On(day); off {
		return false, true
	}
	date := day.Format(time.DateOnly)
	works = slices.ContainsFunc(h, func(y HolidayYear) bool { return slices.Contains(y.Work, date) })
	return works, works
}

// Complete says whether all holidays of a year are known.
func (h Holidays) Complete(year int) bool {
	for _, y := range h {
		if y.Year == year {
			return y.Complete
		}
	}
	return false
}

// ends is the first moment after a holiday.
func (h Holiday) ends(zone *time.Location) time.Time {
	last, _ := time.ParseInLocation(time.DateOnly, h.To, zone) // checked when the file was read
	return last.AddDate(0, 0, 1)
}

// restful says whether a channel of a campaign keeps holidays and nap time: the telephone, and advertising by SMS. A
// campaign that may send at any hour keeps neither.
func restful(hours Window, t Template, channel Channel) bool {
	if !hours.limited {
		return false
	}
	return channel == Voice || channel == SMS && t.SMS != nil && t.SMS.Type == SMSPromotion
}

// opensAt is the first moment not before now when the campaign may send by a channel: within its hours, and, for what
// keeps them, outside nap time and holidays.
func (r Rules) opensAt(spec Spec, t Template, channel Channel, now time.Time) time.Time {
	hours, err := spec.Hours()
	if err != nil {
		return now
	}
	at := now
	for range 60 { // a window inside nap time never opens: give up after two months
		open := hours.NextOpen(at, r.Zone)
		rests := restful(hours, t, channel)
		if rests && channel == Voice && r.Nap.limited && r.Nap.Open(open, r.Zone) {
			open = r.Nap.ends(open, r.Zone)
		}
		if day, off := r.Holidays.On(open.In(r.Zone)); rests && off {
			open = day.ends(r.Zone)
		}
		if open.Equal(at) {
			return at
		}
		at = open
	}
	return at
}

// nextOpen is when the first of a campaign's channels may send.
func (r Rules) nextOpen(c Campaign, now time.Time) time.Time {
	var next time.Time
	for _, channel := range c.Channels() {
		if at := r.opensAt(c.Spec, c.Template, channel, now); next.IsZero() || at.Before(next) {
			next = at
		}
	}
	if next.IsZero() {
		return now
	}
	return next
}

// DayWarnings says where a holiday holds a campaign back, and where the coming holidays are not all known.
func (r Rules) DayWarnings(spec Spec, t Template, now time.Time) []Warning {
	hours, err := spec.Hours()
	start, err2 := spec.StartsAt()
	if errors.Join(err, err2) != nil {
		return nil
	}
	if start.Before(now) {
		start = now
	}
	for _, channel := range ServedChannels(spec, t) {
		if !restful(hours, t, channel) {
			continue
		}
		local := hours.NextOpen(start, r.Zone).In(r.Zone)
		if day, off := r.Holidays.On(local); off {
			until := r.opensAt(spec, t, channel, local).In(r.Zone).Format("2006-01-02 15:04")
			return []Warning{{"warn.holiday", map[string]string{"name": day.Name, "until": until}}}
		}
		if !r.Holidays.Complete(local.Year()) {
			return []Warning{{"warn.holidays_unknown", map[string]string{"year": fmt.Sprint(local.Year())}}}
		}
	}
	return nil
}
