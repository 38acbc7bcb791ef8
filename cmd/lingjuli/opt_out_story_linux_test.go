package main

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/notify"
)

// crowdedDoor is an address of the carrier at which, while it is shut, nobody gets a connection: its queue is full, and
// Linux takes no more. So a call that has been claimed waits before its first byte.
type crowdedDoor struct {
	t      testing.TB
	socket *os.File
	addr   string
	to     *httputil.ReverseProxy
	open   *http.Server
	before net.Conn
}

func newCrowdedDoor(t testing.TB, carrier string) *crowdedDoor {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	d := &crowdedDoor{t: t, socket: os.NewFile(uintptr(fd), "door")}
	t.Cleanup(func() { _ = d.socket.Close() })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil { // one may wait
		t.Fatal(err)
	}
	target, err := url.Parse(carrier)
	if err != nil {
		t.Fatal(err)
	}
	d.to = httputil.NewSingleHostReverseProxy(target)
	d.opens()
	t.Cleanup(func() { _ = d.open.Close() })
	return d
}

func (d *crowdedDoor) opens() {
	d.t.Helper()
	listener, err := net.FileListener(d.socket) // on a copy, which may be closed
	if err != nil {
		d.t.Fatal(err)
	}
	d.addr = listener.Addr().String()
	d.open = &http.Server{Handler: d.to, ReadHeaderTimeout: time.Minute}
	go func(s *http.Server) { _ = s.Serve(listener) }(d.open)
	if d.before != nil {
		_ = d.before.Close()
	}
}

// shuts closes the connections that there are, and lets one wait before the door: the queue is full.
func (d *crowdedDoor) shuts() {
	d.t.Helper()
	_ = d.open.Close()
	var err error
	if d.before, err = net.DialTimeout("tcp", d.addr, 5*time.Second); err != nil {
		d.t.Fatal(err)
	}
}

// crowdedDoors are those of the towns of a test.
type crowdedDoors struct{ of sync.Map }

func (d *crowdedDoors) build(w *town) {
	door := newCrowdedDoor(w.t, w.aliyun)
	d.of.Store(w, door)
	w.env["LINGJULI_ALIYUN_SMS_ENDPOINT"] = "http://" + door.addr
}

func (d *crowdedDoors) at(w *town) *crowdedDoor {
	w.t.Helper()
	stored, _ := d.of.Load(w)
	door, ok := stored.(*crowdedDoor)
	if !ok {
		w.t.Fatal("no door")
	}
	return door
}

// betweenClaimAndSend has somebody of a claimed call leave before its first byte; one campaign came to all of them before.
// A connection is given up after five seconds, and the call is claimed anew: then the story is told again by another.
func (w *town) betweenClaimAndSend(door *crowdedDoor, people int, why notify.SkipReason, leaves func(i int)) {
	w.t.Helper()
	for leaving := range people {
		id := w.submitted("sms")
		door.shuts()
		w.command("campaign", "approve", id, "--as", "li")
		w.until(id, "claimed", func(s notify.Status) bool { return s.Sending == int64(people-leaving) })
		leaves(leaving)
		claimed := w.status(id).Sending == int64(people-leaving)
		door.opens()
		s := w.until(id, "finished", done)
		if s.Accepted+s.Delivered != int64(people-leaving-1) || s.Skipped[why] != int64(leaving+1) {
			w.t.Errorf("%+v", s)
		}
		for i := range people {
			if n, want := w.got(w.phone(i)), 1+leaving+1; i > leaving && n != want || i == leaving && n != want-1 {
				w.t.Errorf("person %d got %d texts, %d campaigns came before they left", i, n, leaving+1)
			}
		}
		if claimed {
			return
		}
	}
	w.t.Fatal("nobody left while their call was claimed")
}

func TestStoryWhoOptsOutBetweenTheClaimAndTheFirstByteGetsNothing(t *testing.T) {
	var doors crowdedDoors
	const people = 4
	eachTown(t, people, doors.build, func(w *town) {
		w.box.SetReceipts(sandbox.Receipts{Bases: []string{w.base}})
		w.until(w.campaign("sms", ""), "finished", done) // a text to answer
		w.betweenClaimAndSend(doors.at(w), people, notify.OptedOut, func(i int) {
			if err := w.box.ReplySMS(w.phone(i), "退订"); err != nil {
				w.t.Fatal(err)
			}
			for w.count("SELECT count(*) FROM opt_outs") == i {
				time.Sleep(20 * time.Millisecond)
			}
		})
	})
}

func TestStoryANumberThatComesIntoDoubtBetweenTheClaimAndTheFirstByteGetsNothing(t *testing.T) {
	var doors crowdedDoors
	const people = 4
	eachTown(t, people, doors.build, func(w *town) {
		codes := map[string]string{}
		for i := range people {
			codes[w.phone(i)] = "MOBILE_NOT_ON_SERVICE"
		}
		w.box.SetReceipts(sandbox.Receipts{Bases: []string{w.base}, PhoneCodes: codes})
		first := w.campaign("sms", "")
		w.until(first, "told", func(s notify.Status) bool { return s.Failed == people })
		w.box.SetReceipts(sandbox.Receipts{Bases: []string{w.base}})
		list := w.unreached(first).People
		w.command("staff", "add", "wang", "--role", "township", "--region", "441881")
		w.betweenClaimAndSend(doors.at(w), people, notify.PhoneDoubted, func(i int) {
			w.command("visit", list[i].RowCode, "wrong_number", "--as", "wang")
		})
	})
}

// submitted is a campaign that waits for its approval.
func (w *town) submitted(channels string) string {
	w.t.Helper()
	lines := strings.Fields(w.command("campaign", "create", "-f", w.write(channels, "", ""), "--as", "chen"))
	id := lines[len(lines)-1]
	w.command("campaign", "submit", id, "--as", "chen")
	return id
}
