//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"
	"time"
)

// grace is how long an interrupted command may take to end by itself.
const grace = 5 * time.Second

// runCommand runs the command in a process group of its own and returns its code. When ctx ends, the group is
// interrupted, and killed if it takes too long. Nothing of the group outlives the call: a test's forgotten child
// would keep a port or a database.
func runCommand(ctx context.Context, argv, env []string, stdout, stderr io.Writer) (int, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, stdout, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return exitFailed, fmt.Errorf("run %s: %w", argv[0], err)
	}
	group := -cmd.Process.Pid
	ended := make(chan struct{})
	go func() {
		select {
		case <-ended:
			return
		case <-ctx.Done():
			_ = syscall.Kill(group, syscall.SIGINT) // no such group: it ended by itself
		}
		select {
		case <-ended:
		case <-time.After(grace):
			_ = syscall.Kill(group, syscall.SIGKILL)
		}
	}()
	err := cmd.Wait()
	close(ended)
	sweep(group)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return exit.ExitCode(), nil
	default:
		return exitFailed, fmt.Errorf("run %s: %w", argv[0], err)
	}
}

// sweep kills what is left of a process group and waits until it is empty.
func sweep(group int) {
	deadline := time.Now().Add(grace)
	for time.Now().Before(deadline) && syscall.Kill(group, syscall.SIGKILL) == nil {
		time.Sleep(pollEvery)
	}
}
