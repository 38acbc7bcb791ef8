package main

import (
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/store"
)

// TestBrowserAFamily tells what a family goes through: a son far away looks after his mother's matters because she told
// him the code that came to her own phone; a township worker stands at her door and binds her WeChat; from there she sees
// who may look at hers, and ends it. An old woman without a phone agrees before the worker, and the office ends it for her.
func TestBrowserAFamily(t *testing.T) {
	t.Parallel()
	v, dir := newVisitor(t), t.TempDir()
	s := startShow(t, dir)
	son, mother := familyOf(t, dir)

	v.looksAfterHisMother(s, son, mother)
	town := townOf(t, dir, mother)
	addStaff(t, dir, "wang", "township", town, "by the banyan tree")
	addStaff(t, dir, "zhao", "township", elsewhere(town), "by the river bend")
	v.bindsOnTheDoorstep(s, mother)
	v.endsIt(s, mother, son)
	alone := aloneOf(t, dir, son, mother)
	addStaff(t, dir, "he", "township", townOf(t, dir, alone), "by the stone bridge")
	v.agreesBeforeTheWorker(s, alone, son)
	s.end()
}

// familyOf picks a man of working age and a woman of sixty and more, each with a number that is theirs alone.
func familyOf(t *testing.T, dir string) (son, mother player) {
	t.Helper()
	people := sheet(t, filepath.Join(dir, "people.csv"))
	phones := map[string]int{}
	for _, p := range people {
		phones[p["手机号"]]++
	}
	covered := map[string]bool{}
	for _, c := range sheet(t, filepath.Join(dir, "cover.csv")) {
		covered[c["身份证号"]] = covered[c["身份证号"]] || c["险种"] == "城乡居民医保"
	}
	for _, p := range people {
		id := p["身份证号"]
		if p["人员状态"] != "正常" || p["手机号"] == "" || phones[p["手机号"]] != 1 || !covered[id] {
			continue
		}
		born, woman := id[6:10], (id[16]-'0')%2 == 0
		switch {
		case born < "1962" && woman:
			mother = player{p["姓名"], id, p["手机号"]}
		case born > "1980" && born < "2002" && !woman:
			son = player{p["姓名"], id, p["手机号"]}
		}
	}
	if son.id == "" || mother.id == "" {
		t.Fatal("there is no such family in the demo's sheet")
	}
	return son, mother
}

// elsewhere is a township that is not this one.
func elsewhere(town string) string {
	if strings.HasSuffix(town, "1") {
		return town[:8] + "2"
	}
	return town[:8] + "1"
}

// townOf is the township that a person of the running demo lives in.
func townOf(t *testing.T, dir string, p player) string {
	t.Helper()
	env, err := readEnv(filepath.Join(dir, "env"))
	if err != nil {
		t.Fatal(err)
	}
	beside, err := store.Open(t.Context(), env["LINGJULI_DATABASE_URL"], env["LINGJULI_DATA_KEY"])
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	if err := beside.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	found, err := beside.FindPeople(t.Context(), register.Scope{}, "", register.IDNumber(p.id), "", 1)
	if err != nil || len(found) != 1 {
		t.Fatalf("%d people, %v", len(found), err)
	}
	return found[0].RegionCode[:9]
}

// addStaff adds a member beside the running demo, as its admin would.
func addStaff(t *testing.T, dir, name, role, region, password string) {
	t.Helper()
	env, err := readEnv(filepath.Join(dir, "env"))
	if err != nil {
		t.Fatal(err)
	}
	var out keeper
	code := run(context.Background(), []string{"staff", "add", name, "--role", role, "--region", region, "--password-stdin"},
		strings.NewReader(password+"\n"), &out, &out, func(name string) string { return env[name] })
	if code != exitDone {
		t.Fatalf("staff add: %d: %s", code, out.String())
	}
}

// looksAfterHisMother asks for her by name; the code that lets him goes to her phone alone.
func (v *visitor) looksAfterHisMother(s *show, son, mother player) {
	v.t.Helper()
	v.picksUp(s, son)
	v.do(pressed(`.wechat button[value=follow]`), see("#say"))
	v.holds("#chat", "您好")
	v.says("帮我妈查医保")
	v.holds("#chat", "要本人同意")
	v.says(mother.name)
	v.holds("#chat", "这个人的18位身份证号")
	v.says(mother.id)
	v.holds("#chat", "帮到哪一步")
	v.says("1")
	v.holds("#chat", "帮到什么时候")
	v.says("1")
	v.holds("#chat", "同意码")
	if sms := v.text("#sms"); strings.Contains(sms, "同意就把") {
		v.t.Errorf("the code went to the son:\n%s", sms)
	}
	v.picture("family-asked")
	v.picksUp(s, mother)
	code := regexp.MustCompile(`\d{6}`).FindString(v.holds("#sms", "同意就把", "谁问都别说"))
	v.picture("family-code")
	v.picksUp(s, son)
	v.says(code)
	v.holds("#chat", "同意了，您能帮着查了", "（妈妈）的", "年度城乡居民医保")
	v.picture("family-answered")
	v.picksUp(s, mother)
	v.holds("#sms", "已能在微信上帮您查看")
	v.picture("family-mother-told")
}

// bindsOnTheDoorstep shows her a code on the worker's screen, which she scans with her phone. A worker of another
// township does not even see her.
func (v *visitor) bindsOnTheDoorstep(s *show, mother player) {
	v.t.Helper()
	v.logIn(s.console, "zhao", "by the river bend")
	v.open(s.console+"people", "[name=sought]")
	v.do(typed("[name=sought]", mother.id), click(".search button", "td.empty"))
	v.holds("td.empty", "没有查到")
	v.logIn(s.console, "wang", "by the banyan tree")
	v.open(s.console+"people", "[name=sought]")
	v.do(typed("[name=sought]", mother.id), click(".search button", `form[action$="/doorstep"]`))
	v.holds("main", "谁在帮着查", "子女", "已同意")
	page, err := chromedp.Run(v.ctx, chromedp.Location())
	if err != nil {
		v.t.Fatal(err)
	}
	v.picture("doorstep-person")
	v.do(click(`form[action$="/doorstep"] button`, "svg.code"))
	v.holds(".doorstep", "只能用一次")
	v.picture("doorstep-code")

	v.picksUp(s, mother)
	v.do(pressed(".tools details:last-child summary"))
	v.picture("doorstep-phone")
	v.do(pressed(`button[name=text][value^="door_"]`), see("#say"))
	v.holds("#chat", "请问您是", "是我")
	v.says("1")
	v.holds("#chat", "绑好了")
	v.picture("doorstep-bound")
	v.do(pressed(`button[name=text][value^="door_"]`))
	v.holds("#chat", "已经用过了")

	v.open(page, ".facts")
	v.holds("main", "已绑定")
	v.picture("doorstep-person-bound")
}

// endsIt shows her who may look at hers; she ends it, he hears of it and is asked for her consent again.
func (v *visitor) endsIt(s *show, mother, son player) {
	v.t.Helper()
	v.picksUp(s, mother)
	v.says("谁能查我的")
	v.holds("#chat", "能查您家的事")
	v.says("1")
	v.holds("#chat", "要停掉吗")
	v.says("2")
	v.holds("#chat", "停掉了")
	v.picture("family-ended")
	v.picksUp(s, son)
	v.holds("#chat", "查的事，停了")
	v.says("我妈的医保")
	v.holds("#chat", "要本人同意")
	v.picture("family-son-told")
}

// aloneOf picks an old woman who is insured and has neither a phone nor the family's ID numbers.
func aloneOf(t *testing.T, dir string, family ...player) player {
	t.Helper()
	covered := map[string]bool{}
	for _, c := range sheet(t, filepath.Join(dir, "cover.csv")) {
		covered[c["身份证号"]] = covered[c["身份证号"]] || c["险种"] == "城乡居民医保"
	}
	for _, p := range sheet(t, filepath.Join(dir, "people.csv")) {
		id := p["身份证号"]
		of := func(one player) bool { return one.id == id }
		if p["人员状态"] == "正常" && p["手机号"] == "" && covered[id] && id[6:10] < "1960" && (id[16]-'0')%2 == 0 && !slices.ContainsFunc(family, of) {
			return player{p["姓名"], id, ""}
		}
	}
	t.Fatal("everybody old has a phone in the demo's sheet")
	return player{}
}

// agreesBeforeTheWorker records on the worker's screen that somebody who can't be asked agreed; the one who helps scans the
// code and asks about her; the office ends it, and he hears of it.
func (v *visitor) agreesBeforeTheWorker(s *show, alone, helper player) {
	v.t.Helper()
	v.logIn(s.console, "he", "by the stone bridge")
	v.open(s.console+"people", "[name=sought]")
	const form = `form[action$='/doorstep/proxy'] `
	v.do(typed("[name=sought]", alone.id), click(".search button", "details.card summary"), pressed("details.card summary"), see(form+"[name=consent]"))
	page, err := chromedp.Run(v.ctx, chromedp.Location())
	if err != nil {
		v.t.Fatal(err)
	}
	v.do(chosen(form+"[name=consent]", "spoken"))
	v.picture("witness-form")
	v.do(click(form+"button", "svg.code"))
	v.holds(".doorstep", "请来帮的家人", "见证人是您")
	v.picture("witness-code")

	v.picksUp(s, helper)
	v.do(pressed(".tools details:last-child summary"), pressed(`button[name=text][value^="door_"]`), see("#say"))
	v.holds("#chat", "当面同意了", "是您要帮吗")
	v.says("1")
	v.holds("#chat", "您能帮")
	v.says("我的医保")
	v.holds("#chat", "年度城乡居民医保")
	v.picture("witness-helper")

	v.open(page, ".proxies")
	v.holds(".proxies", "见证人he", "当面说的")
	v.picture("witness-person")
	v.do(agreed(), click(`form[action$="/end"] button`, ".notice.good"))
	v.picture("witness-ended")
	v.picksUp(s, helper)
	v.says("我的医保")
	v.holds("#chat", "查的事，停了")
	v.picture("witness-helper-told")
}

// agreed says yes to what a page asks back.
func agreed() step {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := chromedp.Evaluate[chromedp.Void](`void (window.confirm = () => true)`)(ctx, target)
		return err
	})
}
