package sandbox

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// VoiceCall is one accepted call by telephone. Without a Status it is ringing, or waits for its end.
type VoiceCall struct {
	CallID    string    `json:"call_id"`
	OutID     string    `json:"out_id"`
	Callee    string    `json:"callee"`
	Show      string    `json:"show,omitempty"`
	Code      string    `json:"tts_code,omitempty"`
	Recording string    `json:"recording,omitempty"`
	Text      string    `json:"text,omitempty"`
	Plays     int       `json:"play_times"`
	Speed     int       `json:"speed,omitempty"`
	At        time.Time `json:"at"`
	Status    string    `json:"status,omitempty"`
	Heard     int       `json:"heard,omitempty"` // seconds
}

// The status codes that a call ends with here, unless Receipts says another.
const (
	callHeard    = "200000"
	callHungUp   = "200001"
	callNoAnswer = "200003"
)

// How long somebody hears who hears the end, and who hangs up at once.
const (
	wholeSeconds = 25
	earlySeconds = 3
)

// ringSeconds is how long a telephone rings that somebody holds in their hand.
const ringSeconds = 30

// ring keeps a call and sets when it ends: by the receipts' rules after their delay, or, where somebody looks at that
// phone and the rules say nothing about it, when they answer or it has rung long enough. The caller holds the mutex.
func (c *carrier) ring(d *VoiceCall) {
	c.dials = append(c.dials, d)
	c.dialsTo[d.Callee] = append(c.dialsTo[d.Callee], d)
	kept := *d
	c.box.note(entry{Kind: entryDial, At: d.At, Dial: &kept})
	c.expectEnd(d)
	c.box.watchers.wake(d.Callee)
}

// expectEnd makes a call's end due. The caller holds the mutex.
func (c *carrier) expectEnd(d *VoiceCall) {
	p := c.receipts
	p.mu.Lock()
	cfg := p.cfg
	p.mu.Unlock()
	end, wait := c.callFate(d, cfg), seconds(cfg.DelaySeconds)
	if end == "" && c.box.watchers.watching(d.Callee) {
		end, wait = callNoAnswer, ringSeconds*time.Second
	}
	if end == "" {
		end = callHeard
	}
	p.add(due{at: time.Now().Add(wait), dial: &dialEnd{d.CallID, end}})
}

// callFate is what the receipts' rules say of a call; "" where they say nothing. Of several codes for a phone each call
// gets the next, and the last one holds for all others.
func (c *carrier) callFate(d *VoiceCall, cfg Receipts) string {
	if codes := cfg.VoiceCodes[d.Callee]; codes != "" {
		list := strings.Split(codes, ",")
		at := slices.Index(c.dialsTo[d.Callee], d)
		return list[min(max(at, 0), len(list)-1)]
	}
	if code := cfg.PhoneCodes[d.Callee]; code != "" && strings.Trim(code, "0123456789") == "" {
		return code
	}
	if cfg.UnansweredPercent > 0 && fraction(c.box.cfg.Seed+3, hashText(d.Callee+d.OutID))*100 < cfg.UnansweredPercent {
		return callNoAnswer
	}
	return ""
}

// dialEnd is how a call ends: its status code, after a colon the seconds that were heard.
type dialEnd struct{ callID, end string }

var errOver = errors.New("there is no such call, or it is over")

// endCall ends a call that has not ended and makes its report. errOver where it has.
func (c *carrier) endCall(e dialEnd) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := slices.IndexFunc(c.dials, func(d *VoiceCall) bool { return d.CallID == e.callID && d.Status == "" })
	if at < 0 {
		return nil, errOver
	}
	d := c.dials[at]
	status, heard, told := strings.Cut(e.end, ":")
	d.Status = status
	switch {
	case told:
		d.Heard = number(heard)
	case status == callHeard || status == callHungUp:
		d.Heard = wholeSeconds
	}
	kept := *d
	c.box.note(entry{Kind: entryDial, At: d.At, Dial: &kept})
	c.box.watchers.wake(d.Callee)
	return voiceReport(kept)
}

// Answer is what somebody does whose telephone rings.
type Answer string

// The answers.
const (
	HearOut Answer = "hear_out" // listens to the end
	HangUp  Answer = "hang_up"  // answers, and hangs up at once
	LeaveIt Answer = "leave_it" // lets it ring
)

// TakeCall is what a person does with a call that rings. Its report is pushed at once.
func (s *Sandbox) TakeCall(callID string, a Answer) error {
	end := callNoAnswer
	switch a {
	case HearOut:
		end = callHeard
	case HangUp:
		end = callHungUp + ":" + strconv.Itoa(earlySeconds)
	case LeaveIt:
	default:
		return errOver
	}
	body, err := s.carrier.endCall(dialEnd{callID, end})
	if err != nil {
		return err
	}
	s.carrier.receipts.add(due{at: time.Now(), push: &push{path: voiceReportPath, body: body}})
	return nil
}

const voiceReportPath = "voice-report"

// putDial puts a call of the journal back, in place of what an earlier line said of it.
func (c *carrier) putDial(d *VoiceCall) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := slices.IndexFunc(c.dialsTo[d.Callee], func(o *VoiceCall) bool { return o.CallID == d.CallID }); at >= 0 {
		*c.dialsTo[d.Callee][at] = *d
		return
	}
	c.dials = append(c.dials, d)
	c.dialsTo[d.Callee] = append(c.dialsTo[d.Callee], d)
}

// Calls are the accepted voice calls to a phone, or to all if it is empty.
func (s *Sandbox) Calls(phone string) []VoiceCall {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	var out []VoiceCall
	for _, d := range s.carrier.dials {
		if phone == "" || d.Callee == phone {
			out = append(out, *d)
		}
	}
	return out
}

// voiceReport is the push for one ended call: the wire gives numbers as strings.
func voiceReport(d VoiceCall) ([]byte, error) {
	at := d.At.In(beijing())
	begun := at.Add(5 * time.Second)
	return json.Marshal([]map[string]string{{
		"call_id": d.CallID, "out_id": d.OutID, "callee": d.Callee, "caller": d.Show, "status_code": d.Status, "status_msg": "",
		"start_time": begun.Format(wireTime), "end_time": begun.Add(time.Duration(d.Heard) * time.Second).Format(wireTime),
		"originate_time": at.Format(wireTime), "ring_time": at.Add(2 * time.Second).Format(wireTime), "duration": strconv.Itoa(d.Heard),
		"hangup_direction": "1", "voice_type": "voice", "toll_type": "DM",
	}})
}
