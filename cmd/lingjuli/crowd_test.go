package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/register/fictional"
	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/internal/store/storetest"
	"github.com/lingjuli/lingjuli/notify"
)

// crowd is people who talk to a running server at once. WeChat's stand-in signs and encrypts what they send, and opens
// and checks what they hear. Each has a mark of their own in what is on file of them; it must stand where their own
// matters are told, and in nobody else's chat.
type crowd struct {
	*town
	people []*talker
}

// talker is one of them.
type talker struct {
	c      *crowd
	number int
	openID string
	name   string
	id     string
	phone  string
	last   string // what they heard last
	sent   int
	late   int // answers that came as customer messages
	took   []float64
}

const (
	crowdToken  = "crowd-token"
	crowdAESKey = "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC"
	answerIn    = 30 * time.Second // later counts as never
)

// marks are what tells whose matters a text is about: a word of an office, and a sum.
var marks = regexp.MustCompile(`标(\d{4})|7(\d{4})\.17`)

func (p *talker) word() string { return fmt.Sprintf("标%04d", p.number) }
func (p *talker) sum() string  { return fmt.Sprintf("7%04d.17", p.number) }

// newCrowd puts so many people on file with what conversations tell of them. None is bound yet.
func newCrowd(t testing.TB, databaseURL, redisURL string, people int) *crowd {
	t.Helper()
	w := newTown(t, databaseURL, 0, nil, "LINGJULI_REDIS_URL="+redisURL, "LINGJULI_SMS_QPS=5000", // codes go as fast as they come
		"LINGJULI_WECHAT_APP_ID=wx0000000000crowd1", "LINGJULI_WECHAT_APP_SECRET=crowd-secret", "LINGJULI_WECHAT_TOKEN="+crowdToken,
		"LINGJULI_WECHAT_AES_KEY="+crowdAESKey)
	w.box.SetCallback("http://" + w.srv.addr + "/wechat/callback")
	c := &crowd{town: w}
	var register, covers, premiums, subsidies strings.Builder
	register.WriteString("姓名,身份证号,手机号,行政区划代码\n")
	covers.WriteString("身份证号,险种,年度,参保状态,待遇状态\n")
	premiums.WriteString("身份证号,险种,年度,应缴金额（元）,个人缴费,财政资助,截止日期,缴费状态\n")
	subsidies.WriteString("身份证号,补贴类型,状态,申请日期,金额,经办单位\n")
	year := time.Now().In(notify.CarrierZone()).Year()
	for i := range people {
		p := &talker{c: c, number: i, openID: fmt.Sprintf("oCrowd%022d", i), name: benchName, phone: w.phone(i), id: fictional.IDNumber("441881", "1950-01-02", i)}
		c.people = append(c.people, p)
		fmt.Fprintf(&register, "%s,%s,%s,441881000000\n", p.name, p.id, p.phone)
		fmt.Fprintf(&covers, "%s,城乡居民医保,%d,已参保,待遇正常\n%[1]s,城乡居民养老保险,%[2]d,已参保,\n", p.id, year)
		fmt.Fprintf(&premiums, "%s,城乡居民医保,%d,%s,%[3]s,0,%[2]d-12-31,未缴\n%[1]s,城乡居民养老保险,%[2]d,%[3]s,%[3]s,0,%[2]d-12-31,未缴\n", p.id, year+1, p.sum())
		fmt.Fprintf(&subsidies, "%s,技工院校国家助学金,审核中,%d-09-01,2000,%s窗口\n", p.id, year, p.word())
	}
	next := time.Now().AddDate(0, 1, 0).Format(time.DateOnly)
	for _, sheet := range [][2]string{
		{"people", register.String()},
		{"cover", covers.String()},
		{"premiums", premiums.String()},
		{"subsidies", subsidies.String()},
		{"jobs", "单位名称,岗位名称,岗位类型,人数,工作地点,行政区划代码,月薪下限,月薪上限\n甲厂,普工,企业,500,英城街道,441881000000,3000,4000\n乙厂,包装工,企业,500,英城街道,441881000000,3000,3600\n"},
		{"courses", "培训名称,工种,培训机构,地点,行政区划代码,开班日期,名额,方式\n家政服务班,家政服务员,英德技工学校,英城街道,441881000000," + next + ",100,面授\n" +
			"电工班,电工,英德技工学校,英城街道,441881000000," + next + ",5,面授\n"},
	} {
		path := filepath.Join(t.TempDir(), sheet[0]+".csv")
		if err := os.WriteFile(path, []byte(sheet[1]), 0o600); err != nil {
			t.Fatal(err)
		}
		report, err := importFile(t.Context(), w.srv.store, importRequest{kind: sheet[0], path: path})
		if err != nil || len(report.Rejected) > 0 {
			t.Fatalf("import %s: %v %+v", sheet[0], err, report.Rejected)
		}
	}
	return c
}

// line is one thing a person sends, and what must stand in the answer.
type line struct {
	say   string
	tap   int    // instead: the number that is tapped in what was heard last
	media string // instead: a picture, a place
	code  bool   // instead: the code from the newest text
	own   bool   // the answer tells their own matters
	has   string
}

// lines are so many of a person's: they prove who they are, and then talk of everything, each in an order of their own.
func (p *talker) lines(n int) []line {
	list := []line{
		{say: "我的补贴", has: "姓名"}, {say: p.name, has: "身份证号"}, {say: p.id, has: "验证码"}, {code: true, own: true, has: "助学金"},
	}
	topics := crowdTopics()
	for i := p.number; len(list) < n; i++ {
		list = append(list, topics[i%len(topics)]...)
	}
	return list[:n]
}

func crowdTopics() [][]line {
	return [][]line{
		{{say: "我的医保", own: true, has: "已参保"}, {say: "重复", own: true}},
		{{say: "我想问下养老金", own: true, has: "养老"}},
		{{say: "要交多少钱", own: true, has: "您交"}, {say: "主菜单"}},
		{{say: "找工作", has: "工作"}, {say: "1", has: "岗位"}, {tap: 1, has: "厂"}, {say: "算了我想问医保", own: true}},
		{{say: "附近有什么培训班", has: "班"}, {tap: 1}, {say: "1"}, {say: "0"}},
		{{say: "英德 包装工", has: "包装工"}, {say: "看不懂"}, {say: "主菜单"}},
		{{say: "呜啦啦啦"}, {say: "@#%&*"}, {say: "我的补贴", own: true, has: "助学金"}},
		{{say: "English"}, {say: "my medical insurance", own: true, has: "insurance"}, {say: "简体中文"}},
		{{say: "我份医保交咗未", own: true}, {say: "普通话"}, {say: "简体中文"}},
		{{media: "image"}, {media: "location"}, {say: "我的养老保险", own: true, has: "养老"}},
		{{say: "公益岗"}, {say: "我的补贴申请到哪了", own: true, has: "助学金"}, {say: "主菜单"}},
		{{say: "大病"}, {say: "重复"}, {say: "医保交了没有", own: true}},
	}
}

// talk holds everybody's conversation at once, after each has begun to follow. It returns when all have ended.
func (c *crowd) talk(lines int) {
	c.t.Helper()
	var all sync.WaitGroup
	for _, p := range c.people {
		all.Go(func() {
			if err := p.converse(c.t.Context(), lines); err != nil {
				c.t.Errorf("person %d after %d messages: %v", p.number, p.sent, err)
			}
		})
	}
	all.Wait()
}

func (p *talker) converse(ctx context.Context, lines int) error {
	err := p.hear(ctx, line{}, func() (*sandbox.Reply, error) { return p.c.box.Follow(ctx, p.openID, "", "") })
	for _, l := range p.lines(lines) {
		if err != nil {
			return err
		}
		if l.code {
			if l.say, err = p.code(ctx); err != nil {
				return err
			}
		}
		if err = p.hear(ctx, l, func() (*sandbox.Reply, error) { return p.send(ctx, l) }); err != nil {
			return fmt.Errorf("%+v: %w", l, err)
		}
	}
	return err
}

// tappable are the choices in a text.
var tappable = regexp.MustCompile(`msgmenucontent=([^&"]*)&(?:amp;)?msgmenuid=([^"&]*)"`)

func (p *talker) send(ctx context.Context, l line) (*sandbox.Reply, error) {
	switch {
	case l.media != "":
		return p.c.box.SendMedia(ctx, p.openID, l.media)
	case l.tap > 0:
		choices := tappable.FindAllStringSubmatch(p.last, -1)
		if len(choices) < l.tap {
			return nil, fmt.Errorf("nothing to tap in %q", p.last)
		}
		return p.c.box.Tap(ctx, p.openID, choices[l.tap-1][2], html.UnescapeString(choices[l.tap-1][1]))
	}
	return p.c.box.Say(ctx, p.openID, l.say)
}

// hear sends, waits for the answer and holds it against what the person may hear.
func (p *talker) hear(ctx context.Context, l line, send func() (*sandbox.Reply, error)) error {
	began := time.Now()
	reply, err := send()
	if err != nil {
		return err
	}
	p.sent++
	text := reply.Text
	if reply.Kind == "" {
		p.late++
		if text, err = p.customerMessage(ctx); err != nil {
			return err
		}
	}
	p.took = append(p.took, float64(time.Since(began)))
	p.last = text
	return p.judge(l, text)
}

func (p *talker) judge(l line, text string) error {
	own := false
	for _, m := range marks.FindAllString(text, -1) {
		if m != p.word() && m != p.sum() {
			return fmt.Errorf("heard of somebody else: %s in %q", m, text)
		}
		own = true
	}
	switch {
	case text == "":
		return errors.New("heard nothing")
	case l.own && !own:
		return fmt.Errorf("their own matters don't stand in %q", text)
	case !strings.Contains(text, l.has):
		return fmt.Errorf("%q doesn't stand in %q", l.has, text)
	}
	return nil
}

// answers are what the account has said in a person's chat.
func (p *talker) answers() (list []string) {
	for _, m := range p.c.box.Chat(p.openID) {
		if m.From == sandbox.FromAccount {
			list = append(list, m.Text)
		}
	}
	return list
}

func (p *talker) customerMessage(ctx context.Context) (string, error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(answerIn); time.Now().Before(deadline); {
		if list := p.answers(); len(list) >= p.sent {
			return list[p.sent-1], nil
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-tick.C:
		}
	}
	return "", errors.New("no answer")
}

// code is what the newest text to their phone says.
func (p *talker) code(ctx context.Context) (string, error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	digits := regexp.MustCompile(`\d{6}`)
	for deadline := time.Now().Add(answerIn); time.Now().Before(deadline); {
		if list := p.c.box.Messages(p.phone); len(list) > 0 {
			return digits.FindString(list[len(list)-1].Text), nil
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-tick.C:
		}
	}
	return "", errors.New("no code came")
}

// settled fails where a message has not exactly one answer.
func (c *crowd) settled(lines int) {
	c.t.Helper()
	for _, p := range c.people {
		waiting, sent := 0, 0
		for _, m := range c.box.Chat(p.openID) {
			switch {
			case m.From == sandbox.FromAccount:
				waiting--
			case m.Kind == "fault":
				c.t.Errorf("person %d saw the fault notice", p.number)
			default:
				waiting, sent = waiting+1, sent+1
			}
			if waiting < 0 || waiting > 1 {
				c.t.Errorf("person %d: %d messages wait for an answer at %+v", p.number, waiting, m)
			}
		}
		if waiting != 0 || sent != lines+1 {
			c.t.Errorf("person %d: %d messages, %d without an answer; want %d", p.number, sent, waiting, lines+1)
		}
	}
}

func (c *crowd) times() (list []float64, late int) {
	for _, p := range c.people {
		list, late = append(list, p.took...), late+p.late
	}
	slices.Sort(list)
	return list, late
}

func TestManyConversationsAtOnceEachHearTheirOwnMattersAndEveryMessageIsAnsweredOnce(t *testing.T) {
	const people, lines = 40, 12
	check := func(t *testing.T, databaseURL string) {
		c := newCrowd(t, databaseURL, "embedded", people)
		c.talk(lines)
		c.settled(lines)
	}
	t.Run("sqlite", func(t *testing.T) { check(t, storetest.SQLiteURL(t)) })
	if os.Getenv("LINGJULI_TEST_POSTGRES") != "" {
		t.Run("postgres", func(t *testing.T) { check(t, storetest.PostgresURL(t)) })
	}
}
