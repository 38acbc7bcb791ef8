package store

import (
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

func TestACustomerMessageIsChargedToTheOpenidItWentToAlone(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(1)...)
		own := bind(t, s, 1, false)
		son := register.OpenID("openid of the son")
		idx := s.keys.Index("openid", string(son))
		exec(t, s, `INSERT INTO contacts (channel, who_idx, who, follows, first_seen_at, last_inbound_at) VALUES ('wechat', $1, $2, $3, 1, 1)`,
			idx, s.keys.Seal([]byte(son), "contacts", "who", rowID(idx)), true)
		exec(t, s, `INSERT INTO bindings (openid_idx, person_id, relation, since) VALUES ($1, 1, 'child', 0)`, idx)
		exec(t, s, `UPDATE contacts SET customer_left = 5, customer_until = $1`, toMicros(time.Now().Add(time.Hour)))

		template := templateOf(notify.SMS)
		template.WeChat = &notify.WeChatTemplate{Text: "{{.Person.ShortName}}您好，请缴费。"}
		spec := notify.Spec{Name: "客服消息", Kind: notify.PremiumReminder, Audience: register.Everybody(), Channels: []notify.Channel{notify.WeChat, notify.SMS}, Template: "due", Window: new(string)}
		p := &platform{}
		var to []register.OpenID
		tries := 0
		p.answer = func(call notify.Outgoing, _ int) (notify.Answer, bool) {
			if tries++; call.Channel == notify.WeChat && tries%3 != 0 { // each is held once before its first byte, and put off once, which costs nothing
				outcome := map[int]notify.Outcome{1: notify.NotSent, 2: notify.Refused}[tries%3]
				return notify.Answer{Outcome: outcome, Verdict: notify.RetryLater, Code: "-1"}, false
			}
			for _, m := range call.Members {
				to = append(to, m.OpenID)
			}
			return notify.Answer{Outcome: notify.Accepted, Code: "0"}, true
		}
		left := func(open register.OpenID) (n int) {
			t.Helper()
			err := s.read(t.Context(), "test", func(tx *tx) error {
				return tx.row(`SELECT customer_left FROM contacts WHERE who_idx = $1`, s.keys.Index("openid", string(open))).Scan(&n)
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		for want := 4; want >= 2; want-- { // three of the five; two are kept for answers
			wantCounts(t, play(t, s, p, approvedWith(t, s, spec, template), quickRules(), finished), map[string]int64{"accepted": 1})
			if left(own) != want || left(son) != 5 {
				t.Errorf("left: own %d, want %d; son %d, want 5", left(own), want, left(son))
			}
		}
		st := play(t, s, p, approvedWith(t, s, spec, template), quickRules(), finished)
		if st.ByChannel[notify.SMS] != 1 || left(own) != 2 {
			t.Errorf("the kept ones were spent: %+v, left %d", st.ByChannel, left(own))
		}
		for i, open := range to {
			if i < 3 && open != own || i == 3 && open != "" {
				t.Errorf("message %d went to %v", i, open)
			}
		}
	})
}
