package sandbox

import (
	"fmt"
	"hash/fnv"
	"math/bits"
	"net/http"
	"strings"
	"sync"
	"time"
)

// FaultKind is what goes wrong with a call.
type FaultKind string

// The kinds. Those named "after accept" take the call first: the other side hears nothing of it, or too late.
const (
	FaultCode               FaultKind = "code"                 // refuse with Code
	FaultHTTP               FaultKind = "http"                 // answer HTTP Status without a code
	FaultHTTPAfterAccept    FaultKind = "http_after_accept"    //
	FaultHang               FaultKind = "hang"                 // wait Seconds, then close; never taken
	FaultHangAfterAccept    FaultKind = "hang_after_accept"    // take, wait Seconds, then answer
	FaultLateAccept         FaultKind = "late_accept"          // wait Seconds, then take and answer, whoever still listens
	FaultCloseBeforeAccept  FaultKind = "close_before_accept"  // close without an answer; never taken
	FaultCloseAfterAccept   FaultKind = "close_after_accept"   // take, then close without an answer
	FaultEmpty              FaultKind = "empty"                // HTTP 200 without a body; never taken
	FaultEmptyAfterAccept   FaultKind = "empty_after_accept"   //
	FaultGarbage            FaultKind = "garbage"              // HTTP 200 with a proxy's page; never taken
	FaultGarbageAfterAccept FaultKind = "garbage_after_accept" //
	FaultRefuseMember       FaultKind = "refuse_member"        // refuse any call that holds one of Phones, or of Percent of all numbers
)

// Fault is one thing that goes wrong.
type Fault struct {
	// Action is Aliyun's Action ("SendBatchSms") or a WeChat path below /cgi-bin ("message/subscribe/bizsend"); empty is any.
	Action string    `json:"action,omitempty"`
	Kind   FaultKind `json:"kind"`
	// Percent of the calls. The percentages of several faults of one action are disjoint: 3 and 2 make 5.
	// With Times and no Percent it is 100.
	Percent float64 `json:"percent,omitempty"`
	// Times is how often it happens at most; 0 is no limit.
	Times int `json:"times,omitempty"`
	// Code is the platform's code (isp.SYSTEM_ERROR, Throttling.User, 45015); for refuse_member isv.MOBILE_NUMBER_ILLEGAL unless given.
	Code    string  `json:"code,omitempty"`
	Message string  `json:"message,omitempty"`
	Status  int     `json:"status,omitempty"`  // for http kinds; 502
	Seconds float64 `json:"seconds,omitempty"` // for hangs; 30
	// Phones or openids of refuse_member.
	Phones []string `json:"phones,omitempty"`
	// SpendNonce makes a fault that doesn't take the call use up its nonce all the same.
	SpendNonce bool `json:"spend_nonce,omitempty"`
}

func (f Fault) accepts() bool { return strings.HasSuffix(string(f.Kind), "_after_accept") }

func (f Fault) pause() time.Duration {
	if f.Seconds <= 0 {
		return 30 * time.Second
	}
	return time.Duration(f.Seconds * float64(time.Second))
}

func (f Fault) status() int {
	if f.Status == 0 {
		return http.StatusBadGateway
	}
	return f.Status
}

func (f Fault) check() error {
	switch f.Kind {
	case FaultHTTP, FaultHTTPAfterAccept, FaultHang, FaultHangAfterAccept, FaultLateAccept, FaultCloseBeforeAccept,
		FaultCloseAfterAccept, FaultEmpty, FaultEmptyAfterAccept, FaultGarbage, FaultGarbageAfterAccept:
	case FaultCode:
		if f.Code == "" {
			return fmt.Errorf("fault %s needs a code", f.Kind)
		}
	case FaultRefuseMember:
		if len(f.Phones) == 0 && f.Percent <= 0 {
			return fmt.Errorf("fault %s needs phones or a percentage", f.Kind)
		}
	default:
		return fmt.Errorf("fault kind %q is unknown", f.Kind)
	}
	if f.Percent < 0 || f.Percent > 100 {
		return fmt.Errorf("fault %s: percent %v is not within 0 and 100", f.Kind, f.Percent)
	}
	return nil
}

// armed is a fault with what is left of it.
type armed struct {
	Fault
	left  int
	bound map[string]bool
}

// faults draws what happens to each call.
type faults struct {
	mu    sync.Mutex
	seed  uint64
	calls uint64
	list  []*armed
	hit   map[FaultKind]int
}

func newFaults(seed uint64) *faults { return &faults{seed: seed, hit: map[FaultKind]int{}} }

func (fs *faults) set(list []Fault) error {
	next := make([]*armed, 0, len(list))
	for _, f := range list {
		if err := f.check(); err != nil {
			return err
		}
		if f.Percent == 0 && f.Kind != FaultRefuseMember {
			f.Percent = 100
		}
		a := &armed{Fault: f, left: f.Times, bound: map[string]bool{}}
		for _, phone := range f.Phones {
			a.bound[phone] = true
		}
		next = append(next, a)
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.list, fs.calls, fs.hit = next, 0, map[FaultKind]int{}
	return nil
}

// draw decides for one call. Faults with Times go first, so that a one-shot fault is sure to be seen.
func (fs *faults) draw(action string) *Fault {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if len(fs.list) == 0 {
		return nil
	}
	u := fraction(fs.seed, fs.calls) * 100
	fs.calls++
	for _, counted := range []bool{true, false} {
		at := 0.0
		for _, f := range fs.list {
			if f.Kind == FaultRefuseMember || (f.Action != "" && f.Action != action) || (f.Times > 0) != counted || (counted && f.left == 0) {
				continue
			}
			at += f.Percent
			if u >= at {
				continue
			}
			f.left--
			fs.hit[f.Kind]++
			drawn := f.Fault
			return &drawn
		}
	}
	return nil
}

// refused is the fault that refuses this member, if any.
func (fs *faults) refused(action, member string) *Fault {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, f := range fs.list {
		if f.Kind != FaultRefuseMember || (f.Action != "" && f.Action != action) {
			continue
		}
		if f.bound[member] || (f.Percent > 0 && fraction(fs.seed, hashText(member))*100 < f.Percent) {
			drawn := f.Fault
			return &drawn
		}
	}
	return nil
}

func (fs *faults) refusesMembers() bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, f := range fs.list {
		if f.Kind == FaultRefuseMember {
			return true
		}
	}
	return false
}

// state is what is set and how often each kind has struck.
func (fs *faults) state() ([]Fault, map[FaultKind]int) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	list := make([]Fault, 0, len(fs.list))
	for _, f := range fs.list {
		list = append(list, f.Fault)
	}
	hit := make(map[FaultKind]int, len(fs.hit))
	for k, n := range fs.hit {
		hit[k] = n
	}
	return list, hit
}

// SetFaults replaces what goes wrong and begins the draws anew.
func (s *Sandbox) SetFaults(list ...Fault) error { return s.faults.set(list) }

// Refuses says whether a refuse_member fault is set for this phone, so that a test knows whom to expect.
func (s *Sandbox) Refuses(phone string) bool {
	return s.faults.refused("", phone) != nil || s.faults.refused("SendBatchSms", phone) != nil
}

// fraction spreads two numbers evenly over [0, 1).
func fraction(seed, n uint64) float64 {
	x := seed ^ bits.RotateLeft64(n*0x9e3779b97f4a7c15, 31)
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	x ^= x >> 31
	return float64(x>>11) / (1 << 53)
}

func hashText(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return h.Sum64()
}
