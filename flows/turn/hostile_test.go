package turn_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/flows/turn/turntest"
	"github.com/lingjuli/lingjuli/internal/register"
)

// What a stranger on WeChat tries, who knows names and ID numbers and sends what no menu offers.

// rich makes it a place whose first person has more on file than one answer holds, and who may apply for a post.
func (p *place) rich(t *testing.T) {
	t.Helper()
	p.beginAnew(t)
	var many []turntest.Subsidy
	for i := range 10 {
		many = append(many, turntest.Subsidy{Kind: fmt.Sprintf("春风示范补贴第%d批", i), State: "reviewing", Applied: "2026-09-01", On: "2026-10-20", Amount: 1000 + i, Office: "城东街道办社会事务综合服务窗口", Phone: "0763-3000001", Note: "材料已经收到，请等镇上通知"})
	}
	m := turntest.NewMemory([]turntest.Person{
		{Name: "陈大文", ID: fictional(t, "44180219750101001"), Phone: "13800000001", Region: "441802103201", Bound: "o-1", Subsidies: many},
		{Name: "李秀英", ID: fictional(t, "44180219880202002"), Phone: "13800000002", Region: "441802103201", Bound: "o-2"},
	})
	if err := m.FileSheets(map[register.Kind]string{"courses": courseSheet}); err != nil {
		t.Fatal(err)
	}
	p.Memory = m
}

// movesTo binds the first person to another account: a new telephone.
func (p *place) movesTo(t *testing.T, openid string) {
	t.Helper()
	for _, text := range []string{"绑定", "陈大文", fictional(t, "44180219750101001"), "123456"} {
		p.say(t, turn.WeChat, openid, text)
	}
	if p.Bound(openid) != 1 {
		t.Fatal("not bound")
	}
}

func TestAnAccountThatLostItsPersonReadsNothingMoreOfThem(t *testing.T) {
	p := newPlace(t)
	for _, asked := range []string{"更多", "重复", "1", "补贴"} {
		p.rich(t)
		if first := p.say(t, turn.WeChat, "o-1", "我的补贴"); !strings.Contains(first, "春风") || strings.Contains(first, "第9批") {
			t.Fatalf("not a long answer: %s", first)
		}
		p.movesTo(t, "o-new")
		if after := p.say(t, turn.WeChat, "o-1", asked); strings.Contains(after, "春风") {
			t.Errorf("%s: %s", asked, after)
		}
	}
}

func TestAnOpenQuestionOfAPersonWhoIsNoLongerTheirsDoesNothing(t *testing.T) {
	p := newPlace(t)
	for _, begun := range [][]string{{"公益岗"}, {"培训", "1", "1"}, {"说说我想要的"}, {"我的工作在做吗", "[菜单]work_check"}} {
		p.rich(t)
		for _, text := range begun {
			if key, menu := strings.CutPrefix(text, "[菜单]"); menu {
				p.take(t, turn.Inbound{Channel: turn.WeChat, Who: "o-1", Kind: turn.MenuClick, EventKey: key})
				continue
			}
			p.say(t, turn.WeChat, "o-1", text)
		}
		p.movesTo(t, "o-new")
		p.say(t, turn.WeChat, "o-1", "1")
		if n := len(p.Applications()) + len(p.SignUps()) + len(p.Interests()) + len(p.CheckUps()) + len(p.Handovers()); n != 0 {
			t.Errorf("%v: something was done in the name of somebody who isn't theirs", begun)
		}
	}
}

func TestAProxyThatEndedReadsNothingMore(t *testing.T) {
	p := newPlace(t)
	p.rich(t)
	for _, text := range []string{"帮我爸查补贴", "陈大文", fictional(t, "44180219750101001"), "1", "1", "123456"} {
		p.say(t, turn.WeChat, "o-2", text)
	}
	if first := p.say(t, turn.WeChat, "o-2", "我爸的补贴"); !strings.Contains(first, "春风") {
		t.Fatalf("%s", first)
	}
	for _, text := range []string{"代办", "1", "2"} {
		p.say(t, turn.WeChat, "o-1", text)
	}
	for _, asked := range []string{"更多", "重复", "我爸的补贴", "1"} {
		if after := p.say(t, turn.WeChat, "o-2", asked); strings.Contains(after, "春风") {
			t.Errorf("%s: %s", asked, after)
		}
	}
}

func TestAForgedKeyOrTapBeginsOnlyWhatIsOffered(t *testing.T) {
	book, err := flows.Load()
	if err != nil {
		t.Fatal(err)
	}
	p, closed := newPlace(t), 0
	menu := p.say(t, turn.WeChat, "o-9", "主菜单")
	for _, id := range append(book.Flows(), "", "menu:", "x.y", strings.Repeat("a", 2000)) {
		if book.Offered(id) {
			continue
		}
		closed++
		for _, in := range []turn.Inbound{{Kind: turn.MenuClick, EventKey: "menu:" + id}, {Kind: turn.MenuClick, EventKey: id}, {Kind: turn.Tap, Choice: 1, Mark: "m." + id}} {
			in.Channel, in.Who = turn.WeChat, "o-9"
			if in.EventKey != "" && book.FlowOf(strings.TrimPrefix(in.EventKey, "menu:")) != "" {
				continue
			}
			if answer := p.take(t, in); answer != menu {
				t.Errorf("%+v: %s", in, answer)
			}
		}
	}
	if closed < 20 || p.OptedOut("openid o-9") {
		t.Errorf("%d flows begin by themselves alone; opted out: %v", closed, p.OptedOut("openid o-9"))
	}
}

func TestATapOnAQuestionThatWasNeverAskedAnswersNothing(t *testing.T) {
	p := newPlace(t)
	for _, text := range []string{"帮我妈查医保", "李秀英", fictional(t, "44180219880202002"), "1", "1"} {
		p.say(t, turn.WeChat, "o-9", text)
	}
	for _, mark := range []string{"proxies.consent", "proxies.one", "doorstep.sure", "doorstep.helps", "proxy_ask.done", "bind_identity.done", "unbind.sure"} {
		for choice := range 3 {
			p.take(t, turn.Inbound{Channel: turn.WeChat, Who: "o-9", Kind: turn.Tap, Choice: choice, Mark: mark})
			if p.Bound("o-9") != 0 || p.Bound("o-2") != 2 {
				t.Errorf("%s %d bound somebody", mark, choice)
			}
		}
	}
	if answer := p.say(t, turn.WeChat, "o-9", "我妈的医保"); strings.Contains(answer, "参保") && strings.Contains(answer, "查到") {
		t.Errorf("%s", answer)
	}
}

func TestACodeOfTheDoorstepServesOneScanOfOneAccount(t *testing.T) {
	const scene = "door_bbbbbbbbbbbbbbbbbbbbbbbbbb"
	p := newPlace(t)
	for name, before := range map[string]func(p *place){
		"used":      func(p *place) { p.arrives(t, "o-5", turn.Scan, scene); p.say(t, turn.WeChat, "o-5", "1") },
		"refused":   func(p *place) { p.arrives(t, "o-5", turn.Scan, scene); p.say(t, turn.WeChat, "o-5", "2") },
		"scanned":   func(p *place) { p.arrives(t, "o-5", turn.Scan, scene) },
		"too late":  func(p *place) { p.now = p.now.Add(11 * time.Minute) },
		"a follow":  func(p *place) { p.arrives(t, "o-5", turn.Follow, scene); p.say(t, turn.WeChat, "o-5", "1") },
		"unfollows": func(p *place) { p.arrives(t, "o-5", turn.Scan, scene); p.arrives(t, "o-5", turn.Unfollow, "") },
	} {
		p.beginAnew(t)
		p.Door(scene, 2, register.DoorTerms{}, p.now.Add(10*time.Minute))
		before(p)
		was := p.Bound("o-5")
		for _, who := range []string{"o-9", "o-8"} {
			answer := p.arrives(t, who, turn.Scan, scene)
			p.say(t, turn.WeChat, who, "1")
			if p.Bound(who) != 0 || strings.Contains(answer, "李") {
				t.Errorf("%s: %s is told, or bound: %s", name, who, answer)
			}
		}
		if p.Bound("o-5") != was {
			t.Errorf("%s: who had it was unbound", name)
		}
	}
}

func TestAStormOfAskingSendsOneTelephoneNoMoreThanItsShare(t *testing.T) {
	const share = 5
	p := newPlace(t)
	for name, lines := range map[string][]string{
		"identity": {"绑定", "李秀英", fictional(t, "44180219880202002")},
		"consent":  {"帮我妈查医保", "李秀英", fictional(t, "44180219880202002"), "1", "1"},
	} {
		p.beginAnew(t)
		for i := range 40 {
			p.now = p.now.Add(70 * time.Second)
			for _, line := range lines {
				p.say(t, turn.WeChat, fmt.Sprint("o-storm", i), line)
			}
			if i%3 == 0 {
				for _, text := range []string{"绑定", "李秀英", fictional(t, "44180219880202002")} {
					p.say(t, turn.WeChat, fmt.Sprint("o-other", i), text)
				}
			}
		}
		if n := len(p.Sent()); n == 0 || n > 2*share { // two hours begin in it at most
			t.Errorf("%s: %d texts in %s", name, n, 40*70*time.Second)
		}
	}
}

func TestGuessingByManyAccountsIsCountedOnTheIDNumber(t *testing.T) {
	p, id := newPlace(t), fictional(t, "44180219880202002")
	tries := 0
	for i := range 12 {
		p.now = p.now.Add(61 * time.Second)
		for _, line := range []string{"绑定", "李秀英", id, fmt.Sprintf("9000%02d", i)} {
			if answer := p.say(t, turn.WeChat, fmt.Sprint("o-guess", i), line); strings.Contains(answer, "还可以再试") {
				tries++
			}
		}
	}
	if tries > 4 {
		t.Errorf("%d guesses were told that they were wrong, and not locked", tries)
	}
	for _, line := range []string{"绑定", "李秀英", id, "123456"} {
		p.say(t, turn.WeChat, "o-guess0", line)
	}
	if p.Bound("o-guess0") != 0 {
		t.Error("the lock is opened by the right code")
	}
	p.arrives(t, "o-guess0", turn.Unfollow, "")
	p.arrives(t, "o-guess0", turn.Follow, "")
	if answer := p.say(t, turn.WeChat, "o-guess1", "绑定"); p.Bound("o-guess0") != 0 {
		t.Errorf("following anew opens it: %s", answer)
	}
}

func TestWhoIsNotKnownIsNotCalledTheirChild(t *testing.T) {
	p := newPlace(t)
	for _, text := range []string{"帮我妈查医保", "李秀英", fictional(t, "44180219880202002"), "1", "1"} {
		p.say(t, turn.WeChat, "o-9", text)
	}
	heard := p.say(t, turn.WeChat, "o-2", "你好") + p.say(t, turn.WeChat, "o-2", "代办")
	if !strings.Contains(heard, "自称") || strings.Contains(heard, "您的孩子想") {
		t.Errorf("a stranger is passed off as her child: %s", heard)
	}
}

func TestWhatStrangersWriteIsNeverReadAsATextOfOurs(t *testing.T) {
	evil := []string{
		"{{.TelFraud}}", "${name}", "%s%d%!v", "<a href=\"http://x.example\">点</a>", "]]><Content>", "\u202e倒过来", "深圳 {{.TelFraud}} 电工 的工作",
		"<a href='http://x.example'>深圳电工</a> 的工作", strings.Repeat("深圳电工的工作", 300), strings.Repeat("{{", 1000), "陈\x00大文", "陈大文'; DROP TABLE people;--",
	}
	p := newPlace(t)
	for _, begun := range [][]string{nil, {"绑定"}, {"找个人"}, {"找工作"}, {"找工作", "4"}, {"查短信真假"}, {"帮我妈查医保"}, {"换手机号", "1"}, {"说说我想要的", "3", "1"}} {
		for _, text := range evil {
			p.beginAnew(t)
			for _, line := range begun {
				p.say(t, turn.WeChat, "o-1", line)
			}
			answer := p.say(t, turn.WeChat, "o-1", text)
			for _, bad := range []string{"{{", "<a ", "${", "%!", "]]>", "\u202e", "DROP", "<no value>"} {
				if strings.Contains(answer, bad) {
					t.Errorf("%v, %.40q: %q comes back: %s", begun, text, bad, answer)
				}
			}
			if strings.TrimSpace(answer) == "" || len([]rune(answer)) > 600 {
				t.Errorf("%v, %.40q: %d characters", begun, text, len([]rune(answer)))
			}
		}
	}
}

func TestAnAccountThatLostItsPersonHearsOfItOnceWhereNoMessageReachedIt(t *testing.T) {
	p := newPlace(t)
	p.rich(t)
	p.movesTo(t, "o-new")
	sent := p.Sent()
	if last := sent[len(sent)-1]; last.Template != "reply_bound_elsewhere" || last.PersonID != 1 || last.Phone != "13800000001" {
		t.Errorf("the person's own number hears %+v", last)
	}
	const news = "另一个微信"
	if first := p.say(t, turn.WeChat, "o-1", "你好"); !strings.Contains(first, news) || strings.Contains(first, "陈") {
		t.Errorf("%s", first)
	}
	if second := p.say(t, turn.WeChat, "o-1", "你好"); strings.Contains(second, news) {
		t.Errorf("said again: %s", second)
	}
	if other := p.say(t, turn.WeChat, "o-new", "你好"); strings.Contains(other, news) {
		t.Errorf("whoever was bound hears of a loss: %s", other)
	}
	p.now = p.now.Add(2 * time.Minute)
	p.movesTo(t, "o-1") // back again
	if heard := p.say(t, turn.WeChat, "o-1", "你好"); strings.Contains(heard, news) {
		t.Errorf("%s", heard)
	}
}

func TestWhoeverEndsTheirOwnBindingHasLostNothing(t *testing.T) {
	p := newPlace(t)
	p.rich(t)
	for _, text := range []string{"解绑", "1"} {
		p.say(t, turn.WeChat, "o-1", text)
	}
	if p.Bound("o-1") != 0 {
		t.Fatal("still bound")
	}
	before := len(p.Sent())
	p.movesTo(t, "o-new")
	sent := p.Sent()[before:]
	if len(sent) != 1 || sent[0].Template != "verify_code" {
		t.Errorf("%+v", sent)
	}
}

func TestOfTheCodesOfOneDayNoMoreThanTenGoToAPersonOrATelephone(t *testing.T) {
	p := newPlace(t)
	id := fictional(t, "44180219880202002")
	begun := p.now
	for i := range 60 {
		for _, line := range [][]string{{"绑定", "李秀英", id}, {"帮我妈查医保", "李秀英", id, "1", "1"}}[i%2] {
			p.say(t, turn.WeChat, fmt.Sprint("o-storm", i), line)
		}
		p.now = p.now.Add(20 * time.Minute)
	}
	if n := len(p.Sent()); n != 10 || p.now.Sub(begun) > 24*time.Hour {
		t.Errorf("%d codes in %s, want 10", n, p.now.Sub(begun))
	}
	unknown := fictional(t, "44180219880202003") // who is on no file hears the same
	for _, number := range []string{id, unknown} {
		for i := range 11 {
			who := fmt.Sprint("o-again", number[:10], i, number[14:])
			p.now = p.now.Add(15 * time.Minute)
			var heard string
			for _, line := range []string{"绑定", "李秀英", number} {
				heard = p.say(t, turn.WeChat, who, line)
			}
			if full := strings.Contains(heard, "今天发的短信够多了"); full != (number == id || i == 10) {
				t.Errorf("%s, asked %d times: %s", number[14:], i+1, heard)
			}
		}
	}
}

// A stranger who knows a name and an ID number must not learn whether somebody is on file with them: not from the asking, and
// not from anything that can be asked afterwards.
func TestNothingThatCanBeAskedAfterwardsTellsWhetherWhoWasAskedIsOnFile(t *testing.T) {
	onFile, nobody := fictional(t, "44180219880202002"), fictional(t, "44180219880202003")
	for name, after := range map[string][]string{
		"who can see mine": {"主菜单", "代办"},
		"they agreed":      {"主菜单", "同意了"},
		"in the middle":    {"同意了", "没收到", "1", "代办"},
		"taken back":       {"代办", "1", "2", "代办", "同意了"},
		"the next day":     {"[过 25h]", "同意了", "代办", "你好"},
		"after ten days":   {"[过 240h]", "同意了", "代办", "帮我妈查医保", "李秀英", "*", "1", "1", "同意了", "主菜单", "同意了"},
		"many at once":     {"主菜单", "帮家人办", "6", "李秀英", "*", "1", "1", "帮家人办", "主菜单", "帮我爸查医保"},
		"a wrong code":     {"000000", "主菜单", "代办", "查谁的", "换人", "医保"},
		"bound too":        {"主菜单", "绑定", "李秀英", "*", "000000", "代办", "同意了"},
		"gone and back":    {"[取关]", "[关注]", "代办", "同意了"},
	} {
		var heard [2][]string
		for i, number := range []string{onFile, nobody} {
			p := newPlace(t)
			for _, text := range append([]string{"帮我妈查医保", "李秀英", "*", "1", "1"}, after...) {
				if wait, waits := strings.CutPrefix(text, "[过 "); waits {
					d, err := time.ParseDuration(strings.TrimSuffix(wait, "]"))
					if err != nil {
						t.Fatal(err)
					}
					p.now = p.now.Add(d)
					continue
				}
				switch text {
				case "*":
					text = number
				case "[取关]":
					p.arrives(t, "o-9", turn.Unfollow, "")
					continue
				case "[关注]":
					p.arrives(t, "o-9", turn.Follow, "")
					continue
				}
				heard[i] = append(heard[i], text+" → "+p.say(t, turn.WeChat, "o-9", text))
			}
		}
		for i := range heard[0] {
			if strings.ReplaceAll(heard[0][i], onFile, nobody) != heard[1][i] {
				t.Errorf("%s: on file\n%s\nnobody\n%s", name, heard[0][i], heard[1][i])
			}
		}
	}
}

func TestNobodyWhoLooksAfterHerMattersHidesBehindStrangersWhoAsk(t *testing.T) {
	p := newPlace(t)
	id := fictional(t, "44180219880202002")
	ask := func(who string) {
		p.now = p.now.Add(2 * time.Minute)
		for _, text := range []string{"帮我妈查医保", "李秀英", id, "1", "1"} {
			p.say(t, turn.WeChat, who, text)
		}
	}
	for i := range 7 {
		if i == 4 {
			p.now = p.now.Add(time.Hour)
		}
		ask(fmt.Sprint("o-stranger", i))
	}
	ask("o-thief")
	p.say(t, turn.WeChat, "o-thief", "123456")
	heard := p.say(t, turn.WeChat, "o-2", "你好")
	if n := strings.Count(heard, "想在微信上帮"); n != 1 {
		t.Errorf("she is told %d times that somebody asks: %s", n, heard)
	}
	list := p.say(t, turn.WeChat, "o-2", "代办")
	if !strings.Contains(list, "能查您家的事") || strings.Count(list, "等您同意") != 5 {
		t.Errorf("%s", list)
	}
}

func TestWhateverAnAccountAgreesToIsToldToTheNumberOnFile(t *testing.T) {
	p := newPlace(t)
	for _, text := range []string{"帮我妈查医保", "李秀英", fictional(t, "44180219880202002"), "1", "1"} {
		p.say(t, turn.WeChat, "o-9", text)
	}
	for _, text := range []string{"代办", "1"} {
		p.say(t, turn.WeChat, "o-2", text)
	}
	sent := p.Sent()
	if last := sent[len(sent)-1]; last.Template != "reply_proxy_given" || last.PersonID != 2 || last.Phone != "13800000002" {
		t.Errorf("%+v", last)
	}
}
