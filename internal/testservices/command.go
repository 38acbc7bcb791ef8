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

// runCommand runs the command in a process group of its own and returns its code. When ctx ends, the group is
// interrupted, and killed if it takes too long. Nothing of the group outlives the call: a test's forgotten child
// would keep a port or a database.
func runCommand(ctx context.Context, argv, env []string, stdout, stderr io.Writer) (int, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, stdout, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = stopWithin
	if err := cmd.Start(); err != nil {
		return exitFailed, fmt.Errorf("run %s: %w", argv[0], err)
	}
	err := cmd.Wait()
	sweep(cmd.Process.Pid)
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
	deadline := time.Now().Add(stopWithin)
	for time.Now().Before(deadline) && syscall.Kill(-group, syscall.SIGKILL) == nil {
		time.Sleep(pollEvery)
	}
}
