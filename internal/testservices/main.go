//go:build unix

// Command testservices gives a command throw-away services and takes them away again.
//
//	testservices [-durable] -- go test -race ./...
//
// It starts a PostgreSQL and a Redis of its own in a temporary folder, on free ports of 127.0.0.1, finds Chromium,
// says so in LINGJULI_TEST_POSTGRES, LINGJULI_TEST_REDIS and LINGJULI_TEST_CHROMIUM, runs the command, stops
// everything (after success, failure, Ctrl-C and SIGTERM alike) and exits with the command's own code.
//
// A variable that is already set is kept and nothing is started for it. What can't be had is said and left unset,
// so that tests which need it are not run; with CI=true it is a failure. It refuses to touch a server that is already
// running, and installs nothing: that is .ci/setup.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

// Codes of our own; otherwise the code is the command's.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	// Services ask the kernel to be told of our death, and "our" is the thread that started them.
	runtime.LockOSThread()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, os.Getenv))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer, getenv func(string) string) int {
	flags := flag.NewFlagSet("testservices", flag.ContinueOnError)
	flags.SetOutput(stderr)
	durable := flags.Bool("durable", false, "let PostgreSQL write through to the disk, as for a measurement")
	if err := flags.Parse(args); err != nil {
		return exitUsage
	}
	if flags.NArg() == 0 {
		fmt.Fprintln(stderr, "testservices: no command; for example: testservices -- go test ./...")
		return exitUsage
	}
	r := &rig{durable: *durable, ci: getenv("CI") == "true", getenv: getenv, log: stderr}
	defer r.stop()
	env, err := r.start(ctx)
	if err != nil {
		fmt.Fprintln(stderr, "testservices:", err)
		return codeOf(ctx, exitFailed)
	}
	code, err := runCommand(ctx, flags.Args(), env, stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "testservices:", err)
		return codeOf(ctx, exitFailed)
	}
	return codeOf(ctx, code)
}

// codeOf is code, unless somebody interrupted us.
func codeOf(ctx context.Context, code int) int {
	if errors.Is(ctx.Err(), context.Canceled) {
		return exitInterrupted
	}
	return code
}
