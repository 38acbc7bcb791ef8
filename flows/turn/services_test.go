package turn_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/flows/turn/turntest"
	"github.com/lingjuli/lingjuli/internal/register"
)

const courseSheet = "培训名称,培训机构,地点,行政区划代码,开班日期,名额,联系电话\n家政班,清城技工学校,城东街道,441802103000,2026-12-01,1,0763-3000031\n"

// place is a cast of a village with a course of one place.
type place struct {
	*turntest.Memory
	now     time.Time
	said    int
	service *turn.Service // over whatever memory the place has
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{}
	p.beginAnew(t)
	return p
}

// beginAnew is the same place, of which nothing is remembered.
func (p *place) beginAnew(t *testing.T) {
	t.Helper()
	m := turntest.NewMemory([]turntest.Person{
		{Name: "陈大文", ID: fictional(t, "44180219750101001"), Phone: "13800000001", Region: "441802103201", Bound: "o-1"},
		{Name: "李秀英", ID: fictional(t, "44180219880202002"), Phone: "13800000002", Region: "441802103201", Bound: "o-2"},
	})
	if err := m.FileSheets(map[register.Kind]string{"courses": courseSheet}); err != nil {
		t.Fatal(err)
	}
	p.Memory, p.now = m, time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
}

func (p *place) say(t *testing.T, channel turn.Channel, who, text string) string {
	t.Helper()
	return p.take(t, turn.Inbound{Channel: channel, Who: who, Kind: turn.Text, Text: text})
}

// arrives is somebody who follows or scans.
func (p *place) arrives(t *testing.T, who string, kind turn.Kind, scene string) string {
	t.Helper()
	return p.take(t, turn.Inbound{Channel: turn.WeChat, Who: who, Kind: kind, Scene: scene})
}

func (p *place) take(t *testing.T, in turn.Inbound) string {
	t.Helper()
	p.said++
	p.now = p.now.Add(time.Second)
	if p.service == nil {
		p.service = turntest.Service(t, p, func() time.Time { return p.now }, func() string { return "123456" }, nil)
	}
	in.Key = fmt.Sprint("k", p.said)
	a, err := p.service.Turn(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return a.Text
}

func (p *place) invite(person int64, at time.Time) {
	p.Mailed(register.Sent{
		CampaignID: 7, PersonID: person, Kind: "training_invitation", Name: "家政班邀请", CourseID: 1, Check: "ACD3E4", At: at,
		Content: "您好，家政班${date}开班，想来请回复1。查验码${check}。",
		Texts:   []string{"您好，家政班12月1日开班，想来请回复1。查验码ACD3E4。"},
	})
}

func (p *place) lastSMS() string {
	sent := p.Sent()
	if len(sent) == 0 {
		return ""
	}
	return string(sent[len(sent)-1].Phone) + " " + sent[len(sent)-1].Template
}

func TestABareOneBySMSSignsUpForTheCourseThatWasOfferedToThatNumber(t *testing.T) {
	for _, text := range []string{"1", "１", "好", "回复1", "1。"} {
		p := newPlace(t)
		p.invite(1, p.now.Add(-time.Hour))
		p.say(t, turn.SMS, "13800000001", text)
		if got := p.lastSMS(); got != "13800000001 reply_signed" {
			t.Errorf("%q is answered by %s", text, got)
		}
		if s := p.SignUps(); len(s) != 1 || s[0].PersonID != 1 || s[0].State != register.SignUpTaken {
			t.Errorf("%q: %+v", text, s)
		}
		p.say(t, turn.SMS, "13800000001", text)
		if got := p.lastSMS(); got != "13800000001 reply_signed" || len(p.SignUps()) != 1 {
			t.Errorf("%q a second time: %s, %d sign-ups", text, got, len(p.SignUps()))
		}
	}
}

func TestABareOneBySMSSignsNobodyUpWhereNothingWasOffered(t *testing.T) {
	for name, prepare := range map[string]func(*place){
		"nothing sent":       func(*place) {},
		"eight days ago":     func(p *place) { p.invite(1, p.now.Add(-8*24*time.Hour)) },
		"to another's phone": func(p *place) { p.invite(2, p.now.Add(-time.Hour)) },
	} {
		p := newPlace(t)
		prepare(p)
		p.say(t, turn.SMS, "13800000001", "1")
		if got := p.lastSMS(); len(p.SignUps()) != 0 || got != "13800000001 reply_menu" {
			t.Errorf("%s: %s, %+v", name, got, p.SignUps())
		}
	}
}

func TestANoBySMSGivesThePlaceBack(t *testing.T) {
	p := newPlace(t)
	p.invite(1, p.now.Add(-time.Hour))
	p.say(t, turn.SMS, "13800000001", "1")
	p.say(t, turn.SMS, "13800000001", "2")
	if got := p.lastSMS(); got != "13800000001 reply_declined" || p.SignUps()[0].State != register.SignUpCancelled {
		t.Errorf("%s, %+v", got, p.SignUps())
	}
}

func TestWhoWaitsMovesUpWhenAPlaceIsGivenBackAndHearsOfItByDay(t *testing.T) {
	p := newPlace(t)
	for _, line := range []string{"培训", "1", "1", "1"} {
		p.say(t, turn.WeChat, "o-1", line)
	}
	var answer string
	for _, line := range []string{"培训", "1", "1"} {
		answer = p.say(t, turn.WeChat, "o-2", line)
	}
	if !strings.Contains(answer, "满了") {
		t.Errorf("a full course shows as %s", answer)
	}
	if answer = p.say(t, turn.WeChat, "o-2", "报名"); !strings.Contains(answer, "帮您排上了") {
		t.Errorf("waiting is told as %s", answer)
	}
	for _, line := range []string{"培训", "我报的班（可退）", "1", "不去了"} {
		answer = p.say(t, turn.WeChat, "o-1", line)
	}
	if !strings.Contains(answer, "退好了") {
		t.Errorf("leaving is told as %s", answer)
	}
	if got := p.lastSMS(); got != "" {
		t.Errorf("a text with the turn, whatever the hour: %q", got)
	}
	if s := p.SignUps(); s[1].State != register.SignUpTaken {
		t.Errorf("the place went to nobody: %+v", s)
	}
}

func TestATextIsRealOnlyIfItIsWhatWeSentThem(t *testing.T) {
	for text, ours := range map[string]bool{
		"ACD3E4":    true,
		"acd3e4":    true,
		"查验码ACD3E4": true,
		"您好，家政班12月1日开班，想来请回复1。查验码ACD3E4。":      true,
		"【零距离】您好，家政班12月1日开班，想来请回复1。查验码ACD3E4。": true,
		"您好，家政班 12月1日 开班，想来请回复1。查验码ACD3E4。":    true,
		"ACD3E4快转钱": false, "ACD3E4转200": false, "快，ACD3E4，交钱": false, "ACD3E4是真的吗": false, "家政班ACD3E4": false,
		"AAAAAA": false,
		"您好，您的补贴2000元待领，请点http://x.example转账。查验码ACD3E4":       false,
		"您好，家政班12月1日开班，想来请回复1。查验码ACD3E4。请先交200元到卡号6222000011": false,
		"请先交200元。您好，家政班12月1日开班，想来请回复1。查验码ACD3E4。":             false,
	} {
		p := newPlace(t)
		p.invite(1, p.now.Add(-48*time.Hour))
		p.say(t, turn.WeChat, "o-1", "查短信真假")
		answer := p.say(t, turn.WeChat, "o-1", text)
		if got := strings.Contains(answer, "是我们发的"); got != ours {
			t.Errorf("%q: %s", text, answer)
		}
		if !strings.Contains(answer, "96110") && !ours {
			t.Errorf("%q: no fraud line in %s", text, answer)
		}
		p.say(t, turn.WeChat, "o-2", "查短信真假")
		if answer := p.say(t, turn.WeChat, "o-2", text); strings.Contains(answer, "是我们发的") {
			t.Errorf("%q was sent to somebody else: %s", text, answer)
		}
	}
}

func TestAStaffsAnswerThatWaitedGoesWithTheNextReplyAndOnce(t *testing.T) {
	p := newPlace(t)
	p.Keep("o-1", turn.Letter{ID: 4, Text: "带身份证来镇里。"})
	if answer := p.say(t, turn.WeChat, "o-2", "主菜单"); strings.Contains(answer, "身份证来镇里") {
		t.Errorf("somebody else hears it: %s", answer)
	}
	answer := p.say(t, turn.WeChat, "o-1", "主菜单")
	if !strings.HasPrefix(answer, "工作人员回您：带身份证来镇里。\n") || !strings.Contains(answer, "我的医保") {
		t.Error(answer)
	}
	if answer = p.say(t, turn.WeChat, "o-1", "主菜单"); strings.Contains(answer, "身份证来镇里") || len(p.Kept("o-1")) != 0 {
		t.Errorf("said again: %s", answer)
	}
}

func TestAWishForAPostingAndAnApplicationReachTheInbox(t *testing.T) {
	p := newPlace(t)
	err := p.FileSheets(map[register.Kind]string{"jobs": "单位名称,岗位名称,岗位类型,人数,工作地点,行政区划代码\n云岭手袋厂,车工,企业,10,源潭镇,441802103\n"})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"找工作", "1", "1", "我想要这份工作"} {
		p.say(t, turn.WeChat, "o-1", line)
	}
	for _, line := range []string{"公益性岗位", "申请"} {
		p.say(t, turn.WeChat, "o-1", line)
	}
	var got []string
	for _, h := range p.Handovers() {
		got = append(got, fmt.Sprint(h.Topic, " ", h.Words, " ", h.AboutID, " ", h.PersonID, " ", h.Due.After(p.now)))
	}
	want := []string{"job 车工 · 云岭手袋厂 1 1 true", "application 公益性岗位 1 1 true"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWhatIsToldOnceIsKeptThoughTheFormIsNeverFinished(t *testing.T) {
	p := newPlace(t)
	for _, line := range []string{"别的事", "9", "说说我想要的", "想", "不想"} {
		p.say(t, turn.WeChat, "o-1", line)
	}
	if got := p.PersonOnFile(1); got.WantsWork != register.Yes || got.WantsTraining != register.No || got.WantsBusiness != register.Unknown {
		t.Errorf("kept: %v %v %v", got.WantsWork, got.WantsTraining, got.WantsBusiness)
	}
}

func TestAHandOverSaysWhenSomebodyLooks(t *testing.T) {
	for _, c := range []struct{ at, says, due string }{
		{"2026-11-23T09:00:00+08:00", "现在上班", "2026-11-23T13:00:00+08:00"},
		{"2026-11-23T16:30:00+08:00", "现在上班", "2026-11-24T11:30:00+08:00"},
		{"2026-11-23T07:00:00+08:00", "下班了", "2026-11-23T12:30:00+08:00"},
		{"2026-11-27T19:00:00+08:00", "2026年11月30日", "2026-11-30T12:30:00+08:00"},
		{"2026-10-01T10:00:00+08:00", "现在放假，工作人员2026年10月8日", "2026-10-08T12:30:00+08:00"}, // a Thursday
		{"2026-09-30T17:00:00+08:00", "现在上班", "2026-10-08T12:00:00+08:00"},                // half an hour is left before a week of holidays
		{"2026-09-30T18:00:00+08:00", "下班了，工作人员2026年10月8日", "2026-10-08T12:30:00+08:00"},
		{"2026-10-10T09:00:00+08:00", "现在上班", "2026-10-10T13:00:00+08:00"},            // a Saturday, worked for that week
		{"2026-10-09T19:00:00+08:00", "工作人员2026年10月10日", "2026-10-10T12:30:00+08:00"}, // its eve
	} {
		p := newPlace(t)
		p.now, _ = time.Parse(time.RFC3339, c.at)
		p.say(t, turn.WeChat, "o-1", "人工")
		if answer := p.say(t, turn.WeChat, "o-1", "屋顶漏水"); !strings.Contains(answer, c.says) {
			t.Errorf("%s: %s", c.at, answer)
		}
		due, _ := time.Parse(time.RFC3339, c.due)
		if h := p.Handovers(); len(h) != 1 || h[0].Words != "屋顶漏水" || h[0].Due.Sub(due).Abs() > time.Minute {
			t.Errorf("%s: %+v, want due %s", c.at, h, c.due)
		}
	}
}

func TestAMothersMatterIsNoAbuse(t *testing.T) {
	for text, want := range map[string]string{"我妈的医保": "要本人同意", "他妈的医保交了没": "12393", "查查我妈的医保": "要本人同意"} {
		if answer := newPlace(t).say(t, turn.WeChat, "o-1", text); !strings.Contains(answer, want) {
			t.Errorf("%q is answered by %s", text, answer)
		}
	}
}

// asks is a campaign's question to a person's phone, by its extension number.
func (p *place) asks(campaign, person, course, job int64, code string, ago time.Duration) {
	p.Mailed(register.Sent{
		CampaignID: campaign, PersonID: person, Kind: "training_invitation", CourseID: course, JobID: job, ReplyCode: code, At: p.now.Add(-ago),
	})
}

// replies is a text sent back to a number.
func (p *place) replies(t *testing.T, to, words string) string {
	t.Helper()
	before := len(p.Sent())
	p.take(t, turn.Inbound{Channel: turn.SMS, Who: "13800000001", Kind: turn.Text, Text: words, To: to})
	if sent := p.Sent(); len(sent) > before {
		return sent[len(sent)-1].Template
	}
	return ""
}

func TestAReplyBySMSAnswersTheQuestionThatItsNumberNames(t *testing.T) {
	for name, c := range map[string]struct {
		to, words, want string
		course          int64 // they are signed up for
	}{
		"the older of two":           {"90998", "1", "reply_signed", 1},
		"the newer of two":           {"90999", "1", "reply_signed", 2},
		"in other words":             {"90998", "好的", "reply_signed", 1},
		"none named, the newest":     {"", "1", "reply_signed", 2},
		"a number of the platform's": {"1069", "1", "reply_signed", 2},
		"one that is over":           {"90001", "1", "reply_office", 0},
		"no, by a word that stops campaigns where nothing is asked": {"90998", "取消", "reply_declined", 0},
		"the same to the newest":                                    {"", "取消", "reply_declined", 0},
		"the same to one that is over":                              {"90001", "取消", "reply_opted_out", 0},
		"a word that always stops campaigns":                        {"90998", "TD", "reply_opted_out", 0},
		"a number that is no answer":                                {"90998", "7", "reply_menu", 0},
	} {
		p := newPlace(t)
		if err := p.FileSheets(map[register.Kind]string{"courses": "培训名称,培训机构,地点,开班日期,名额\n电工班,示范技校,洲心,2099-01-02,20\n"}); err != nil {
			t.Fatal(err)
		}
		p.asks(5, 1, 1, 0, "90001", 9*24*time.Hour)
		p.asks(6, 1, 1, 0, "90998", 2*time.Hour)
		p.asks(7, 1, 2, 0, "90999", time.Hour)
		if got := p.replies(t, c.to, c.words); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		list := p.SignUps()
		if signed := len(list) == 1 && list[0].State == register.SignUpTaken; signed != (c.course > 0) || signed && list[0].CourseID != c.course {
			t.Errorf("%s: %+v, want course %d", name, list, c.course)
		}
	}
}

func TestACampaignsQuestionIsAnsweredBeforeAnOlderOneOfTheConversation(t *testing.T) {
	p := newPlace(t)
	if got := p.replies(t, "", "0"); got != "reply_menu" {
		t.Fatal(got)
	}
	p.now = p.now.Add(time.Minute)
	p.asks(6, 1, 1, 0, "", time.Second)
	if got := p.replies(t, "", "1"); got != "reply_signed" {
		t.Error(got)
	}
	if got := p.replies(t, "", "0"); got != "reply_menu" {
		t.Fatal(got)
	}
	if got := p.replies(t, "", "6"); got != "reply_courses" {
		t.Errorf("the conversation asked last: %s", got)
	}
}

func TestAOneBySMSToAPostingIsAWishBeforeTheTownship(t *testing.T) {
	p := newPlace(t)
	if err := p.FileSheets(map[register.Kind]string{"jobs": "单位名称,岗位名称,人数,工作地点,行政区划代码,截止日期\n示范厂,缝纫工,5,洲心,441802103201,2099-12-31\n"}); err != nil {
		t.Fatal(err)
	}
	p.asks(6, 1, 0, 1, "", time.Hour)
	for _, c := range []struct{ words, want string }{{"2", "reply_not_wanted"}, {"1", "reply_wanted"}, {"1", "reply_wanted"}} {
		if got := p.replies(t, "", c.words); got != c.want {
			t.Errorf("%s: %s", c.words, got)
		}
	}
	if list := p.Handovers(); len(list) != 1 || list[0].Topic != register.TopicJob || list[0].PersonID != 1 {
		t.Errorf("%+v", list)
	}
}
