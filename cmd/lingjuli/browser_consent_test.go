package main

import (
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

// agrees opens the page of consent from the welcome, in WeChat's browser, and allows what it asks for: the buttons come
// only where the page's signature holds, and what counts is the event that WeChat's server sends to ours.
func (v *visitor) agrees(s *show, p player) {
	v.t.Helper()
	v.do(see(`#chat a[href*="h5%2fsubscribe"]`))
	link, err := chromedp.Run(v.ctx, chromedp.Evaluate[string](`document.querySelector('#chat a[href*="h5%2fsubscribe"]').href`))
	if err != nil {
		v.t.Fatal(err)
	}
	v.open(link, "#consent")
	v.do(click(`nav a[lang="zh-Hans"]`, `html[lang="zh-Hans"] #consent`)) // this browser asks for English
	v.holds("main", "接收办事提醒", "不收钱")
	v.inside(`wx-open-subscribe:nth-of-type(2)`, ".agree") // four notices: two buttons
	v.picture("consent")
	v.do(pressedInside("wx-open-subscribe", ".agree"))
	v.inside("#wechat-box", "[value=allow]")
	v.picture("consent-box")
	v.do(pressedInside("#wechat-box", "[value=cancel]"), see("#declined"))
	v.do(pressedInside("wx-open-subscribe", ".agree"))
	v.inside("#wechat-box", "[value=allow]")
	v.do(pressedInside("#wechat-box", "[value=allow]"), see("#done"))
	v.picture("consent-given")
	v.do(click(`nav a[lang="yue-Hant"]`, `html[lang="yue-Hant"] #consent`))
	v.inside("wx-open-subscribe", ".agree") // signed anew for the other address
	v.picture("consent-yue")

	v.open(strings.TrimSuffix(s.console, "console/")+"h5/subscribe?lang=zh-Hans", "section.note")
	v.holds("main", "请在微信里打开这一页", "收办事提醒")
	v.picture("consent-outside")
	v.picksUp(s, p)
	v.holds("#chat", "拒绝了通知", "允许了通知")
}

// inside waits for something in an element's shadow.
func (v *visitor) inside(host, css string) {
	v.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		found, err := chromedp.Run(v.ctx, chromedp.Evaluate[bool](`document.querySelector("`+host+`")?.shadowRoot?.querySelector("`+css+`") != null`))
		if err == nil && found {
			return
		}
	}
	v.picture("where-it-ended")
	v.t.Fatalf("%s never held %s:\n%s", host, css, v.text("body"))
}

func pressedInside(host, css string) step {
	return chromedp.Evaluate[chromedp.Void](`document.querySelector("` + host + `").shadowRoot.querySelector("` + css + `").click()`)
}
