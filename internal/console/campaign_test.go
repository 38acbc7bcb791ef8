package console_test

import (
	"bufio"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// written is the form of a good campaign.
func written(more ...string) []string {
	return append([]string{
		"do", "save", "name", "医保缴费提醒", "template", "medical_premium_due", "param_name", "deadline", "param_value", "12月31日",
		"channel0", "wechat", "channel1", "sms", "channel2", "", "fallback", "24h", "start", "now", "from", "08:00", "to", "20:00",
		"audience_mode", "rows", "audience_match", "all", "field_0", "region", "op_0", "within", "value_0", "441802",
		"field_1", "age", "op_1", "gte", "value_1", "18", "field_3", "category", "op_3", "in", "value_3", "低保", "value_3", "特困",
	}, more...)
}

func TestACampaignIsWrittenSubmittedAndApprovedByAnother(t *testing.T) {
	d := newDesk(t)
	d.add("author", staff.Author, "441802")
	d.add("approver", staff.Approver, "441802")
	author, approver := d.login("author"), d.login("approver")
	page := author.post("/console/campaigns", written()...)
	if page.path != "/console/campaigns/1?done=saved" {
		t.Fatalf("led to %s (%d): %s", page.path, page.status, page.body)
	}
	spec := d.office.list[0].Spec
	if spec.Kind != notify.PremiumReminder || spec.Params["deadline"] != "12月31日" || len(spec.Channels) != 2 || len(spec.Audience.All) != 3 {
		t.Errorf("spec %+v", spec)
	}
	if page := author.post("/console/campaigns/1/submit"); page.path != "/console/campaigns/1?done=submitted" || strings.Contains(page.body, "/approve\"") {
		t.Errorf("led to %s", page.path)
	}
	if page := author.post("/console/campaigns/1/submit"); page.path != "/console/campaigns/1?done=submitted" {
		t.Errorf("pressed twice, and an error is shown: %s", page.path)
	}
	if page := author.post("/console/campaigns/1/approve"); page.status != http.StatusForbidden {
		t.Errorf("an author approved: %d", page.status)
	}
	if page := approver.get("/console/"); !strings.Contains(page.body, "等您批准") {
		t.Error("the approver's home page doesn't tell")
	}
	if page := approver.judge("approve"); page.path != "/console/campaigns/1?done=approved" || d.office.list[0].State != notify.Approved {
		t.Errorf("led to %s", page.path)
	}
	if page := approver.post("/console/campaigns/1/approve"); page.status != http.StatusConflict {
		t.Errorf("approved twice: %d", page.status)
	}
}

// seen is what the forms of a campaign's page say of the version on it.
func (b *browser) seen() string {
	b.t.Helper()
	page := b.get("/console/campaigns/1")
	found := regexp.MustCompile(`name="seen" value="(\d+)"`).FindAllStringSubmatch(page.body, -1)
	if len(found) != 2 || found[0][1] != found[1][1] {
		b.t.Fatalf("the forms that approve and return say %q", found)
	}
	return found[0][1]
}

// judge approves or returns the first campaign as its page shows it.
func (b *browser) judge(act string, more ...string) answer {
	b.t.Helper()
	return b.post("/console/campaigns/1/"+act, append(more, "seen", b.seen())...)
}

func TestAnApproverIsShownWhatWasChangedBehindTheirBackAndNothingIsDone(t *testing.T) {
	d := newDesk(t)
	d.add("author", staff.Author, "441802")
	d.add("approver", staff.Approver, "441802")
	author, approver := d.login("author"), d.login("approver")
	author.post("/console/campaigns", written()...)
	author.post("/console/campaigns/1/submit")
	first := approver.seen()
	form := written()
	form[slices.Index(form, "name")+1] = "另一份提醒"
	author.post("/console/campaigns/1/edit", form...)
	author.post("/console/campaigns/1/submit")
	for _, press := range [][]string{{"approve", "seen", first}, {"return", "seen", first, "note", "不妥"}, {"approve"}, {"approve", "seen", "0"}, {"return", "seen", "x"}} {
		page := approver.post("/console/campaigns/1/"+press[0], press[1:]...)
		if page.path != "/console/campaigns/1?changed=1" || !strings.Contains(page.body, "请重新看过再决定") || !strings.Contains(page.body, "另一份提醒") {
			t.Errorf("%v led to %s (%d)", press, page.path, page.status)
		}
	}
	if c := d.office.list[0]; c.State != notify.Submitted {
		t.Errorf("it is %s", c.State)
	}
	if page := approver.judge("approve"); page.path != "/console/campaigns/1?done=approved" {
		t.Errorf("what they have seen by now: %s (%d)", page.path, page.status)
	}
}

func TestTheSecondOfTwoWhoSaveIsToldAndLosesNothing(t *testing.T) {
	d := newDesk(t)
	d.add("author", staff.Author, "441802")
	b := d.login("author")
	b.post("/console/campaigns", written()...)
	opened := regexp.MustCompile(`name="seen" value="(\d+)"`).FindStringSubmatch(b.get("/console/campaigns/1/edit").body)
	if opened == nil {
		t.Fatal("the form doesn't say with which version it began")
	}
	named := func(name, seen string) []string {
		form := written("seen", seen)
		form[slices.Index(form, "name")+1] = name
		return form
	}
	b.post("/console/campaigns/1/edit", named("甲的", opened[1])...)
	page := b.post("/console/campaigns/1/edit", named("乙的", opened[1])...)
	if page.status != http.StatusConflict || !strings.Contains(page.body, "同事刚刚保存过") || !strings.Contains(page.body, `value="乙的"`) || d.office.list[0].Spec.Name != "甲的" {
		t.Errorf("%d, %s on file", page.status, d.office.list[0].Spec.Name)
	}
	again := regexp.MustCompile(`name="seen" value="(\d+)"`).FindStringSubmatch(page.body)
	if page := b.post("/console/campaigns/1/edit", named("乙的", again[1])...); page.path != "/console/campaigns/1?done=saved" || d.office.list[0].Spec.Name != "乙的" {
		t.Errorf("%s, %s on file", page.path, d.office.list[0].Spec.Name)
	}
}

func TestNobodyApprovesWhatTheyWroteAnAdminNeither(t *testing.T) {
	d := newDesk(t)
	d.add("boss", staff.Admin, "")
	b := d.login("boss")
	b.post("/console/campaigns", written()...)
	if page := b.post("/console/campaigns/1/submit"); strings.Contains(page.body, "/approve\"") {
		t.Error("the button is offered")
	}
	seen := fmt.Sprint(d.office.list[0].UpdatedAt.UnixMicro())
	if page := b.post("/console/campaigns/1/approve", "seen", seen); page.status != http.StatusForbidden || d.office.list[0].State != notify.Submitted {
		t.Errorf("%d, %s", page.status, d.office.list[0].State)
	}
}

func TestAReturnedCampaignTellsItsAuthorWhy(t *testing.T) {
	d := newDesk(t)
	d.add("author", staff.Author, "441802")
	d.add("approver", staff.Approver, "441802")
	author, approver := d.login("author"), d.login("approver")
	author.post("/console/campaigns", written()...)
	author.post("/console/campaigns/1/submit")
	approver.judge("return", "note", "截止日期写错了 <b>")
	page := author.get("/console/campaigns/1")
	if !strings.Contains(page.body, "截止日期写错了 &lt;b&gt;") || !strings.Contains(page.body, "/console/campaigns/1/edit") {
		t.Error("the note or the way to mend it is missing")
	}
}

func TestCampaignsOfAnotherRegionAndOtherRolesAreOutOfReach(t *testing.T) {
	d := newDesk(t)
	d.add("author", staff.Author, "4418")
	d.add("neighbour", staff.Approver, "441802")
	d.add("town", staff.Township, "4418")
	d.login("author").post("/console/campaigns", written()...)
	neighbour, town := d.login("neighbour"), d.login("town")
	if page := neighbour.get("/console/campaigns/1"); page.status != http.StatusNotFound {
		t.Errorf("a wider campaign: %d", page.status)
	}
	if page := neighbour.post("/console/campaigns/1/cancel"); page.status != http.StatusNotFound {
		t.Errorf("cancelling it: %d", page.status)
	}
	if page := neighbour.get("/console/campaigns"); strings.Contains(page.body, "/console/campaigns/1") {
		t.Error("it is listed")
	}
	for _, path := range []string{"/console/campaigns", "/console/campaigns/new", "/console/audit"} {
		if page := town.get(path); page.status != http.StatusForbidden {
			t.Errorf("township %s: %d", path, page.status)
		}
	}
	if page := d.login("author").post("/console/people/1/reveal"); page.status != http.StatusForbidden {
		t.Errorf("an author revealed a person: %d", page.status)
	}
}

func TestTheFormWorksWithoutAScript(t *testing.T) {
	d := newDesk(t)
	d.add("author", staff.Author, "441802")
	b := d.login("author")
	if page := b.get("/console/campaigns/new"); !strings.Contains(page.body, `<option value="441802" selected>`) {
		t.Error("the author's region is not set")
	}
	page := b.post("/console/campaigns", written("field_4", "age", "op_4", "lte", "value_4", "59")...)
	if page.path != "/console/campaigns/1?done=saved" {
		t.Fatal(page.path)
	}
	form := written()
	form[1] = "add"
	if page := b.post("/console/campaigns", form...); strings.Count(page.body, `name="drop"`) != 5 || page.status != http.StatusOK {
		t.Errorf("adding a row gave %d rows", strings.Count(page.body, `name="drop"`)-1)
	}
	form[1] = ""
	if page := b.post("/console/campaigns", append(form, "drop", "1")...); strings.Count(page.body, `name="drop"`) != 3 || !strings.Contains(page.body, "低保") {
		t.Errorf("dropping a row gave %d rows", strings.Count(page.body, `name="drop"`)-1)
	}
	form[1] = "preview"
	if page := b.post("/console/campaigns", form...); !strings.Contains(page.body, "2,431") || !strings.Contains(page.body, "【零距离】林**您好") || strings.Contains(page.body, "林桂英") {
		t.Error("the preview is not shown, or shows names")
	}
	if len(d.office.list) != 1 {
		t.Error("looking ahead saved something")
	}
}

func TestAnAudienceWrittenAsTextIsTakenAsItStands(t *testing.T) {
	d := newDesk(t)
	d.add("author", staff.Author, "441802")
	b := d.login("author")
	text := "any:\n  - age: {gte: 60}\n  - not: {medical.paid: {is: true}}\n"
	page := b.post("/console/campaigns", "do", "save", "name", "x", "template", "medical_premium_due", "channel0", "sms", "start", "now",
		"from", "08:00", "to", "20:00", "audience_mode", "text", "audience_text", text)
	if page.path != "/console/campaigns/1?done=saved" {
		t.Fatalf("%s: %s", page.path, page.body)
	}
	if c := d.office.list[0].Spec.Audience; len(c.Any) != 2 || c.Any[1].Not == nil {
		t.Errorf("audience %+v", c)
	}
	if page := b.get("/console/campaigns/1/edit"); !strings.Contains(page.body, `value="text" checked`) {
		t.Error("the form doesn't give the text back")
	}
}

func TestWhatIsWrongInAFormIsSaidAndNothingTypedIsLost(t *testing.T) {
	d := newDesk(t)
	d.add("author", staff.Author, "441802")
	b := d.login("author")
	page := b.post("/console/campaigns", "do", "save", "name", "提醒", "start", "at", "start_at", "soon", "from", "8", "to", "20:00", "rate", "many",
		"fallback", "later", "expires", "never", "audience_mode", "rows", "field_0", "age", "op_0", "gte", "value_0", "old")
	if page.status != http.StatusUnprocessableEntity || len(d.office.list) > 0 {
		t.Fatalf("%d", page.status)
	}
	for _, want := range []string{"消息模板", "发送渠道", "audience.all[0].age", "开始时间没看懂", "发送时段没看懂", "截止时间没看懂", "等待时间要填数字", "整数", `value="提醒"`, `value="old"`} {
		if !strings.Contains(page.body, want) {
			t.Errorf("not said: %s", want)
		}
	}
}

func TestAFormGivesBackWhatASpecSays(t *testing.T) {
	d := newDesk(t)
	d.add("author", staff.Author, "441802")
	b := d.login("author")
	b.post("/console/campaigns", written("expires", "2026-12-31T20:00", "rate", "50")...)
	first := d.office.list[0].Spec
	if first.Expires.UTC().Hour() != 12 || first.Rate != 50 || time.Duration(first.FallbackAfter) != 24*time.Hour || *first.Window != "08:00-20:00" {
		t.Fatalf("%+v", first)
	}
	page := b.get("/console/campaigns/1/edit")
	for _, want := range []string{`value="2026-12-31T20:00"`, `value="50"`, `name="fallback" value="24"`, `value="12月31日"`, `value="低保" checked`, `value="18"`} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the form lacks %s", want)
		}
	}
	if want := (register.Test{Field: "category", Op: register.In, Values: []string{"低保", "特困"}}); len(first.Audience.All[2].Test.Values) != len(want.Values) {
		t.Errorf("%+v", first.Audience.All[2].Test)
	}
}

// underWay is a desk whose author has a campaign that runs, its first.
func underWay(t *testing.T) (*desk, *browser) {
	t.Helper()
	d := newDesk(t)
	d.add("author", staff.Author, "441802")
	b := d.login("author")
	b.post("/console/campaigns", written()...)
	d.begin(1, 2431)
	return d, b
}

func TestProgressIsSentAsItHappensAndEndsWithTheState(t *testing.T) {
	d, b := underWay(t)
	req := must(http.NewRequestWithContext(t.Context(), http.MethodGet, d.server.URL+"/console/campaigns/1/events", nil))
	res, err := b.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatal(res.Header)
	}
	lines := bufio.NewScanner(res.Body)
	wait := func(want string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), want) {
				return
			}
		}
		t.Fatalf("never sent: %s", want)
	}
	wait("812")
	d.deliver(1, 77)
	wait("889")
	d.office.mu.Lock()
	d.office.list[0].State = notify.Finished
	d.office.mu.Unlock()
	wait("event: end")
	for lines.Scan() {
		if strings.TrimSpace(lines.Text()) != "" && lines.Text() != "data: " {
			t.Errorf("it goes on: %s", lines.Text())
		}
	}
}

func TestAPageThatMovesReloadsItselfWhereNoScriptRuns(t *testing.T) {
	_, b := underWay(t)
	if page := b.get("/console/campaigns/1"); !strings.Contains(page.body, `<noscript><meta http-equiv="refresh" content="5"></noscript>`) {
		t.Error("no reload")
	}
}

func TestACampaignUnderWaySaysItsPaceItsCostAndWhyMessagesFailed(t *testing.T) {
	d, b := underWay(t)
	page := b.get("/console/campaigns/1")
	for _, want := range []string{
		"现在每秒 6 人，大约还要 ", "¥44.13", "短信 ¥43.29 · ", "电话", "¥0.84", "还没有答复的", "没送到的原因", "平台不认这个号码", "打了三次没人接", "平台没送成（XX）",
	} {
		if !strings.Contains(page.body, want) {
			t.Errorf("%q is not said", want)
		}
	}
	d.office.mu.Lock()
	status := d.office.status[1]
	status.Rate, status.CostYuan, status.CostByChannel, status.FailedReasons = 0, 0, nil, nil
	d.office.status[1] = status
	d.office.mu.Unlock()
	d.now = d.now.Add(time.Minute) // figures are kept for a moment
	page = b.get("/console/campaigns/1")
	for _, not := range []string{"现在每", "大约还要", "¥", "没送到的原因"} {
		if strings.Contains(page.body, not) {
			t.Errorf("nothing went, and it says %q", not)
		}
	}
}

func TestAFinishedCampaignSaysWhatItsReceiptsWillStillTell(t *testing.T) {
	d, b := underWay(t)
	const note = "回执来了就变成"
	if page := b.get("/console/campaigns/1"); strings.Contains(page.body, note) {
		t.Error("said while it is under way")
	}
	d.office.mu.Lock()
	d.office.list[0].State, d.office.list[0].FinishedAt = notify.Finished, d.now
	status := d.office.status[1]
	status.State = notify.Finished
	d.office.status[1] = status
	d.office.mu.Unlock()
	d.now = d.now.Add(time.Minute) // figures are kept for a moment
	if page := b.get("/console/campaigns/1"); !strings.Contains(page.body, note) {
		t.Error("100% done and 640 people without a receipt, and no word on them")
	}
}

func TestATemplateIsShownInWordsAndNotInThePlatformsMarks(t *testing.T) {
	d := newDesk(t)
	d.add("author", staff.Author, "441802")
	page := d.login("author").get("/console/campaigns/new")
	if strings.Contains(page.body, "${") || !strings.Contains(page.body, "〔姓名〕您好") || !strings.Contains(page.body, "请在〔截止日期〕前缴清") {
		t.Error("a template's open places have no words")
	}
}

func TestTheForecastReachesAsFarAsTheAuthorsRegionWhoeverLooks(t *testing.T) {
	d := newDesk(t)
	d.add("author", staff.Author, "441802")
	d.add("province", staff.Approver, "")
	d.login("author").post("/console/campaigns", written()...)
	b := d.login("province")
	b.get("/console/campaigns/1")
	b.get("/console/campaigns/1")
	for _, region := range d.office.previewed {
		if region != "441802" {
			t.Errorf("asked about region %q", region)
		}
	}
	if len(d.office.previewed) != 1 {
		t.Errorf("asked %d times within a second", len(d.office.previewed))
	}
}

func TestAPageThatShowsAnOlderStateIsToldSoAtOnce(t *testing.T) {
	_, b := underWay(t)
	if events := b.get("/console/campaigns/1/events?state=approved"); !strings.Contains(events.body, "event: end") {
		t.Errorf("not told: %s", events.body)
	}
}

// waiting is the good form with another wait.
func waiting(number, unit string) []string {
	form := written("fallback_unit", unit)
	form[slices.Index(form, "fallback")+1] = number
	return form
}

func TestTheWaitForTheNextChannelIsANumberWithAUnit(t *testing.T) {
	d := newDesk(t)
	d.add("author", staff.Author, "441802")
	b := d.login("author")
	for typed, shown := range map[[2]string]string{{"90", "m"}: "90m", {"24", "h"}: "24h", {"48h", "h"}: "48h", {"36", ""}: "36h"} {
		number, unit := shown[:2], shown[2:]
		want, err := time.ParseDuration(shown)
		if err != nil {
			t.Fatal(err)
		}
		page := b.post("/console/campaigns", waiting(typed[0], typed[1])...)
		last := d.office.list[len(d.office.list)-1]
		if page.status != http.StatusOK || time.Duration(last.Spec.FallbackAfter) != want {
			t.Errorf("%v: %d, kept as %v", typed, page.status, time.Duration(last.Spec.FallbackAfter))
		}
		if page := b.get(fmt.Sprintf("/console/campaigns/%d/edit", last.ID)); !strings.Contains(page.body, `value="`+number+`"`) || strings.Contains(page.body, `value="m" selected`) != (unit == "m") {
			t.Errorf("%v is not shown again", typed)
		}
	}
	kept := len(d.office.list)
	for _, typed := range []string{"later", "-3", "0", "721", "1e9", "两天"} {
		page := b.post("/console/campaigns", waiting(typed, "h")...)
		if !strings.Contains(page.body, "等待时间要填数字") || !strings.Contains(page.body, `value="`+typed+`"`) || !strings.Contains(page.body, "医保缴费提醒") {
			t.Errorf("%q: %d, not said or the form is lost", typed, page.status)
		}
	}
	if len(d.office.list) != kept {
		t.Error("an impossible wait was saved")
	}
}
