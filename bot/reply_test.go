package bot

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/lingjuli/lingjuli/flows/turn"
)

func TestATextIsCutAtARuneAndWithinTheLimit(t *testing.T) {
	for _, long := range []string{strings.Repeat("医", 700), strings.Repeat("a", 1799) + "医", strings.Repeat("😀", 500)} {
		got := renderText(long, nil)
		if len(got) > maxTextBytes || !utf8.ValidString(got) || len(got) < maxTextBytes-4 {
			t.Errorf("%d bytes of %d", len(got), len(long))
		}
	}
	if got := renderText(strings.Repeat("医", 600), nil); utf8.RuneCountInString(got) != 600 {
		t.Error("600 Han are cut")
	}
}

func TestCharactersThatXMLForbidsAreRemoved(t *testing.T) {
	if got := renderText("a\x00b\x08c\x1fd\uFFFEe\uFFFF\xff\r\nf\tg]]>h", nil); got != "abcde\nf\tg]]>h" {
		t.Errorf("got %q", got)
	}
	f := safe(t)
	if got := f.read(f.deliver(textMessage("1", "x]]]]><![CDATA[>y&#9;&lt;"))); got != "收到：x]]>y&#9;&lt;" {
		t.Errorf("got %q", got)
	}
}

func TestChoicesCanBeTappedAndReadAsPlainLines(t *testing.T) {
	text := "请选：\n1 查医保\n2. 查 补贴\n10 其他\n0 返回"
	choices := []turn.Choice{{Number: 1, Label: "查医保"}, {Number: 2, Label: "查 补贴"}, {Number: 10, Label: "其他"}, {Number: 7, Label: "没有这行"}}
	want := "请选：\n" +
		`1 <a href="weixin://bizmsgmenu?msgmenucontent=查医保&msgmenuid=1">查医保</a>` + "\n" +
		`2. <a href="weixin://bizmsgmenu?msgmenucontent=查补贴&msgmenuid=2">查 补贴</a>` + "\n" +
		`10 <a href="weixin://bizmsgmenu?msgmenucontent=其他&msgmenuid=10">其他</a>` + "\n0 返回"
	if got := renderText(text, choices); got != want {
		t.Errorf("got\n%s", got)
	}
	long := strings.Repeat("长", 540) + "\n1 查医保"
	if got := renderText(long, choices); got != long {
		t.Error("links make a text too long")
	}
	if got := renderText("1 <b>&\"", []turn.Choice{{Number: 1, Label: `<b>&"`}}); !strings.Contains(got, `msgmenucontent=b&msgmenuid=1"`) {
		t.Errorf("got %s", got)
	}
}

func TestAnyAnswerComesOutFitForWeChat(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		choices := []turn.Choice{{Number: rapid.IntRange(0, 12).Draw(t, "n"), Label: rapid.String().Draw(t, "label")}}
		got := renderText(text, choices)
		if len(got) > maxTextBytes || !utf8.ValidString(got) || got != cleanText(got) {
			t.Fatalf("%q", got)
		}
	})
}
