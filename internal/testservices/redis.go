//go:build unix

package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// redis starts a Redis as production has it: append-only file, nothing evicted. It returns its URL.
func (r *rig) redis(ctx context.Context) (string, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return r.container(ctx, "redis")
	}
	home := filepath.Join(r.dir, "redis")
	if err := os.Mkdir(home, 0o700); err != nil {
		return "", err
	}
	port, err := freePort()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(path, "--bind", "127.0.0.1", "--port", port, "--dir", home, "--databases", "256",
		"--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction")
	err = r.launch(ctx, server{
		cmd:     cmd,
		logPath: filepath.Join(r.dir, "redis.log"),
		ready:   func() bool { return redisReady("127.0.0.1:" + port) },
		stop:    syscall.SIGTERM,
	})
	if err != nil {
		return "", err
	}
	return "redis://127.0.0.1:" + port, nil
}

// redisReady asks the server whether it has loaded its data.
func redisReady(address string) bool {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return false
	}
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	answer := make([]byte, 64)
	n, err := conn.Read(answer)
	return err == nil && strings.HasPrefix(string(answer[:n]), "+PONG")
}
