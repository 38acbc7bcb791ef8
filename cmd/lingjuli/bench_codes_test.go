package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/lingjuli/lingjuli/internal/register/fictional"
)

const (
	codesEvery  = 200 * time.Millisecond // a request for a code
	codesWithin = 30 * time.Second       // so late that it counts as never
)

// codeTimes is how long codes took from the person's message to the carrier.
type codeTimes struct {
	asked    int
	ranOut   bool // nobody was left who had not asked yet
	p50, p99 time.Duration
	worst    time.Duration
}

// askers are followers who prove who they are while the campaign runs: each has given their name before it began and
// sends their ID number in their turn, which is the request for a code.
type askers struct {
	s      *system
	list   []asker
	cancel context.CancelFunc
	wait   sync.WaitGroup
	ranOut bool
}

type asker struct {
	openID, id, phone string
	asked             time.Time
}

// askForCodes has a part of the people who ask follow the account and give their name.
func (s *system) askForCodes() *askers {
	s.b.Helper()
	a := &askers{s: s}
	first := s.people + s.asked
	s.asked += s.asking
	ids := make([]string, 0, s.asking)
	for i := first; i < first+s.asking; i++ {
		who := asker{openID: benchOpenID(i), id: benchID(askingArea, i), phone: fictional.Phone(i)}
		a.list, ids = append(a.list, who), append(ids, who.openID)
	}
	s.carrier.tell(http.MethodPost, "/sandbox/wechat/followers", map[string][]string{"add": ids})
	for _, who := range a.list {
		for _, turn := range [][2]string{{"我的医保", "叫什么"}, {benchName, "身份证号"}} {
			reply, err := s.carrier.say(s.b.Context(), who.openID, turn[0])
			if err != nil || !strings.Contains(reply, turn[1]) {
				s.b.Fatalf("a follower who said %q heard %q: %v", turn[0], reply, err)
			}
		}
	}
	return a
}

// begin has one after the other send their ID number, whether or not those before have had an answer.
func (a *askers) begin() {
	ctx, cancel := context.WithCancel(a.s.b.Context())
	a.cancel = cancel
	a.wait.Go(func() {
		tick := time.NewTicker(codesEvery)
		defer tick.Stop()
		for i := range a.list {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			a.wait.Go(func() { a.ask(&a.list[i]) })
		}
		a.ranOut = true
	})
}

func (a *askers) ask(who *asker) {
	who.asked = time.Now()
	reply, err := a.s.carrier.say(a.s.b.Context(), who.openID, who.id)
	if err == nil && !strings.Contains(reply, "验证码") {
		err = fmt.Errorf("the answer was %q", reply)
	}
	if err != nil {
		a.s.b.Errorf("a request for a code: %v", err)
	}
}

// end stops asking, and waits for the answers.
func (a *askers) end() {
	a.cancel()
	a.wait.Wait()
}

// times asks the carrier when each code came.
func (a *askers) times() codeTimes {
	a.s.b.Helper()
	t := codeTimes{ranOut: a.ranOut}
	var took []float64
	for _, who := range a.list {
		if who.asked.IsZero() {
			continue
		}
		t.asked++
		at, ok := a.came(who)
		if !ok {
			a.s.b.Errorf("a code did not come within %v", codesWithin)
			continue
		}
		took = append(took, float64(at.Sub(who.asked)))
		t.worst = max(t.worst, at.Sub(who.asked))
	}
	t.p50, t.p99 = time.Duration(percentile(took, 50)), time.Duration(percentile(took, 99))
	return t
}

func (a *askers) came(who asker) (time.Time, bool) {
	a.s.b.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if m := a.s.carrier.lastText(who.phone); m != nil {
			return m.SentAt, m.SentAt.Sub(who.asked) < codesWithin
		}
		if time.Since(who.asked) > codesWithin {
			return time.Time{}, false
		}
		<-tick.C
	}
}
