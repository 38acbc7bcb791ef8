package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestBrowserAnOldPersonsDay tells a day of somebody whose eyes are poor and who writes as she speaks, Cantonese: she says so and is answered in few words and
// large type; she asks what she has to pay; an invitation to a course comes by SMS and she answers 1; a text frightens her,
// and she asks whether it is real.
func TestBrowserAnOldPersonsDay(t *testing.T) {
	t.Parallel()
	v, dir := newVisitor(t), t.TempDir()
	s := startShow(t, dir)
	granny, toPay := oldWoman(t, dir)

	v.cantSeeWell(s, granny)
	v.asksWhatToPay(granny, toPay)
	invitation := v.signsUpBySMS(s, granny, dir)
	v.asksWhetherItIsReal(s, granny, invitation)
	s.end()
}

// oldWoman picks a woman of sixty and more with a number of her own whose medical premium is not paid, and what she is told.
func oldWoman(t *testing.T, dir string) (granny player, toPay string) {
	t.Helper()
	people := sheet(t, filepath.Join(dir, "people.csv"))
	phones := map[string]int{}
	for _, p := range people {
		phones[p["手机号"]]++
	}
	due := map[string]map[string]string{}
	for _, q := range sheet(t, filepath.Join(dir, "premiums.csv")) {
		if q["险种"] == "城乡居民医保" && q["缴费状态"] == "未缴" && q["个人缴费"] != "" && q["个人缴费"] != "0" {
			due[q["身份证号"]] = q
		}
	}
	for _, p := range people {
		id := p["身份证号"]
		if p["人员状态"] == "正常" && p["手机号"] != "" && phones[p["手机号"]] == 1 && due[id] != nil && id[6:10] < "1966" && (id[16]-'0')%2 == 0 {
			return player{p["姓名"], id, p["手机号"]}, "您交" + due[id]["个人缴费"] + "蚊"
		}
	}
	t.Fatal("there is no such woman in the demo's sheets")
	return granny, ""
}

// narrow is the width of the cheapest phones.
const narrow = 360

// fits looks at the phones on a narrow screen: nothing is cut off, nothing has to be pushed aside, and whoever can't see well
// reads large type.
func (v *visitor) fits(name string, large bool) {
	v.t.Helper()
	v.do(chromedp.EmulateViewport(narrow, 740))
	const look = `(() => {
		const wide = [...document.querySelectorAll("#panes .bubble, #panes .tap, #panes .card, #panes .composer, #panes summary, #panes button")].filter((e) => {
			const r = e.getBoundingClientRect();
			return r.width > 0 && (r.left < 0 || r.right > innerWidth + 0.5 || e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline");
		}).map((e) => e.className + ": " + e.innerText.slice(0, 30));
		const size = Math.min(...[...document.querySelectorAll("#panes .bubble, #panes .bubble .tap, #panes .composer input")].map((e) => parseFloat(getComputedStyle(e).fontSize)));
		return [document.documentElement.scrollWidth, size, wide.join(" | ")].join("\n");
	})()`
	seen, err := chromedp.Run(v.ctx, chromedp.Evaluate[string](look))
	if err != nil {
		v.t.Fatal(err)
	}
	var width int
	var size float64
	head, wide, _ := strings.Cut(strings.Replace(seen, "\n", " ", 1), "\n")
	if _, err := fmt.Sscan(head, &width, &size); err != nil {
		v.t.Fatalf("%q: %v", seen, err)
	}
	if width > narrow || wide != "" {
		v.t.Errorf("%s: the page is %d wide at %d; cut off: %s", name, width, narrow, wide)
	}
	if large && size < 22 || !large && size > 20 {
		v.t.Errorf("%s: the smallest type is %g px", name, size)
	}
	if folder := os.Getenv("LINGJULI_TEST_SCREENSHOTS"); folder != "" {
		picture, err := chromedp.Run(v.ctx, chromedp.FullScreenshot(100))
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, fmt.Sprintf("story-%s-%d.png", name, narrow)), picture, 0o600)
		}
		if err != nil {
			v.t.Error(err)
		}
	}
	v.do(chromedp.EmulateViewport(deskWidth, 900))
}

// cantSeeWell follows the account and says that the type is too small.
func (v *visitor) cantSeeWell(s *show, p player) {
	v.t.Helper()
	v.picksUp(s, p)
	v.do(pressed(`.wechat button[value=follow]`), see("#say"))
	v.holds("#chat", "您好")
	v.fits("elder-before", false)
	v.says("睇唔清啲字")
	v.holds("#chat", "請撳數字")
	v.do(see(".phone.large"))
	v.fits("elder-on", true)
	v.picture("elder-on")
}

// asksWhatToPay proves who she is and hears what stands in the sheet.
func (v *visitor) asksWhatToPay(p player, toPay string) {
	v.t.Helper()
	v.says("医保要交几多钱")
	v.holds("#chat", "姓名")
	v.says(p.name)
	v.holds("#chat", "身份證號")
	v.says(p.id)
	v.fits("elder-code", true)
	v.says(regexp.MustCompile(`\d{6}`).FindString(v.holds("#sms", "验证码")))
	v.holds("#chat", toPay, "12366")
	v.fits("elder-premium", true)
	v.picture("elder-premium")
}

// signsUpBySMS lets a colleague invite the people of her birthday to a course; she answers 1, and is told on her phone
// and by the course's list. It gives the invitation as it came.
func (v *visitor) signsUpBySMS(s *show, p player, dir string) string {
	v.t.Helper()
	file := filepath.Join(dir, "invitation.yaml")
	born := p.id[6:10] + "-" + p.id[10:12] + "-" + p.id[12:14]
	campaign := "name: 家政班邀请\nkind: training_invitation\naudience: {all: [{birthday: {between: [\"" + born + "\", \"" + born + "\"]}}]}\n" +
		"channels: [sms]\ntemplate: training_course\nparams: {course: 家政服务员培训}\nschedule: now\nwindow: \"\"\n"
	if err := os.WriteFile(file, []byte(campaign), 0o600); err != nil {
		v.t.Fatal(err)
	}
	id := lastLine(v.beside(dir, "campaign", "create", "-f", file, "--as", "chen"))
	v.beside(dir, "campaign", "submit", id, "--as", "chen")
	v.logIn(s.console, "li", s.passwords["li"])
	v.approves(s.console + "campaigns/" + id)
	v.picksUp(s, p)
	text := v.holds("#sms", "家政服务员培训", "想学请回复1", "查验码")
	v.fits("elder-invited", true)
	v.do(sent("#reply", "1"))
	v.holds("#sms", "培训班报好名了")
	v.fits("elder-signed-up", true)
	v.picture("elder-signed-up")
	v.says("我报嘅班")
	v.holds("#chat", "家政服务员培训（報好名喇）")
	v.says("2")
	return regexp.MustCompile(`\S*想学请回复1\S*`).FindString(text)
}

// asksWhetherItIsReal forwards a text that wants money, then the invitation with another's number in it, then the
// invitation itself.
func (v *visitor) asksWhetherItIsReal(s *show, p player, invitation string) {
	v.t.Helper()
	v.picksUp(s, p)
	v.says("【社保局】您的医保卡已停用，请马上点http://x.example交200元激活")
	v.holds("#chat", "查唔到我哋發過呢條畀您", "96110")
	v.fits("elder-fraud", true)
	v.picture("elder-fraud")
	v.says(strings.Replace(invitation, "想学请回复1", "想学请先转200元", 1))
	v.holds("#chat", "有人改過，唔好信")
	v.says(invitation)
	v.holds("#chat", "係我哋發嘅", "家政班邀请")
	v.fits("elder-real", true)
	v.picture("elder-real")
}

// beside runs a command beside the running demo and gives what it printed.
func (v *visitor) beside(dir string, args ...string) string {
	v.t.Helper()
	env, err := readEnv(filepath.Join(dir, "env"))
	if err != nil {
		v.t.Fatal(err)
	}
	out, failed := newKeeper(), newKeeper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if code := run(ctx, args, strings.NewReader(""), out, failed, func(name string) string { return env[name] }); code != exitDone {
		v.t.Fatalf("%v: %d: %s", args, code, failed)
	}
	return out.String()
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
