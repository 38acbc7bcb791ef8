// Command lingjuli is the whole system in one binary: server, worker, and the commands of those who run it.
//
// One file per command. This is the only place where implementations meet interfaces: parts.go builds them,
// and every part that was started is stopped in the reverse order.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // quiet hours need the zone on machines without zone files

	"github.com/alecthomas/kong"
	"github.com/redis/go-redis/v9"
)

// Exit codes of every command.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	redis.SetLogger(silence{}) // the client's own words go to standard error without form; our parts say it once, in the log
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv)
	stop()
	os.Exit(code)
}

// silence drops what the Redis client says.
type silence struct{}

// Printf drops it.
func (silence) Printf(context.Context, string, ...any) {}

// cli is the command line. The help texts of commands and flags are in locales/cli.*.yaml under the names of
// commands and flags.
type cli struct {
	settings

	Demo       demoCmd       `cmd:"" name:"demo"`
	Serve      serveCmd      `cmd:"" name:"serve"`
	Migrate    migrateCmd    `cmd:"" name:"migrate"`
	Import     importCmd     `cmd:"" name:"import"`
	Template   templateCmd   `cmd:"" name:"template"`
	Campaign   campaignCmd   `cmd:"" name:"campaign"`
	Visit      visitCmd      `cmd:"" name:"visit"`
	Budget     budgetCmd     `cmd:"" name:"budget"`
	Staff      staffCmd      `cmd:"" name:"staff"`
	Understand understandCmd `cmd:"" name:"understand"`
	Chat       chatCmd       `cmd:"" name:"chat"`
	Flows      flowsCmd      `cmd:"" name:"flows"`
	Doctor     doctorCmd     `cmd:"" name:"doctor"`
	Reconcile  reconcileCmd  `cmd:"" name:"reconcile"`
	Sandbox    sandboxCmd    `cmd:"" name:"sandbox"`
	Config     configCmd     `cmd:"" name:"config"`
}

// app is what a command runs with.
type app struct {
	ctx            context.Context
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	settings       settings
	texts          texts
}

// exited unwinds kong's wish to exit.
type exited int

// run is the program without its process: arguments in, exit code out.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string) (code int) {
	words := textsFor(getenv("LANG"), getenv("LC_ALL"))
	defer func() {
		if p := recover(); p != nil {
			e, ok := p.(exited)
			if !ok {
				panic(p)
			}
			code = int(e)
		}
	}()
	var c cli
	parser, err := newParser(&c, words, stdout, stderr, getenv)
	if err != nil {
		fmt.Fprintln(stderr, "lingjuli:", err)
		return exitFailed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	cmd, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(stderr, words.t("usage_error", "Reason", words.usage(err)))
		return exitUsage
	}
	a := &app{ctx: ctx, stdin: stdin, stdout: stdout, stderr: stderr, getenv: getenv, settings: c.settings, texts: words}
	if err := cmd.Run(a); err != nil {
		for _, line := range a.explain(err) {
			fmt.Fprintln(stderr, line)
		}
		if errors.Is(err, errUsage) {
			return exitUsage
		}
		return exitFailed
	}
	return exitDone
}

func newParser(c *cli, words texts, stdout, stderr io.Writer, getenv func(string) string) (*kong.Kong, error) {
	return kong.New(c,
		kong.Name("lingjuli"),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(exited(code)) }),
		kong.Help(words.help),
		kong.Resolvers(environment(getenv)),
		kong.UsageOnError(),
	)
}

// environment gives a flag the value of its LINGJULI_ variable where the command line has none.
func environment(getenv func(string) string) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if !isSetting(flag) {
			return nil, nil
		}
		if value := strings.TrimSpace(getenv(envName(flag.Name))); value != "" {
			return value, nil
		}
		return nil, nil
	})
}

// isSetting tells the flags of the configuration from those of a command: only they are hidden.
func isSetting(flag *kong.Flag) bool { return flag.Hidden && flag.Name != "help" }

// config reads the settings; every command but understand and help needs at least the data key.
func (a *app) config() (config, error) { return a.settings.parse() }
