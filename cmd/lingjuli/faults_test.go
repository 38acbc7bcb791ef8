package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// call runs a command in this process and gives what it wrote.
func call(t testing.TB, env map[string]string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(""), &out, &err, func(name string) string { return env[name] })
	return out.String(), err.String(), code
}

// goodEnv is a configuration that is sound, and all of whose platforms are away.
func goodEnv(t *testing.T) map[string]string {
	return map[string]string{
		"LANG": "en_US.UTF-8", "LINGJULI_DATABASE_URL": "sqlite:" + filepath.Join(t.TempDir(), "a.db"),
		"LINGJULI_DATA_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "LINGJULI_LISTEN": "127.0.0.1:0",
		"LINGJULI_WECHAT_APP_ID": "wx5a0d0b0c00000001", "LINGJULI_WECHAT_APP_SECRET": "shh-app-secret", "LINGJULI_WECHAT_TOKEN": "shh-token",
		"LINGJULI_WECHAT_AES_KEY": strings.Repeat("A", 43), "LINGJULI_WECHAT_API_BASE": "http://127.0.0.1:1",
		"LINGJULI_ALIYUN_ACCESS_KEY_ID": "key", "LINGJULI_ALIYUN_ACCESS_KEY_SECRET": "shh-key-secret", "LINGJULI_ALIYUN_SMS_ENDPOINT": "http://127.0.0.1:1",
		"LINGJULI_SMS_SIGN_NAME": "零距离", "LINGJULI_CALLBACK_SECRET": "shh-callback",
	}
}

// impossible is a value for each setting that it cannot have.
func impossible() map[string]string {
	return map[string]string{
		"LINGJULI_DATABASE_URL": "mysql://x", "LINGJULI_REDIS_URL": "http://x", "LINGJULI_LISTEN": "8080", "LINGJULI_PUBLIC_URL": "county.example",
		"LINGJULI_WECHAT_AES_KEY": "short", "LINGJULI_WECHAT_MODE": "open", "LINGJULI_WECHAT_API_BASE": "ftp://x", "LINGJULI_DATA_KEY": "c2hvcnQ=",
		"LINGJULI_ALIYUN_SMS_ENDPOINT": "dysmsapi", "LINGJULI_ALIYUN_VOICE_ENDPOINT": "x", "LINGJULI_SMS_SIGN_NAME": "【零距离】",
		"LINGJULI_CALLBACK_SECRET": "a/b", "LINGJULI_TIMEZONE": "Guangdong", "LINGJULI_SMS_QPS": "many", "LINGJULI_WECHAT_QPS": "0",
		"LINGJULI_UNCONFIRMED_LOOKS": "6m,60s", "LINGJULI_REQUEST_VALIDITY": "soon", "LINGJULI_CAP": "one a day", "LINGJULI_CAP_WAIT": "-1h",
		"LINGJULI_SMS_PRICE": "cheap", "LINGJULI_VOICE_PRICE": "NaN", "LINGJULI_ALIYUN_REGION": "!!", "LINGJULI_CLI_APPROVE": "maybe",
		"LINGJULI_PPROF": "0.0.0.0:6060", "LINGJULI_SENDING_PROCESSES": "some",
	}
}

// needed are the settings that a configuration with both platforms can't do without.
func needed() []string {
	return []string{
		"LINGJULI_DATA_KEY", "LINGJULI_WECHAT_APP_ID", "LINGJULI_WECHAT_APP_SECRET", "LINGJULI_WECHAT_TOKEN",
		"LINGJULI_ALIYUN_ACCESS_KEY_ID", "LINGJULI_ALIYUN_ACCESS_KEY_SECRET", "LINGJULI_SMS_SIGN_NAME", "LINGJULI_CALLBACK_SECRET",
	}
}

func TestAnImpossibleSettingStopsTheStartWithOneLineThatNamesIt(t *testing.T) {
	for name, bad := range impossible() {
		t.Run(name, func(t *testing.T) {
			env := goodEnv(t)
			env[name] = bad
			_, stderr, code := call(t, env, "serve")
			if code != exitFailed || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, name+" ") {
				t.Errorf("exit %d, said %q", code, stderr)
			}
			if strings.Contains(stderr, "shh-") {
				t.Errorf("a secret shows in %q", stderr)
			}
		})
	}
}

func TestAMissingSettingStopsTheStartWithOneLineThatNamesIt(t *testing.T) {
	for _, name := range needed() {
		env := goodEnv(t)
		delete(env, name)
		_, stderr, code := call(t, env, "serve")
		if code != exitFailed || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, name+" ") {
			t.Errorf("%s: exit %d, said %q", name, code, stderr)
		}
	}
}

func TestOneRoleAloneWithTheEmbeddedRedisIsAConfigurationError(t *testing.T) {
	_, stderr, code := call(t, goodEnv(t), "serve", "--roles", "worker")
	if code != exitFailed || !strings.HasPrefix(stderr, "LINGJULI_REDIS_URL ") {
		t.Errorf("exit %d, said %q", code, stderr)
	}
}

func TestWrongUsageExitsWithTwo(t *testing.T) {
	for _, args := range [][]string{{"fly"}, {"import", "people"}, {"staff", "add", "x"}, {"serve", "--nothing"}, {"import", "dragons", "x.csv"}, {"serve", "--roles", "cook"}, {"staff", "add", "x", "--role", "cook"}} {
		if _, stderr, code := call(t, goodEnv(t), args...); code != exitUsage || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit %d, said %q", args, code, stderr)
		}
	}
}

func TestWrongUsageIsSaidInTheOperatorsLanguage(t *testing.T) {
	env := goodEnv(t)
	env["LANG"] = "zh_CN.UTF-8"
	for line, want := range map[string]string{
		"fly": "不认识 fly", "staff add x": "缺 --role=ROLE", "campaign status": `缺 "<id>"`, "campaign status x": "<id> 不能是“x”",
		"chat --channel fax": "--channel 只能是", "serve --nothing": "不认识 --nothing", "migrate down": "只能是",
	} {
		if _, stderr, code := call(t, env, strings.Fields(line)...); code != exitUsage || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit %d, said %q", line, code, stderr)
		}
	}
}

func TestDoctorNamesEachFaultInPlainWords(t *testing.T) {
	env := goodEnv(t)
	env["LINGJULI_TIMEZONE"], env["LINGJULI_CAP"] = "Nowhere", "x"
	env["LINGJULI_REDIS_URL"], env["LINGJULI_CALLBACK_SECRET"] = "redis://127.0.0.1:1", "shh-1"
	out, stderr, code := call(t, env, "doctor")
	if code != exitFailed {
		t.Errorf("exit %d", code)
	}
	for _, want := range []string{"LINGJULI_TIMEZONE must be", "LINGJULI_CAP must be", "Redis: does not answer", "LINGJULI_CALLBACK_SECRET is shorter", "WeChat: no access_token", "Aliyun: the request did not pass"} {
		if !strings.Contains(out, want) {
			t.Errorf("nothing says %q in\n%s%s", want, out, stderr)
		}
	}
	if strings.Contains(out+stderr, "shh-") {
		t.Errorf("a secret shows in\n%s%s", out, stderr)
	}
}

func TestAnotherDataKeyStopsEveryCommandByName(t *testing.T) {
	env := goodEnv(t)
	migrated(t, env)
	env["LINGJULI_DATA_KEY"] = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="
	for _, args := range [][]string{{"serve"}, {"staff", "add", "chen", "--role", "author"}, {"campaign", "status", "1"}} {
		_, stderr, code := call(t, env, args...)
		if code != exitFailed || !strings.Contains(stderr, "LINGJULI_DATA_KEY is not the key of this database") {
			t.Errorf("%v: exit %d, said %q", args, code, stderr)
		}
	}
}

// migrated makes the database.
func migrated(t *testing.T, env map[string]string) {
	t.Helper()
	if _, stderr, code := call(t, env, "migrate"); code != exitDone {
		t.Fatal(stderr)
	}
}

func TestAMistypedDatabaseIsNoEmptyCounty(t *testing.T) {
	env := goodEnv(t)
	path := strings.TrimPrefix(env["LINGJULI_DATABASE_URL"], "sqlite:")
	for _, args := range [][]string{
		{"serve"},
		{"staff", "add", "chen", "--role", "author"},
		{"import", "people", "x.csv"},
		{"campaign", "status", "1"},
		{"chat"},
		{"migrate", "status"},
	} {
		_, stderr, code := call(t, env, args...)
		if code != exitFailed || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, path) || !strings.Contains(stderr, "lingjuli migrate") {
			t.Errorf("%v: exit %d, said %q", args, code, stderr)
		}
	}
	if left, err := filepath.Glob(path + "*"); err != nil || len(left) > 0 {
		t.Errorf("commands left %v %v", left, err)
	}
}

func TestTheDemoSaysAtOnceWhatIsInItsWay(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	taken, dir := ln.Addr().String(), t.TempDir()
	_, stderr, code := call(t, map[string]string{"LANG": "en"}, "demo", "--listen", taken, "--people", "200000", "--dir", dir)
	if code != exitFailed || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, taken) {
		t.Errorf("a taken port: exit %d, said %q", code, stderr)
	}
	if _, err := os.Stat(filepath.Join(dir, "lingjuli.db")); err == nil {
		t.Error("the county was loaded first")
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, stderr, code = call(t, map[string]string{"LANG": "en"}, "demo", "--listen", "127.0.0.1:0", "--dir", file)
	if code != exitFailed || strings.TrimSpace(stderr) != file+" is no folder: choose another --dir" {
		t.Errorf("a file for a folder: exit %d, said %q", code, stderr)
	}
}

// stopOn is a terminal at which somebody stops the program as soon as they read a line with these words.
type stopOn struct {
	said  bytes.Buffer // not embedded: its ReadFrom would go past Write
	words string
	stop  func()
}

func (s *stopOn) String() string { return s.said.String() }

func (s *stopOn) Write(p []byte) (int, error) {
	if strings.Contains(string(p), s.words) {
		s.stop()
	}
	return s.said.Write(p)
}

func TestADemoThatIsStoppedWhileItLoadsSaysSoAndGoesOnLater(t *testing.T) {
	dir := t.TempDir()
	for _, words := range []string{"Loading", "http://"} {
		ctx, stop := context.WithCancel(t.Context())
		out, stderr := &stopOn{words: words, stop: stop}, &bytes.Buffer{}
		env := map[string]string{"LANG": "en", "LINGJULI_LISTEN": "127.0.0.1:0"}
		code := run(ctx, []string{"demo", "--people", "50", "--dir", dir}, nil, out, stderr, func(name string) string { return env[name] })
		stop()
		if said := out.String(); code != exitDone || !strings.Contains(said, words) || !strings.HasSuffix(said, "Stopping…\n") {
			t.Errorf("stopped at %q: exit %d, said %q and %q", words, code, said, stderr)
		} else if ready := strings.Contains(said, "http://"); ready != (words == "http://") {
			t.Errorf("stopped at %q it said %q", words, said)
		}
	}
}

func TestATakenPortIsSaidInOneLine(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	env := goodEnv(t)
	env["LINGJULI_LISTEN"] = ln.Addr().String()
	_, stderr, code := call(t, env, "serve")
	if code != exitFailed || !strings.Contains(stderr, ln.Addr().String()) {
		t.Errorf("exit %d, said %q", code, stderr)
	}
}

func TestASecondEmbeddedProcessIsRefusedByName(t *testing.T) {
	env := goodEnv(t)
	migrated(t, env)
	release, err := lockDatabase(strings.TrimPrefix(env["LINGJULI_DATABASE_URL"], "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	_, stderr, code := call(t, env, "serve")
	if code != exitFailed || !strings.Contains(stderr, "in use by another process") || !strings.Contains(stderr, "a.db") {
		t.Errorf("exit %d, said %q", code, stderr)
	}
}

func TestADiskThatIsFullStopsACommandWithAWordAndLosesNothing(t *testing.T) {
	t.Parallel()
	// A file-size limit stands for the full disk: the write fails just as it would.
	d := newDesk(t)
	d.mustShell("lingjuli migrate up")
	d.mustShell("lingjuli staff add chen --role author")
	var sheet strings.Builder
	sheet.WriteString("姓名,身份证号\n")
	for i := range 3000 {
		sheet.WriteString("甲" + han(i) + "," + idNumber(i) + "\n")
	}
	d.write("many.csv", sheet.String())
	_, stderr, code := d.shell("ulimit -f 900; trap '' XFSZ; lingjuli import people many.csv")
	if code != exitFailed || strings.TrimSpace(stderr) == "" {
		t.Errorf("exit %d, said %q", code, stderr)
	}
	d.mustShell("lingjuli import people many.csv") // with room again it goes on
	if out, stderr, code := d.shell("lingjuli staff add chen --role author"); code != exitFailed || !strings.Contains(stderr, "exists") {
		t.Errorf("the account from before: exit %d %s%s", code, out, stderr)
	}
}

func TestServingGoesOnWhereRedisIsAwayAndEndsWithinTenSecondsOfSIGTERM(t *testing.T) {
	t.Parallel()
	env := goodEnv(t)
	env["LINGJULI_REDIS_URL"] = "redis://127.0.0.1:1"
	migrated(t, env)
	cmd := exec.Command(built(t), "serve")
	for k, v := range env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	cmd.Env = append(cmd.Env, "PATH="+os.Getenv("PATH"))
	out := &firstLineWriter{line: make(chan string, 1)}
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var addr string
	select {
	case line := <-out.line:
		addr = line[strings.Index(line, "http://"):]
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		t.Fatal("it did not start with Redis away")
	}
	if status, body := get(t, addr+"/readyz"); status != 200 || !strings.Contains(body, "degraded") {
		t.Errorf("readyz: %d %q", status, body)
	}
	if status, _ := get(t, addr+"/nothing/here"); status != 404 {
		t.Errorf("any other path: %d", status)
	}
	stopInTime(t, cmd)
}
