package flows

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/lingjuli/lingjuli/internal/hanzi"
	"github.com/lingjuli/lingjuli/internal/register"
)

// leastWage is the least sum, in yuan, that in a search for work is a wage and no house number.
const leastWage = 500

// mostWords bounds the words of a search.
const mostWords = 4

// Search is what somebody looks for, taken from their own words.
type Search struct {
	Words  []string
	Trades []string // those of the words that name a trade
	Places []register.Wherever
	Yuan   int  // the least they want a month, 0: didn't say
	Near   bool // near home

	Spelt map[string]string // places and trades → as they were written, where that is otherwise
}

// Empty says that the words told nothing to look for.
func (s Search) Empty() bool {
	return len(s.Words) == 0 && len(s.Places) == 0 && s.Yuan == 0 && !s.Near
}

// Says says whether at least so many of place, trade and wage were told.
func (s Search) Says(least int) bool {
	told := 0
	for _, have := range []bool{len(s.Places) > 0, len(s.Trades) > 0, s.Yuan > 0} {
		if have {
			told++
		}
	}
	return told >= least
}

// String is what they look for, as it is said back to them: what is surely a place, a trade, a wage. "" where nothing is.
func (s Search) String() string {
	var said []string
	for _, p := range s.Places {
		said = append(said, cmp.Or(s.Spelt[p.Name], p.Name))
	}
	said = slices.Compact(said)
	for _, trade := range s.Trades {
		said = append(said, cmp.Or(s.Spelt[trade], trade))
	}
	if s.Yuan > 0 {
		said = append(said, strconv.Itoa(s.Yuan))
	}
	return strings.Join(said, " ")
}

// Search takes what somebody looks for out of their words: places and trades, a wage, nearness.
func (s Settings) Search(written string) (found Search) {
	text := thousands.ReplaceAllString(normalise(written), "$1$2")
	text = s.inLetters(text, &found)
	for _, w := range s.NearWords {
		w = hanzi.Simplify(w)
		if strings.Contains(text, w) {
			found.Near = true
			text = strings.ReplaceAll(text, w, " ")
		}
	}
	places, text := register.PlacesIn(text)
	found.Places = append(found.Places, places...)
	filler := slices.Clone(s.SearchFiller)
	slices.SortFunc(filler, func(a, b string) int { return len(b) - len(a) })
	for _, w := range filler {
		text = strings.ReplaceAll(text, hanzi.Simplify(w), " ")
	}
	apart := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsSymbol(r) }
	for _, word := range strings.FieldsFunc(text, apart) {
		for _, lead := range s.SearchLead {
			word = strings.TrimPrefix(word, lead)
		}
		if sum, ok := s.validAmount(word); ok {
			if yuan, _ := strconv.Atoi(sum[""]); yuan >= leastWage {
				found.Yuan = yuan
			}
			continue
		}
		if utf8.RuneCountInString(word) >= 2 && len(found.Words) < mostWords {
			found.Words = append(found.Words, word)
			if holds(word, s.Trades) {
				found.Trades = append(found.Trades, word)
			}
		}
	}
	found.Words = s.alike(found.Words)
	found.spell(fold(written))
	return found
}

// spell keeps what was written in Traditional characters as it was written.
func (s *Search) spell(written string) {
	plain := hanzi.Simplify(written)
	if plain == written {
		return
	}
	names := slices.Clone(s.Trades)
	for _, p := range s.Places {
		names = append(names, p.Name)
	}
	for _, name := range names {
		at := strings.Index(plain, name)
		if at < 0 {
			continue
		}
		from := utf8.RuneCountInString(plain[:at])
		if as := string([]rune(written)[from : from+utf8.RuneCountInString(name)]); as != name {
			if s.Spelt == nil {
				s.Spelt = make(map[string]string)
			}
			s.Spelt[name] = as
		}
	}
}

// AsksForElder says whether somebody asks for short words: they can't see or read well.
func (s Settings) AsksForElder(words string) bool {
	return holds(normalise(words), s.Elder)
}

// Calendar says whether people work on a local day on which it was decreed: a holiday, or a Saturday or Sunday worked for one.
// nil: all weeks are alike.
type Calendar func(day time.Time) (works, decreed bool)

// Off says whether a day is a holiday.
func (c Calendar) Off(day time.Time) bool {
	if c == nil {
		return false
	}
	works, decreed := c(day)
	return decreed && !works
}

func (h Hours) works(day time.Time, calendar Calendar) bool {
	if calendar != nil {
		if works, decreed := calendar(day); decreed {
			return works
		}
	}
	return slices.Contains(h.Days, weekday(day))
}

// Due says whether somebody is at work at a time, and by when they answer what comes in then.
func (h Hours) Due(now time.Time, calendar Calendar) (open bool, due time.Time) {
	works := func(day time.Time) bool { return h.works(day, calendar) }
	from, to := h.at(now, h.From), h.at(now, h.To)
	open = works(now) && !now.Before(from) && now.Before(to)
	left := time.Duration(h.Answer) * time.Hour
	start := now
	for range 30 { // a month without a working day is a mistake in the settings
		from, to = h.at(start, h.From), h.at(start, h.To)
		if works(start) && start.Before(to) {
			if start.Before(from) {
				start = from
			}
			if due = start.Add(left); !due.After(to) {
				return open, due
			}
			left -= to.Sub(start)
		}
		start = h.at(start.AddDate(0, 0, 1), h.From)
	}
	return open, start
}

func weekday(at time.Time) int { return (int(at.Weekday())+6)%7 + 1 }

// at is a time of day, "08:30", on a day.
func (h Hours) at(day time.Time, clock string) time.Time {
	hour, minute, _ := strings.Cut(clock, ":")
	hh, _ := strconv.Atoi(hour)
	mm, _ := strconv.Atoi(minute)
	return time.Date(day.Year(), day.Month(), day.Day(), hh, mm, 0, 0, day.Location())
}
