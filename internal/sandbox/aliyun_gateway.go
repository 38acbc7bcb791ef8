package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// AliyunConfig is the account at the carrier.
type AliyunConfig struct {
	// AccessKeys by id. Without any, the documentation's own testid/testsecret is taken.
	AccessKeys map[string]string
	// Skew is how far a Timestamp may be off; 15 minutes.
	Skew time.Duration
	// Signs are the approved signatures.
	Signs     []string
	Templates []SMSTemplate
	Voices    []VoiceTemplate
	// ExtendCodes are the extension numbers of its own that the account was granted; most accounts have none.
	ExtendCodes []string
	// Recordings are the approved recorded files.
	Recordings []string
	Limits     Limits
	Receipts   Receipts
}

func (c AliyunConfig) withDefaults() AliyunConfig {
	if len(c.AccessKeys) == 0 {
		c.AccessKeys = map[string]string{"testid": "testsecret"}
	}
	if c.Skew == 0 {
		c.Skew = 15 * time.Minute
	}
	c.Limits = c.Limits.withDefaults()
	c.Receipts = c.Receipts.withDefaults()
	return c
}

// maxRequest is far above what 100 recipients need, and a bound all the same.
const maxRequest = 4 << 20

// carrier is the Aliyun side.
type carrier struct {
	box      *Sandbox
	cfg      AliyunConfig
	texts    codeTexts
	rules    textRules
	nonces   *nonceBook
	receipts *receiptPump
	queues   *mnsQueues

	mu         sync.Mutex
	signs      map[string]SMSSign
	templates  map[string]*smsTemplate
	voices     map[string]VoiceTemplate
	recordings map[string]bool
	outbox     outbox
	granted    map[string]bool   // extension numbers that callers may give
	extends    map[string]string // the signature that an extension number went out with
	dials      []*VoiceCall
	dialsTo    map[string][]*VoiceCall
	replies    []SMSReply
	refusers   map[string]bool // sign + phone that answered R
	refused    map[string]int  // by code
	calls      map[string]int  // answered, by action
}

func newCarrier(s *Sandbox) *carrier {
	c := &carrier{box: s, cfg: s.cfg.Aliyun, texts: loadCodeTexts(), rules: newTextRules(), nonces: newNonceBook(2 * s.cfg.Aliyun.Skew), queues: newMNSQueues()}
	c.receipts = newReceiptPump(c)
	c.clear()
	return c
}

// clear forgets messages, and sets signatures and templates back to those of the configuration.
func (c *carrier) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.signs, c.templates, c.voices = map[string]SMSSign{}, map[string]*smsTemplate{}, map[string]VoiceTemplate{}
	c.outbox = newOutbox()
	c.dials, c.dialsTo, c.replies = nil, map[string][]*VoiceCall{}, nil
	c.refusers, c.refused, c.calls = map[string]bool{}, map[string]int{}, map[string]int{}
	c.granted, c.extends = map[string]bool{}, map[string]string{}
	for _, code := range c.cfg.ExtendCodes {
		c.granted[code] = true
	}
	for _, name := range c.cfg.Signs {
		c.signs[name] = SMSSign{Name: name, Status: Approved}
	}
	for _, t := range c.cfg.Templates {
		c.templates[t.Code] = newSMSTemplate(t, c.box.cfg.Now())
	}
	for _, v := range c.cfg.Voices {
		c.voices[v.Code] = v
	}
	c.recordings = map[string]bool{}
	for _, code := range c.cfg.Recordings {
		c.recordings[code] = true
	}
}

// AliyunHandler is dysmsapi, dyvmsapi, dybaseapi and the queues of MNS in one.
func (s *Sandbox) AliyunHandler() http.Handler { return s.carrier }

// rpcCall is one authenticated request.
type rpcCall struct {
	id      string // RequestId
	host    string
	action  string
	version string
	nonce   string
	values  url.Values // query and form together
}

func (q *rpcCall) get(name string) string { return q.values.Get(name) }

// refusal is an answer that says no. Those with status 200 are business refusals.
type refusal struct {
	status  int
	code    string
	message string
}

// business is a refusal in the body of an HTTP 200.
func business(code string) *refusal { return &refusal{status: http.StatusOK, code: code} }

func gateway(status int, code, message string) *refusal {
	return &refusal{status: status, code: code, message: message}
}

// ServeHTTP takes one call: read, authenticate, draw a fault, act, answer.
func (c *carrier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if queue, ok := strings.CutPrefix(r.URL.Path, "/queues/"); ok {
		c.serveMNS(w, r, strings.TrimSuffix(queue, "/messages"))
		return
	}
	q := &rpcCall{id: c.box.ids.requestID(), host: r.Host}
	if no := c.admit(q, r); no != nil {
		c.refuse(w, q, no)
		return
	}
	fault := c.box.faults.draw(q.action)
	if fault != nil && c.struckBefore(w, r, q, fault) {
		return
	}
	if !c.nonces.spend(q.nonce, c.box.cfg.Now()) {
		c.refuse(w, q, gateway(http.StatusBadRequest, "SignatureNonceUsed", "Specified signature nonce was used already."))
		return
	}
	if fault != nil && fault.Kind == FaultCode {
		c.refuse(w, q, faultRefusal(fault))
		return
	}
	answer, no := c.act(q)
	if fault != nil && fault.accepts() {
		c.box.strike(w, r, fault)
		if fault.Kind != FaultHangAfterAccept {
			return
		}
	}
	if no != nil {
		c.refuse(w, q, no)
		return
	}
	c.count(q.action)
	writeRPC(w, http.StatusOK, q.id, answer)
}

// struckBefore carries out a fault that comes before the call is taken, and says whether that was all.
func (c *carrier) struckBefore(w http.ResponseWriter, r *http.Request, q *rpcCall, fault *Fault) bool {
	if fault.Kind == FaultCode || fault.accepts() {
		return false
	}
	if fault.SpendNonce {
		c.nonces.spend(q.nonce, c.box.cfg.Now())
	}
	c.box.strike(w, r, fault)
	return fault.Kind != FaultLateAccept
}

// faultRefusal gives a code the status it comes with.
func faultRefusal(f *Fault) *refusal {
	status := f.Status
	switch {
	case status != 0:
	case strings.HasPrefix(f.Code, "isv."), strings.HasPrefix(f.Code, "isp."):
		status = http.StatusOK
	case f.Code == "InternalError":
		status = http.StatusInternalServerError
	case f.Code == "ServiceUnavailable":
		status = http.StatusServiceUnavailable
	case strings.HasSuffix(f.Code, ".NotFound"):
		status = http.StatusNotFound
	default:
		status = http.StatusBadRequest
	}
	return &refusal{status: status, code: f.Code, message: f.Message}
}

// strike carries out what a fault does to the connection. A closed connection is an aborted handler.
func (s *Sandbox) strike(w http.ResponseWriter, r *http.Request, f *Fault) {
	switch f.Kind {
	case FaultHTTP, FaultHTTPAfterAccept:
		w.WriteHeader(f.status())
	case FaultEmpty, FaultEmptyAfterAccept:
		w.WriteHeader(http.StatusOK)
	case FaultGarbage, FaultGarbageAfterAccept:
		_, _ = io.WriteString(w, "<html><head><title>200</title></head><body>gateway</body></html>")
	case FaultHangAfterAccept:
		s.wait(r, f.pause())
	case FaultLateAccept:
		s.wait(nil, f.pause())
	case FaultHang:
		s.wait(r, f.pause())
		panic(http.ErrAbortHandler)
	default:
		panic(http.ErrAbortHandler)
	}
}

// wait pauses until the time is over, the caller has left (if r is given) or the sandbox closes.
func (s *Sandbox) wait(r *http.Request, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	var left <-chan struct{}
	if r != nil {
		left = r.Context().Done()
	}
	select {
	case <-timer.C:
	case <-left:
	case <-s.ctx.Done():
	}
}

// admit reads and authenticates a request.
func (c *carrier) admit(q *rpcCall, r *http.Request) *refusal {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return gateway(http.StatusMethodNotAllowed, "UnsupportedHTTPMethod", "This http method is not supported.")
	}
	body, err := readText(r)
	if err != nil {
		return gateway(http.StatusBadRequest, "InvalidParameter", "The request body can not be read.")
	}
	if q.values, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return gateway(http.StatusBadRequest, "InvalidParameter", "The query string is not well formed.")
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		form, err := url.ParseQuery(body)
		if err != nil {
			return gateway(http.StatusBadRequest, "InvalidParameter", "The form is not well formed.")
		}
		for name, values := range form {
			q.values[name] = append(q.values[name], values...)
		}
	}
	if authorization := r.Header.Get("Authorization"); strings.HasPrefix(authorization, acs3Algorithm) {
		return c.admitACS3(q, r, body, authorization)
	}
	return c.admitRPC(q, r.Method)
}

// readText reads a body of at most maxRequest without copying it again.
func readText(r *http.Request) (string, error) {
	var b strings.Builder
	if r.ContentLength > 0 && r.ContentLength <= maxRequest {
		b.Grow(int(r.ContentLength))
	}
	_, err := io.Copy(&b, http.MaxBytesReader(nil, r.Body, maxRequest))
	return b.String(), err
}

// known says whether the gateway has such an action.
func (q *rpcCall) known() *refusal {
	if q.version != "2017-05-25" {
		return gateway(http.StatusBadRequest, "InvalidVersion", "Specified parameter Version is not valid.")
	}
	if actionOf(q.action) == nil {
		return gateway(http.StatusNotFound, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.")
	}
	return nil
}

func missing(name string) *refusal {
	return gateway(http.StatusBadRequest, "Missing"+name, name+" is mandatory for this action.")
}

// action is what a call does; needs are its mandatory parameters.
type action struct {
	needs []string
	run   func(*carrier, *rpcCall) (any, *refusal)
}

func actionOf(name string) *action {
	switch name {
	case "SendSms":
		return &action{[]string{"PhoneNumbers", "SignName", "TemplateCode"}, (*carrier).sendSms}
	case "SendBatchSms":
		return &action{[]string{"PhoneNumberJson", "SignNameJson", "TemplateCode"}, (*carrier).sendBatchSms}
	case "QuerySendDetails":
		return &action{[]string{"PhoneNumber", "SendDate", "PageSize", "CurrentPage"}, (*carrier).querySendDetails}
	case "QuerySendStatistics":
		return &action{[]string{"IsGlobe", "StartDate", "EndDate", "PageIndex", "PageSize"}, (*carrier).querySendStatistics}
	case "GetSmsTemplate":
		return &action{[]string{"TemplateCode"}, (*carrier).getSmsTemplate}
	case "QuerySmsTemplate":
		return &action{[]string{"TemplateCode"}, (*carrier).querySmsTemplate}
	case "QuerySmsTemplateList":
		return &action{nil, (*carrier).querySmsTemplateList}
	case "QuerySmsSign":
		return &action{[]string{"SignName"}, (*carrier).querySmsSign}
	case "GetSmsSign":
		return &action{[]string{"SignName"}, (*carrier).getSmsSign}
	case "QuerySmsSignList":
		return &action{nil, (*carrier).querySmsSignList}
	case "SingleCallByTts":
		return &action{[]string{"CalledNumber", "TtsCode"}, (*carrier).singleCallByTts}
	case "SingleCallByVoice":
		return &action{[]string{"CalledNumber", "VoiceCode"}, (*carrier).singleCallByVoice}
	case "QueryTokenForMnsQueue":
		return &action{[]string{"MessageType", "QueueName"}, (*carrier).queryToken}
	case "QueryCallDetailByCallId":
		return &action{[]string{"CallId", "ProdId", "QueryDate"}, (*carrier).queryCallDetail}
	}
	return nil
}

func (c *carrier) act(q *rpcCall) (any, *refusal) {
	a := actionOf(q.action)
	for _, name := range a.needs {
		if q.get(name) == "" {
			return nil, missing(name)
		}
	}
	return a.run(c, q)
}

func (c *carrier) count(action string) {
	c.mu.Lock()
	c.calls[action]++
	c.mu.Unlock()
}

// refuse writes a refusal in the shape of its kind.
func (c *carrier) refuse(w http.ResponseWriter, q *rpcCall, no *refusal) {
	c.mu.Lock()
	c.refused[no.code]++
	c.mu.Unlock()
	if no.message == "" {
		no.message = c.texts.message(no.code)
	}
	if no.status == http.StatusOK {
		writeRPC(w, no.status, q.id, map[string]string{"Code": no.code, "Message": no.message, "RequestId": q.id})
		return
	}
	writeRPC(w, no.status, q.id, map[string]string{
		"Code": no.code, "Message": no.message, "RequestId": q.id, "HostId": q.host,
		"Recommend": "https://api.aliyun.com/troubleshoot?q=" + url.QueryEscape(no.code) + "&product=Dysmsapi",
	})
}

func writeRPC(w http.ResponseWriter, status int, id string, body any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		status = http.StatusInternalServerError
	}
	out := bytes.TrimRight(b.Bytes(), "\n")
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(out)))
	w.Header().Set("x-acs-request-id", id)
	w.WriteHeader(status)
	_, _ = w.Write(out)
}
