package console_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

func TestAWorkerEntersTheSheetOfVisitsInTheBrowser(t *testing.T) {
	for _, size := range []struct {
		name          string
		width, height int
	}{{"desk", 1280, 900}, {"phone", 390, 844}} {
		t.Run(size.name, func(t *testing.T) {
			d := newDesk(t)
			d.missed()
			d.add("wang", staff.Operator, "441802")
			ctx := chromium(t, size.width, size.height)
			picture := func(name string) step { return shot(size.name + "-visits-" + name) }
			enter := func(code, outcome, then string) []step {
				return []step{
					write("#visit [name=code]", code), click(`#visit label.pick:has([value=`+outcome+`])`, "#visit :checked"), click("#visit button.primary", then),
				}
			}
			steps := []step{d.logIn("wang"), open(d.server.URL+"/console/unreached?campaign=1", "#visit"), picture("empty")}
			steps = append(steps, enter(notify.RowCode(1), "reached", `.notice.good a[href="/console/people/1"]`)...)
			steps = append(steps, enter(notify.RowCode(11), "not_home", `.notice.good a[href="/console/people/11"]`)...)
			steps = append(steps, picture("done"))
			steps = append(steps, enter("AAAA", "moved_away", "#visit .notice.bad")...)
			steps = append(steps, picture("wrong"), open(d.server.URL+"/console/unreached", "table.places"), picture("region"),
				click(`form[action="/console/language"] button`, "html[lang=en]"), open(d.server.URL+"/console/unreached?campaign=1&which=all", "#visit"), picture("en"))
			do(ctx, t, steps...)
			if wide, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > innerWidth + 1`)); err != nil || wide {
				t.Errorf("the page is wider than the screen: %v", err)
			}
			if n := len(d.county.visits); n != 2 {
				t.Errorf("%d visits are recorded", n)
			}
		})
	}
}
