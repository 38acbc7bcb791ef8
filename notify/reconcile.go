package notify

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"
	"unicode/utf8"
)

// DayCount is what was billed, or would be, of one day's texts, in segments.
type DayCount struct {
	Total     int64 `json:"total"` // taken by the carrier
	Delivered int64 `json:"delivered"`
	Failed    int64 `json:"failed"`
	Waiting   int64 `json:"waiting"` // without a receipt
}

// Difference is one figure that the two books don't agree on.
type Difference struct {
	What   string `json:"what"` // total, delivered or failed
	Ours   int64  `json:"ours"`
	Theirs int64  `json:"theirs"`
}

// Reconciliation is our book of one day beside the carrier's.
type Reconciliation struct {
	Day         string       `json:"day"` // 2006-01-02, the carrier's
	Age         int          `json:"age"` // made so many days after it; 0: by hand
	Ours        DayCount     `json:"ours"`
	Theirs      DayCount     `json:"theirs"`
	Unconfirmed int64        `json:"unconfirmed"` // segments of calls of which we don't know whether the carrier took them
	Differences []Difference `json:"differences"`
	At          time.Time    `json:"at"`
}

// Bookkeeper asks the carrier for its book of one day.
type Bookkeeper interface {
	DayBook(ctx context.Context, day time.Time) (DayCount, error)
}

// SentSegments is what calls and notices of a day had in segments.
type SentSegments struct{ Accepted, Unconfirmed int64 }

// DayBooks keeps what a day is reconciled from, and what came of it.
type DayBooks interface {
	// SentSegments counts the texts that went between two moments.
	SentSegments(ctx context.Context, from, to time.Time) (SentSegments, error)
	// EachReport gives the receipts that came between two moments, in their order.
	EachReport(ctx context.Context, from, to time.Time, fn func(Report)) error
	// ClaimReconciliation says whether the caller is the one to reconcile a day: it isn't done, and nobody is at it.
	ClaimReconciliation(ctx context.Context, day string, age int, lease time.Duration) (bool, error)
	// KeepReconciliation keeps the outcome, in place of an earlier one of the same day and age.
	KeepReconciliation(ctx context.Context, r Reconciliation) error
	// LastReconciliations gives the newest ones, at most limit.
	LastReconciliations(ctx context.Context, limit int) ([]Reconciliation, error)
}

// receiptsWithin is how long after a day its receipts may come.
const receiptsWithin = 72 * time.Hour

// CarrierZone is the zone of the carrier's days.
func CarrierZone() *time.Location { return time.FixedZone("UTC+8", 8*60*60) }

// ParseDay reads a carrier's day, 2006-01-02.
func ParseDay(text string) (time.Time, error) {
	day, err := time.ParseInLocation(time.DateOnly, text, CarrierZone())
	if err != nil {
		return day, fmt.Errorf("%q is no day like 2026-11-22", text)
	}
	return day, nil
}

// Reconciler compares books. Safe for concurrent use.
type Reconciler struct {
	Books   DayBooks
	Carrier Bookkeeper
	Keys    MACs
	Now     func() time.Time
}

// Reconcile compares our book of a day with the carrier's and keeps what came of it. Ours: the segments of the calls that
// were taken, as they were counted when they began, and what receipts said, each message once.
func (r Reconciler) Reconcile(ctx context.Context, day time.Time, age int) (Reconciliation, error) {
	out := Reconciliation{Day: day.Format(time.DateOnly), Age: age, Differences: []Difference{}, At: r.Now()}
	sent, err := r.Books.SentSegments(ctx, day, day.AddDate(0, 0, 1))
	if err != nil {
		return out, err
	}
	out.Ours.Total, out.Unconfirmed = sent.Accepted, sent.Unconfirmed
	if err := r.countReceipts(ctx, day, &out.Ours); err != nil {
		return out, err
	}
	out.Ours.Waiting = max(0, out.Ours.Total-out.Ours.Delivered-out.Ours.Failed)
	if out.Theirs, err = r.Carrier.DayBook(ctx, day); err != nil {
		return out, err
	}
	for _, d := range []Difference{
		{"total", out.Ours.Total, out.Theirs.Total},
		{"delivered", out.Ours.Delivered, out.Theirs.Delivered},
		{"failed", out.Ours.Failed, out.Theirs.Failed},
	} {
		if d.Ours != d.Theirs {
			out.Differences = append(out.Differences, d)
		}
	}
	return out, r.Books.KeepReconciliation(ctx, out)
}

// countReceipts adds up what the receipts of a day's texts say. The first word on a message holds, as in its row.
func (r Reconciler) countReceipts(ctx context.Context, day time.Time, into *DayCount) error {
	seen := map[uint64]struct{}{}
	date := day.Format(time.DateOnly)
	return r.Books.EachReport(ctx, day, day.AddDate(0, 0, 1).Add(receiptsWithin), func(m Report) {
		sent := m.SentAt
		if sent.IsZero() {
			sent = m.At
		}
		if m.Channel != SMS || m.Unclear || sent.In(CarrierZone()).Format(time.DateOnly) != date || !r.ours(m) {
			return
		}
		h := fnv.New64a()
		_, _ = h.Write([]byte(m.OutID + "/" + string(m.Phone)))
		key := h.Sum64()
		if _, twice := seen[key]; twice {
			return
		}
		seen[key] = struct{}{}
		n := int64(max(1, m.Segments))
		if m.Delivered {
			into.Delivered += n
		} else {
			into.Failed += n
		}
	})
}

// ours tells our receipts from forged ones and those of others on the same account.
func (r Reconciler) ours(m Report) bool {
	if _, ok := CallOf(r.Keys, m.OutID, SMS); ok {
		return true
	}
	_, ok := NoticeOf(r.Keys, m.OutID)
	return ok
}

// segmentsOf counts the segments of a call by SMS, all members together.
func (r Rules) segmentsOf(call Outgoing) int {
	if call.Channel != SMS || call.Template.SMS == nil {
		return 0
	}
	content := call.Template.SMS.Content
	fixed := utf8.RuneCountInString(variable.ReplaceAllString(content, ""))
	names := variable.FindAllStringSubmatch(content, -1)
	total := 0
	for _, m := range call.Members {
		n := fixed
		for _, name := range names {
			n += utf8.RuneCountInString(m.Params[name[1]])
		}
		total += billed(r.Signature, n)
	}
	return total
}
