package notify

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lingjuli/lingjuli/internal/register"
)

func TestACallsSegmentsAreThoseOfItsTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		content := rapid.SampledFrom([]string{"${name}您好。", "您好" + strings.Repeat("字", 60) + "${name}，${day}${name}", strings.Repeat("长", 130) + "${day}"}).Draw(t, "content")
		r := Rules{Signature: rapid.SampledFrom([]string{"", "零距离"}).Draw(t, "signature")}
		out := Outgoing{Channel: SMS, Template: Template{SMS: &SMSTemplate{Content: content}}}
		want := 0
		for range rapid.IntRange(1, 5).Draw(t, "members") {
			m := Member{Params: map[string]string{"name": rapid.StringN(0, 35, -1).Draw(t, "name"), "day": rapid.StringN(0, 35, -1).Draw(t, "day")}}
			out.Members = append(out.Members, m)
			text := strings.NewReplacer("${name}", m.Params["name"], "${day}", m.Params["day"]).Replace(content)
			want += Segments(r.Signature, text)
		}
		if got := r.segmentsOf(out); got != want {
			t.Fatalf("%d segments, its texts have %d", got, want)
		}
	})
}

func TestDaysAreReconciledAtNightAndOnceMoreWhenReceiptsAreIn(t *testing.T) {
	for at, want := range map[string][]reconcileTask{
		"2026-11-23T03:09:00+08:00": nil,
		"2026-11-23T03:10:00+08:00": {{"2026-11-22", 1}, {"2026-11-20", 3}},
		"2026-11-23T15:59:00Z":      {{"2026-11-22", 1}, {"2026-11-20", 3}},
		"2026-11-23T16:01:00Z":      nil, // past midnight at the carrier
	} {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, dueDays(now), cmp.AllowUnexported(reconcileTask{})); diff != "" {
			t.Errorf("%s: %s", at, diff)
		}
	}
}

// ledgerBooks are books in memory.
type ledgerBooks struct {
	DayBooks
	sent    SentSegments
	reports []Report
	kept    []Reconciliation
	from    time.Time
	to      time.Time
}

func (b *ledgerBooks) SentSegments(_ context.Context, from, to time.Time) (SentSegments, error) {
	b.from, b.to = from, to
	return b.sent, nil
}

func (b *ledgerBooks) EachReport(_ context.Context, _, _ time.Time, fn func(Report)) error {
	for _, r := range b.reports {
		fn(r)
	}
	return nil
}

func (b *ledgerBooks) KeepReconciliation(_ context.Context, r Reconciliation) error {
	b.kept = append(b.kept, r)
	return nil
}

type carrierBook DayCount

func (c carrierBook) DayBook(context.Context, time.Time) (DayCount, error) { return DayCount(c), nil }

func TestEachMessageCountsOnceAndDifferencesAreListed(t *testing.T) {
	keys := testMAC("k")
	day, err := ParseDay("2026-11-22")
	if err != nil {
		t.Fatal(err)
	}
	noon := day.Add(12 * time.Hour)
	report := func(call int64, phone register.Phone, delivered bool, size int, sent time.Time) Report {
		return Report{Channel: SMS, OutID: OutID(keys, call, SMS), Phone: phone, Delivered: delivered, Segments: size, SentAt: sent}
	}
	books := &ledgerBooks{sent: SentSegments{Accepted: 9, Unconfirmed: 2}, reports: []Report{
		report(1, "13800000001", true, 2, noon),
		report(1, "13800000001", true, 2, noon),  // again
		report(1, "13800000001", false, 2, noon), // and another word on it
		report(1, "13800000002", false, 1, noon),
		report(2, "13800000001", true, 1, day.Add(-time.Hour)),                                       // of the day before
		report(2, "13800000002", true, 1, day.Add(24*time.Hour)),                                     // of the day after
		{Channel: SMS, OutID: NoticeOutID(keys, 5), Phone: "13800000003", Delivered: true, At: noon}, // neither size nor time of sending
		{Channel: SMS, OutID: "67890", Phone: "13800000004", Delivered: true, SentAt: noon},          // not ours
		{Channel: Voice, OutID: OutID(keys, 7, Voice), Phone: "13800000004", Delivered: true, SentAt: noon},
		{Channel: SMS, OutID: OutID(keys, 8, SMS), Phone: "13800000005", Unclear: true, SentAt: noon},
	}}
	r := Reconciler{Books: books, Keys: keys, Carrier: carrierBook{Total: 9, Delivered: 4, Failed: 1, Waiting: 4}, Now: func() time.Time { return noon }}
	got, err := r.Reconcile(t.Context(), day, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := Reconciliation{
		Day: "2026-11-22", Age: 1, Ours: DayCount{Total: 9, Delivered: 3, Failed: 1, Waiting: 5}, Theirs: DayCount{Total: 9, Delivered: 4, Failed: 1, Waiting: 4},
		Unconfirmed: 2, Differences: []Difference{{"delivered", 3, 4}}, At: noon,
	}
	if diff := cmp.Diff(want, got); diff != "" || !slices.EqualFunc(books.kept, []Reconciliation{want}, func(a, b Reconciliation) bool { return cmp.Equal(a, b) }) {
		t.Error(diff)
	}
	if !books.from.Equal(time.Date(2026, 11, 21, 16, 0, 0, 0, time.UTC)) || books.to.Sub(books.from) != 24*time.Hour {
		t.Errorf("the day is from %s to %s", books.from, books.to)
	}
}
