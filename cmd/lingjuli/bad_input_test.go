package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/internal/store/storetest"
)

// badInputs are what people and others send besides words, and what must stand in the answer.
func badInputs(other *talker) map[string]line {
	return map[string]line{
		"emoji":                        {say: "😀😭🐷🎉"},
		"a sticker":                    {say: "/::)"},
		"a place":                      {media: "location", has: "位置收到了"},
		"a link":                       {media: "link"},
		"an address that is typed":     {say: "https://pay.example/x?a=1&b=<2>"},
		"a picture":                    {media: "image", has: "图片"},
		"a film":                       {media: "video"},
		"a voice without words":        {media: "voice"},
		"2,000 characters":             {say: strings.Repeat("说来话长啊", 400)},
		"control characters":           {say: "\x01\x02医\x00保\x1b", own: true},
		"nothing but spaces":           {say: " \u3000\u200b "},
		"the end of a CDATA section":   {say: "]]></Content><MsgType>event</MsgType>"},
		"abuse":                        {say: "你个傻逼骗子"},
		"somebody else's ID number":    {say: other.id},
		"a code that nobody asked":     {say: "123456"},
		"a template":                   {say: "{{.Person.Name}} %s $name"},
		"a number that is not offered": {say: "99999999999999999999"},
	}
}

// TestWhatIsNoQuestionGetsAFittingAnswerAndBreaksNothing sends each in the middle of a flow, through the real callback,
// and asks something ordinary after it.
func TestWhatIsNoQuestionGetsAFittingAnswerAndBreaksNothing(t *testing.T) {
	check := func(t *testing.T, databaseURL string) {
		c := newCrowd(t, databaseURL, "embedded", 2)
		c.talk(4) // both have proved who they are
		p := c.people[0]
		say := func(t *testing.T, l line) {
			t.Helper()
			if err := p.hear(t.Context(), l, func() (*sandbox.Reply, error) { return p.send(t.Context(), l) }); err != nil {
				t.Errorf("%.40q: %v", l.say+l.media, err)
			}
		}
		for name, bad := range badInputs(c.people[1]) {
			t.Run(name, func(t *testing.T) {
				say(t, line{say: "找工作", has: "工作"})
				say(t, bad)
				say(t, line{say: "主菜单", has: "1"})
				say(t, line{say: "我的补贴", own: true, has: "助学金"})
			})
		}
		t.Run("one message ten times at once", func(t *testing.T) { c.tenTimes(t, p) })
		t.Run("ten messages at once", func(t *testing.T) {
			var all sync.WaitGroup
			for range 10 {
				all.Go(func() {
					reply, err := c.box.Say(t.Context(), p.openID, "我的补贴")
					if err != nil || !strings.Contains(reply.Text, p.word()) {
						t.Errorf("%+v %v", reply, err)
					}
				})
			}
			all.Wait()
		})
	}
	t.Run("sqlite", func(t *testing.T) { check(t, storetest.SQLiteURL(t)) })
	if os.Getenv("LINGJULI_TEST_POSTGRES") != "" {
		t.Run("postgres", func(t *testing.T) { check(t, storetest.PostgresURL(t)) })
	}
}

// tenTimes is WeChat trying one message again and again: one turn, and the same answer to each.
func (c *crowd) tenTimes(t *testing.T, p *talker) {
	t.Helper()
	fields := fmt.Sprintf("<ToUserName><![CDATA[gh_5a0d0b0c0001]]></ToUserName><FromUserName><![CDATA[%s]]></FromUserName><CreateTime>%d</CreateTime>"+
		"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[我的补贴]]></Content><MsgId>77000000000000001</MsgId>", p.openID, time.Now().Unix())
	var all sync.WaitGroup
	heard := make([]string, 10)
	for i := range heard {
		all.Go(func() {
			reply, err := c.box.PushRaw(t.Context(), p.openID, fields)
			if err != nil {
				t.Error(err)
				return
			}
			heard[i] = reply.Text
		})
	}
	all.Wait()
	for i := range heard {
		if heard[i] != heard[0] || !strings.Contains(heard[i], p.word()) {
			t.Errorf("copy %d heard %q, the first %q", i, heard[i], heard[0])
		}
	}
}
