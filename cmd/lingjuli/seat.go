package main

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
)

// seats are a machine's places for processes that send the campaigns of one database: a lock on a file each, which ends
// with the process however it ends.
type seats struct {
	names []string

	mu    sync.Mutex
	taken *os.File
	left  bool
}

// newSeats gives the places of a database; so many, or as many as the machine has cores for processes such as this one.
// A process in a container with a part of the cores has a part of them in runtime.GOMAXPROCS.
func newSeats(folder, databaseURL string, number int) *seats {
	if number == 0 {
		number = max(1, runtime.NumCPU()/runtime.GOMAXPROCS(0))
	}
	of := sha256.Sum256([]byte(databaseURL))
	s := &seats{}
	for i := range number {
		s.names = append(s.names, filepath.Join(folder, fmt.Sprintf("lingjuli-%d-%x.%d.seat", os.Geteuid(), of[:8], i)))
	}
	return s
}

// Take takes a place where one is free. Where there can be no lock at all, each process sends, as if it were alone.
func (s *seats) Take() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range s.names {
		if s.taken != nil || s.left {
			break
		}
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
		if err != nil {
			return true
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil && stands(f, name) {
			s.taken = f
			break
		}
		_ = f.Close()
	}
	return s.taken != nil
}

// place is the name of the place that this process has.
func (s *seats) place() (name string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken == nil {
		return "", false
	}
	return s.taken.Name(), true
}

// stands says whether an open file is still the one of that name: whoever leaves takes the file away.
func stands(f *os.File, name string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(name)
	return err == nil && os.SameFile(open, there)
}

// Leave gives the place back, for good.
func (s *seats) Leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = true
	if s.taken != nil {
		_ = os.Remove(s.taken.Name()) // while it is ours: nobody else can hold it yet
		_ = s.taken.Close()
		s.taken = nil
	}
}

// seats are the places of this machine. A file for a database has one process anyway.
func (c config) seats() *seats {
	if c.sqlitePath() != "" {
		return nil
	}
	return newSeats(os.TempDir(), withoutPassword(c.DatabaseURL), c.Sending)
}

// halfTheCores has this process run on half its cores while it stands by: each of its threads that looks for work wakes others,
// and they push aside those of the process that sends. ADR 35 has the figures.
func halfTheCores() func(standsBy bool) {
	all := runtime.GOMAXPROCS(0)
	return func(standsBy bool) {
		n := all
		if standsBy {
			n = max(1, all/2)
		}
		runtime.GOMAXPROCS(n)
	}
}

// withoutPassword is an address whose hash may stand in the name of a file that others can see.
func withoutPassword(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	u.User = nil
	return u.String()
}

// sending reads how many processes of a machine send at once; 0: by its cores.
func (p *parser) sending(text string) int {
	if text == "auto" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 256 {
		p.bad("sending-processes", "must_sending", "")
	}
	return n
}
