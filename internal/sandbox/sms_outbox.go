package sandbox

import (
	"strconv"
	"time"
)

// smsCall is one accepted call: what its messages have in common.
type smsCall struct {
	bizID    string
	outID    string
	template *smsTemplate
	signs    []string // one for all, or one each
	extends  []string // extension numbers: none, one for all, or one each
	params   []string // JSON object, one for all or one each; nil when only counters are kept
	at       time.Time
	first    int32 // its messages are outbox.messages[first : first+n]
	n        int32
}

func (call *smsCall) sign(i int) string {
	if len(call.signs) == 1 {
		return call.signs[0]
	}
	return call.signs[i]
}

func (call *smsCall) param(i int) string {
	switch len(call.params) {
	case 0:
		return "{}"
	case 1:
		return call.params[0]
	}
	return call.params[i]
}

// message is one accepted text to one phone. It holds no pointer, so that millions of them cost the collector nothing.
type message struct {
	phone uint64
	call  int32
	prev  int32 // the phone's message before this one; -1 is none
	took  int32 // milliseconds from sending to the receipt
	state messageState
	code  uint8 // index in outbox.codes
}

// messageState is QuerySendDetails' SendStatus.
type messageState uint8

const (
	stateWaiting   messageState = 1
	stateFailed    messageState = 2
	stateDelivered messageState = 3
)

// outbox holds everything the carrier has accepted. The carrier's mutex guards it.
type outbox struct {
	calls      []*smsCall
	messages   []message
	tails      map[uint64]tail     // by phone
	seen       map[uint64]struct{} // phone + template + parameters
	duplicates int
	codes      []string
	states     [4]int
}

// tail is a phone's newest message, and how many it got.
type tail struct{ last, n int32 }

func newOutbox() outbox {
	return outbox{tails: map[uint64]tail{}, seen: map[uint64]struct{}{}, codes: []string{""}}
}

// put stores a call and its recipients.
func (o *outbox) put(call *smsCall, to []recipient) {
	call.first, call.n = int32(len(o.messages)), int32(len(to))
	id := int32(len(o.calls))
	o.calls = append(o.calls, call)
	for i := range to {
		phone := to[i].number
		end, ok := o.tails[phone]
		prev := end.last
		if !ok {
			prev = -1
		}
		o.tails[phone] = tail{last: int32(len(o.messages)), n: end.n + 1}
		o.messages = append(o.messages, message{phone: phone, call: id, prev: prev, state: stateWaiting})
		o.states[stateWaiting]++
		if _, twice := o.seen[to[i].key]; twice {
			o.duplicates++
		} else {
			o.seen[to[i].key] = struct{}{}
		}
	}
}

// settle stores what the receipt says.
func (o *outbox) settle(i int32, code string, at time.Time) {
	m := &o.messages[i]
	o.states[m.state]--
	m.state = stateFailed
	if code == "DELIVERED" {
		m.state = stateDelivered
	}
	o.states[m.state]++
	m.code = o.codeIndex(code)
	m.took = int32(min(at.Sub(o.calls[m.call].at).Milliseconds(), 1<<31-1))
}

func (o *outbox) codeIndex(code string) uint8 {
	for i, known := range o.codes {
		if known == code {
			return uint8(i)
		}
	}
	if len(o.codes) == 255 {
		return 0
	}
	o.codes = append(o.codes, code)
	return uint8(len(o.codes) - 1)
}

// walk goes through a phone's messages from the newest on, until fn says stop.
func (o *outbox) walk(phone uint64, fn func(i int32, m *message, call *smsCall) bool) {
	end, ok := o.tails[phone]
	i := end.last
	for ok && i >= 0 {
		m := &o.messages[i]
		if !fn(i, m, o.calls[m.call]) {
			return
		}
		i = m.prev
	}
}

// SMSMessage is an accepted text as the control door and the phones show it.
type SMSMessage struct {
	Phone      string            `json:"phone"`
	SignName   string            `json:"sign_name"`
	Template   string            `json:"template_code"`
	Params     map[string]string `json:"params,omitempty"`
	Text       string            `json:"text"` // with the signature, as the phone shows it; empty where only counters are kept
	OutID      string            `json:"out_id"`
	BizID      string            `json:"biz_id"`
	ExtendCode string            `json:"extend_code,omitempty"` // that the caller gave
	SentAt     time.Time         `json:"sent_at"`
	ReportedAt time.Time         `json:"reported_at,omitzero"`
	Status     int               `json:"status"` // 1 waiting, 2 failed, 3 delivered
	ErrCode    string            `json:"err_code,omitempty"`
}

// show fills in a message's text.
func (o *outbox) show(i int32) SMSMessage {
	m := o.messages[i]
	call := o.calls[m.call]
	k := int(i - call.first)
	out := SMSMessage{
		Phone: phoneText(m.phone), SignName: call.sign(k), Template: call.template.Code,
		OutID: call.outID, BizID: call.bizID, ExtendCode: call.extend(k), SentAt: call.at, Status: int(m.state), ErrCode: o.codes[m.code],
	}
	if params, ok := parseParams(call.param(k)); ok && call.params != nil {
		out.Params = params.asMap()
		out.Text = "\u3010" + out.SignName + "\u3011" + call.template.fill(params)
	}
	if m.state != stateWaiting {
		out.ReportedAt = call.at.Add(time.Duration(m.took) * time.Millisecond)
	}
	return out
}

func phoneText(number uint64) string { return strconv.FormatUint(number, 10) }
