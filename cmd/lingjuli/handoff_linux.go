package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

const (
	passWithin = time.Second
	mostEarly  = 32 << 10 // bytes that were read ahead; net/http reads 4 KiB
)

var (
	errStranger = errors.New("the process at the other end is another user's")
	errNothing  = errors.New("no connection came")
)

// door is where connections are given to who has a seat. It is no file, and goes with the process that opened it.
func door(seat string) *net.UnixAddr {
	return &net.UnixAddr{Net: "unixpacket", Name: fmt.Sprintf("@lingjuli-%x", sha256.Sum256([]byte(seat)))}
}

// listen opens the door of a seat. What it accepts are the connections that are given.
func (h *handoff) listen(seat string) (net.Listener, error) {
	ln, err := net.ListenUnix("unixpacket", door(seat))
	if err != nil {
		return nil, err
	}
	return &takes{UnixListener: ln, user: h.user}, nil
}

// dial finds who sends, and waits until it says that it is there: one that hangs must be given nothing. nil: nobody is.
func (h *handoff) dial() *net.UnixConn {
	for _, seat := range h.seats.names {
		c, err := net.DialUnix("unixpacket", nil, door(seat))
		if err != nil {
			continue
		}
		_ = c.SetReadDeadline(time.Now().Add(h.within))
		if sameUser(c, h.user) == nil {
			if n, err := c.Read(make([]byte, 1)); n == 1 && err == nil {
				return c
			}
		}
		_ = c.Close()
	}
	return nil
}

// sameUser fails where the process at the other end is not this user's: the names of doors are free to all.
func sameUser(c *net.UnixConn, user int) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var peer *syscall.Ucred
	if failed := raw.Control(func(fd uintptr) {
		peer, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}); failed != nil {
		return failed
	}
	if err == nil && int(peer.Uid) != user {
		return errStranger
	}
	return err
}

// pass gives a connection, with what was read of it already.
func pass(to *net.UnixConn, conn net.Conn, early []byte) error {
	tcp, ok := conn.(*net.TCPConn)
	if !ok || len(early) > mostEarly {
		return errors.ErrUnsupported
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	_ = to.SetWriteDeadline(time.Now().Add(passWithin))
	message := append([]byte{'c'}, early...) // what has no byte carries no connection
	if failed := raw.Control(func(fd uintptr) { _, _, err = to.WriteMsgUnix(message, syscall.UnixRights(int(fd)), nil) }); failed != nil {
		return failed
	}
	return err
}

// takes is a listener for connections that others give.
type takes struct {
	*net.UnixListener
	user int
}

// Accept gives the next connection.
func (l *takes) Accept() (net.Conn, error) {
	for {
		from, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		conn, err := l.take(from)
		_ = from.Close()
		if err == nil {
			return conn, nil
		}
	}
}

func (l *takes) take(from *net.UnixConn) (net.Conn, error) {
	if err := sameUser(from, l.user); err != nil {
		return nil, err
	}
	_ = from.SetDeadline(time.Now().Add(passWithin))
	if _, err := from.Write([]byte{'y'}); err != nil {
		return nil, err
	}
	message, rights := make([]byte, 1+mostEarly), make([]byte, syscall.CmsgSpace(4))
	n, m, _, _, err := from.ReadMsgUnix(message, rights)
	if err != nil {
		return nil, err
	}
	file, err := passed(rights[:m])
	if err != nil {
		return nil, err
	}
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil || n == 1 {
		return conn, err
	}
	return &begun{conn, message[1:n]}, nil
}

// passed is the one file that came with a message.
func passed(rights []byte) (*os.File, error) {
	parts, err := syscall.ParseSocketControlMessage(rights)
	if err != nil || len(parts) != 1 {
		return nil, errors.Join(err, errNothing)
	}
	files, err := syscall.ParseUnixRights(&parts[0])
	if err != nil || len(files) != 1 {
		return nil, errors.Join(err, errNothing)
	}
	return os.NewFile(uintptr(files[0]), "connection"), nil
}
