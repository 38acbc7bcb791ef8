package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSomeOfTheFictionalCountyFollow: they are bound, allowed the notices, and stay so when the demo is started again.
func TestSomeOfTheFictionalCountyFollow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startShow(t, dir)
	first := reachableByWeChat(t, dir)
	s.end()
	if first == 0 {
		t.Fatal("nobody of the county can be reached by WeChat")
	}
	s = startShow(t, dir)
	again := reachableByWeChat(t, dir)
	s.end()
	if again != first {
		t.Errorf("%d can be reached by WeChat after a restart, %d before", again, first)
	}
}

func reachableByWeChat(t *testing.T, dir string) int {
	t.Helper()
	env, err := readEnv(filepath.Join(dir, "env"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "everybody.yaml")
	text := "name: 通知\nkind: policy_guidance\naudience: {all: [{status: {is: 正常}}]}\nchannels: [wechat, sms]\ntemplate: policy_open_day\nparams: {day: 周三}\nschedule: now\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, stderr, code := call(t, env, "campaign", "preview", "--json", "-f", file)
	var p struct{ Reachable struct{ WeChat int } }
	if code != exitDone || json.NewDecoder(strings.NewReader(out)).Decode(&p) != nil {
		t.Fatalf("the preview ended with %d: %s%s", code, out, stderr)
	}
	return p.Reachable.WeChat
}
