package main

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"syscall"

	"github.com/lingjuli/lingjuli/internal/store/seal"
)

type demoCmd struct {
	People int    `name:"people" default:"2000" placeholder:"N"`
	Dir    string `name:"dir" default:"lingjuli-demo" placeholder:"DIR"`
}

// Run starts everything on embedded parts, with a fictional county loaded on the first start of a folder.
func (c *demoCmd) Run(a *app) error {
	if c.People < 1 || c.People > 200_000 {
		return &saying{key: "demo_people", err: errUsage}
	}
	if err := loopbackOnly(a.settings.Listen); err != nil {
		return err
	}
	d := &demo{a: a, people: c.People, dir: c.Dir, log: newLogger(a.stderr)}
	if err := d.prepare(); err != nil {
		return err
	}
	defer func() { _ = d.life.stop() }()
	err := d.start()
	if err != nil && a.ctx.Err() == nil {
		return err
	}
	if err == nil {
		d.print()
		<-a.ctx.Done()
	}
	fmt.Fprintln(a.stdout, a.texts.t("stopping")) // also where it was stopped while it started: the next start goes on from there
	return d.life.stop()
}

// loopbackOnly refuses an address that others could reach: the demo's logins are no protection.
func loopbackOnly(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return &settingError{envName("listen"), "must_listen", ""}
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return &settingError{envName("listen"), "must_loopback", ""}
	}
	return nil
}

// prepare makes the folder and its env file, which keeps the keys from start to start.
func (d *demo) prepare() error {
	err := os.MkdirAll(d.dir, 0o700)
	if errors.Is(err, syscall.ENOTDIR) {
		return &saying{key: "not_a_folder", data: []any{"Path", d.dir}, err: err}
	}
	if err != nil {
		return err
	}
	if d.dir, err = filepath.Abs(d.dir); err != nil {
		return err
	}
	kept, err := readEnv(filepath.Join(d.dir, "env"))
	if err != nil {
		return err
	}
	d.env = kept
	for name, fresh := range map[string]func() string{
		"LINGJULI_DATA_KEY": seal.NewDataKey, "LINGJULI_CALLBACK_SECRET": token, "LINGJULI_WECHAT_APP_SECRET": token,
		"LINGJULI_WECHAT_TOKEN": token, "LINGJULI_ALIYUN_ACCESS_KEY_SECRET": token, "LINGJULI_WECHAT_AES_KEY": aesKey,
		"LINGJULI_DEMO_PASSWORD": func() string { return "demo-" + token()[:8] },
	} {
		if d.env[name] == "" {
			d.env[name] = fresh()
		}
	}
	for name, value := range map[string]string{
		"LINGJULI_DATABASE_URL": "sqlite:" + filepath.Join(d.dir, "lingjuli.db"), "LINGJULI_REDIS_URL": "embedded",
		"LINGJULI_WECHAT_APP_ID": "wx5a0d0b0c00000001", "LINGJULI_ALIYUN_ACCESS_KEY_ID": "demo-access-key",
		"LINGJULI_SMS_SIGN_NAME": d.a.texts.t("demo_sign"), "LINGJULI_LISTEN": d.a.settings.Listen, "LINGJULI_CAP": "none",
	} {
		d.env[name] = value
	}
	return nil
}

func token() string {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw)
	return hex.EncodeToString(raw)
}

// aesKey is an EncodingAESKey: 32 bytes in base64 without the padding.
func aesKey() string { return strings.TrimSuffix(seal.NewDataKey(), "=") }

// readEnv reads lines like export NAME='value'; a file that is not there is empty.
func readEnv(path string) (map[string]string, error) {
	values := map[string]string{}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return values, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if name, value, ok := strings.Cut(strings.TrimPrefix(lines.Text(), "export "), "="); ok {
			values[name] = strings.Trim(value, "'")
		}
	}
	return values, lines.Err()
}

// writeEnv writes the file to be sourced for commands beside the demo. It is readable by its owner alone.
func (d *demo) writeEnv() error {
	var b strings.Builder
	for _, v := range append(variables(), variable{name: "LINGJULI_DEMO_PASSWORD"}) {
		if value := d.env[v.name]; value != "" {
			fmt.Fprintf(&b, "export %s='%s'\n", v.name, value)
		}
	}
	path := filepath.Join(d.dir, "env")
	if err := os.WriteFile(path+".new", []byte(b.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// config reads the demo's own variables in place of the environment's.
func (d *demo) config() (config, error) {
	s := d.a.settings
	v := reflect.ValueOf(&s).Elem()
	for i := range v.NumField() {
		flag := v.Type().Field(i).Tag.Get("name")
		if value, ok := d.env[envName(flag)]; ok {
			v.Field(i).SetString(value)
		}
	}
	return s.parse()
}

func (d *demo) print() {
	w, out := d.a.texts, d.a.stdout
	base := "http://" + d.server.addr
	fmt.Fprintln(out, w.t("demo_intro", "People", strconv.FormatInt(d.onFile, 10)))
	fmt.Fprintln(out, w.t("demo_console", "URL", base+"/console/"))
	fmt.Fprintln(out, w.t("demo_phones", "URL", d.phones+"/"))
	fmt.Fprintln(out, w.t("demo_logins"))
	for _, m := range demoStaff() {
		fmt.Fprintln(out, w.t("staff_demo_line", "Name", m.Name, "Password", d.env["LINGJULI_DEMO_PASSWORD"], "Role", w.word("role", string(m.Role))))
	}
	fmt.Fprintln(out, w.t("demo_env", "Path", filepath.Join(d.dir, "env")))
	fmt.Fprintln(out, w.t("demo_stop"))
}
