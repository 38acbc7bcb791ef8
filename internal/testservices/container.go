//go:build unix

package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

//go:embed compose.yml
var composeFile string

// container starts one service of compose.yml by docker compose, where the machine has an engine but not the program.
func (r *rig) container(ctx context.Context, service string) (string, error) {
	docker, err := exec.LookPath("docker")
	if err != nil {
		return "", fmt.Errorf("%s and docker: %w", service, errAbsent)
	}
	if err := exec.CommandContext(ctx, docker, "info").Run(); err != nil {
		return "", fmt.Errorf("%s, and docker has no engine: %w", service, errAbsent)
	}
	compose := func(ctx context.Context, args ...string) (string, error) {
		project := fmt.Sprintf("lingjuli-test-%s-%d", service, os.Getpid())
		cmd := exec.CommandContext(ctx, docker, append([]string{"compose", "-p", project, "-f", "-"}, args...)...)
		cmd.Stdin = strings.NewReader(composeFile)
		out, err := cmd.Output()
		if err != nil {
			return "", fmt.Errorf("docker compose %s: %w", args[0], err)
		}
		return strings.TrimSpace(string(out)), nil
	}
	r.stops = append(r.stops, func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		if _, err := compose(ctx, "down", "--volumes", "--timeout", "5"); err != nil {
			fmt.Fprintln(r.log, "testservices:", err)
		}
	})
	if _, err := compose(ctx, "up", "--detach", "--wait", service); err != nil {
		return "", err
	}
	if service == "redis" {
		address, err := compose(ctx, "port", service, "6379")
		return "redis://" + address, err
	}
	address, err := compose(ctx, "port", service, "5432")
	return "postgres://postgres@" + address + "/postgres?sslmode=disable", err
}
