package sandbox

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"
)

// VoiceTemplate is an approved text that is read out.
type VoiceTemplate struct {
	Code    string `json:"code"`
	Content string `json:"content"`
}

// AddVoice registers a voice template.
func (s *Sandbox) AddVoice(v VoiceTemplate) {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	s.carrier.voices[v.Code] = v
}

// VoiceCall is one accepted call by telephone.
type VoiceCall struct {
	CallID string    `json:"call_id"`
	OutID  string    `json:"out_id"`
	Callee string    `json:"callee"`
	Code   string    `json:"tts_code"`
	Text   string    `json:"text"`
	Plays  int       `json:"play_times"`
	At     time.Time `json:"at"`
	Status string    `json:"status,omitempty"`
}

func (c *carrier) singleCallByTts(q *rpcCall) (any, *refusal) {
	phone, ok := mobile(q.get("CalledNumber"))
	if !ok {
		return nil, business("isv.MOBILE_NUMBER_ILLEGAL")
	}
	if fault := c.box.faults.refused(q.action, phoneText(phone)); fault != nil {
		return nil, memberRefusal(fault)
	}
	plays := 3
	if q.get("PlayTimes") != "" {
		plays = number(q.get("PlayTimes"))
	}
	params, ok := parseParams(q.get("TtsParam"))
	if n := len(q.get("OutId")); !ok || n > 15 || plays < 1 || plays > 3 {
		return nil, business("isv.INVALID_PARAMETERS")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	template, ok := c.voices[q.get("TtsCode")]
	if !ok {
		return nil, business("isv.TTS_TEMPLATE_ILLEGAL")
	}
	text, no := c.spoken(template, params)
	if no != nil {
		return nil, no
	}
	now := c.box.cfg.Now()
	if no := c.dialled(phoneText(phone), now); no != nil {
		return nil, no
	}
	d := &VoiceCall{
		CallID: strconv.FormatUint(c.box.ids.number()>>1, 10) + "^" + strconv.FormatUint(c.box.ids.number()>>1, 10),
		OutID:  q.get("OutId"), Callee: phoneText(phone), Code: template.Code, Text: text, Plays: plays, At: now,
	}
	c.ring(d)
	return map[string]string{"Code": "OK", "Message": "OK", "RequestId": q.id, "CallId": d.CallID}, nil
}

// spoken fills a voice template: every variable given, all together under 250 characters.
func (c *carrier) spoken(v VoiceTemplate, params paramSet) (string, *refusal) {
	t := newSMSTemplate(SMSTemplate{Code: v.Code, Content: v.Content}, time.Time{})
	size := 0
	for _, name := range t.names {
		value, ok := params.get(name)
		if !ok || value == "" {
			return "", business("isv.TEMPLATE_PARAMS_ILLEGAL")
		}
		size += utf8.RuneCountInString(value)
	}
	if size >= 250 {
		return "", business("isv.TEMPLATE_PARAMS_ILLEGAL")
	}
	return t.fill(params), nil
}

// dialled holds the limits per called number; calls that fail count too. The caller holds the mutex.
func (c *carrier) dialled(callee string, now time.Time) *refusal {
	var minute, hour, day int
	to := c.dialsTo[callee]
	for i := len(to) - 1; i >= 0 && now.Sub(to[i].At) < 24*time.Hour; i-- {
		day++
		if sameWindow(to[i].At, now, time.Hour) {
			hour++
		}
		if sameWindow(to[i].At, now, time.Minute) {
			minute++
		}
	}
	l := c.cfg.Limits
	switch {
	case over(minute, l.CallsPerMinute):
		return c.limitRefusal("minute", l.CallsPerMinute)
	case over(hour, l.CallsPerHour):
		return c.limitRefusal("hour", l.CallsPerHour)
	case over(day, l.CallsPerDay):
		return c.limitRefusal("day", l.CallsPerDay)
	}
	return nil
}

// ring keeps the call and pushes its result after the receipts' delay. The caller holds the mutex.
func (c *carrier) ring(d *VoiceCall) {
	p := c.receipts
	p.mu.Lock()
	cfg := p.cfg
	p.mu.Unlock()
	d.Status = cfg.PhoneCodes[d.Callee]
	if d.Status == "" {
		d.Status = "200000"
	}
	c.dials = append(c.dials, d)
	c.dialsTo[d.Callee] = append(c.dialsTo[d.Callee], d)
	c.box.note(entry{Kind: entryDial, At: d.At, Dial: d})
	c.box.watchers.wake(d.Callee)
	if len(cfg.Bases) == 0 {
		return
	}
	body, err := voiceReport(d)
	if err != nil {
		return
	}
	p.add(due{at: time.Now().Add(seconds(cfg.DelaySeconds)), push: &push{path: "voice-report", body: body}})
}

func (c *carrier) putDial(d *VoiceCall) {
	c.mu.Lock()
	defer c.mu.Unlock()
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
func voiceReport(d *VoiceCall) ([]byte, error) {
	heard := "25"
	if d.Status != "200000" && d.Status != "200001" {
		heard = "0"
	}
	at := d.At.In(beijing())
	return json.Marshal([]map[string]string{{
		"call_id": d.CallID, "out_id": d.OutID, "callee": d.Callee, "caller": "", "status_code": d.Status, "status_msg": "",
		"start_time": at.Add(5 * time.Second).Format(wireTime), "end_time": at.Add(30 * time.Second).Format(wireTime),
		"originate_time": at.Format(wireTime), "ring_time": at.Add(2 * time.Second).Format(wireTime), "duration": heard,
		"hangup_direction": "1", "voice_type": "voice", "toll_type": "DM",
	}})
}
