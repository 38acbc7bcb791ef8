package sandbox

import (
	"encoding/json"
	"hash/maphash"
	"strings"
	"time"
)

// recipient is one phone of a call with what it gets.
type recipient struct {
	number uint64
	sign   string
	params paramSet
	key    uint64 // phone, template and parameters
}

// draft is a send call that is read but not yet judged.
type draft struct {
	action   string
	template string
	outID    string
	phones   []string
	signs    []string
	params   []paramSet
	texts    []string // the params as they were sent
	extends  []string // extension numbers for replies; nil: none given
}

type sent struct {
	Code      string
	Message   string
	RequestId string // as on the wire
	BizId     string // as on the wire
}

func (c *carrier) sendSms(q *rpcCall) (any, *refusal) {
	phones := strings.Split(q.get("PhoneNumbers"), ",")
	if len(phones) > 1000 {
		return nil, business("isv.MOBILE_COUNT_OVER_LIMIT")
	}
	set, ok := parseParams(q.get("TemplateParam"))
	if !ok {
		return nil, business("isv.INVALID_JSON_PARAM")
	}
	text := q.get("TemplateParam")
	if text == "" {
		text = "{}"
	}
	return c.send(q, &draft{
		action: q.action, template: q.get("TemplateCode"), outID: q.get("OutId"), phones: phones,
		signs: []string{q.get("SignName")}, params: []paramSet{set}, texts: []string{text}, extends: extendsOf(q.get("SmsUpExtendCode")),
	})
}

func (c *carrier) sendBatchSms(q *rpcCall) (any, *refusal) {
	d := &draft{action: q.action, template: q.get("TemplateCode"), outID: q.get("OutId")}
	var ok1, ok2 bool
	ok3, ok4 := true, true
	d.phones, ok1 = parseStrings(q.get("PhoneNumberJson"))
	d.signs, ok2 = parseStrings(q.get("SignNameJson"))
	if q.get("TemplateParamJson") != "" {
		d.params, d.texts, ok3 = parseParamList(q.get("TemplateParamJson"))
	}
	if q.get("SmsUpExtendCodeJson") != "" {
		d.extends, ok4 = parseStrings(q.get("SmsUpExtendCodeJson"))
	}
	switch {
	case !ok1 || !ok2 || !ok3 || !ok4:
		return nil, business("isv.INVALID_JSON_PARAM")
	case len(d.phones) > 100:
		return nil, business("isv.MOBILE_COUNT_OVER_LIMIT")
	case len(d.phones) == 0, len(d.signs) != len(d.phones), d.params != nil && len(d.params) != len(d.phones),
		d.extends != nil && len(d.extends) != len(d.phones):
		return nil, business("isv.INVALID_PARAMETERS")
	case d.params == nil:
		d.params, d.texts = []paramSet{nil}, []string{"{}"}
	}
	if same(d.signs) {
		d.signs = d.signs[:1]
	}
	return c.send(q, d)
}

func same(list []string) bool {
	for _, s := range list {
		if s != list[0] {
			return false
		}
	}
	return true
}

func at[T any](list []T, i int) T {
	if len(list) == 1 {
		return list[0]
	}
	return list[i]
}

// send judges a call and takes all of it or nothing: whether the real platform would take the good members of a call
// with a bad one is not documented, and a caller has to be ready for the whole call's refusal.
func (c *carrier) send(q *rpcCall, d *draft) (any, *refusal) {
	if len(d.outID) >= 256 {
		return nil, business("isv.INVALID_PARAMETERS")
	}
	template, no := c.findTemplate(d)
	if no != nil {
		return nil, no
	}
	if no := c.extended(d); no != nil {
		return nil, no
	}
	to, no := c.recipients(d, template)
	if no != nil {
		return nil, no
	}
	call := &smsCall{bizID: c.box.ids.bizID(), outID: d.outID, template: template, signs: d.signs, extends: d.extends, at: c.box.cfg.Now()}
	if !c.box.cfg.CountersOnly {
		call.params = d.texts
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if no := c.frequency(call, to); no != nil {
		return nil, no
	}
	c.outbox.put(call, to)
	c.extendedAs(call)
	c.noteCall(call)
	c.receipts.schedule(len(c.outbox.calls)-1, call.at)
	c.box.watchers.wakePhones(to)
	return sent{Code: "OK", Message: "OK", RequestId: q.id, BizId: call.bizID}, nil
}

// findTemplate looks up the template and the signatures of a call.
func (c *carrier) findTemplate(d *draft) (*smsTemplate, *refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range d.signs {
		if sign, ok := c.signs[name]; !ok || sign.Status != Approved {
			return nil, business("isv.SMS_SIGNATURE_ILLEGAL")
		}
	}
	template, ok := c.templates[d.template]
	if !ok || template.status != Approved {
		return nil, business("isv.SMS_TEMPLATE_ILLEGAL")
	}
	return template, nil
}

// recipients judges each member.
func (c *carrier) recipients(d *draft, t *smsTemplate) ([]recipient, *refusal) {
	out := make([]recipient, 0, len(d.phones))
	picky := c.box.faults.refusesMembers()
	for i, phone := range d.phones {
		number, ok := mobile(phone)
		if !ok {
			return nil, business("isv.MOBILE_NUMBER_ILLEGAL")
		}
		if picky {
			if fault := c.box.faults.refused(d.action, phoneText(number)); fault != nil {
				return nil, memberRefusal(fault)
			}
		}
		params := at(d.params, i)
		if code := c.rules.check(t, params); code != "" {
			return nil, business(code)
		}
		out = append(out, recipient{number: number, sign: at(d.signs, i), params: params, key: c.keyOf(number, t.Code, at(d.texts, i))})
	}
	return out, nil
}

func memberRefusal(f *Fault) *refusal {
	no := faultRefusal(f)
	if f.Code == "" {
		no = business("isv.MOBILE_NUMBER_ILLEGAL")
	}
	return no
}

func (c *carrier) keyOf(number uint64, template, params string) uint64 {
	var h maphash.Hash
	h.SetSeed(c.nonces.seed)
	var b [8]byte
	for i := range b {
		b[i] = byte(number >> (8 * i))
	}
	_, _ = h.Write(b[:])
	_, _ = h.WriteString(template)
	_ = h.WriteByte(0)
	_, _ = h.WriteString(params)
	return h.Sum64()
}

// frequency holds opt-outs and frequency limits. The caller holds the mutex.
func (c *carrier) frequency(call *smsCall, to []recipient) *refusal {
	for i := range to {
		r := &to[i]
		if call.template.kind == typePromotion && len(c.refusers) > 0 && c.refusers[r.sign+"\x00"+phoneText(r.number)] {
			return business("isv.CUSTOMER_REFUSED")
		}
		if no := c.limited(call.template, r.sign, r.number, call.at); no != nil {
			return no
		}
	}
	return nil
}

// Messages are the texts accepted for a phone, oldest first.
func (s *Sandbox) Messages(phone string) []SMSMessage {
	number, ok := mobile(phone)
	if !ok {
		return nil
	}
	c := s.carrier
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []SMSMessage
	c.outbox.walk(number, func(i int32, _ *message, _ *smsCall) bool {
		out = append(out, c.outbox.show(i))
		return true
	})
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// AllMessages are the accepted texts in the order of acceptance; fn returns false to stop.
func (s *Sandbox) AllMessages(fn func(SMSMessage) bool) {
	c := s.carrier
	for i := int32(0); ; i++ {
		c.mu.Lock()
		if int(i) >= len(c.outbox.messages) {
			c.mu.Unlock()
			return
		}
		m := c.outbox.show(i)
		c.mu.Unlock()
		if !fn(m) {
			return
		}
	}
}

// noteCall writes the call to the journal.
func (c *carrier) noteCall(call *smsCall) {
	if c.box.journal == nil {
		return
	}
	phones := make([]uint64, 0, call.n)
	for _, m := range c.outbox.messages[call.first : call.first+call.n] {
		phones = append(phones, m.phone)
	}
	raw := make([]json.RawMessage, 0, len(call.params))
	for _, p := range call.params {
		raw = append(raw, json.RawMessage(p))
	}
	c.box.note(entry{Kind: entryCall, At: call.at, Call: &callEntry{
		BizID: call.bizID, OutID: call.outID, Template: call.template.Code, Signs: call.signs, Params: raw, Phones: phones, Extends: call.extends,
	}})
}

// replayCall puts a call of the journal back.
func (c *carrier) replayCall(e *callEntry, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	template, ok := c.templates[e.Template]
	if !ok {
		template = newSMSTemplate(SMSTemplate{Code: e.Template}, at)
	}
	call := &smsCall{bizID: e.BizID, outID: e.OutID, template: template, signs: e.Signs, extends: e.Extends, at: at}
	for _, p := range e.Params {
		call.params = append(call.params, string(p))
	}
	to := make([]recipient, 0, len(e.Phones))
	for i, phone := range e.Phones {
		text := "{}"
		if len(call.params) > 0 {
			text = call.param(i)
		}
		to = append(to, recipient{number: phone, key: c.keyOf(phone, e.Template, text)})
	}
	c.outbox.put(call, to)
	c.extendedAs(call)
}
