package notify

import (
	"errors"
	"slices"
	"testing"
)

func TestExtensionNumbersAreListsAndRangesOfShortNumbers(t *testing.T) {
	for text, want := range map[string][]string{
		"": nil, " , ": nil, "90998, 90999": {"90998", "90999"}, "08-11": {"08", "09", "10", "11"}, "7,7,5-7": {"7", "5", "6"},
	} {
		if got, err := ParseReplyCodes(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"a", "9-10", "5-3", "123456", "1-", "-1", "1-2-3", "１"} {
		if got, err := ParseReplyCodes(text); !errors.Is(err, ErrReplyCodes) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

func TestACampaignAsksWhereItsTextBySMSSpeaksOfOneCourseOrPosting(t *testing.T) {
	text := func(value string) Template {
		return Template{SMS: &SMSTemplate{Code: "SMS_1", Type: SMSNotification, Content: "来${x}", Params: map[string]string{"x": value}}, Voice: &VoiceTemplate{}}
	}
	for name, c := range map[string]struct {
		campaign Campaign
		want     bool
	}{
		"a course":           {Campaign{Spec: Spec{Channels: []Channel{SMS}}, Template: text("{{.Course.Name}}")}, true},
		"a posting by name":  {Campaign{Spec: Spec{Channels: []Channel{WeChat, SMS}, Params: map[string]string{"job": "缝纫工"}}, Template: text("{{.Params.job}}")}, true},
		"a premium":          {Campaign{Spec: Spec{Channels: []Channel{SMS}}, Template: text("{{.Due.Amount}}")}, false},
		"a course, but told": {Campaign{Spec: Spec{Channels: []Channel{Voice}}, Template: text("{{.Course.Name}}")}, false},
	} {
		if got := c.campaign.Asks(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	c := Campaign{ReplyCodes: []string{"90998"}}
	if c.ReplyCode(0) != "90998" || c.ReplyCode(1) != "" || c.ReplyCode(-1) != "" {
		t.Error("a household that has no number of its own got one")
	}
}
