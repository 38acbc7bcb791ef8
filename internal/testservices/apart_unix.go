//go:build unix && !linux

package main

import (
	"os/exec"
	"syscall"
)

// apart keeps the terminal's Ctrl-C away from the service, so that it stops after the command that uses it.
func apart(cmd *exec.Cmd, _ syscall.Signal) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
}
