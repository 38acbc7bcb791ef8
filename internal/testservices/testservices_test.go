//go:build unix

package main

import (
	"bytes"
	"context"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// absent skips a test that needs a program this machine lacks, which on CI is a failure.
func absent(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	t.Skip(err)
}

// nothingGiven is an environment in which nothing was started yet.
func nothingGiven(string) string { return "" }

// given is an environment in which everything is there already, so that nothing is started.
func given(name string) string {
	if strings.HasPrefix(name, "LINGJULI_TEST_") {
		return "given"
	}
	return ""
}

func TestTheCommandGetsServicesAndTheyEndWithIt(t *testing.T) {
	_, err := postgresBin()
	absent(t, err)
	t.Setenv("TMPDIR", passable(t))
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"--", "sh", "-c", `echo "$LINGJULI_TEST_POSTGRES $LINGJULI_TEST_REDIS"; exit 7`}, &stdout, &stderr, nothingGiven)
	if code != 7 {
		t.Fatalf("code %d, want the command's own 7; said:\n%s", code, &stderr)
	}
	addresses := strings.Fields(stdout.String())
	if len(addresses) != 2 {
		t.Fatalf("the command saw %q, want a PostgreSQL and a Redis", stdout.String())
	}
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if conn, err := net.DialTimeout("tcp", u.Host, time.Second); err == nil {
			_ = conn.Close()
			t.Errorf("%s still answers after the command", u.Host)
		}
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
	if u, err := url.Parse(addresses[0]); err == nil {
		if password, _ := u.User.Password(); strings.Contains(stderr.String(), password) {
			t.Error("the password was printed")
		}
	}
}

// passable is a temporary folder through which another user may pass: t.TempDir is ours alone.
func passable(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "testservices-") //nolint:usetesting // t.TempDir lies in a folder of ours alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestAnInterruptEndsTheCommandAndItsChildren(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	marker := filepath.Join(t.TempDir(), "started")
	done := make(chan int, 1)
	var stderr bytes.Buffer
	go func() {
		done <- run(ctx, []string{"--", "sh", "-c", "touch " + marker + "; sleep 600 & sleep 600"}, &stderr, &stderr, given)
	}()
	for _, err := os.Stat(marker); err != nil; _, err = os.Stat(marker) {
		time.Sleep(pollEvery)
	}
	interrupt()
	select {
	case code := <-done:
		if code != exitInterrupted {
			t.Errorf("code %d, want %d; said:\n%s", code, exitInterrupted, &stderr)
		}
	case <-time.After(2 * grace):
		t.Fatal("still running")
	}
}

func TestWhatIsMissingIsSaidAndOnCIFails(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, c := range []struct {
		name, ci string
		want     int
	}{
		{"a person's machine goes on without", "", 0},
		{"CI refuses", "true", exitFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			getenv := func(name string) string {
				switch name {
				case "CI":
					return c.ci
				case envPostgres:
					return "given"
				}
				return ""
			}
			var stderr bytes.Buffer
			if code := run(t.Context(), []string{"--", "/bin/true"}, &stderr, &stderr, getenv); code != c.want {
				t.Errorf("code %d, want %d", code, c.want)
			}
			if !strings.Contains(stderr.String(), "no Redis here") && !strings.Contains(stderr.String(), "start Redis") {
				t.Errorf("said nothing about Redis:\n%s", &stderr)
			}
		})
	}
}

func TestNoCommandIsWrongUsage(t *testing.T) {
	var stderr bytes.Buffer
	if code := run(t.Context(), nil, &stderr, &stderr, given); code != exitUsage {
		t.Errorf("code %d, want %d", code, exitUsage)
	}
}

// A stand-in plays docker: this test shows what we ask of it and how we read its answers, not that an engine would.
func TestAContainerTakesTheProgramsPlace(t *testing.T) {
	bin := t.TempDir()
	asked := filepath.Join(bin, "asked")
	script := "#!/bin/sh\necho \"$@\" >>" + asked + "\ncase \"$*\" in *' port redis 6379') echo 127.0.0.1:32768;; esac\n"
	if err := os.WriteFile(filepath.Join(bin, "docker"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	r := &rig{getenv: nothingGiven, log: t.Output()}
	address, err := r.redis(t.Context())
	if err != nil || address != "redis://127.0.0.1:32768" {
		t.Fatalf("got %q, %v", address, err)
	}
	r.stop()
	text, err := os.ReadFile(asked)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"up --detach --wait redis", "port redis 6379", "down --volumes"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("docker was never asked to %q; it was asked:\n%s", want, text)
		}
	}
}
