//go:build !linux

package main

import (
	"errors"
	"net"
)

func (h *handoff) listen(string) (net.Listener, error) { return nil, errors.ErrUnsupported }

func (h *handoff) dial() *net.UnixConn { return nil }

func pass(*net.UnixConn, net.Conn, []byte) error { return errors.ErrUnsupported }
