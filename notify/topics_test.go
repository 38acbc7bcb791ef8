package notify

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lingjuli/lingjuli/internal/register"
)

func TestATextThatSpeaksOfNothingIsRefused(t *testing.T) {
	for text, words := range map[string]string{
		"{{.Due.Amout}}":                   ".Due has Insurance Year Amount",
		"{{.Persons.Name}}":                ".Person .Params .Due",
		"{{.Job.Title}}{{.Course.Titel}}":  ".Course.Titel is unknown",
		"{{.Due.Amount}}{{.Params.x}}":     "",
		"{{with .Params.a}}{{.b}}{{end}}":  "",
		"{{printf \"%s\" .Subsidy.Kinds}}": ".Subsidy.Kinds is unknown",
	} {
		tpl := Template{Key: "k", Kind: PremiumReminder, SMS: &SMSTemplate{
			Code: "SMS_1", Type: SMSNotification, Content: "您好${x}", Params: map[string]string{"x": text},
		}}
		err := tpl.Check()
		if words == "" && err != nil || words != "" && (!errors.Is(err, ErrSpec) || !strings.Contains(err.Error(), words)) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestOnlyWhatTheTextsSpeakOfIsLookedUp(t *testing.T) {
	field := func(name string) register.Condition {
		return register.Condition{Test: &register.Test{Field: name, Op: register.Is, Values: []string{"false"}}}
	}
	tpl := Template{
		SMS:    &SMSTemplate{Params: map[string]string{"x": "{{.Person.Name}}"}},
		WeChat: &WeChatTemplate{Fields: map[string]string{"thing1": "{{.Due.Amount}}"}, Text: "{{with .Course}}{{.Name}}{{end}}{{.Params.Job}}"},
	}
	got := TopicsOf(Spec{Params: map[string]string{"course": "7"}, Audience: field("pension.paid")}, tpl)
	if diff := cmp.Diff(Topics{Due: true, Course: true, Insurance: register.Pension, CourseNamed: "7"}, got); diff != "" {
		t.Error(diff)
	}
	if got := TopicsOf(Spec{}, Template{SMS: tpl.SMS}); got.Any() {
		t.Errorf("%+v", got)
	}
	both := Spec{Audience: register.Condition{Any: []register.Condition{field("medical.paid"), field("pension.paid")}}}
	if got := TopicsOf(both, tpl); got.Insurance != "" {
		t.Errorf("an audience that asks about both insurances means %q", got.Insurance)
	}
	if got := TopicsOf(Spec{Audience: both.Audience, Params: map[string]string{"insurance": "医保"}}, tpl); got.Insurance != register.Medical {
		t.Errorf("the parameter means %q", got.Insurance)
	}
}
