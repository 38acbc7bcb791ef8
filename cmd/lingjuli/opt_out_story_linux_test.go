package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
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
	fd     int
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
	d := &crowdedDoor{t: t, fd: fd, socket: os.NewFile(uintptr(fd), "door")}
	t.Cleanup(func() { _ = d.socket.Close() })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
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

// roomFor says how many may wait before the door, and one more.
func (d *crowdedDoor) roomFor(n int) {
	d.t.Helper()
	if err := syscall.Listen(d.fd, n); err != nil {
		d.t.Fatal(err)
	}
}

// opens lets everybody in, and at once: who was turned away would come again later, perhaps just as the door shuts.
func (d *crowdedDoor) opens() {
	d.t.Helper()
	d.roomFor(64)
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

// shuts closes the connections that there are, and lets one wait before the door: the queue is full. Where a stranger came
// first, whose connection nobody has taken, it is let in and closed as the others are.
func (d *crowdedDoor) shuts() {
	d.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		_ = d.open.Close()
		d.roomFor(0)
		var err error
		if d.before, err = net.DialTimeout("tcp", d.addr, time.Second); err == nil {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatal(err)
		}
		d.opens()
	}
}

// crowdedDoors are those of the towns of a test, each before the platform whose address a variable holds.
type crowdedDoors struct {
	before string
	of     sync.Map
}

func (d *crowdedDoors) build(w *town) {
	door := newCrowdedDoor(w.t, w.env[d.before])
	d.of.Store(w, door)
	w.env[d.before] = "http://" + door.addr
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

// departures are of people who leave while a campaign's call to them is claimed.
type departures struct {
	door    *crowdedDoor
	channel notify.Channel
	people  int
	why     notify.SkipReason
	leaves  func(i int)
	got     func(i int) int
}

// betweenClaimAndSend has somebody of a claimed call leave before its first byte; one campaign came to all of them before.
// A connection is given up after some seconds, and the call is claimed anew: then the story is told again by another.
func (w *town) betweenClaimAndSend(of departures) {
	w.t.Helper()
	for leaving := range of.people {
		id := w.submitted(string(of.channel))
		of.door.shuts()
		w.command("campaign", "approve", id, "--as", "li")
		w.until(id, "claimed", func(s notify.Status) bool { return s.Sending == int64(of.people-leaving) })
		of.leaves(leaving)
		claimed := w.status(id).Sending == int64(of.people-leaving)
		of.door.opens()
		s := w.until(id, "finished", done)
		if s.Accepted+s.Delivered != int64(of.people-leaving-1) || s.Skipped[of.why] != int64(leaving+1) {
			w.t.Errorf("%+v", s)
		}
		for i := range of.people {
			if n, want := of.got(i), 1+leaving+1; i > leaving && n != want || i == leaving && n != want-1 {
				w.t.Errorf("person %d got %d messages, %d campaigns came before they left", i, n, leaving+1)
			}
		}
		if claimed {
			return
		}
	}
	w.t.Fatal("nobody left while their call was claimed")
}

// gotText counts the texts of campaigns that a person's phone got.
func (w *town) gotText(i int) int { return w.got(w.phone(i)) }

func TestStoryWhoOptsOutBetweenTheClaimAndTheFirstByteGetsNothing(t *testing.T) {
	doors := crowdedDoors{before: "LINGJULI_ALIYUN_SMS_ENDPOINT"}
	const people = 4
	eachTown(t, people, doors.build, func(w *town) {
		w.box.SetReceipts(sandbox.Receipts{Bases: []string{w.base}})
		w.until(w.campaign("sms", ""), "finished", done) // a text to answer
		w.betweenClaimAndSend(departures{doors.at(w), notify.SMS, people, notify.OptedOut, func(i int) {
			if err := w.box.ReplySMS(w.phone(i), "退订"); err != nil {
				w.t.Fatal(err)
			}
			for w.count("SELECT count(*) FROM opt_outs") == i {
				time.Sleep(20 * time.Millisecond)
			}
		}, w.gotText})
	})
}

func TestStoryWhoOptsOutByWeChatBetweenTheClaimAndTheFirstByteGetsNoNotice(t *testing.T) {
	doors := crowdedDoors{before: "LINGJULI_WECHAT_API_BASE"}
	eachTown(t, 0, func(w *town) { useWeChat(w); doors.build(w) }, func(w *town) {
		w.opensWeChat()
		people := len(villagersByName())
		for i := range people {
			w.binds(i)
			if err := w.box.Choose(w.t.Context(), openIDOf(i), sandbox.Choice{Template: "TPL_PREMIUM", Accept: true}); err != nil {
				w.t.Fatal(err)
			}
		}
		w.until(w.campaign("wechat", ""), "finished", done)
		w.betweenClaimAndSend(departures{doors.at(w), notify.WeChat, people, notify.OptedOut, func(i int) {
			if reply := w.says(openIDOf(i), "退订"); reply == "" || w.count("SELECT count(*) FROM opt_outs") != i+1 {
				w.t.Fatalf("退订 was answered %q", reply)
			}
		}, w.gotNotice})
	})
}

func TestStoryACampaignPausedBetweenTheClaimAndTheFirstByteSendsNothingUntilItGoesOn(t *testing.T) {
	doors := crowdedDoors{before: "LINGJULI_ALIYUN_SMS_ENDPOINT"}
	const people, tries = 4, 3
	eachTown(t, people, doors.build, func(w *town) {
		door := doors.at(w)
		for try := range tries { // a connection is given up after some seconds: then nothing is claimed when the pause comes
			id := w.submitted("sms")
			door.shuts()
			w.command("campaign", "approve", id, "--as", "li")
			w.until(id, "claimed", func(s notify.Status) bool { return s.Sending == people })
			w.command("campaign", "pause", id, "--as", "li")
			claimed := w.status(id).Sending == people
			door.opens()
			w.until(id, "held", func(s notify.Status) bool { return s.Planned == people })
			time.Sleep(2 * time.Second) // its rows have come due
			for i := range people {
				if n := w.gotText(i); n != try {
					w.t.Errorf("person %d has %d texts while the campaign stands", i, n)
				}
			}
			w.command("campaign", "resume", id, "--as", "li")
			w.wants(w.until(id, "finished", done), people, fmt.Sprint("accepted ", people))
			if claimed {
				return
			}
		}
		w.t.Fatal("nothing was claimed when it was paused")
	})
}

// gotNotice counts the notices that a villager's WeChat shows.
func (w *town) gotNotice(i int) (n int) {
	for _, m := range w.box.Chat(openIDOf(i)) {
		if m.Kind == "notice" {
			n++
		}
	}
	return n
}

func TestStoryANumberThatComesIntoDoubtBetweenTheClaimAndTheFirstByteGetsNothing(t *testing.T) {
	doors := crowdedDoors{before: "LINGJULI_ALIYUN_SMS_ENDPOINT"}
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
		w.betweenClaimAndSend(departures{doors.at(w), notify.SMS, people, notify.PhoneDoubted, func(i int) {
			w.command("visit", list[i].RowCode, "wrong_number", "--as", "wang")
		}, w.gotText})
	})
}
