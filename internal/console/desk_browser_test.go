package console_test

import (
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/staff"
)

func TestATownshipWorkersDeskInTheBrowser(t *testing.T) {
	onEveryScreen(t, func(s *screen) {
		s.now = time.Now()
		s.add("wang", staff.Township, "441802103")
		s.handOver("problem", "村里有人说交钱才给办低保，是不是真的", 1, flyingGorge, s.now.Add(-7*time.Hour), s.now.Add(-3*time.Hour))
		s.handOver("job", "车工 · 云岭手袋厂", 2, flyingGorge, s.now.Add(-4*time.Hour), s.now.Add(20*time.Minute))
		s.handOver("general", "我想问大病报销要带什么", 10, flyingGorge, s.now.Add(-time.Hour), s.now.Add(3*time.Hour))
		s.do(s.logIn("wang"), s.picture("wang-home"), open(s.at("inbox"), "table"), s.picture("inbox"), open(s.at("inbox/1"), "#answer"), s.picture("matter"),
			click(`form[action$="/reveal"] button`, `form[action$="/hide"]`), s.picture("matter-revealed"),
			write("[name=answer]", "办低保不收钱。请记下那人的样子，打12345举报，我们也会去查。"), click(`form[action$="/answer"] button`, ".notice.good[role=status]"), s.picture("matter-answered"),
			open(s.at("inbox/3"), "#answer"), click("details:last-of-type summary", "[name=note]"), s.picture("matter-pass"),
			open(s.at("inbox"), "table"), click(`form[action="/console/language"] button`, "html[lang=en]"), s.picture("inbox-en"), open(s.at("inbox/3"), "#answer"), s.picture("matter-en"))
	})
}
