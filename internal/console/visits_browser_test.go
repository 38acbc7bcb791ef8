package console_test

import (
	"testing"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

func TestAWorkerEntersTheSheetOfVisitsInTheBrowser(t *testing.T) {
	onEveryScreen(t, func(s *screen) {
		s.missed()
		s.add("wang", staff.Operator, "441802")
		enter := func(code, outcome, then string) []step {
			return []step{
				write("#visit [name=code]", code), click(`#visit label.pick:has([value=`+outcome+`])`, "#visit :checked"), click("#visit button.primary", then),
			}
		}
		steps := []step{s.logIn("wang"), open(s.at("unreached?campaign=1"), "#visit"), s.picture("visits-empty")}
		steps = append(steps, enter(notify.RowCode(1), "reached", `.notice.good a[href="/console/people/1"]`)...)
		steps = append(steps, enter(notify.RowCode(11), "not_home", `.notice.good a[href="/console/people/11"]`)...)
		steps = append(steps, s.picture("visits-done"))
		steps = append(steps, enter("AAAA", "moved_away", "#visit .notice.bad")...)
		steps = append(steps, s.picture("visits-wrong"), open(s.at("unreached"), "table.places"), s.picture("visits-region"),
			click(`form[action="/console/language"] button`, "html[lang=en]"), open(s.at("unreached?campaign=1&which=all"), "#visit"), s.picture("visits-en"))
		s.do(steps...)
		if n := len(s.county.visits); n != 2 {
			s.t.Errorf("%d visits are recorded", n)
		}
	})
}
