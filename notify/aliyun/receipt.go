package aliyun

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// errUnreadable: the push is no JSON array, so nothing in it can be kept.
var errUnreadable = errors.New("aliyun: push is not a JSON array")

// Longest values that are believed; the vendor's own are far shorter.
const (
	codeLimit    = 64
	contentLimit = 4000
)

// DecodeReports reads an SmsReport push (help.aliyun.com 101867). It takes strings for numbers and the other
// way round; bad counts the items that say neither whom nor what they are about. A single object, as a queue
// holds it, is read as an array of one.
func DecodeReports(body []byte) (good []notify.Report, bad int, err error) {
	read := times{}
	return decode(body, (*smsReport).field, func(in smsReport, item []byte) (notify.Report, bool) { return in.report(item, read) })
}

// DecodeVoiceReports reads a VoiceReport push (help.aliyun.com 112804). Heard to the end, or long enough, is delivered.
// Items that only say how far a call has come are left out.
func DecodeVoiceReports(body []byte) (good []notify.Report, bad int, err error) {
	type voiceReport struct {
		Callee   loose `json:"callee"`
		Status   loose `json:"status_code"`
		CallID   loose `json:"call_id"`
		OutID    loose `json:"out_id"`
		Ended    loose `json:"end_time"`
		Begun    loose `json:"start_time"`
		Duration loose `json:"duration"`
	}
	all, bad, err := decode(body, nil, func(in voiceReport, item []byte) (notify.Report, bool) {
		r := notify.Report{
			Channel: notify.Voice, OutID: string(in.OutID), Phone: phoneOf(in.Callee), ErrCode: string(in.Status),
			BizID: string(in.CallID), At: timeOf(in.Ended, in.Begun), Raw: item,
		}
		r.CallEnd, r.Delivered = callEnd(r.ErrCode, string(in.Duration))
		return r, r.ErrCode != "" && reportIsSound(r)
	})
	for _, r := range all {
		switch r.ErrCode {
		case "200100", "200101", "200102", "200201": // ended, calling, answered, ringing
		default:
			good = append(good, r)
		}
	}
	return good, bad, err
}

// heardEnough is how many seconds somebody has heard who hung up before the end, and knows what it was about.
const heardEnough = 10

// callEnd says how a call ended, by its status code (help.aliyun.com 55085). One that is not listed is tried again.
func callEnd(status, duration string) (end notify.CallEnd, heard bool) {
	switch status {
	case "200000":
		return "", true
	case "200001":
		if seconds, err := strconv.ParseFloat(duration, 64); err == nil && seconds >= heardEnough {
			return notify.PickedUp, true
		}
		return notify.HungUp, false
	case "200004", "200011":
		return notify.NoNumber, false
	case "200104", "200105", "200118", "200119", "200121":
		return notify.HeldBack, false
	}
	return notify.NotAnswered, false
}

// DecodeReplies reads an SmsUp push (help.aliyun.com 101847).
func DecodeReplies(body []byte) (good []notify.ReplySMS, bad int, err error) {
	type smsUp struct {
		Phone    loose `json:"phone_number"`
		Content  loose `json:"content"`
		Sent     loose `json:"send_time"`
		Dest     loose `json:"dest_code"`
		Sequence loose `json:"sequence_id"`
	}
	return decode(body, nil, func(in smsUp, item []byte) (notify.ReplySMS, bool) {
		r := notify.ReplySMS{
			Phone: phoneOf(in.Phone), Content: string(in.Content), DestCode: string(in.Dest),
			SequenceID: string(in.Sequence), At: timeOf(in.Sent), Raw: item,
		}
		sound := r.Phone != "" && len(r.Content) <= contentLimit && storable(r.Content, r.DestCode, r.SequenceID)
		return r, sound && len(r.DestCode) <= codeLimit && len(r.SequenceID) <= codeLimit
	})
}

// smsReport is an item of an SmsReport push.
type smsReport struct {
	Phone    loose `json:"phone_number"`
	Success  loose `json:"success"`
	ErrCode  loose `json:"err_code"`
	BizID    loose `json:"biz_id"`
	OutID    loose `json:"out_id"`
	Reported loose `json:"report_time"`
	Sent     loose `json:"send_time"`
	Size     loose `json:"sms_size"`
}

func (in *smsReport) field(name string) *loose {
	switch name {
	case "phone_number":
		return &in.Phone
	case "success":
		return &in.Success
	case "err_code":
		return &in.ErrCode
	case "biz_id":
		return &in.BizID
	case "out_id":
		return &in.OutID
	case "report_time":
		return &in.Reported
	case "send_time":
		return &in.Sent
	case "sms_size":
		return &in.Size
	}
	return nil
}

// report says what an item means; false where it says neither whom nor what it is about.
func (in smsReport) report(item []byte, read times) (notify.Report, bool) {
	r := notify.Report{
		SentAt: read.of(in.Sent), Segments: sizeOf(in.Size),
		Channel: notify.SMS, OutID: string(in.OutID), Phone: phoneOf(in.Phone), ErrCode: string(in.ErrCode),
		BizID: string(in.BizID), At: read.of(in.Reported), Raw: item,
	}
	if r.At.IsZero() {
		r.At = r.SentAt
	}
	switch strings.ToLower(string(in.Success)) {
	case "true", "1":
		r.Delivered = true
	case "false", "0":
	case "":
		r.Delivered = r.ErrCode == "DELIVERED"
	default:
		return r, false
	}
	if in.Success == "" && in.ErrCode == "" {
		return r, false
	}
	if r.ErrCode == "REQUEST_SUCCESS" { // taken by the carrier, which never said what became of it
		r.Delivered, r.Unclear = false, true
	}
	return r, reportIsSound(r)
}

// decode reads items one by one. field says where a value belongs, for pushes that come in their thousands: see plainItems.
func decode[I, T any](body []byte, field func(*I, string) *loose, one func(in I, item []byte) (T, bool)) (good []T, bad int, err error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	if field != nil {
		if items, ends, ok := plainItems(string(body), field); ok {
			good = make([]T, 0, len(items))
			for i, in := range items {
				if v, ok := one(in, body[ends[i][0]:ends[i][1]]); ok {
					good = append(good, v)
				}
			}
			return good, len(items) - len(good), nil
		}
	}
	var items []json.RawMessage
	if len(body) > 0 && body[0] == '{' && json.Valid(body) {
		items = []json.RawMessage{body}
	} else if json.Unmarshal(body, &items) != nil || items == nil {
		return nil, 0, errUnreadable
	}
	good = make([]T, 0, len(items))
	for _, item := range items {
		var in I
		if json.Unmarshal(item, &in) == nil {
			if v, ok := one(in, item); ok {
				good = append(good, v)
			}
		}
	}
	return good, len(items) - len(good), nil
}

// loose takes a string, a number, a yes or no, or nothing, as the vendor's examples do at different times.
type loose string

func (l *loose) UnmarshalJSON(b []byte) error {
	switch {
	case len(b) == 0 || b[0] == '{' || b[0] == '[':
		return errors.New("aliyun: not a plain value")
	case b[0] == '"':
		var s string
		err := json.Unmarshal(b, &s)
		*l = loose(strings.TrimSpace(s))
		return err
	case string(b) == "null":
		*l = ""
	default:
		*l = loose(b)
	}
	return nil
}

func reportIsSound(r notify.Report) bool {
	return r.Phone != "" && len(r.OutID) <= outIDLimit && len(r.ErrCode) <= codeLimit && len(r.BizID) <= 2*codeLimit &&
		storable(r.OutID, r.ErrCode, r.BizID)
}

// storable refuses what a database's text can't hold.
func storable(values ...string) bool {
	for _, v := range values {
		if strings.ContainsRune(v, 0) {
			return false
		}
	}
	return true
}

// phoneOf gives the digits of a number as we keep it, or nothing.
func phoneOf(raw loose) register.Phone {
	s := string(raw)
	for _, prefix := range []string{"+86", "0086", "86"} {
		if rest, ok := strings.CutPrefix(s, prefix); ok && mobile(rest) {
			return register.Phone(rest)
		}
	}
	if !digits(s) || len(s) < 5 || len(s) > 15 {
		return ""
	}
	return register.Phone(s)
}

// sizeOf reads a number of segments. Old descriptions number them: "1,2,3" are three.
func sizeOf(raw loose) int {
	last := string(raw)
	if at := strings.LastIndexByte(last, ','); at >= 0 {
		last = last[at+1:]
	}
	n, err := strconv.Atoi(last)
	if err != nil || n < 1 || n > segmentsMost {
		return 0
	}
	return n
}

// segmentsMost is far above what a text of 500 characters has.
const segmentsMost = 100

// times are those of one push that were read: most of its items have the same.
type times map[loose]time.Time

func (t times) of(raw loose) time.Time {
	at, ok := t[raw]
	if !ok {
		at = timeOf(raw)
		t[raw] = at
	}
	return at
}

// timeOf reads the first time that can be read. The vendor writes its own zone's without saying so.
func timeOf(raw ...loose) time.Time {
	for _, r := range raw {
		for _, layout := range []string{time.DateTime, "20060102150405"} {
			if t, err := time.Parse(layout, string(r)); err == nil {
				return t.Add(-vendorAhead)
			}
		}
		if t, err := time.Parse(time.RFC3339, string(r)); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
