package notify

import (
	_ "embed"
	"strings"
)

//go:embed refusal.txt
var refusalFile string

// checkRefusal holds what the platform asks of its own: a promotion ends with the words that say how to refuse more of
// them, and a notification has no such words (help.aliyun.com 91975 and 463270).
func (t *SMSTemplate) checkRefusal() error {
	words := strings.TrimSpace(refusalFile)
	switch {
	case t.Type == SMSPromotion && !strings.HasSuffix(t.Content, words):
		return fault("promotion_refusal", "a promotion ends with "+words, "Want", words)
	case t.Type != SMSPromotion && strings.Contains(t.Content, words):
		return fault("notification_refusal", words+" stands in promotions alone", "Got", words)
	}
	return nil
}
