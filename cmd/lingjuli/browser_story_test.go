package main

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// player is a fictional person of the demo's own sheet.
type player struct{ name, id, phone string }

// TestBrowserDemoStory tells the whole story as people see it: somebody asks about their cover, somebody wants no more
// texts, a campaign goes from one desk to another and out to everybody, and nothing of it is lost by a restart.
func TestBrowserDemoStory(t *testing.T) {
	t.Parallel()
	v, dir := newVisitor(t), t.TempDir()
	s := startShow(t, dir)
	asker, leaver, reader, cover := castOf(t, dir)

	v.asksAboutCover(s, asker, cover)
	v.agrees(s, asker)
	v.logIn(s.console, "li", s.passwords["li"])
	v.picture("home-approver")
	v.approves(s.console + "campaigns/1")
	v.leavesBySMS(s, leaver)

	v.logIn(s.console, "chen", s.passwords["chen"])
	v.picture("home-author")
	v.looksAtPeople(s, leaver)
	address := v.writesToEverybody(s)
	v.logIn(s.console, "li", s.passwords["li"])
	v.approves(address)
	figures := v.holds("#progress", "本人退订")
	v.gotBy(s, asker, "#chat", "下周五上午九点", "#sms")
	v.gotBy(s, reader, "#sms", "下周五上午九点", "#chat")
	v.gotNothing(s, leaver, "下周五上午九点")
	v.open(address, "#progress") // a page with an open stream must not hold up the end
	s.end()

	s = startShow(t, dir)
	v.findsAllAgain(s, asker, address[strings.LastIndex(address, "/")+1:], figures, cover)
	s.end()
}

// castOf picks three people whose number is theirs alone, the first one insured, and what to hear about the cover.
func castOf(t *testing.T, dir string) (asker, leaver, reader player, cover []string) {
	t.Helper()
	phones := map[string]int{}
	people := sheet(t, filepath.Join(dir, "people.csv"))
	for _, p := range people {
		phones[p["手机号"]]++
	}
	state := map[string][]string{}
	for _, c := range sheet(t, filepath.Join(dir, "cover.csv")) {
		if c["险种"] == "城乡居民医保" {
			state[c["身份证号"]] = []string{c["年度"] + "年度城乡居民医保", c["参保状态"]}
		}
	}
	var found []player
	for _, p := range people {
		if p["人员状态"] == "正常" && p["手机号"] != "" && phones[p["手机号"]] == 1 && state[p["身份证号"]] != nil {
			found = append(found, player{p["姓名"], p["身份证号"], p["手机号"]})
		}
	}
	if len(found) < 3 {
		t.Fatalf("only %d people have a phone of their own", len(found))
	}
	return found[0], found[1], found[2], state[found[0].id]
}

// picksUp finds somebody on the page of phones by number, as one who looks for them does.
func (v *visitor) picksUp(s *show, p player) {
	v.t.Helper()
	v.open(s.phones, ".people form button")
	v.do(chosen("#q", p.phone), click(".people form button", ".people li:only-child a"), click(".people li:only-child a", "#panes"))
	v.holds(".who", p.name, p.phone, p.id)
}

func (v *visitor) says(text string) { v.t.Helper(); v.do(sent("#say", text)) }

// asksAboutCover follows the account, asks, proves who they are, and hears what stands in the sheet.
func (v *visitor) asksAboutCover(s *show, p player, cover []string) {
	v.t.Helper()
	v.open(s.phones, ".people li")
	v.picture("phones")
	v.picksUp(s, p)
	v.do(pressed(`.wechat button[value=follow]`), see("#say"))
	v.holds("#chat", "您好")
	v.says("我的医保")
	v.holds("#chat", "请问您叫什么")
	v.says(p.name)
	v.holds("#chat", "18位身份证号")
	v.says(p.id)
	v.holds("#chat", "6位验证码")
	code := regexp.MustCompile(`\d{6}`).FindString(v.holds("#sms", "验证码"))
	v.says(code)
	v.holds("#chat", cover...)
	v.picture("phones-answered")
}

// approves says yes to a campaign, and sees its page come to the end by itself.
func (v *visitor) approves(address string) {
	v.t.Helper()
	v.open(address, `form[action$="/approve"]`)
	v.picture("campaign-to-approve")
	v.do(chromedp.Evaluate[chromedp.Void](`window.confirm = () => true`), click(`form[action$="/approve"] button`, ".history, .facts"))
	v.picture("campaign-going")
	v.holds("h1 .tag", "已完成")
	v.holds("#progress", "100%")
	v.picture("campaign-finished")
}

// leavesBySMS answers a text with a wish for no more of them, and is told so.
func (v *visitor) leavesBySMS(s *show, p player) {
	v.t.Helper()
	v.picksUp(s, p)
	v.holds("#sms", "下周三上午九点")
	v.do(sent("#reply", "退订"))
	v.holds("#sms", "停发")
	v.picture("phones-opted-out")
}

// looksAtPeople goes through the list to one who opted out, and sees that the register knows.
func (v *visitor) looksAtPeople(s *show, p player) {
	v.t.Helper()
	v.open(s.console+"people", "table")
	v.picture("people")
	v.do(typed("[name=sought]", p.phone), click(".search button", ".facts"))
	v.holds("main", "退订")
	if text := v.text("main"); strings.Contains(text, p.id) || strings.Contains(text, p.phone) {
		v.t.Error("the page of a person shows a number that nobody asked for")
	}
	v.picture("person")
}

// writesToEverybody writes a campaign in the form, previews it and hands it in.
func (v *visitor) writesToEverybody(s *show) string {
	v.t.Helper()
	v.open(s.console+"campaigns/new", "#rules")
	v.picture("campaign-form-empty")
	v.do(typed("[name=name]", "政策讲解日改期通知"), chosen("[name=template]", "policy_open_day"), see("[name=param_value]"),
		typed("[name=param_value]", "下周五上午九点"), chosen("[name=channel0]", "wechat"), chosen("[name=channel1]", "sms"),
		chosen("[data-field]", "region"), see(".controls [name^=value_]"),
		chromedp.Evaluate[chromedp.Void](`if (!document.querySelector("[name=any_hour]").checked) document.querySelector("[name=any_hour]").click()`))
	v.picture("campaign-form")
	v.do(click(".actions [value=preview]", "#preview .figures"))
	preview := v.holds("#preview", "300", "下周五上午九点")
	if !regexp.MustCompile(`\d+\.\d\d`).MatchString(preview) {
		v.t.Errorf("the preview names no cost:\n%s", preview)
	}
	v.picture("campaign-preview")
	v.do(click(".actions [value=save]", `form[action$="/submit"]`))
	v.picture("campaign-draft")
	v.do(click(`form[action$="/submit"] button`, ".notice.busy"))
	address, err := chromedp.Run(v.ctx, chromedp.Location())
	if err != nil {
		v.t.Fatal(err)
	}
	return strings.TrimSuffix(address, "?done=submitted")
}

// gotBy sees a message in the one place, and not in the other.
func (v *visitor) gotBy(s *show, p player, place, words, otherPlace string) {
	v.t.Helper()
	v.picksUp(s, p)
	v.holds(place, words)
	if strings.Contains(v.text(otherPlace), words) {
		v.t.Errorf("%s got it twice", p.phone)
	}
	v.picture("phones-got-" + strings.TrimPrefix(place, "#"))
}

// gotNothing is asked after the campaign's end, so that nothing can be on its way.
func (v *visitor) gotNothing(s *show, p player, words string) {
	v.t.Helper()
	v.picksUp(s, p)
	if text := v.holds("#sms", "停发"); strings.Contains(text, words) {
		v.t.Errorf("somebody who opted out got\n%s", text)
	}
}

// findsAllAgain looks for everything after a restart: who the asker is, their texts, the campaign and its figures.
func (v *visitor) findsAllAgain(s *show, p player, campaign, figures string, cover []string) {
	v.t.Helper()
	v.picksUp(s, p)
	v.holds("#sms", "验证码")
	before := v.holds("#chat", cover...)
	v.says("我的医保")
	for end := time.Now().Add(patience); strings.Count(v.text("#chat"), cover[0]) <= strings.Count(before, cover[0]); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			v.t.Fatalf("who was bound before has to say it again:\n%s", v.text("#chat"))
		}
	}
	v.logIn(s.console, "li", s.passwords["li"])
	v.open(s.console+"campaigns/"+campaign, "#progress")
	again := v.holds("#progress", "100%", "300")
	if fates(again, "不发") != fates(figures, "不发") || fates(again, "已交给平台|已送达|没送到") != fates(figures, "已交给平台|已送达|没送到") {
		v.t.Errorf("the figures changed:\n%s\n---\n%s", figures, again)
	}
	v.open(s.console+"campaigns", "table")
	v.holds("table", "政策讲解日改期通知", "已完成")
	v.picture("campaigns-after-restart")
	v.logIn(s.console, "admin", s.passwords["admin"])
	v.open(s.console+"audit", "table")
	v.holds("table", "chen", "li", "批准", "送审", "查找人员")
	v.picture("audit")
	v.do(click(`form[action="/console/language"] button`, "html[lang=en]"))
	for _, page := range []string{"", "people", "people/1", "campaigns", "campaigns/" + campaign, "campaigns/2", "campaigns/new", "audit", "password"} {
		v.open(s.console+page, "html[lang=en] main")
		v.picture("english-" + strings.ReplaceAll(page, "/", "-"))
	}
}

// fates counts the people in some states; receipts may still move one from accepted to delivered or failed.
func fates(progress, states string) int {
	n := 0
	for _, m := range regexp.MustCompile(`(?:`+states+`)\s+(\d+)`).FindAllStringSubmatch(progress, -1) {
		more, _ := strconv.Atoi(m[1])
		n += more
	}
	return n
}
