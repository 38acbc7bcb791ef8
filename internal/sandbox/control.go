package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
)

// ControlHandler is the control door: JSON below /sandbox/, for loopback alone.
//
//	GET  /sandbox/stats                         Stats
//	GET  /sandbox/sms?phone=&out_id=&template=&offset=&limit=   {"total","messages":[SMSMessage]}
//	GET  /sandbox/sms/counts?least=2            {"138…":2}
//	GET  /sandbox/voice?phone=                  [VoiceCall]
//	GET  /sandbox/wechat/chat?openid=           [ChatMessage]
//	GET  /sandbox/wechat/counts                 {"o…":1}
//	GET, PUT /sandbox/faults                    [Fault]
//	PUT  /sandbox/receipts                      Receipts
//	POST /sandbox/sms/templates, /sms/signs, /voice/templates, /wechat/notices   one object or a list
//	POST /sandbox/voice/recordings              "FILE" or a list
//	POST /sandbox/voice/answer                  {"call_id","answer":"hear_out"|"hang_up"|"leave_it"}: of a call that rings
//	POST /sandbox/sms/reply                     {"phone","content"}
//	POST /sandbox/wechat/followers              {"add":["o…"],"remove":["o…"]}
//	POST /sandbox/wechat/consents               {"openid","template","always","left"} or a list
//	POST /sandbox/wechat/say                    {"openid","text"}: as typed on the phone; answers the reply
//	POST /sandbox/wechat/callback               {"url"}
//	POST /sandbox/wechat/tokens/expire          {"kill":false}
//	POST /sandbox/reset
func (s *Sandbox) ControlHandler() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range map[string]controlFunc{
		"GET /sandbox/stats":                 s.controlStats,
		"GET /sandbox/sms":                   s.controlMessages,
		"GET /sandbox/sms/counts":            s.controlCounts,
		"GET /sandbox/voice":                 s.controlCalls,
		"GET /sandbox/wechat/chat":           s.controlChat,
		"GET /sandbox/wechat/counts":         s.controlWeChatCounts,
		"GET /sandbox/faults":                s.controlFaults,
		"PUT /sandbox/faults":                s.controlSetFaults,
		"PUT /sandbox/receipts":              s.controlReceipts,
		"POST /sandbox/sms/templates":        eachOf(s.AddTemplate),
		"POST /sandbox/sms/signs":            eachOf(func(v SMSSign) error { s.AddSign(v); return nil }),
		"POST /sandbox/voice/templates":      eachOf(func(v VoiceTemplate) error { s.AddVoice(v); return nil }),
		"POST /sandbox/voice/recordings":     eachOf(func(code string) error { s.AddRecording(code); return nil }),
		"POST /sandbox/voice/answer":         s.controlAnswer,
		"POST /sandbox/wechat/notices":       eachOf(func(v NoticeTemplate) error { s.AddNotice(v); return nil }),
		"POST /sandbox/sms/reply":            s.controlReply,
		"POST /sandbox/wechat/followers":     s.controlFollowers,
		"POST /sandbox/wechat/consents":      eachOf(s.controlConsent),
		"POST /sandbox/wechat/say":           s.controlSay,
		"POST /sandbox/wechat/callback":      s.controlCallback,
		"POST /sandbox/wechat/tokens/expire": s.controlExpire,
		"POST /sandbox/reset":                func(*http.Request) (any, error) { return nil, s.Reset() },
	} {
		mux.Handle(pattern, h)
	}
	return loopbackOnly(mux)
}

// loopbackOnly refuses callers from elsewhere, names that only lead here (a rebound DNS name in a browser), and pages
// of another origin.
func loopbackOnly(next http.Handler) http.Handler {
	checked := http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(r.RemoteAddr) || !isLoopback(r.Host) {
			http.Error(w, errNotLoopback.Error(), http.StatusForbidden)
			return
		}
		checked.ServeHTTP(w, r)
	})
}

func isLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	host = strings.Trim(host, "[]")
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// controlFunc answers a value as JSON, or an error as 400 with its text.
type controlFunc func(*http.Request) (any, error)

func (h controlFunc) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<20)
	out, err := h(r)
	status := http.StatusOK
	if err != nil {
		status, out = http.StatusBadRequest, map[string]string{"error": err.Error()}
	} else if out == nil {
		out = map[string]bool{"ok": true}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(out)
}

func decode(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	return nil
}

// eachOf takes one object or a list of them.
func eachOf[T any](fn func(T) error) controlFunc {
	return func(r *http.Request) (any, error) {
		var raw json.RawMessage
		if err := decode(r, &raw); err != nil {
			return nil, err
		}
		list := make([]T, 1)
		var err error
		if strings.HasPrefix(strings.TrimSpace(string(raw)), "[") {
			err = json.Unmarshal(raw, &list)
		} else {
			err = json.Unmarshal(raw, &list[0])
		}
		if err != nil {
			return nil, fmt.Errorf("read the request: %w", err)
		}
		for _, v := range list {
			err = errors.Join(err, fn(v))
		}
		return nil, err
	}
}

func (s *Sandbox) controlStats(*http.Request) (any, error) { return s.Stats(), nil }

func (s *Sandbox) controlMessages(r *http.Request) (any, error) {
	q := r.URL.Query()
	phone, outID, template := q.Get("phone"), q.Get("out_id"), q.Get("template")
	offset, limit := number(q.Get("offset")), number(q.Get("limit"))
	if limit < 1 {
		limit = 1000
	}
	total := 0
	page := []SMSMessage{}
	take := func(m SMSMessage) bool {
		if (outID == "" || m.OutID == outID) && (template == "" || m.Template == template) {
			if total >= offset && len(page) < limit {
				page = append(page, m)
			}
			total++
		}
		return true
	}
	if phone == "" {
		s.AllMessages(take)
	} else {
		for _, m := range s.Messages(phone) {
			take(m)
		}
	}
	return map[string]any{"total": total, "messages": page}, nil
}

func (s *Sandbox) controlCounts(r *http.Request) (any, error) {
	return s.Counts(number(r.URL.Query().Get("least"))), nil
}

func (s *Sandbox) controlCalls(r *http.Request) (any, error) {
	return append([]VoiceCall{}, s.Calls(r.URL.Query().Get("phone"))...), nil
}

func (s *Sandbox) controlChat(r *http.Request) (any, error) {
	return append([]ChatMessage{}, s.Chat(r.URL.Query().Get("openid"))...), nil
}

func (s *Sandbox) controlWeChatCounts(*http.Request) (any, error) { return s.WeChatCounts(), nil }

func (s *Sandbox) controlFaults(*http.Request) (any, error) {
	list, _ := s.faults.state()
	return list, nil
}

func (s *Sandbox) controlSetFaults(r *http.Request) (any, error) {
	var list []Fault
	if err := decode(r, &list); err != nil {
		return nil, err
	}
	return nil, s.SetFaults(list...)
}

func (s *Sandbox) controlReceipts(r *http.Request) (any, error) {
	var in Receipts
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	s.SetReceipts(in)
	return nil, nil
}

func (s *Sandbox) controlReply(r *http.Request) (any, error) {
	var in struct {
		Phone, Content string
		BizID          string `json:"biz_id"` // the text that is answered; empty: the newest
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	return nil, s.AnswerSMS(in.Phone, in.BizID, in.Content)
}

func (s *Sandbox) controlAnswer(r *http.Request) (any, error) {
	var in struct {
		CallID string `json:"call_id"`
		Answer Answer `json:"answer"`
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	return nil, s.TakeCall(in.CallID, in.Answer)
}

func (s *Sandbox) controlFollowers(r *http.Request) (any, error) {
	var in struct{ Add, Remove []string }
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	s.AddFollower(in.Add...)
	for _, id := range in.Remove {
		s.RemoveFollower(id)
	}
	return nil, nil
}

// consentInput is a consent as the control door takes it.
type consentInput struct {
	OpenID   string `json:"openid"`
	Template string `json:"template"`
	Always   bool   `json:"always"`
	Left     int    `json:"left"`
}

func (s *Sandbox) controlConsent(in consentInput) error {
	s.SetConsent(in.OpenID, in.Template, in.Always, in.Left)
	return nil
}

func (s *Sandbox) controlSay(r *http.Request) (any, error) {
	var in struct{ OpenID, Text string }
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	return s.Say(r.Context(), in.OpenID, in.Text)
}

func (s *Sandbox) controlCallback(r *http.Request) (any, error) {
	var in struct{ URL string }
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	s.SetCallback(in.URL)
	return nil, nil
}

func (s *Sandbox) controlExpire(r *http.Request) (any, error) {
	var in struct{ Kill bool }
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	s.ExpireTokens(in.Kill)
	return nil, nil
}
