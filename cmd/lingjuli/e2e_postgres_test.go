//go:build e2e

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ownPostgres is a server that belongs to one test, which may stop and start it. It writes through to the disk.
type ownPostgres struct {
	t     *testing.T
	bin   string // the folder of its programs
	home  string
	port  string
	owner *syscall.Credential // nil: ourselves
}

// startPostgres makes an empty cluster in a folder of its own and starts it.
func startPostgres(t *testing.T) *ownPostgres {
	t.Helper()
	dir, err := os.MkdirTemp("", "lingjuli-e2e-") //nolint:usetesting // t.TempDir lies in a folder of ours alone, and the server runs as another user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p := &ownPostgres{t: t, bin: postgresPrograms(t), home: filepath.Join(dir, "data"), port: freePort(t)}
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // the server runs as another user
		t.Fatal(err)
	}
	if err := os.Mkdir(p.home, 0o700); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		p.beSomebody()
	}
	p.program("initdb", "--pgdata", p.home, "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C")
	p.start()
	t.Cleanup(func() { p.program("pg_ctl", "stop", "-D", p.home, "-m", "immediate") })
	return p
}

// beSomebody has the server run as the user that its package made, because it refuses to run as root.
func (p *ownPostgres) beSomebody() {
	u, err := user.Lookup("postgres")
	if err != nil {
		p.t.Fatal(err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		p.t.Fatal(err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		p.t.Fatal(err)
	}
	p.owner = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	if err := os.Chown(p.home, int(uid), int(gid)); err != nil { //nolint:gosec // ids are small
		p.t.Fatal(err)
	}
}

// postgresPrograms is the folder of the newest server that is installed; Debian keeps them off the path.
func postgresPrograms(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/pg_ctl")
	if err != nil {
		t.Fatal(err)
	}
	if len(found) > 0 {
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return len(a) - len(b) + strings.Compare(a, b) }))
	}
	path, err := exec.LookPath("pg_ctl")
	if err != nil {
		t.Fatalf("PostgreSQL's programs are not here: %v", err)
	}
	return filepath.Dir(path)
}

func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
}

func (p *ownPostgres) url() string {
	return "postgres://postgres@127.0.0.1:" + p.port + "/postgres?sslmode=disable"
}

func (p *ownPostgres) start() {
	p.t.Helper()
	options := fmt.Sprintf("-p %s -c listen_addresses=127.0.0.1 -c unix_socket_directories=%s -c max_connections=400 -c shared_buffers=256MB -c max_wal_size=4GB", p.port, p.home)
	p.program("pg_ctl", "start", "-D", p.home, "-w", "-t", "60", "-l", filepath.Join(p.home, "log"), "-o", options)
}

// restart takes the server away for two seconds, in order or as a crash does: what was under way is lost.
func (p *ownPostgres) restart(crash bool) {
	p.t.Helper()
	mode := "fast"
	if crash {
		mode = "immediate"
	}
	p.program("pg_ctl", "stop", "-D", p.home, "-w", "-m", mode)
	<-time.After(2 * time.Second)
	p.start()
}

func (p *ownPostgres) program(name string, args ...string) {
	p.t.Helper()
	cmd := exec.Command(filepath.Join(p.bin, name), args...)
	cmd.Dir = p.home
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "HOME=" + p.home}
	if p.owner != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.owner}
	}
	// A file and no pipe: the server that pg_ctl starts keeps it open.
	out, err := os.CreateTemp(filepath.Dir(p.home), name)
	if err != nil {
		p.t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(out.Name())
		p.t.Fatalf("%s: %v\n%s", name, err, text)
	}
}
