package console_test

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"github.com/lingjuli/lingjuli/internal/staff"
)

// pressedThrice presses preview twice and save once, and lets nothing of it go: what the page says then, and which of the
// three it held back. A browser answers nobody else's questions while an answer is on its way, so the page is asked at once.
const pressedThrice = `new Promise(done => {
	const held = [], form = document.querySelector("#campaign");
	document.addEventListener("submit", e => { held.push(e.defaultPrevented); e.preventDefault(); });
	for (const value of ["preview", "preview", "save"]) document.querySelector(".actions [value=" + value + "]").click();
	setTimeout(() => done({held, busy: form.getAttribute("aria-busy"), said: document.querySelector("#busy[role=status]").textContent}), 0);
})`

type pressed struct {
	Held []bool `json:"held"`
	Busy string `json:"busy"`
	Said string `json:"said"`
}

func TestAPageThatWaitsForThePlatformSaysSoAndNothingIsSentTwice(t *testing.T) {
	onEveryScreen(t, func(s *screen) {
		s.add("linyi", staff.Author, "441802")
		fill := chromedp.Steps(open(s.at("campaigns/new"), "#rules"), write("[name=name]", "缴费提醒"), choose("[name=template]", "medical_premium_due"),
			see("[name=param_value]"), write("[name=param_value]", "12月31日"))
		s.do(s.logIn("linyi"), fill)
		got, err := chromedp.Run(s.ctx, chromedp.Evaluate[pressed](pressedThrice, chromedp.EvalAwaitPromise))
		if err != nil {
			s.t.Fatal(err)
		}
		want := pressed{[]bool{false, true, true}, "true", "正在向短信平台核对模板，请稍候……"}
		if diff := cmp.Diff(want, got); diff != "" {
			s.t.Error(diff)
		}
		s.do(s.picture("busy"), fill, click(".actions [value=preview]", ".phones"))
		if still, err := chromedp.Run(s.ctx, chromedp.Evaluate[bool](`document.querySelector("#busy").textContent !== "" || document.querySelector("[aria-busy]") !== null`)); err != nil || still {
			s.t.Errorf("the answer is there, and the page still waits: %v", err)
		}
		s.do(click(".actions [value=save]", `form[action$="/submit"]`), click(`form[action$="/submit"] button`, ".notice.busy"))
	})
}

func TestWithoutScriptThePageSaysBeforehandThatItMayWait(t *testing.T) {
	s := &screen{desk: newDesk(t), t: t, name: "plain"}
	s.add("linyi", staff.Author, "441802")
	s.ctx = chromium(t, 390, 844)
	if _, err := chromedp.Call(s.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	s.do(s.logIn("linyi"), open(s.at("campaigns/new"), ".actions"), see("#platform"), s.picture("busy"))
}
