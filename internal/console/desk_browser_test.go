package console_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/lingjuli/lingjuli/internal/staff"
)

func TestATownshipWorkersDeskInTheBrowser(t *testing.T) {
	for _, size := range []struct {
		name          string
		width, height int
	}{{"desk", 1280, 900}, {"phone", 390, 844}} {
		t.Run(size.name, func(t *testing.T) {
			d := newDesk(t)
			d.now = time.Now()
			d.add("wang", staff.Township, "441802103")
			d.handOver("problem", "村里有人说交钱才给办低保，是不是真的", 1, flyingGorge, d.now.Add(-7*time.Hour), d.now.Add(-3*time.Hour))
			d.handOver("job", "车工 · 云岭手袋厂", 2, flyingGorge, d.now.Add(-4*time.Hour), d.now.Add(20*time.Minute))
			d.handOver("general", "我想问大病报销要带什么", 10, flyingGorge, d.now.Add(-time.Hour), d.now.Add(3*time.Hour))
			ctx := chromium(t, size.width, size.height)
			at := func(path string) string { return d.server.URL + "/console/" + path }
			picture := func(name string) step { return shot(size.name + "-" + name) }
			do(ctx, t, d.logIn("wang"), picture("wang-home"), open(at("inbox"), "table"), picture("inbox"), open(at("inbox/1"), "#answer"), picture("matter"),
				click(`form[action$="/reveal"] button`, `form[action$="/hide"]`), picture("matter-revealed"),
				write("[name=answer]", "办低保不收钱。请记下那人的样子，打12345举报，我们也会去查。"), click(`form[action$="/answer"] button`, ".notice.good[role=status]"), picture("matter-answered"),
				open(at("inbox/3"), "#answer"), click("details:last-of-type summary", "[name=note]"), picture("matter-pass"),
				open(at("inbox"), "table"), click(`form[action="/console/language"] button`, "html[lang=en]"), picture("inbox-en"), open(at("inbox/3"), "#answer"), picture("matter-en"))
			if wide, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > innerWidth + 1`)); err != nil || wide {
				t.Errorf("the page is wider than the screen: %v", err)
			}
		})
	}
}
