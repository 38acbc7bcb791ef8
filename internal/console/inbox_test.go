package console_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
)

// handOver lets somebody write by WeChat and hand over; the window is open for 48 hours of real time.
func (d *desk) handOver(topic, words string, person int64, region string, at, due time.Time) int64 {
	d.t.Helper()
	var id int64
	who := turn.Who{Channel: turn.WeChat, ID: fmt.Sprint("o-", person), Key: words + at.String(), At: at, Window: turn.MessageWindow}
	err := d.store.Turn(d.t.Context(), who, func(tx turn.Tx) error {
		o, err := tx.Open()
		if err != nil {
			return err
		}
		if person != 0 { // an answer goes to an account that the person still is
			if err := tx.Bind(person); err != nil {
				return err
			}
		}
		if id, err = tx.HandOver(register.Handover{Topic: topic, Words: words, PersonID: person, Region: region, Due: due}); err != nil {
			return err
		}
		o.Contact.Follows = true
		return tx.Close(turn.Closing{
			Contact: o.Contact, Reply: []byte("r"), Expires: at.Add(time.Hour), PersonID: person,
			Transcript: []byte(`{"kind":"text","in":"` + words + `","out":"记下了。"}`),
		})
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return id
}

const flyingGorge = "441802103201"

func TestTheInboxAgesVisiblyAndShowsNobodysWordsOrName(t *testing.T) {
	d := newDesk(t)
	d.add("town", staff.Township, "441802103")
	d.add("other", staff.Township, "441802105")
	d.handOver("general", "我想问大病报销", 1, flyingGorge, d.now.Add(-7*time.Hour), d.now.Add(-3*time.Hour))
	d.handOver("problem", "有人收我的钱", 2, flyingGorge, d.now.Add(-4*time.Hour), d.now.Add(30*time.Minute))
	d.handOver("general", "石角的事", 3, "441802105000", d.now.Add(-4*time.Hour), d.now.Add(3*time.Hour))
	b := d.login("town")
	page := b.get("/console/inbox").body
	for _, want := range []string{"已超时 3 小时", `tag bad">已超时`, "等了 7 小时", `tag warn">还有`, "反映问题", "找人帮忙", "林＊", "2 件待办", "1 件超时"} {
		if !strings.Contains(page, want) {
			t.Errorf("the list lacks %q", want)
		}
	}
	for _, secret := range []string{"大病报销", "收我的钱", "石角的事", "林桂英"} {
		if strings.Contains(page, secret) {
			t.Errorf("the list shows %s", secret)
		}
	}
	if strings.Index(page, "已超时") > strings.Index(page, "还有 2") {
		t.Error("the oldest does not come first")
	}
	if page := b.get("/console/inbox?topic=problem").body; strings.Contains(page, "已超时 3") || !strings.Contains(page, "反映问题</a></td>") {
		t.Error("the list is not narrowed to the topic")
	}
	if home := b.get("/console/").body; !strings.Contains(home, "2 件待办") || !strings.Contains(home, "1 件超时") {
		t.Error("the home page does not say what waits")
	}
	if page := d.login("other").get("/console/inbox").body; !strings.Contains(page, "1 件待办") || strings.Contains(page, "林＊") {
		t.Error("another township sees more than its own")
	}
}

func TestWhoIsNotOnFileStandsInTheInboxOfTheProvince(t *testing.T) {
	d := newDesk(t)
	d.add("boss", staff.Admin, "")
	id := d.handOver("general", "请找人帮我", 0, "", d.now.Add(-time.Hour), time.Time{})
	b := d.login("boss")
	if page := b.get("/console/inbox"); page.status != http.StatusOK || !strings.Contains(page.body, "1 件待办") {
		t.Errorf("%d: the list lacks them", page.status)
	}
	if page := b.get(fmt.Sprint("/console/inbox/", id)); page.status != http.StatusOK {
		t.Errorf("%d: what they asked can't be opened", page.status)
	}
}

func TestAMatterIsMaskedUntilSomebodyAsksAndTheAskingIsAudited(t *testing.T) {
	d := newDesk(t)
	d.add("town", staff.Township, "441802103")
	id := d.handOver("general", "我想问大病报销", 1, flyingGorge, d.now.Add(-time.Hour), time.Time{})
	path := fmt.Sprint("/console/inbox/", id)
	b := d.login("town")
	secrets := []string{"大病报销", "记下了。", "林桂英", "13800001234"}
	page := b.get(path)
	for _, secret := range secrets {
		if strings.Contains(page.body, secret) {
			t.Errorf("shown unasked: %s", secret)
		}
	}
	page = b.post(path+"/reveal", "reason", "call")
	for _, secret := range secrets {
		if !strings.Contains(page.body, secret) {
			t.Errorf("not shown: %s", secret)
		}
	}
	object := fmt.Sprint("inbox:", id)
	if d.audited("town", staff.DidRevealInbox, object) != 1 || d.audited("town", staff.DidLookInbox, object) < 2 {
		t.Error("the asking or the look is not in the audit")
	}
	if page := b.post(path + "/hide"); strings.Contains(page.body, "大病报销") {
		t.Error("still shown after hiding")
	}
	b.post(path+"/reveal", "reason", "call")
	d.now = d.now.Add(6 * time.Minute)
	if strings.Contains(b.get(path).body, "大病报销") {
		t.Error("still shown after six minutes")
	}
}

func TestAWorkerAnswersOnceAndThePageSaysHowItGoes(t *testing.T) {
	d := newDesk(t)
	d.now = time.Now() // windows are the database's
	d.add("town", staff.Township, "441802103")
	d.add("li", staff.Operator, "441802")
	d.add("boss", staff.Auditor, "441802")
	id := d.handOver("general", "我想问大病报销", 1, flyingGorge, d.now.Add(-time.Hour), d.now.Add(time.Hour))
	path := fmt.Sprint("/console/inbox/", id)
	b := d.login("town")
	if page := b.get(path).body; !strings.Contains(page, "微信里直接送到") || !strings.Contains(page, "还能发 5 条") {
		t.Error("the page does not say that it goes at once")
	}
	if page := b.post(path+"/answer", "answer", "  "); page.status != http.StatusUnprocessableEntity || !strings.Contains(page.body, "请写答复") {
		t.Errorf("an empty answer: %d", page.status)
	}
	if page := b.post(path+"/answer", "answer", strings.Repeat("长", 301)); page.status != http.StatusUnprocessableEntity || !strings.Contains(page.body, "最多 300 字") {
		t.Errorf("a long answer: %d", page.status)
	}
	if got := d.login("boss").post(path+"/answer", "answer", "x").status; got != http.StatusForbidden {
		t.Errorf("who only reads answers: %d", got)
	}
	page := b.post(path+"/answer", "answer", "带身份证来镇里")
	if page.status != http.StatusOK || !strings.Contains(page.body, "答复记下了，送得怎样看下面。") || !strings.Contains(page.body, "马上送到对方的微信") || strings.Contains(page.body, "带身份证来镇里") {
		t.Errorf("%d %s", page.status, page.body)
	}
	if !strings.Contains(page.body, `http-equiv="refresh"`) {
		t.Error("the page does not look again how the answer goes")
	}
	d.now = d.now.Add(time.Minute)
	if page := b.get(path); strings.Contains(page.body, `http-equiv="refresh"`) {
		t.Error("the page looks again for ever, and each look is in the audit")
	}
	if page := d.login("li").post(path+"/answer", "answer", "再答"); page.status != http.StatusConflict || !strings.Contains(page.body, "同事已经处理") {
		t.Errorf("a second answer: %d", page.status)
	}
	if d.audited("town", staff.DidAnswerInbox, fmt.Sprint("inbox:", id)) != 1 {
		t.Error("the answer is not in the audit")
	}
}

func TestWhatTheTownshipPassesOnTheCountySettles(t *testing.T) {
	d := newDesk(t)
	d.add("town", staff.Township, "441802103")
	d.add("county", staff.Operator, "441802")
	d.add("far", staff.Operator, "440111")
	id := d.handOver("problem", "镇里办不了", 1, flyingGorge, d.now.Add(-time.Hour), time.Time{})
	path := fmt.Sprint("/console/inbox/", id)
	for act, form := range map[string][]string{"answer": {"answer", "x"}, "close": {"outcome", "called"}, "pass": nil, "reveal": nil} {
		if got := d.login("far").post(path+"/"+act, form...).status; got != http.StatusNotFound {
			t.Errorf("%s from another county: %d", act, got)
		}
	}
	town := d.login("town")
	if page := town.post(path+"/pass", "note", "要县里查"); !strings.Contains(page.body, "已转给县里") || strings.Contains(page.body, "要县里查") || strings.Contains(page.body, "/answer") {
		t.Errorf("%d %s", page.status, page.body)
	}
	if page := town.get("/console/inbox").body; !strings.Contains(page, "这里没有来件") {
		t.Error("it is still on the township's desk")
	}
	if page := town.get("/console/inbox?state=passed").body; !strings.Contains(page, path) {
		t.Error("the township does not see what it passed on")
	}
	county := d.login("county")
	if page := county.post(path+"/close", "outcome", "dragons"); page.status != http.StatusBadRequest {
		t.Errorf("an outcome that there is not: %d", page.status)
	}
	if page := county.post(path+"/close", "outcome", "called"); !strings.Contains(page.body, "打电话说清了") {
		t.Errorf("%d %s", page.status, page.body)
	}
}
