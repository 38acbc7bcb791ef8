package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
)

// peerFolder installs testdata/peers into the user's cache, once for each lock file. Without node or its registry a laptop goes
// without them, and says so; in CI that is a failure.
func peerFolder(t *testing.T) string {
	t.Helper()
	unavailable := func(why string, more ...any) {
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
	folder := filepath.Join(cache, "lingjuli-npm", "bot")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	same := true
	for _, name := range []string{"package.json", "package-lock.json"} {
		want, err := os.ReadFile(filepath.Join("testdata", "peers", name))
		if err != nil {
			t.Fatal(err)
		}
		have, _ := os.ReadFile(filepath.Join(folder, name))
		same = same && bytes.Equal(have, want)
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

type peerAnswer struct {
	Status            int
	Body, Message, ID string
}

func runPeer(t *testing.T, folder, library, address string, inner ...string) []peerAnswer {
	t.Helper()
	script, err := filepath.Abs(filepath.Join("testdata", "peers", "peer.js"))
	if err != nil {
		t.Fatal(err)
	}
	var posts []map[string]string
	for _, one := range inner {
		posts = append(posts, map[string]string{"inner": one})
	}
	input, _ := json.Marshal(posts)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "node", "--no-deprecation", script, library, address, testToken, testKey, testAppID)
	command.Dir, command.Stdin = folder, bytes.NewReader(input)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var answers []peerAnswer
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(inner) {
		t.Fatalf("%v: %s", err, out)
	}
	return answers
}

func TestImplementationsThatAreNotOursTalkWithTheCallback(t *testing.T) {
	folder := peerFolder(t)
	for _, library := range []string{"@wecom/crypto", "wechat-crypto"} {
		t.Run(library, func(t *testing.T) {
			f := safe(t, func(o *CallbackOptions) { o.Now = time.Now })
			f.turner.act = func(_ context.Context, in turn.Inbound) (turn.Answer, error) {
				if in.Kind == turn.ConsentSeen {
					return turn.Answer{}, nil
				}
				return turn.Answer{Text: "收到：" + in.Text + " <&]]>"}, nil
			}
			server := httptest.NewServer(f.callback)
			defer server.Close()
			words := []string{"我的医保", "嚟緊幾時交錢呀😀", strings.Repeat("长", 500), "a", "1234567"}
			var inner []string
			for i, text := range words {
				inner = append(inner, textMessage("90"+string(rune('0'+i)), text))
			}
			answers := runPeer(t, folder, library, server.URL+"/wechat/callback", append(inner, popupEvent())...)
			for i, text := range words {
				var reply passiveReply
				if err := xml.Unmarshal([]byte(answers[i].Message), &reply); err != nil || answers[i].ID != testAppID {
					t.Fatalf("%v: %+v", err, answers[i])
				}
				if want := "收到：" + text + " <&]]>"; reply.Content != want || reply.To != testOpenID {
					t.Errorf("got %q, want %q", reply.Content, want)
				}
			}
			if last := answers[len(words)]; last.Status != 200 || last.Body != "success" || len(f.turner.last(t).Consents) != 2 {
				t.Errorf("popup: %+v %+v", last, f.turner.last(t))
			}
		})
	}
}
