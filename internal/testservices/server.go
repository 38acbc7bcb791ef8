//go:build unix

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	startWithin = 60 * time.Second
	stopWithin  = 20 * time.Second
	pollEvery   = 20 * time.Millisecond
)

// server is a service that runs as a child process of ours.
type server struct {
	cmd     *exec.Cmd
	logPath string
	ready   func() bool
	stop    syscall.Signal // ends it quickly and in order
}

// launch starts the server and returns when it is ready; the rig stops it at the end.
func (r *rig) launch(ctx context.Context, s server) error {
	log, err := os.Create(s.logPath)
	if err != nil {
		return err
	}
	defer log.Close()
	s.cmd.Stdout, s.cmd.Stderr = log, log
	apart(s.cmd, s.stop)
	if err := s.cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		_ = s.cmd.Wait() // how it ended is in its log
		close(exited)
	}()
	r.stops = append(r.stops, func() { end(s.cmd.Process, s.stop, exited) })
	return s.await(ctx, exited)
}

// await returns when the server answers, ended, or took too long.
func (s server) await(ctx context.Context, exited <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for !s.ready() {
		select {
		case <-exited:
			return fmt.Errorf("%s ended at once:\n%s", filepath.Base(s.cmd.Path), tail(s.logPath))
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w:\n%s", filepath.Base(s.cmd.Path), ctx.Err(), tail(s.logPath))
		case <-tick.C:
		}
	}
	return nil
}

// end signals the process and, if that doesn't do, kills it.
func end(p *os.Process, sig syscall.Signal, exited <-chan struct{}) {
	if err := p.Signal(sig); err != nil {
		return // it ended before
	}
	select {
	case <-exited:
	case <-time.After(stopWithin):
		_ = p.Kill() // nothing else is left to try
		<-exited
	}
}

// tail is the end of a log, for an error message.
func tail(path string) string {
	const enough = 2000
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	if len(text) > enough {
		text = text[len(text)-enough:]
	}
	return string(text)
}

// freePort is a port of 127.0.0.1 that nobody has just now.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
