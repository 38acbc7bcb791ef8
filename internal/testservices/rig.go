//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// The variables by which tests learn of the services.
const (
	envPostgres = "LINGJULI_TEST_POSTGRES"
	envRedis    = "LINGJULI_TEST_REDIS"
	envChromium = "LINGJULI_TEST_CHROMIUM"
)

// errAbsent: this machine has no such program; another way may exist.
var errAbsent = errors.New("not installed")

// rig is the set of services of one run.
type rig struct {
	durable bool
	ci      bool
	getenv  func(string) string
	log     io.Writer

	dir   string
	stops []func()
}

// start starts what is missing and returns the environment that names everything.
func (r *rig) start(ctx context.Context) ([]string, error) {
	dir, err := os.MkdirTemp("", "lingjuli-services-")
	if err != nil {
		return nil, fmt.Errorf("folder for the services: %w", err)
	}
	r.dir = dir
	// PostgreSQL refuses to run as root and must reach its own folder in here as another user.
	if err := os.Chmod(dir, 0o711); err != nil {
		return nil, fmt.Errorf("folder for the services: %w", err)
	}
	env := os.Environ()
	for _, s := range []struct {
		variable, name string
		open           func(context.Context) (string, error)
	}{
		{envPostgres, "PostgreSQL", r.postgres},
		{envRedis, "Redis", r.redis},
		{envChromium, "Chromium", r.chromium},
	} {
		address, err := r.offer(ctx, s.variable, s.name, s.open)
		if err != nil {
			return nil, err
		}
		if address != "" {
			env = append(env, s.variable+"="+address)
		}
	}
	return env, nil
}

// offer returns the address of one service: the one that was given, or one that open starts. Empty: there is none.
func (r *rig) offer(ctx context.Context, variable, name string, open func(context.Context) (string, error)) (string, error) {
	if given := r.getenv(variable); given != "" {
		fmt.Fprintf(r.log, "testservices: %s as given in %s\n", name, variable)
		return given, nil
	}
	address, err := open(ctx)
	switch {
	case errors.Is(err, errAbsent) && !r.ci:
		fmt.Fprintf(r.log, "testservices: no %s here, tests that need it are NOT run (%v)\n", name, err)
		return "", nil
	case err != nil:
		return "", fmt.Errorf("start %s: %w", name, err)
	}
	fmt.Fprintf(r.log, "testservices: %s\n", describe(name, address))
	return address, nil
}

// describe leaves the password out of an address.
func describe(name, address string) string {
	if scheme, rest, ok := strings.Cut(address, "://"); ok {
		if _, host, ok := strings.Cut(rest, "@"); ok {
			address = scheme + "://" + host
		}
	}
	return name + " at " + address
}

// stop takes everything away in the reverse order of its start.
func (r *rig) stop() {
	for i := len(r.stops) - 1; i >= 0; i-- {
		r.stops[i]()
	}
	r.stops = nil
	if r.dir == "" {
		return
	}
	if err := os.RemoveAll(r.dir); err != nil {
		fmt.Fprintln(r.log, "testservices:", err)
	}
}

// chromium finds a browser; it starts with each test that needs one.
func (r *rig) chromium(context.Context) (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("chromium: %w", errAbsent)
}
