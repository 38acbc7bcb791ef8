package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/internal/register/fictional"
	"github.com/lingjuli/lingjuli/internal/store/seal"
	"github.com/lingjuli/lingjuli/notify"
)

// desk is a folder in which an operator's commands work: the binary on PATH, files, settings, stand-in platforms.
type desk struct {
	t   *testing.T
	dir string
	env []string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir()}
	var s settings
	s.DatabaseURL, s.RedisURL, s.Listen, s.DataKey = "sqlite:"+filepath.Join(d.dir, "desk.db"), "embedded", "127.0.0.1:0", seal.NewDataKey()
	s.WechatAppID, s.WechatAppSecret, s.WechatToken, s.WechatAESKey = "wx5a0d0b0c00000001", "desk-secret", "desk-token", aesKey()
	s.AliyunAccessKeyID, s.AliyunAccessKeySecret, s.SMSSignName, s.CallbackSecret = "desk-key", "desk-key-secret", "零距离", "desk-callback"
	boxes := d.startPlatforms(s)
	d.env = []string{
		"PATH=" + filepath.Dir(built(t)) + ":" + os.Getenv("PATH"), "HOME=" + d.dir, "LANG=en_US.UTF-8",
		"LINGJULI_DATABASE_URL=" + s.DatabaseURL, "LINGJULI_DATA_KEY=" + s.DataKey, "LINGJULI_LISTEN=127.0.0.1:0",
		"LINGJULI_WECHAT_APP_ID=" + s.WechatAppID, "LINGJULI_WECHAT_APP_SECRET=" + s.WechatAppSecret, "LINGJULI_WECHAT_TOKEN=" + s.WechatToken,
		"LINGJULI_WECHAT_AES_KEY=" + s.WechatAESKey, "LINGJULI_WECHAT_API_BASE=" + boxes.wechat,
		"LINGJULI_ALIYUN_ACCESS_KEY_ID=" + s.AliyunAccessKeyID, "LINGJULI_ALIYUN_ACCESS_KEY_SECRET=" + s.AliyunAccessKeySecret,
		"LINGJULI_ALIYUN_SMS_ENDPOINT=" + boxes.aliyun, "LINGJULI_SMS_SIGN_NAME=" + s.SMSSignName, "LINGJULI_CALLBACK_SECRET=" + s.CallbackSecret,
	}
	return d
}

func (d *desk) startPlatforms(s settings) *platforms {
	d.t.Helper()
	cfg := config{
		WeChat: wechatConfig{AppID: s.WechatAppID, AppSecret: s.WechatAppSecret, Token: s.WechatToken, AESKeys: []string{s.WechatAESKey}},
		Aliyun: aliyunConfig{AccessKeyID: s.AliyunAccessKeyID, AccessKeySecret: s.AliyunAccessKeySecret, SignName: s.SMSSignName},
	}
	boxes, err := startSandbox(d.t.Context(), cfg, "", newLogger(os.Stderr))
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = boxes.life.stop() })
	replies, err := flows.ReplyTemplates()
	if err != nil {
		d.t.Fatal(err)
	}
	for _, file := range [][]byte{replies, demoTemplates} {
		list, err := notify.ParseTemplates(file)
		if err != nil {
			d.t.Fatal(err)
		}
		if err := boxes.review(list); err != nil {
			d.t.Fatal(err)
		}
		d.write("templates.yaml", string(demoTemplates)+strings.TrimPrefix(afterTemplates(string(replies)), "\n"))
	}
	return boxes
}

// afterTemplates is what follows the "templates:" line of a file.
func afterTemplates(text string) string {
	_, rest, _ := strings.Cut(text, "templates:")
	return rest
}

func (d *desk) write(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// shell runs a line as it would be pasted. A line that serves is told to stop once it has said where, the server itself
// when campaigns have had time to begin.
func (d *desk) shell(line string, extra ...string) (stdout, stderr string, code int) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), time.Minute)
	defer cancel()
	out := &stopOn{words: "http://", stop: func() {}}
	if serves(line) {
		out.stop = cancel
		if strings.HasPrefix(line, "lingjuli serve") {
			out.stop = func() { time.AfterFunc(3*time.Second, cancel) }
		}
		line = "exec " + line
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 12 * time.Second
	cmd.Dir, cmd.Env = d.dir, append(slices.Clone(d.env), extra...)
	var err bytes.Buffer
	cmd.Stdout, cmd.Stderr = out, &err
	_ = cmd.Run()
	return out.String(), err.String(), cmd.ProcessState.ExitCode()
}

func serves(line string) bool {
	return strings.HasPrefix(line, "lingjuli serve") || strings.HasPrefix(line, "lingjuli demo") || strings.HasPrefix(line, "lingjuli sandbox")
}

func (d *desk) mustShell(line string) string {
	d.t.Helper()
	out, stderr, code := d.shell(line)
	if code != 0 {
		d.t.Fatalf("%s: exit %d\n%s%s", line, code, out, stderr)
	}
	return out
}

func TestEveryExampleWorksWhenPasted(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.writePeople()
	// A window that is shut now, so that the campaign is still running when it is paused.
	shut := time.Now().UTC().Add(8*time.Hour + 2*time.Hour)
	d.write("campaign.yaml", "name: 例子\nkind: policy_guidance\naudience: {all: [{region: {within: \"441881\"}}]}\nchannels: [wechat, sms]\n"+
		"template: policy_open_day\nparams: {day: 周三}\nwindow: \""+shut.Format("15:04")+"-"+shut.Add(time.Hour).Format("15:04")+"\"\n")
	d.mustShell("lingjuli migrate up")
	shown := map[string]bool{}
	// What an example supposes stands before it.
	for _, step := range []struct{ before, path string }{
		{path: "migrate"},
		{path: "import"},
		{path: "template"},
		{path: "template apply"},
		{path: "staff add"},
		{path: "staff"},
		{before: "lingjuli staff add li --role approver", path: "campaign"},
		{path: "campaign preview"},
		{path: "campaign create"},
		{path: "campaign submit"},
		{path: "campaign return"},
		{before: "lingjuli campaign submit 1 --as chen", path: "campaign status"},
		{path: "campaign approve"},
		{before: "lingjuli import people people.xlsx", path: "serve"},
		{path: "campaign unreached"},
		{path: "visit"},
		{path: "campaign pause"},
		{path: "campaign resume"},
		{path: "campaign cancel"},
		{path: "campaign unreached"},
		{path: "understand"},
		{path: "chat"},
		{path: "flows"},
		{path: "flows lint"},
		{path: "flows graph"},
		{path: "doctor"},
		{path: "budget set"},
		{path: "budget list"},
		{path: "budget"},
		{path: "reconcile"},
		{path: "config"},
		{path: "sandbox"},
		{path: "demo"},
		{path: ""},
	} {
		if step.before != "" {
			d.mustShell(step.before)
		}
		d.mustShell(textsFor("", "").example(step.path))
		shown[step.path] = true
	}
	if len(shown) != len(examples()) {
		t.Errorf("%d examples were run, there are %d", len(shown), len(examples()))
	}
}

func TestEveryCommandHasAnExampleInItsHelp(t *testing.T) {
	all := examples()
	seen := map[string]bool{}
	for path := range all {
		example := textsFor("", "").example(path)
		var out, stderr bytes.Buffer
		args := append(strings.Fields(path), "--help")
		if code := run(t.Context(), args, strings.NewReader(""), &out, &stderr, func(string) string { return "" }); code != exitDone {
			t.Errorf("%q --help: exit %d %s", path, code, stderr.String())
		}
		if !strings.Contains(out.String(), example) {
			t.Errorf("%q --help does not show %q:\n%s", path, example, out.String())
		}
		if strings.Contains(out.String(), "--listen ADDR") != listens(path) {
			t.Errorf("%q --help and the address to listen on:\n%s", path, out.String())
		}
		if strings.Contains(out.String(), "flag_") || strings.Contains(out.String(), "help_") {
			t.Errorf("%q --help lacks a text:\n%s", path, out.String())
		}
		seen[path] = true
	}
	var c cli
	parser, err := newParser(&c, textsFor("", ""), os.Stdout, os.Stderr, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range parser.Model.Leaves(true) {
		if path := commandPath(leaf); !seen[path] {
			t.Errorf("%q has no example", path)
		}
	}
}

// writePeople writes the sheet that the import's example names.
func (d *desk) writePeople() {
	d.t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	rows := [][]any{{"姓名", "身份证号", "手机号", "行政区划代码"}}
	for i := range 20 {
		rows = append(rows, []any{"甲" + han(i), fictional.IDNumber("441881", "1980-03-04", i), fictional.Phone(i), "441881000000"})
	}
	for i, row := range rows {
		cell, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			d.t.Fatal(err)
		}
		if err := f.SetSheetRow("Sheet1", cell, &row); err != nil {
			d.t.Fatal(err)
		}
	}
	if err := f.SaveAs(filepath.Join(d.dir, "people.xlsx")); err != nil {
		d.t.Fatal(err)
	}
}

// han is a number in characters that names may hold.
func han(i int) string {
	digits := []rune("天地玄黄宇宙洪荒日月")
	return string([]rune{digits[i/100%10], digits[i/10%10], digits[i%10]})
}
