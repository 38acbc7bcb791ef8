package sandbox

import (
	"strings"
	"time"
	"unicode/utf8"
)

// VoiceTemplate is a text that is read out. Refused and Pending stand for a review that failed or isn't over.
type VoiceTemplate struct {
	Code    string `json:"code"`
	Content string `json:"content"`
	Refused bool   `json:"refused,omitempty"`
	Pending bool   `json:"pending,omitempty"`
}

// AddVoice registers a voice template.
func (s *Sandbox) AddVoice(v VoiceTemplate) {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	s.carrier.voices[v.Code] = v
}

// AddRecording registers an approved recorded file.
func (s *Sandbox) AddRecording(code string) {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	s.carrier.recordings[code] = true
}

// callee reads a number that can be called: a mobile, or a landline with its area code.
func callee(text string) (string, bool) {
	if phone, ok := mobile(text); ok {
		return phoneText(phone), true
	}
	landline := len(text) >= 10 && len(text) <= 12 && text[0] == '0' && text[1] != '0' && strings.Trim(text, "0123456789") == ""
	return text, landline
}

func (c *carrier) singleCallByTts(q *rpcCall) (any, *refusal) {
	params, ok := parseParams(q.get("TtsParam"))
	if !ok {
		return nil, business("isv.INVALID_PARAMETERS")
	}
	return c.telephone(q, func(d *VoiceCall) *refusal {
		template, ok := c.voices[q.get("TtsCode")]
		if !ok || template.Refused || template.Pending {
			return business("isv.TTS_TEMPLATE_ILLEGAL")
		}
		var no *refusal
		d.Code = template.Code
		d.Text, no = c.spoken(template, params)
		return no
	})
}

func (c *carrier) singleCallByVoice(q *rpcCall) (any, *refusal) {
	return c.telephone(q, func(d *VoiceCall) *refusal {
		if !c.recordings[q.get("VoiceCode")] {
			return business("isv.TEMPLATE_ILLEGAL")
		}
		d.Recording = q.get("VoiceCode")
		return nil
	})
}

// telephone takes a call, or refuses it. fill says what is played; it runs under the mutex.
func (c *carrier) telephone(q *rpcCall, fill func(*VoiceCall) *refusal) (any, *refusal) {
	to, ok := callee(q.get("CalledNumber"))
	if !ok {
		return nil, business("isv.MOBILE_NUMBER_ILLEGAL")
	}
	if fault := c.box.faults.refused(q.action, to); fault != nil {
		return nil, memberRefusal(fault)
	}
	d := &VoiceCall{OutID: q.get("OutId"), Callee: to, Show: q.get("CalledShowNumber"), Plays: 3, Speed: number(q.get("Speed"))}
	if q.get("PlayTimes") != "" {
		d.Plays = number(q.get("PlayTimes"))
	}
	volume := q.get("Volume")
	if len(d.OutID) > 15 || d.Plays < 1 || d.Plays > 3 || d.Speed < -500 || d.Speed > 500 || volume != "" && (number(volume) < 0 || number(volume) > 100) {
		return nil, business("isv.INVALID_PARAMETERS")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if no := fill(d); no != nil {
		return nil, no
	}
	d.At = c.box.cfg.Now()
	if no := c.dialled(d.Callee, d.At); no != nil {
		return nil, no
	}
	d.CallID = c.box.ids.callID()
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

// queryCallDetail tells of one call by its CallId.
func (c *carrier) queryCallDetail(q *rpcCall) (any, *refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.dials {
		if d.CallID == q.get("CallId") {
			data, err := voiceReport(*d)
			if err != nil {
				return nil, business("isp.SYSTEM_ERROR")
			}
			return map[string]string{"Code": "OK", "Message": "OK", "RequestId": q.id, "Data": strings.Trim(string(data), "[]")}, nil
		}
	}
	return nil, business("isv.INVALID_PARAMETERS")
}
