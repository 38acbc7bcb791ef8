package console_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

func TestDaysWhoseBooksDifferStandOnTheHomePageOfTheWholeProvince(t *testing.T) {
	d := newDesk(t)
	d.add("op", staff.Operator, "")
	d.add("town", staff.Operator, "441881")
	keep := func(day string, minute int, differences ...notify.Difference) {
		t.Helper()
		at := time.Date(2026, 11, 23, 3, minute, 0, 0, time.UTC)
		if err := d.store.KeepReconciliation(t.Context(), notify.Reconciliation{Day: day, Age: minute, Differences: differences, At: at}); err != nil {
			t.Fatal(err)
		}
	}
	keep("2026-11-21", 1, notify.Difference{What: "total", Ours: 7, Theirs: 9})
	keep("2026-11-22", 2, notify.Difference{What: "delivered", Ours: 38123, Theirs: 78123})
	keep("2026-11-20", 3)
	keep("2026-11-21", 4) // agreed later
	page := d.login("op").get("/console/").body
	if !strings.Contains(page, "2026-11-22") || !strings.Contains(page, "78,123") || strings.Contains(page, "2026-11-21") || strings.Contains(page, "2026-11-20") {
		t.Error(page)
	}
	if page := d.login("town").get("/console/").body; strings.Contains(page, "2026-11-22") {
		t.Error("a region sees the whole account's books")
	}
}
