package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/internal/store/databasetest"
	"github.com/lingjuli/lingjuli/notify"
)

const (
	benchPeople   = 20_000
	comparePeople = 100_000 // what a larger campaign is compared with, and the most that SQLite is asked for
	stuckAfter    = 5 * time.Minute
	lostAfter     = 30 * time.Second // so long nothing has changed, and the carrier has nothing left to push
)

// BenchmarkCampaign measures a campaign to LINGJULI_BENCH_N people by SMS with receipts, from approval until the last
// acceptance and until the last receipt is on file, for each set of serving processes in LINGJULI_BENCH_WORKERS.
// Beside each stands the floor, see floor. It fails where the carrier's counts and ours are not the same, and times
// nothing out.
func BenchmarkCampaign(b *testing.B) {
	people := setting(b, "LINGJULI_BENCH_N", benchPeople)
	var report report
	for _, at := range places(b) {
		if at.redis == "embedded" {
			b.Run(at.name, func(b *testing.B) {
				report.add(measureCampaigns(b, at, min(people, comparePeople), []processes{{both: 1}}))
			})
			continue
		}
		b.Run(at.name, func(b *testing.B) { report.add(measureCampaigns(b, at, people, workerCounts(b))) })
		if people > comparePeople {
			b.Run(at.name+"-"+strconv.Itoa(comparePeople), func(b *testing.B) { report.add(measureCampaigns(b, at, comparePeople, []processes{{both: 1}})) })
		}
	}
	report.write(os.Stdout)
}

// processes are those that serve at once: so many that do everything, and take the receipts in turns, or so many of either role.
type processes struct{ both, web, worker int }

func (p processes) String() string {
	if p.both > 0 {
		return strconv.Itoa(p.both)
	}
	return fmt.Sprintf("%d+%d", p.web, p.worker)
}

// workerCounts reads LINGJULI_BENCH_WORKERS: "1 2 4 1+4"; 1+4 is one for the web and four workers.
func workerCounts(b *testing.B) []processes {
	b.Helper()
	number := func(text string) int {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			b.Fatalf("LINGJULI_BENCH_WORKERS: %q is not a number above 0", text)
		}
		return n
	}
	var list []processes
	for _, text := range strings.Fields(os.Getenv("LINGJULI_BENCH_WORKERS")) {
		if web, worker, split := strings.Cut(text, "+"); split {
			list = append(list, processes{web: number(web), worker: number(worker)})
		} else {
			list = append(list, processes{both: number(text)})
		}
	}
	if len(list) == 0 {
		list = []processes{{both: 1}}
	}
	return list
}

// measured is what one campaign has shown.
type measured struct {
	serving   processes
	firstCall time.Duration // from approval to the carrier's first answer
	accepted  time.Duration // to the last acceptance on file
	receipts  time.Duration // to the last receipt on file
	sending   usage         // from approval to the last acceptance
	whole     usage         // and to the last receipt
	memory    float64       // the most of any serving process, MiB
	failed    int           // pushes of receipts that were not taken at once
	codes     codeTimes
	floor     time.Duration // of the floors before and after it, the mean
}

// measuredPlace is all that was measured in one database.
type measuredPlace struct {
	name   string
	people int
	runs   []measured
	floors []floorMeasured // one after each run
}

func measureCampaigns(b *testing.B, at place, people int, serving []processes) measuredPlace {
	s := newSystem(b, at, people, len(serving))
	m := measuredPlace{name: at.name, people: people}
	for i, n := range serving {
		if len(serving) > 1 {
			s.afresh() // a later campaign would write its rows between those of the earlier ones, and pay for it
		}
		one := s.campaign(n)
		floor := measureFloor(s)
		one.floor = floor.took
		if i > 0 {
			one.floor = (m.floors[i-1].took + floor.took) / 2
		}
		m.runs, m.floors = append(m.runs, one), append(m.floors, floor)
		progress("%s: %d people, %v serving: all accepted after %v, all receipts after %v; floor %v", at.name, people, n,
			one.accepted.Round(time.Millisecond), one.receipts.Round(time.Millisecond), floor.took.Round(time.Millisecond))
	}
	m.reportMetrics(b)
	return m
}

// campaign sends one campaign to everybody and holds the carrier's counts against ours.
func (s *system) campaign(serving processes) measured {
	s.start(serving)
	defer s.stop()
	author, approver := staff.Member{ID: 1, Name: "chen", Role: staff.Author}, staff.Member{ID: 2, Name: "li", Role: staff.Approver}
	id := s.submitted(author)
	s.afterUpkeep()
	asking := s.askForCodes()
	rest(s.b.Context(), s.b, s.cfg)
	m := measured{serving: serving}
	from := s.usage()
	began := time.Now()
	if err := newCampaigns(s.cfg, s.store, nil).Approve(s.b.Context(), approver, id, time.Time{}); err != nil {
		s.b.Fatal(err)
	}
	asking.begin()
	s.awaitCalls()
	s.await(id, func(st notify.Status) bool { return st.Accepted+st.Delivered == int64(s.people) })
	m.accepted, m.sending = time.Since(began), s.usage().since(from)
	s.await(id, func(st notify.Status) bool { return st.Delivered == int64(s.people) })
	m.receipts, m.whole = time.Since(began), s.usage().since(from)
	asking.end()
	m.memory = s.memory()
	m.firstCall = time.Unix(0, s.carrier.tally().First).Sub(began)
	s.await(id, func(st notify.Status) bool { return st.State == notify.Finished })
	m.codes = asking.times()
	m.failed = s.holdCarrier(id, m.codes.asked)
	return m
}

// submitted writes a campaign to everybody and submits it.
func (s *system) submitted(by staff.Member) int64 {
	s.b.Helper()
	spec, err := notify.ParseSpec([]byte(`name: bench
kind: premium_reminder
audience:
  all:
    - region: {within: "` + peopleArea + `"}
    - age: {gte: 18}
channels: [sms]
template: bench
params: {deadline: "12月31日"}
schedule: now
window: ""
`))
	if err != nil {
		s.b.Fatal(err)
	}
	all := newCampaigns(s.cfg, s.store, nil)
	id, err := all.Create(s.b.Context(), by, spec)
	if err == nil {
		_, err = all.Submit(s.b.Context(), by, id)
	}
	if err != nil {
		s.b.Fatal(err)
	}
	return id
}

// afterUpkeep has autovacuum come in the middle of every campaign that is large enough for it to matter. It comes once a
// minute, and a vacuum of the deliveries costs their later updates more than itself: left to chance it met the campaigns of
// one kind and missed those of another.
func (s *system) afterUpkeep() {
	const largest, before = 300_000, 20 * time.Second // that ends without it; those who ask for codes are made ready meanwhile
	if s.at.redis == "embedded" || s.people <= largest {
		return
	}
	databasetest.AwaitAutovacuum(s.b, s.cfg.DatabaseURL)
	time.Sleep(before)
}

// awaitCalls waits until the carrier has answered as many calls as there must be at least, codes among them, and no call is left
// that it has not been asked for. Asking us how far we are is work for the database that is measured; these questions are not.
func (s *system) awaitCalls() {
	s.b.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	last, since := int64(-1), time.Now()
	for {
		n := s.carrier.tally().Calls
		if n*int64(notify.SMS.MaxMembers()) >= int64(s.people) && !s.queues() {
			return
		}
		if n != last {
			last, since = n, time.Now()
		}
		if time.Since(since) > stuckAfter {
			s.b.Fatalf("the carrier has answered %d calls and hears no more\n%s", n, s.workers[0].warnings())
		}
		s.alive(s.b.Context())
		<-tick.C
	}
}

// queues says whether a call waits to be sent.
func (s *system) queues() bool {
	s.b.Helper()
	waiting, err := s.store.QueuedCalls(s.b.Context(), 1)
	if err != nil {
		s.b.Fatal(err)
	}
	return len(waiting) > 0
}

// await asks how the campaign stands until it is as wished, with four times as much rest as the asking takes. With a million people
// that is half a second: times are as exact as two, and little must be left to wait for when it begins.
func (s *system) await(id int64, done func(notify.Status) bool) {
	s.b.Helper()
	var last notify.Status
	since := time.Now()
	for {
		asked := time.Now()
		st, err := s.store.CampaignStatus(context.WithoutCancel(s.b.Context()), id)
		if err != nil {
			s.b.Fatal(err)
		}
		if done(st) {
			return
		}
		if st.State != last.State || st.Accepted != last.Accepted || st.Delivered != last.Delivered {
			last, since = st, time.Now()
		}
		if time.Since(since) > lostAfter && s.pushedInVain() {
			s.b.Errorf("%d receipts are lost: they were pushed four times and not taken within 0.7 s", int64(s.people)-st.Delivered)
			return
		}
		if time.Since(since) > stuckAfter {
			s.b.Fatalf("nothing changes any more: %+v\nthe carrier: %+v\n%s", st, s.carrier.stats().SMS, s.workers[0].warnings())
		}
		s.alive(s.b.Context())
		pause := time.NewTimer(max(20*time.Millisecond, 4*time.Since(asked)))
		<-pause.C
	}
}

// pushedInVain says whether the carrier has given up on receipts, and has no others to push.
func (s *system) pushedInVain() bool {
	p := s.carrier.stats().SMS.Pushes
	return p.GivenUp > 0 && p.Waiting == 0
}

// holdCarrier holds the carrier's counts against those of `status --json`: a fast campaign that sends twice, or not to
// everybody, is no campaign. It gives the number of pushes that were not taken at once.
func (s *system) holdCarrier(id int64, codes int) int {
	s.b.Helper()
	var ours notify.Status
	if err := json.Unmarshal([]byte(s.command("campaign", "status", strconv.FormatInt(id, 10), "--json")), &ours); err != nil {
		s.b.Fatal(err)
	}
	carrier := s.carrier.stats().SMS
	want := s.people + codes
	if carrier.Recipients != want || carrier.Phones != want || carrier.Repeated != 0 || carrier.Duplicates != 0 {
		s.b.Errorf("the carrier took %d texts to %d phones (%d of them more than one), want %d to as many", carrier.Recipients, carrier.Phones, carrier.Repeated, want)
	}
	if n := int64(s.people); ours.Total != n || ours.Delivered != n || carrier.Delivered+carrier.Waiting != want {
		s.b.Errorf("of %d people, status says %d delivered of %d, the carrier %d with %d codes", n, ours.Delivered, ours.Total, carrier.Delivered+carrier.Waiting, codes)
	}
	return carrier.Pushes.Failed
}
