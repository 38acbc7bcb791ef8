//go:build unix

package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// postgres starts a PostgreSQL with an empty cluster and returns its URL.
func (r *rig) postgres(ctx context.Context) (string, error) {
	bin, err := postgresBin()
	if err != nil {
		return r.container(ctx, "postgres")
	}
	owner, err := postgresOwner()
	if err != nil {
		return "", err
	}
	home := filepath.Join(r.dir, "postgres")
	password := rand.Text()
	if err := initCluster(ctx, bin, home, password, owner); err != nil {
		return "", err
	}
	port, err := freePort()
	if err != nil {
		return "", err
	}
	err = r.launch(ctx, server{
		cmd:     postgresCommand(bin, home, port, r.durable, owner),
		logPath: filepath.Join(r.dir, "postgres.log"),
		ready:   func() bool { return postmasterReady(filepath.Join(home, "postmaster.pid")) },
		stop:    syscall.SIGINT, // "fast shutdown": open connections are ended
	})
	if err != nil {
		return "", err
	}
	return "postgres://postgres:" + password + "@127.0.0.1:" + port + "/postgres?sslmode=disable", nil
}

// postgresBin is the folder of the newest server that is installed; Debian keeps them off the path.
func postgresBin() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		version := func(path string) int {
			n, _ := strconv.Atoi(strings.Split(path, "/")[4]) // a folder without a number sorts first
			return n
		}
		newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
		return filepath.Dir(newest), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", fmt.Errorf("initdb: %w", errAbsent)
	}
	return filepath.Dir(path), nil
}

// postgresOwner is who the server runs as: nobody special, or for root the user that the package made, because
// PostgreSQL refuses to run as root.
func postgresOwner() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // no credential means our own
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL can't run as root and there is no user for it: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func initCluster(ctx context.Context, bin, home, password string, owner *syscall.Credential) error {
	if err := os.Mkdir(home, 0o700); err != nil {
		return err
	}
	secret := home + ".password"
	if err := os.WriteFile(secret, []byte(password), 0o600); err != nil {
		return err
	}
	if owner != nil {
		for _, path := range []string{home, secret} {
			if err := os.Chown(path, int(owner.Uid), int(owner.Gid)); err != nil {
				return err
			}
		}
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "--pgdata", home, "--username", "postgres",
		"--pwfile", secret, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	own(cmd, home, owner)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w:\n%s", err, out)
	}
	return nil
}

func postgresCommand(bin, home, port string, durable bool, owner *syscall.Credential) *exec.Cmd {
	settings := []string{
		"listen_addresses=127.0.0.1", "unix_socket_directories=" + home, "max_connections=400",
		"shared_buffers=256MB", "max_wal_size=4GB", "TimeZone=UTC", "lc_messages=C",
	}
	if !durable {
		settings = append(settings, "fsync=off", "full_page_writes=off")
	}
	args := []string{"-D", home, "-p", port}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	cmd := exec.Command(filepath.Join(bin, "postgres"), args...)
	own(cmd, home, owner)
	return cmd
}

// own has the command run in home as owner.
func own(cmd *exec.Cmd, home string, owner *syscall.Credential) {
	cmd.Dir = home
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "HOME=" + home}
	if owner != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
	}
}

// postmasterReady reads the server's own word: line eight of its pid file.
func postmasterReady(path string) bool {
	const status = 7
	text, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	lines := strings.Split(string(text), "\n")
	return len(lines) > status && strings.TrimSpace(lines[status]) == "ready"
}
