package sandbox

import (
	"os"
	"path/filepath"
	"testing"
)

func TestADemoStartedAgainOnItsFolderKeepsThePhones(t *testing.T) {
	dir := t.TempDir()
	start := func() *sender {
		return newSender(t, Config{Dir: dir, WeChat: WeChatConfig{Followers: []string{"oA", "oB"}, Consents: map[string][]string{"oA": {"TPL"}}}})
	}
	b := start()
	b.batch("SMS_1001", dueParams, "13800000001", "13800000002")
	if err := b.s.AddTemplate(SMSTemplate{Code: "SMS_7", Type: "notification", Content: "您好${name}"}); err != nil {
		t.Fatal(err)
	}
	if err := b.s.ReplySMS("13800000001", "好"); err != nil {
		t.Fatal(err)
	}
	web := receiverOfNothing(t)
	b.s.SetCallback(web)
	if _, err := b.s.Say(t.Context(), "oA", "在吗"); err != nil {
		t.Fatal(err)
	}
	if err := b.s.Unfollow(t.Context(), "oB"); err != nil {
		t.Fatal(err)
	}
	await(t, "receipts", func() bool { return b.s.Stats().SMS.Waiting == 0 })
	before := b.s.Stats().SMS
	if err := b.s.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, journalName)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(whole, `{"kind":"sms_ca`...), 0o600); err != nil { // as a kill leaves it
		t.Fatal(err)
	}
	b = start()
	after := b.s.Stats().SMS
	if after.Recipients != before.Recipients || after.Delivered != 2 || after.Replies != 1 {
		t.Fatalf("%+v, before %+v", after, before)
	}
	if m := b.s.Messages("13800000002"); len(m) != 1 || m[0].Text != "【青禾县人社】张三您好，今年医保还没缴费，请在12月31日前缴清。" || m[0].Status != 3 {
		t.Fatalf("%+v", m)
	}
	if chat := b.s.Chat("oA"); len(chat) != 1 || chat[0].Text != "在吗" {
		t.Fatalf("%+v", chat)
	}
	if !b.s.Follower("oA").Consents["TPL"] || b.s.Follower("oB").Follows {
		t.Fatal("followers or consents are lost")
	}
	if got := b.batch("SMS_7", `{"name":"张三"}`, "13800000001"); got.Code != "OK" {
		t.Fatalf("%+v", got)
	}
	if err := b.s.Reset(); err != nil {
		t.Fatal(err)
	}
	if err := b.s.Close(); err != nil {
		t.Fatal(err)
	}
	if b = start(); b.s.Stats().SMS.Recipients != 0 || len(b.s.Chat("oA")) != 0 {
		t.Fatal("a reset did not hold over the restart")
	}
}
