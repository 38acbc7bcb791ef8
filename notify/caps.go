package notify

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Cap limits the non-urgent messages for one person, and for one number. Empty: no cap.
type Cap []Allowance

// Allowance is so many messages in any stretch of so long.
type Allowance struct {
	Count int
	Per   time.Duration
}

// ParseCap reads "1/24h,4/168h" or "none".
func ParseCap(text string) (Cap, error) {
	if text == "none" {
		return nil, nil
	}
	var c Cap
	for part := range strings.SplitSeq(text, ",") {
		count, per, ok := strings.Cut(strings.TrimSpace(part), "/")
		n, err1 := strconv.Atoi(count)
		d, err2 := time.ParseDuration(per)
		if !ok || err1 != nil || err2 != nil || n < 1 || d <= 0 {
			return nil, fmt.Errorf("cap %q is neither none nor like 1/24h,4/168h", text)
		}
		c = append(c, Allowance{n, d})
	}
	return c, nil
}

// Longest is the longest stretch the cap looks back.
func (c Cap) Longest() time.Duration {
	var longest time.Duration
	for _, a := range c {
		longest = max(longest, a.Per)
	}
	return longest
}

// FreeAt is when one more message is allowed after those sent; not after now: it is allowed.
func (c Cap) FreeAt(sent []time.Time, now time.Time) time.Time {
	if len(sent) == 0 {
		return now // as with nearly everybody of a campaign
	}
	sorted := slices.SortedFunc(slices.Values(sent), func(a, b time.Time) int { return b.Compare(a) })
	free := now
	for _, a := range c {
		if len(sorted) < a.Count {
			continue
		}
		if at := sorted[a.Count-1].Add(a.Per); at.After(free) {
			free = at
		}
	}
	return free
}
