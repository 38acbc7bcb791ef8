package turn_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/flows/turn/turntest"
	"github.com/lingjuli/lingjuli/internal/register"
)

// talk plays lines of one openid and gives the answers.
func talk(t *testing.T, m turn.Store, openid string, lines ...string) []string {
	t.Helper()
	service := turntest.Service(t, m, time.Now, func() string { return "123456" }, nil)
	var out []string
	for i, line := range lines {
		a, err := service.Turn(t.Context(), turn.Inbound{Key: fmt.Sprint(openid, i, line), Channel: turn.WeChat, Who: openid, Kind: turn.Text, Text: line})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, a.Text)
	}
	return out
}

func fictional(t *testing.T, first17 string) string {
	t.Helper()
	id, err := register.CompleteIDNumber(first17)
	if err != nil {
		t.Fatal(err)
	}
	return string(id)
}

func TestWhoIsOnFileCannotBeLearntFromTheIdentityCheck(t *testing.T) {
	onFile, landline, dead := fictional(t, "44180219550101001"), fictional(t, "44180219900303003"), fictional(t, "44180219400101001")
	cast := []turntest.Person{
		{Name: "陈大文", ID: onFile, Phone: "13800000001"},
		{Name: "黄伯", ID: landline, Phone: "0763-3000002"},
		{Name: "李公", ID: dead, Phone: "13800000009", Deceased: true},
	}
	want := ""
	for _, c := range []struct{ who, name, id string }{
		{"on file", "陈大文", onFile},
		{"another name", "陈小文", onFile},
		{"nobody", "陈大文", fictional(t, "44180219770707007")},
		{"no mobile", "黄伯", landline},
		{"dead", "李公", dead},
	} {
		m := turntest.NewMemory(cast)
		// All the way to the lock-out: prompts, wrong codes, the lock, and what comes after it.
		got := strings.Join(talk(t, m, "o-1", "绑定", c.name, c.id, "000001", "重发", "000002", "收不到", "000003", "收不到", "1", "000004", "000005", "绑定"), "\n--\n")
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("%s hears\n%s\nothers\n%s", c.who, got, want)
		}
		if !strings.Contains(got, "若登记的手机能收短信，会收到验证码；收不到请找帮扶干部扫码") || !strings.Contains(got, "已锁定") || !strings.Contains(got, "1小时后再试") {
			t.Errorf("the words of the public contract are missing: %s", got)
		}
		sent := 0
		if c.who == "on file" {
			sent = 1
		}
		if len(m.Sent()) != sent {
			t.Errorf("%s: %d codes sent, want %d", c.who, len(m.Sent()), sent)
		}
		if m.Bound("o-1") != 0 {
			t.Errorf("%s is bound", c.who)
		}
	}
}

func TestAWordForTheCodeStandsOnlyWhereItIsAskedFor(t *testing.T) {
	id := fictional(t, "44180219550101001")
	m := turntest.NewMemory([]turntest.Person{{Name: "陈大文", ID: id, Phone: "13800000001"}})
	answers := talk(t, m, "o-1", "你好", "绑定", "陈大文", "123", id, "000000", "123456", "人工", "主菜单")
	for i, asks := range []bool{false, false, false, false, true, true, false, false, false} {
		if strings.Contains(answers[i], "验证码") != asks {
			t.Errorf("answer %d: %s", i, answers[i])
		}
	}
}

func TestALockHoldsForTheIDNumberWhoeverAsks(t *testing.T) {
	id, other := fictional(t, "44180219550101001"), fictional(t, "44180219880202002")
	m := turntest.NewMemory([]turntest.Person{{Name: "陈大文", ID: id, Phone: "13800000001"}, {Name: "李秀英", ID: other, Phone: "13800000002"}})
	talk(t, m, "o-1", "绑定", "陈大文", id, "1 1 1 1 1 1", "111112", "111113", "111114", "111115")
	if a := talk(t, m, "o-2", "绑定", "陈大文", id); !strings.Contains(a[2], "已锁定") {
		t.Errorf("another openid gets %s", a[2])
	}
	if a := talk(t, m, "o-1", "绑定 "); !strings.Contains(a[0], "已锁定") {
		t.Errorf("the openid itself gets %s", a[0])
	}
	if talk(t, m, "o-3", "绑定", "李秀英", other, "123456"); m.Bound("o-3") != 2 {
		t.Error("somebody else's check is locked too")
	}
}

func TestSecretsAreNotInTheTranscript(t *testing.T) {
	id := fictional(t, "44180219550101001")
	m := turntest.NewMemory([]turntest.Person{{Name: "陈大文", ID: id, Phone: "13800000001"}})
	talk(t, m, "o-1", "绑定", "陈大文", id[:6]+" "+id[6:], "000000", "123456", "我的电话是13800000001", "人工", "电话１３８００００００１")
	all := strings.Join(m.Transcripts(), "\n")
	for _, secret := range []string{"陈大文", id, id[6:], "123456", "000000", "13800000001", "１３８"} {
		if strings.Contains(all, secret) {
			t.Errorf("%s stands in the transcript: %s", secret, all)
		}
	}
}

func TestALongAnswerWaitsForMore(t *testing.T) {
	long := strings.Repeat("材料不齐请补交。", 30)
	var subsidies []turntest.Subsidy
	for i := range 4 {
		subsidies = append(subsidies, turntest.Subsidy{Kind: fmt.Sprint("补贴", i), State: "returned", Applied: fmt.Sprintf("2026-0%d-01", i+1), Note: long})
	}
	cast := []turntest.Person{{Name: "陈大文", ID: fictional(t, "44180219550101001"), Bound: "o-1", Subsidies: subsidies}}
	answers := talk(t, turntest.NewMemory(cast), "o-1", "补贴", "更多", "更多", "更多", "更多")
	whole := strings.Join(answers, "")
	if strings.Count(whole, long) != 4 || !strings.Contains(answers[0], "更多") || !strings.Contains(answers[4], "没有更多") {
		t.Errorf("pages: %q", answers)
	}
	if a := talk(t, turntest.NewMemory(cast), "o-1", "补贴", "医保", "更多"); !strings.Contains(a[2], "没有更多") {
		t.Error("pages outlive the answer they belong to")
	}
}

// failing is a store that commits nothing.
type failing struct{ err error }

func (f failing) Turn(context.Context, turn.Who, func(turn.Tx) error) error { return f.err }

type bell struct{ rung int }

func (b *bell) Ring(context.Context, int64) { b.rung++ }

func TestTheDoorbellRingsOnlyForWhatWasCommitted(t *testing.T) {
	id := fictional(t, "44180219550101001")
	b := &bell{}
	m := turntest.NewMemory([]turntest.Person{{Name: "陈大文", ID: id, Phone: "13800000001"}})
	for i, line := range []string{"绑定", "陈大文", id} {
		service := turntest.Service(t, m, time.Now, func() string { return "123456" }, b)
		if _, err := service.Turn(t.Context(), turn.Inbound{Key: fmt.Sprint(i), Channel: turn.WeChat, Who: "o-1", Kind: turn.Text, Text: line}); err != nil {
			t.Fatal(err)
		}
	}
	if b.rung != 1 {
		t.Errorf("rung %d times, want once", b.rung)
	}
	down := errors.New("down")
	service := turntest.Service(t, failing{down}, time.Now, nil, b)
	if _, err := service.Turn(t.Context(), turn.Inbound{Key: "k", Channel: turn.WeChat, Who: "o-1", Kind: turn.Text, Text: "退订"}); !errors.Is(err, down) {
		t.Error(err)
	}
	if b.rung != 1 {
		t.Error("rung for a turn that was not committed")
	}
	if _, err := service.Turn(t.Context(), turn.Inbound{Channel: turn.WeChat}); err == nil {
		t.Error("an input of nobody was taken")
	}
}

func TestEveryKindOfInputIsAnswered(t *testing.T) {
	for _, kind := range []turn.Kind{
		turn.Text, turn.Tap, turn.MenuClick, turn.Voice, turn.Picture, turn.Location, turn.Link, turn.Follow, turn.Scan, turn.Other, "unheard of",
	} {
		m := turntest.NewMemory(nil)
		service := turntest.Service(t, m, time.Now, nil, nil)
		a, err := service.Turn(t.Context(), turn.Inbound{Key: "k", Channel: turn.WeChat, Who: "o-1", Kind: kind})
		if err != nil || a.Text == "" || len(a.Choices) == 0 {
			t.Errorf("%s: %q, %v", kind, a.Text, err)
		}
		for _, c := range a.Choices {
			if !strings.Contains(a.Text, fmt.Sprintf("%d %s", c.Number, c.Label)) {
				t.Errorf("%s: choice %d is not in the text", kind, c.Number)
			}
		}
	}
}
