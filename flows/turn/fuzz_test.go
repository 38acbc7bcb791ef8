package turn_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/flows/turn/turntest"
	"github.com/lingjuli/lingjuli/internal/register"
)

// sayings is what people send, well and badly.
func sayings() []string {
	return []string{
		"1", "2", "3", "4", "5", "9", "0", "返回", "主菜单", "重复", "人工", "更多", "退订", "恢复", "取消", "是", "不", "好的", "在吗",
		"找工作", "深圳 电子厂 4000 的工作", "培训", "公益岗", "大病", "报销", "技校", "毕业", "创业", "政策", "转移", "残疾", "投诉", "停发",
		"我的医保", "养老", "补贴", "缴费", "粤语", "english", "看不清", "长辈模式", "普通模式", "我办的事", "说说我想要的", "查短信真假",
		"陈大文", "441802195501010015", "441802198802020026", "123456", "三万二", "家政", "ACD3E4", "😀", "/::)", "\u200b", "\x00\x07", "",
		"【零距离】您好", "傻逼", "https://x.example/pay", "%s{{.}}<a>]]>", strings.Repeat("说来话长", 500),
	}
}

func stocked(t testing.TB) *turntest.Memory {
	t.Helper()
	m := turntest.NewMemory([]turntest.Person{
		{Name: "陈大文", ID: "441802195501010015", Phone: "13800000001", Region: "441802103201", Household: "H1"},
		{Name: "李秀英", ID: "441802198802020026", Phone: "13800000001", Region: "441802103201", Household: "H1", Bound: "o-1"},
	})
	err := m.FileSheets(map[register.Kind]string{
		"courses": courseSheet,
		"jobs": "单位名称,岗位名称,岗位类型,人数,工作地点,行政区划代码,月薪下限,月薪上限\n" +
			"甲厂,普工,企业,5,清城区,441802000000,3000,4000\n乙厂,保洁员,公益性岗位,5,城东街道,441802103000,2000,\n丙厂,缝纫工,扶贫车间,5,城东街道,441802103000,,\n丁厂,电工,企业,若干,深圳,440306000000,5000,6000\n",
		"tiers":        "项目,地区,年度,起付标准,分段下限,支付比例,来源\n大病保险,清远市,2026,10000,10000,60%,示例\n",
		"institutions": "名称,类别,地点,行政区划代码\n城东卫生院,卫生院,城东街道,441802103000\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// anew is a store that each run begins anew, under a service that is made once.
type anew struct{ *turntest.Memory }

// FuzzNobodyIsEverStuck throws anything at any point of any flow, and from wherever it led tries the ways out.
func FuzzNobodyIsEverStuck(f *testing.F) {
	for i := range 12 {
		f.Add([]byte{byte(i), byte(3 * i), byte(7 * i), byte(11 * i), byte(13 * i), byte(200 + i)}, "我想问问")
	}
	book, err := flows.Load()
	if err != nil {
		f.Fatal(err)
	}
	all, words := book.Flows(), sayings()
	now, village := time.Time{}, &anew{}
	service := turntest.Service(f, village, func() time.Time { return now }, func() string { return "123456" }, nil)
	f.Fuzz(func(t *testing.T, script []byte, wild string) {
		village.Memory, now = stocked(t), time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
		said := 0
		send := func(in turn.Inbound) turn.Answer {
			said++
			now = now.Add(time.Second)
			in.Key = fmt.Sprint("k", said)
			a, err := service.Turn(t.Context(), in)
			if err != nil {
				t.Fatalf("%+v: %v", in, err)
			}
			if n := utf8.RuneCountInString(a.Text); in.Channel == turn.WeChat && (n == 0 || n > 600) {
				t.Fatalf("%+v is answered by %d characters", in, n)
			}
			if strings.Contains(a.Text, "<no value>") || strings.Contains(a.Text, "{{") {
				t.Fatalf("%+v: a text is not filled: %s", in, a.Text)
			}
			return a
		}
		for _, b := range script[:min(len(script), 24)] {
			in := turn.Inbound{Channel: turn.WeChat, Who: "o-1", Kind: turn.Text}
			n := int(b)
			switch n % 16 {
			case 0:
				in.Kind, in.EventKey = turn.MenuClick, all[n/16*7%len(all)]
			case 1:
				in.Kind = []turn.Kind{turn.Picture, turn.Location, turn.Link, turn.Voice, turn.Other, turn.Scan}[n/16%6]
			case 2:
				now = now.Add(time.Duration(n) * time.Minute)
				in.Text = words[n%len(words)]
			case 3:
				in.Text = wild
			case 4:
				in.Channel, in.Who, in.Text = turn.SMS, "13800000001", words[n/16*5%len(words)]
			default:
				in.Text = words[(n*31+said)%len(words)]
			}
			send(in)
		}
		if a := send(turn.Inbound{Channel: turn.WeChat, Who: "o-1", Kind: turn.Text, Text: "人工"}); !strings.Contains(a.Text, "12345") {
			t.Fatalf("a person is not in reach: %s", a.Text)
		}
		if a := send(turn.Inbound{Channel: turn.WeChat, Who: "o-1", Kind: turn.Text, Text: "主菜单"}); len(a.Choices) < 4 {
			t.Fatalf("the menu is not in reach: %s", a.Text)
		}
	})
}
