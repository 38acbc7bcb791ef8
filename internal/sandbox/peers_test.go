package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// peerFolder installs testdata/peers into the user's cache, once for each lock file. Without node or its registry a laptop goes
// without them, and says so; in CI that is a failure.
func peerFolder(t *testing.T) string {
	t.Helper()
	unavailable := func(why string, more ...any) {
		t.Helper()
		if os.Getenv("CI") == "true" {
			t.Fatal(append([]any{why}, more...)...)
		}
		t.Skip(append([]any{why}, more...)...)
	}
	if _, err := exec.LookPath("node"); err != nil {
		unavailable("node is not installed")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		unavailable("no cache folder:", err)
	}
	folder := filepath.Join(cache, "lingjuli-npm", "sandbox")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	same := true
	for _, name := range []string{"package.json", "package-lock.json", "peers.cjs"} {
		want, err := os.ReadFile(filepath.Join("testdata", "peers", name))
		if err != nil {
			t.Fatal(err)
		}
		have, _ := os.ReadFile(filepath.Join(folder, name))
		same = same && (bytes.Equal(have, want) || name == "peers.cjs")
		if err := os.WriteFile(filepath.Join(folder, name), want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "node_modules", ".package-lock.json")); err == nil && same {
		return folder
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir = folder
	if out, err := install.CombinedOutput(); err != nil {
		unavailable("npm ci:", err, string(out))
	}
	return folder
}

// runPeers runs the clients and gives what each call got.
func runPeers(t *testing.T, s *Sandbox) map[string]map[string]any {
	t.Helper()
	folder := peerFolder(t)
	aliyun, wechat := httptest.NewServer(s.AliyunHandler()), httptest.NewServer(s.WeChatHandler())
	defer aliyun.Close()
	defer wechat.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "node", "--no-deprecation", "peers.cjs", strings.TrimPrefix(aliyun.URL, "http://"), wechat.URL)
	command.Dir = folder
	var stderr bytes.Buffer
	command.Stderr = &stderr
	raw, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var out map[string]map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return out
}

func TestClientsThatAreNotOursTakeTheSandboxForTheRealPlatforms(t *testing.T) {
	s, _ := pair(t, Safe, Config{Aliyun: countySMS(), WeChat: WeChatConfig{Notices: notices(), Followers: []string{"oA", "oB"}}}, nil)
	s.Talked("oA")
	got := runPeers(t, s)
	for _, want := range []struct{ call, field, value string }{
		{"popGet", "Code", "OK"},
		{"popPost", "Code", "OK"},
		{"popWrong", "failed", "SignatureDoesNotMatch"},
		{"popBad", "failed", "isv.MOBILE_NUMBER_ILLEGAL"},
		{"acsBatch", "code", "OK"},
		{"acsSms", "code", "OK"},
		{"acsWrong", "failed", "SignatureDoesNotMatch"},
		{"acsDetails", "totalCount", "1"},
		{"acsTemplate", "templateContent", "${name}您好，今年医保还没缴费，请在${deadline}前缴清。"},
		{"acsTemplates", "totalCount", "3"},
		{"acsSigns", "totalCount", "1"},
		{"acsStatistics", "code", "OK"},
		{"menu", "errcode", "0"},
		{"text", "errcode", "0"},
		{"closed", "failed", "45015"},
		{"unknown", "failed", "40003"},
		{"template", "errcode", "0"},
		{"user", "subscribe", "1"},
	} {
		if value := text(got[want.call][want.field]); value != want.value {
			t.Errorf("%s: %s is %q, want %q: %v", want.call, want.field, value, want.value, got[want.call])
		}
	}
	if got["token"]["accessToken"] == nil || got["qr"]["ticket"] == nil {
		t.Errorf("token %v, qr %v", got["token"], got["qr"])
	}
	for _, phone := range phonesFrom(1, 6) {
		if len(s.Messages(phone)) != 1 {
			t.Errorf("%s got %d texts", phone, len(s.Messages(phone)))
		}
	}
	if m := s.Messages("13800000001")[0]; m.OutID != "o ut*~" || m.Params["name"] != "张三" {
		t.Errorf("%+v", m)
	}
}

func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}
