package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/internal/hanzi"
	"github.com/lingjuli/lingjuli/internal/register/fictional"
	"github.com/lingjuli/lingjuli/notify"
)

// chat says lines by SMS from a number and gives the answers.
func (w *town) chat(phone string, lines ...string) []string {
	w.t.Helper()
	var out, stderr bytes.Buffer
	said := strings.NewReader(strings.Join(lines, "\n") + "\n")
	if code := run(w.t.Context(), []string{"chat", "--channel", "sms", "--phone", phone}, said, &out, &stderr, func(name string) string { return w.env[name] }); code != exitDone {
		w.t.Fatalf("chat: exit %d\n%s", code, stderr.String())
	}
	return slices.DeleteFunc(strings.Split(strings.TrimSpace(out.String()), "\n\n"), func(s string) bool { return s == "" })
}

// imported puts a sheet on file.
func (w *town) imported(kind, sheet string) {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), kind+".csv")
	if err := os.WriteFile(path, []byte(sheet), 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.command("import", kind, path)
}

// replyTemplates are the texts of the closed set, as patterns.
func replyTemplates(t testing.TB) map[string]*regexp.Regexp {
	t.Helper()
	replies, err := flows.ReplyTemplates()
	if err != nil {
		t.Fatal(err)
	}
	list, err := notify.ParseTemplates(replies)
	if err != nil {
		t.Fatal(err)
	}
	variable := regexp.MustCompile(`\\\$\\\{[a-z_]+\\\}`)
	all := map[string]*regexp.Regexp{}
	for _, r := range list {
		if r.Kind == "reply" {
			all[r.Key] = regexp.MustCompile(`^` + variable.ReplaceAllString(regexp.QuoteMeta(r.SMS.Content), `(.{0,35})`) + `$`)
		}
	}
	return all
}

// TestEveryTextThatAnSMSCanAskForIsHeardWithinTwoSegments goes by the door through all that somebody can ask for. What only
// an invitation, a campaign, a colleague or a relative brings about is listed with its reason; golden conversations have it.
func TestEveryTextThatAnSMSCanAskForIsHeardWithinTwoSegments(t *testing.T) {
	brought := map[string]string{
		"reply_signed": "an invitation", "reply_waiting": "an invitation", "reply_declined": "an invitation", "reply_gone": "an invitation",
		"reply_wanted": "an invitation", "reply_not_wanted": "an invitation",
		"reply_moved_up": "a place that came free", "reply_answer": "a colleague's answer", "reply_proxy_given": "a relative", "reply_proxy_over": "a relative",
		"reply_bound_elsewhere": "another account", "reply_bound_at_door": "a colleague", "reply_unbound": "a colleague", "reply_proxy_stopped": "a colleague",
		"reply_ours": "a campaign", "reply_altered": "a campaign", "reply_unsure": "a campaign", "reply_code": "a campaign", "reply_part": "a campaign", "reply_latest": "a campaign",
	}
	eachTown(t, 4, nil, func(w *town) {
		w.registerReplies()
		year := time.Now().In(notify.CarrierZone()).Year()
		id := func(i int) string { return fictional.IDNumber("441881", "1950-01-02", i) }
		people := "姓名,身份证号,手机号,行政区划代码,户编号\n甲木," + id(50) + ",13900000050,441881000000,同户\n甲水," + id(51) + ",13900000050,441881000000,同户\n"
		for i, name := range []string{"甲金", "甲火", "甲土", "甲山", "甲石", "甲田", "甲禾", "甲竹", "甲兰", "甲梅"} { // more than a text can name
			people += name + "," + id(60+i) + ",13900000060,441881000000,大户\n"
		}
		w.imported("people", people)
		cover := "身份证号,险种,年度,参保状态\n"
		for _, who := range []int{0, 50, 51, 60, 61} {
			cover += fmt.Sprintf("%s,城乡居民医保,%d,已参保\n", id(who), year)
		}
		w.imported("cover", cover)
		w.imported("premiums", fmt.Sprintf("身份证号,险种,年度,应缴金额,缴费状态\n%s,城乡居民医保,%d,400,未缴\n%s,城乡居民医保,%d,400,已缴\n", id(0), year+1, id(2), year))
		w.imported("subsidies", "身份证号,补贴项目,申请日期,状态\n"+id(0)+",培训补贴,2026-09-01,审核中\n")
		bare := w.chat(w.phone(1), "找工作", "培训班", "我的补贴")
		w.imported("jobs", "单位名称,岗位名称,人数,工作地点,行政区划代码,截止日期\n示范厂,普工,5,英德,441881000000,2099-12-31\n")
		w.imported("courses", "培训名称,培训机构,地点,行政区划代码,开班日期,名额\n电工班,示范技校,英德,441881000000,2099-01-02,20\n")
		answers := slices.Concat(bare,
			w.chat(w.phone(0), "1", "我的补贴", "我要交多少医保费", "退订", "恢复", "你好"),
			w.chat(w.phone(2), "找工作", "学技能", "公益性岗位", "大病怎么报销", "残疾人保险费谁交", "怎么转养老保险", "技校怎么读", "讲个笑话", "这条短信是真的吗"),
			w.chat(w.phone(2), "缴费"), w.chat(w.phone(3), "【某某】转账到安全账户", "医保", "你们打错了"),
			w.chat("13900000050", "我的医保", "1"), w.chat("13900000060", "医保"), w.chat("13900000099", "这条短信是真的吗", "边个呀", "睇唔明", "我的医保", "😊", "唔该", "电话几多号", "收唔到", "我老豆过世咗"))

		seen := map[string]bool{}
		for _, text := range answers {
			key := ""
			for k, pattern := range replyTemplates(w.t) {
				if pattern.MatchString(text) {
					key = k
				}
			}
			if key == "" {
				w.t.Errorf("no text of the closed set: %s", text)
			}
			seen[key] = true
			if n := notify.Segments("零距离", text); n > 2 {
				w.t.Errorf("%d segments: %s", n, text)
			}
			if strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) && hanzi.Traditional(r) }) {
				w.t.Errorf("Traditional characters: %s", text)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(replyTemplates(w.t))) {
			if _, other := brought[key]; other == seen[key] {
				w.t.Errorf("%s: heard %v, brought about otherwise %v", key, seen[key], other)
			}
		}
		if w.t.Failed() {
			w.t.Log(strings.Join(answers, "\n"))
		}
	})
}
