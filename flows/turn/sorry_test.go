package turn_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/flows/turn/turntest"
)

func TestWhoseTurnFailedHearsItInTheirLanguage(t *testing.T) {
	service := turntest.Service(t, turntest.NewMemory(nil), time.Now, nil, nil)
	for _, c := range []struct{ known, says, want string }{
		{"", "我的医保", "没有记下来"},
		{"", "我份医保交咗未", "冇記低"},
		{"", "請問我的醫療保險", "沒有記下來"},
		{"", "what about my medical insurance", "not kept"},
		{"en", "我的医保", "not kept"},
	} {
		got := service.Sorry(turn.Inbound{Channel: turn.WeChat, Kind: turn.Text, Text: c.says}, c.known)
		if !strings.Contains(got, c.want) || !strings.Contains(got, "12345") || strings.Contains(got, "{{") {
			t.Errorf("%q, known %q: %q", c.says, c.known, got)
		}
	}
}
