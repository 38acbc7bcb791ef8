package console

import (
	"testing"

	"github.com/lingjuli/lingjuli/notify"
)

func TestMaskedFormsHoldBackWhatIdentifies(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{maskName("欧阳春花"), "欧＊"},
		{maskName("李四"), "李＊"},
		{maskName("王"), "＊"},
		{maskName(""), "＊"},
		{maskPhone("13800001234"), "138****1234"},
		{maskPhone("07631234567"), "****567"},
		{maskPhone("12345"), "****"},
		{maskPhone(""), ""},
		{maskID("441802199001011234"), "441***********1234"},
		{maskID("12"), "****"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestSamplesShowTheTextButNotTheName(t *testing.T) {
	template := notify.Template{
		Key: "due", SMS: &notify.SMSTemplate{
			Content: "${name}您好，请在${deadline}前缴清${name}的医保。",
			Params:  map[string]string{"name": "{{.Person.ShortName}}", "deadline": "{{.Params.deadline}}"},
		},
		WeChat: &notify.WeChatTemplate{Text: "{{.Person.Name}}：{{.Params.deadline}}截止"},
	}
	samples := []notify.PreviewSample{
		{Channel: notify.SMS, Text: "林桂英您好，请在12月31日前缴清林桂英的医保。"},
		{Channel: notify.WeChat, Text: "林桂英：12月31日截止"},
		{Channel: notify.WeChat, Text: "林桂英，不是这个模板"},
	}
	got := maskSamples("due", []notify.Template{template}, samples)
	if len(got) != 2 || got[0].Text != "林＊您好，请在12月31日前缴清林＊的医保。" || got[1].Text != "林＊：12月31日截止" {
		t.Fatalf("%+v", got)
	}
}
