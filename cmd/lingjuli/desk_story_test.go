package main

import (
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/sandbox"
)

// clerk is a member of staff at the console.
type clerk struct {
	w    *town
	http *http.Client
}

func (w *town) clerk(name string) clerk {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	c := clerk{w, &http.Client{Jar: jar}}
	if page := c.post("/console/login", "name", name, "password", "town-password-1"); strings.Contains(page, `name="password"`) {
		w.t.Fatalf("%s is not logged in: %s", name, page)
	}
	return c
}

func (c clerk) do(req *http.Request) string {
	c.w.t.Helper()
	res, err := c.http.Do(req)
	if err != nil {
		c.w.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		c.w.t.Fatal(err)
	}
	return string(body)
}

func (c clerk) get(path string) string {
	c.w.t.Helper()
	req, err := http.NewRequestWithContext(c.w.t.Context(), http.MethodGet, "http://"+c.w.srv.addr+path, nil)
	if err != nil {
		c.w.t.Fatal(err)
	}
	return c.do(req)
}

func (c clerk) post(path string, pairs ...string) string {
	c.w.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	req, err := http.NewRequestWithContext(c.w.t.Context(), http.MethodPost, "http://"+c.w.srv.addr+path, strings.NewReader(form.Encode()))
	if err != nil {
		c.w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return c.do(req)
}

// sql changes the town's database behind its back: hours that pass, a window that shuts.
func (w *town) sql(query string) {
	w.t.Helper()
	db := w.database()
	defer db.Close()
	if _, err := db.ExecContext(w.t.Context(), query); err != nil {
		w.t.Fatal(err)
	}
}

// count asks the town's database for one number.
func (w *town) count(query string) (n int) {
	w.t.Helper()
	db := w.database()
	defer db.Close()
	if err := db.QueryRowContext(w.t.Context(), query).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *town) database() *sql.DB {
	w.t.Helper()
	source := w.env["LINGJULI_DATABASE_URL"]
	driver := "pgx"
	if path, lite := strings.CutPrefix(source, "sqlite:"); lite {
		driver, source = "sqlite", "file:"+path+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		w.t.Fatal(err)
	}
	return db
}

var matterLink = regexp.MustCompile(`href="(/console/inbox/\d+)"`)

func TestStoryAWorkersAnswerReachesThePersonOnceOpenOrShut(t *testing.T) {
	eachTown(t, 0, useWeChat, func(w *town) {
		w.box.SetReceipts(sandbox.Receipts{Bases: []string{w.base}})
		w.box.SetCallback("http://" + w.srv.addr + "/wechat/callback")
		w.registerReplies()
		w.importVillagers()
		w.binds(0)
		ctx, id := w.t.Context(), openIDOf(0)
		say := func(words string) string {
			w.t.Helper()
			reply, err := w.box.Say(ctx, id, words)
			if err != nil {
				w.t.Fatal(err)
			}
			return reply.Text
		}
		heard := func(text string) (n int) {
			for _, m := range w.box.Chat(id) {
				if strings.Contains(m.Text, text) {
					n++
				}
			}
			return n
		}
		answer := func(text string) string {
			w.t.Helper()
			staff := w.clerk("admin")
			link := matterLink.FindStringSubmatch(staff.get("/console/inbox"))
			if link == nil {
				w.t.Fatal("nothing is in the inbox")
			}
			return staff.post(link[1]+"/answer", "answer", text)
		}
		say("人工")
		say("屋顶漏水想问补贴")
		if page := answer("请带身份证到镇里"); !strings.Contains(page, "答复记下了") {
			w.t.Fatal(page)
		}
		for deadline := time.Now().Add(patience); heard("请带身份证到镇里") == 0; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				w.t.Fatalf("the answer never came: %+v", w.box.Chat(id))
			}
		}
		say("人工")
		say("还有一件事")
		w.sql(`UPDATE contacts SET customer_until = 1, click_until = 1`)
		if page := answer("第二件也办好了"); !strings.Contains(page, "对方下次说话时送到") {
			w.t.Error(page)
		}
		for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				w.t.Fatalf("no SMS says that an answer waits: %+v", w.box.Messages(w.phone(0)))
			}
			if list := w.box.Messages(w.phone(0)); len(list) > 0 && strings.Contains(list[0].Text+list[len(list)-1].Text, "有答复了") {
				break
			}
			w.sql(`UPDATE outbox SET next_at = 0 WHERE state = 'queued'`) // it may be night
		}
		if n := heard("第二件也办好了"); n != 0 {
			w.t.Errorf("heard %d times before they wrote", n)
		}
		if reply := say("主菜单"); !strings.HasPrefix(reply, "工作人员回您：第二件也办好了") {
			w.t.Errorf("what waited doesn't come with the next reply: %s", reply)
		}
		say("主菜单")
		if first, second := heard("请带身份证到镇里"), heard("第二件也办好了"); first != 1 || second != 1 {
			w.t.Errorf("heard %d and %d times", first, second)
		}
	})
}

// english finds a sentence of English: three words of it in a row.
var english = regexp.MustCompile(`\b[a-z]{2,} [a-z]{2,} [a-z]{2,}\b`)

func TestNoAnswerInChineseHoldsAnEnglishSentence(t *testing.T) {
	w := oneTown(t, 1)
	w.env["LANG"] = "zh_CN.UTF-8"
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const good = "name: 甲\nkind: premium_reminder\naudience: {all: [{region: {within: \"441881\"}}]}\nchannels: [sms]\ntemplate: medical_premium_due\nparams: {deadline: 12月31日}\n"
	var tries [][]string
	campaign := func(from, to string) {
		tries = append(tries, []string{"campaign", "preview", "-f", file(fmt.Sprint(len(tries), ".yaml"), strings.Replace(good, from, to, 1))})
	}
	for from, to := range map[string]string{
		"name: 甲": "", "premium_reminder": "party", "[sms]": "sms", "channels: [sms]": "channels: []", "within": "inside", "region": "moon", "441881": "x",
		"template: medical_premium_due": "template: none", "params:": "parms:", "audience: {all": "audience: {al", "{region: {within: \"441881\"}}": "1", "kind:": "  kind:",
		"[{region": "[[[[[[[[[[[{region",
	} {
		campaign(from, to)
	}
	for _, more := range []string{"window: 8-20", "schedule: soon", "expires: soon", "rate: -1", "rate: x", "fallback_after: soon", "---\nname: 乙"} {
		campaign("name: 甲\n", "name: 甲\n"+more+"\n")
	}
	for i, text := range []string{
		"", "templates: []", "templates: [{key: a}]", "templates: [{key: a, kind: x}]", "templates: [{kind: reply}]", "templates: [{key: a, kind: reply, wechat: {text: x}}]",
		"templates: [{key: a, kind: reply, sms: {code: S, type: x, content: 好}}]", "templates: [{key: a, kind: reply, sms: {code: S, type: promotion, content: 好}}]", "templates: [{key: a, kind: reply, sms: {code: S, type: notification, content: 好。拒收请回复R}}]",
		"templates: [{key: a, kind: reply, sms: {type: notification, content: 好}}]",
		"templates: [{key: a, kind: reply, sms: {code: S, type: notification, content: '${x}', params: {x: a}}}]", "templates: [{key: a, kind: reply, sms: {code: S, type: notification, content: '好${x}'}}]",
		"templates: [{key: a, kind: reply, sms: {code: S, type: notification, content: 好, params: {x: a}}}]", "templates: [{key: a, kind: reply, sms: {code: S, type: notification, content: '好${x}', params: {x: '{{.Params'}}}]",
		"templates: [{key: a, kind: reply, sms: {code: S, type: notification, content: '好${x}', params: {x: '{{.Nobody.Name}}'}}}]", "templates: [{key: a, kind: verification, sms: {code: S, type: code, content: 好}}]",
		"templates: [{key: a, kind: policy_guidance, wechat: {}}]", "templates: [{key: a, kind: policy_guidance, voice: {code: T, content: 好, recordings: {x: y}}}]", "templates: {",
	} {
		tries = append(tries, []string{"template", "apply", "-f", file(fmt.Sprint("t", i, ".yaml"), text)})
	}
	tries = append(tries, []string{"template", "apply", "-f", dir}, []string{"campaign", "create", "-f", dir, "--as", "chen"}, []string{"campaign", "status", "99"}, []string{"campaign", "unreached", "99"},
		[]string{"campaign", "unreached", "1", "--region", "99"}, []string{"campaign", "approve", "99", "--as", "li"}, []string{"campaign", "submit", "1", "--as", "nobody"}, []string{"import", "people", file("x.bin", "\x00\x01")},
		[]string{"import", "people", file("y.csv", "a,b\n1,2\n")}, []string{"staff", "add", "x y", "--role", "author"}, []string{"staff", "add", "zhao", "--role", "cook"}, []string{"budget", "set", "--region", "1", "--month", "2026-12", "--yuan", "1"},
		[]string{"chat", "--channel", "sms"}, []string{"reconcile", "--day", "soon"})
	for _, args := range tries {
		_, stderr, code := call(t, w.env, args...)
		said := strings.ReplaceAll(stderr, dir, "")
		if code == exitDone || said == "" {
			t.Errorf("%v passes", args)
		}
		for _, term := range []string{"lingjuli template apply", "lingjuli migrate", "code notification promotion", "author approver operator township auditor admin"} {
			said = strings.ReplaceAll(said, term, "")
		}
		if found := english.FindString(said); found != "" || strings.Contains(said, "fault.") || strings.Contains(said, "condition.") {
			raw, _ := os.ReadFile(args[len(args)-1])
			t.Errorf("%v says %q (%s)\n%s", args, said, found, raw)
		}
	}
}
