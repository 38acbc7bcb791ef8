package notify

import (
	"errors"
	"slices"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// VisitOutcome is what came of a visit to somebody whom no channel reached.
type VisitOutcome string

// The outcomes, in the order in which they are offered.
const (
	VisitReached     VisitOutcome = "reached"      // they were told
	VisitNotHome     VisitOutcome = "not_home"     // another visit is to be made
	VisitWrongNumber VisitOutcome = "wrong_number" // the number on file is not theirs, and they were not met
	VisitMoved       VisitOutcome = "moved_away"
	VisitDied        VisitOutcome = "died"
	VisitRefused     VisitOutcome = "refused" // they want nothing more
)

// VisitOutcomes lists the outcomes.
func VisitOutcomes() []VisitOutcome {
	return []VisitOutcome{VisitReached, VisitNotHome, VisitWrongNumber, VisitMoved, VisitDied, VisitRefused}
}

// Settles says whether nobody has to go there again for the same campaign.
func (o VisitOutcome) Settles() bool { return o != "" && o != VisitNotHome && o != VisitWrongNumber }

// Visit is one visit. A later one to the same person corrects an earlier one.
type Visit struct {
	PersonID   int64
	CampaignID int64 // 0: the latest that did not reach them
	Outcome    VisitOutcome
	Phone      register.Phone // the new number; "": none was learnt
	At         time.Time
	By         string // who recorded it
}

// ErrVisit: the visit says something that can't be.
var ErrVisit = errors.New("notify: no such outcome of a visit, or a number that goes with none")

// Check says whether the visit can be recorded as it is.
func (v Visit) Check() error {
	withNumber := v.Outcome == VisitReached || v.Outcome == VisitWrongNumber || v.Outcome == VisitNotHome
	if !slices.Contains(VisitOutcomes(), v.Outcome) || v.Phone != "" && !withNumber {
		return ErrVisit
	}
	return nil
}

// PlaceCount counts a list for one of the places below a region.
type PlaceCount struct {
	Region  string // prefix of its code
	Open    int64  // whom nobody has told yet
	Visited int64  // who were settled by a visit
}
