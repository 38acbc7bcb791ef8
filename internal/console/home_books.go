package console

import (
	"context"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// Books is what came of comparing our books with the SMS carrier's; nil in Config: nobody compares.
type Books interface {
	LastReconciliations(ctx context.Context, limit int) ([]notify.Reconciliation, error)
}

// booksLookedAt is how many comparisons back the home page looks: two a night, and some by hand.
const booksLookedAt = 10

// bookDifferences are the days of late whose books differ, each by its newest comparison. They are of the whole account:
// whose desk is one region doesn't see them.
func (v *visit) bookDifferences() ([]notify.Reconciliation, error) {
	if v.Books == nil || v.who.Region != "" || !v.who.May(staff.ReadCampaigns, false) {
		return nil, nil
	}
	list, err := v.Books.LastReconciliations(v.ctx(), booksLookedAt)
	if err != nil {
		return nil, err
	}
	var differ []notify.Reconciliation
	seen := map[string]bool{}
	for _, r := range list {
		if !seen[r.Day] && len(r.Differences) > 0 {
			differ = append(differ, r)
		}
		seen[r.Day] = true
	}
	return differ, nil
}
