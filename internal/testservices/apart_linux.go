package main

import (
	"os/exec"
	"syscall"
)

// apart keeps the terminal's Ctrl-C away from the service, so that it stops after the command that uses it, and has
// the kernel stop it should we be killed.
func apart(cmd *exec.Cmd, stop syscall.Signal) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pdeathsig = stop
}
