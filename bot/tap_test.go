package bot

import (
	"regexp"
	"strings"
	"testing"

	"github.com/lingjuli/lingjuli/flows/turn"
)

func TestATapSaysWhichQuestionItAnswers(t *testing.T) {
	choices := []turn.Choice{{Number: 1, Label: "我要这个", Mark: "job_pages.card"}, {Number: 2, Label: "主菜单", Mark: "m.main_menu"}, {Number: 3, Label: "不看了"}}
	text := renderText("想去吗？\n1 我要这个\n2 主菜单\n3 不看了", choices)
	ids := regexp.MustCompile(`msgmenuid=([^"&]*)"`).FindAllStringSubmatch(text, -1)
	if len(ids) != len(choices) {
		t.Fatalf("%d of %d choices can be tapped: %s", len(ids), len(choices), text)
	}
	for i, id := range ids {
		if strings.ContainsAny(id[1], " <>'\"") {
			t.Errorf("%q ends the link", id[1])
		}
		ev := event{MsgType: "text", From: "o-1", MsgID: "1", Content: choices[i].Label, TapID: id[1]}
		in := turn.Inbound{}
		ev.fillMessage(&in)
		if in.Kind != turn.Tap || in.Choice != choices[i].Number || in.Mark != choices[i].Mark {
			t.Errorf("%s comes back as %+v", id[1], in)
		}
	}
}

func TestATapOfAnotherAppIsWords(t *testing.T) {
	for _, id := range []string{"", "abc", "x.1", "1e3"} {
		in := turn.Inbound{}
		event{MsgType: "text", Content: "医保", TapID: id}.fillMessage(&in)
		if in.Kind != turn.Text || in.Choice != 0 || in.Mark != "" {
			t.Errorf("%q is taken for %+v", id, in)
		}
	}
}
