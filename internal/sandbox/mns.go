package sandbox

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// queueKinds are the queues of an account, by the path to which the same would be pushed.
func queueKinds() map[string]string {
	return map[string]string{"sms-report": "SmsReport", "sms-up": "SmsUp", "voice-report": "VoiceReport"}
}

// mnsLook is how often a waiting receiver looks for messages that come back.
const mnsLook = 100 * time.Millisecond

// mnsQueues are the message queues from which a program may pull its receipts. Its clock is the real one.
type mnsQueues struct {
	mu     sync.Mutex
	byKind map[string][]*mnsMessage
	tokens map[string]mnsToken // by access key id
	wake   chan struct{}       // closed and made anew when a message comes
	given  int
}

type mnsToken struct {
	secret, security, queue string
	until                   time.Time
}

type mnsMessage struct {
	id, handle string
	body, sum  string // base64 of the item, MD5 of the item itself
	at, first  time.Time
	visible    time.Time
	count      int
}

func newMNSQueues() *mnsQueues {
	return &mnsQueues{byKind: map[string][]*mnsMessage{}, tokens: map[string]mnsToken{}, wake: make(chan struct{})}
}

// put queues the items of a push, each as a message of its own.
func (m *mnsQueues) put(ids *idSource, path string, body []byte) {
	var items []json.RawMessage
	if json.Unmarshal(body, &items) != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	kind := queueKinds()[path]
	for _, item := range items {
		sum := md5.Sum(item)
		m.byKind[kind] = append(m.byKind[kind], &mnsMessage{
			id: hex.EncodeToString(ids.bytes(16)), body: base64.StdEncoding.EncodeToString(item),
			sum: strings.ToUpper(hex.EncodeToString(sum[:])), at: time.Now(),
		})
	}
	close(m.wake)
	m.wake = make(chan struct{})
}

// waiting counts messages that were not deleted.
func (m *mnsQueues) waiting() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, list := range m.byKind {
		n += len(list)
	}
	return n
}

// kindOf is the kind of a queue by its name, Alicom-Queue-UID-SmsReport.
func kindOfQueue(name string) (string, bool) {
	found := regexp.MustCompile(`^Alicom-Queue-\d+-([A-Za-z]+)$`).FindStringSubmatch(name)
	if found == nil {
		return "", false
	}
	for _, kind := range queueKinds() {
		if kind == found[1] {
			return kind, true
		}
	}
	return "", false
}

// queryToken is dybaseapi's QueryTokenForMnsQueue: a key for one queue, for an hour.
func (c *carrier) queryToken(q *rpcCall) (any, *refusal) {
	kind, ok := kindOfQueue(q.get("QueueName"))
	if !ok || kind != q.get("MessageType") {
		return nil, business("isv.INVALID_PARAMETERS")
	}
	now, key := time.Now(), "STS."+hex.EncodeToString(c.box.ids.bytes(10))
	token := mnsToken{
		secret: hex.EncodeToString(c.box.ids.bytes(20)), security: base64.StdEncoding.EncodeToString(c.box.ids.bytes(60)),
		queue: q.get("QueueName"), until: now.Add(seconds(c.receipts.settings().QueueTokenSeconds)),
	}
	c.queues.mu.Lock()
	c.queues.tokens[key] = token
	c.queues.mu.Unlock()
	return map[string]any{
		"Code": "OK", "Message": "OK", "RequestId": q.id,
		"MessageTokenDTO": map[string]string{
			"AccessKeyId": key, "AccessKeySecret": token.secret, "SecurityToken": token.security,
			"CreateTime": now.In(beijing()).Format(wireTime), "ExpireTime": token.until.In(beijing()).Format(wireTime),
		},
	}, nil
}

// mnsRefusal is an error answer of the queue service.
type mnsRefusal struct {
	XMLName   xml.Name `xml:"http://mns.aliyuncs.com/doc/v1/ Error"`
	Code      string
	Message   string
	RequestID string `xml:"RequestId"`
	HostID    string `xml:"HostId"`
	status    int
}

func mnsNo(status int, code, message string) *mnsRefusal {
	return &mnsRefusal{status: status, Code: code, Message: message}
}

// serveMNS is MNSACCOUNT.mns.REGION.aliyuncs.com: GET takes messages of a queue, DELETE removes them.
func (c *carrier) serveMNS(w http.ResponseWriter, r *http.Request, queue string) {
	w.Header().Set("Content-Type", "text/xml;charset=utf-8")
	w.Header().Set("x-mns-version", "2015-06-06")
	no := c.admitMNS(r, queue)
	if no == nil {
		switch r.Method {
		case http.MethodGet:
			no = c.receiveMNS(w, r, queue)
		case http.MethodDelete:
			no = c.deleteMNS(w, r, queue)
		default:
			no = mnsNo(http.StatusMethodNotAllowed, "InvalidArgument", "the method is not supported")
		}
	}
	if no == nil {
		return
	}
	no.RequestID, no.HostID = c.box.ids.requestID(), "http://"+r.Host
	w.WriteHeader(no.status)
	writeXML(w, no)
}

func writeXML(w io.Writer, v any) {
	_, _ = io.WriteString(w, xml.Header)
	_ = xml.NewEncoder(w).Encode(v) // where it fails, nobody reads any more
}

// admitMNS checks token and signature: HMAC-SHA1 over method, Content-MD5, Content-Type, Date, the x-mns- headers and the
// resource.
func (c *carrier) admitMNS(r *http.Request, queue string) *mnsRefusal {
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	key, signature, ok := strings.Cut(rest, ":")
	if scheme != "MNS" || !ok {
		return mnsNo(http.StatusBadRequest, "MissingAuthorizationHeader", "Authorization header is required.")
	}
	c.queues.mu.Lock()
	token, known := c.queues.tokens[key]
	c.queues.mu.Unlock()
	switch {
	case !known:
		return mnsNo(http.StatusForbidden, "AccessIDAuthError", "AccessID authentication fail, please check your AccessID and retry.")
	case time.Now().After(token.until):
		return mnsNo(http.StatusForbidden, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired.")
	case subtle.ConstantTimeCompare([]byte(token.security), []byte(r.Header.Get("security-token"))) != 1:
		return mnsNo(http.StatusForbidden, "InvalidSecurityToken", "The specified security token is invalid.")
	case token.queue != queue:
		return mnsNo(http.StatusForbidden, "AccessDenied", "The OwnerId that your Access Key Id associated to is forbidden for this operation.")
	}
	at, err := http.ParseTime(r.Header.Get("Date"))
	if err != nil || time.Since(at).Abs() > 15*time.Minute {
		return mnsNo(http.StatusRequestTimeout, "TimeExpired", "The http request you sent is expired.")
	}
	mac := hmac.New(sha1.New, []byte(token.secret))
	_, _ = io.WriteString(mac, mnsStringToSign(r))
	if subtle.ConstantTimeCompare([]byte(base64.StdEncoding.EncodeToString(mac.Sum(nil))), []byte(signature)) != 1 {
		return mnsNo(http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
	}
	return nil
}

func mnsStringToSign(r *http.Request) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n")
	for _, name := range []string{"Content-MD5", "Content-Type", "Date"} {
		if value := r.Header.Get(name); value != "" {
			b.WriteString(value + "\n")
		}
	}
	var names []string
	for name := range r.Header {
		if low := strings.ToLower(name); strings.HasPrefix(low, "x-mns-") {
			names = append(names, low)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		b.WriteString(name + ":" + r.Header.Get(name) + "\n")
	}
	b.WriteString(r.URL.RequestURI())
	return b.String()
}

type mnsAnswer struct {
	XMLName  xml.Name `xml:"http://mns.aliyuncs.com/doc/v1/ Messages"`
	Messages []mnsItem
}

type mnsItem struct {
	XMLName          xml.Name `xml:"Message"`
	MessageID        string   `xml:"MessageId"`
	ReceiptHandle    string
	MessageBodyMD5   string
	MessageBody      string
	EnqueueTime      int64
	NextVisibleTime  int64
	FirstDequeueTime int64
	DequeueCount     int
	Priority         int
}

// receiveMNS gives up to 16 messages, and waits up to 30 s for the first.
func (c *carrier) receiveMNS(w http.ResponseWriter, r *http.Request, queue string) *mnsRefusal {
	kind, ok := kindOfQueue(queue)
	if !ok {
		return mnsNo(http.StatusNotFound, "QueueNotExist", "The queue name you provided is not exist.")
	}
	n, wait := number(r.URL.Query().Get("numOfMessages")), number(r.URL.Query().Get("waitseconds"))
	if n < 1 || n > 16 || wait < 0 || wait > 30 {
		return mnsNo(http.StatusBadRequest, "InvalidArgument", "The value of numOfMessages or waitseconds is out of range.")
	}
	over := time.NewTimer(time.Duration(wait) * time.Second)
	defer over.Stop()
	back := time.NewTicker(mnsLook) // hidden messages come back without a word
	defer back.Stop()
	for {
		items, wake := c.queues.take(c.box.ids, kind, n, seconds(c.receipts.settings().QueueHiddenSeconds))
		if len(items) > 0 {
			writeXML(w, mnsAnswer{Messages: items})
			return nil
		}
		select {
		case <-wake:
		case <-back.C:
		case <-over.C:
			return mnsNo(http.StatusNotFound, "MessageNotExist", "Message not exist.")
		case <-r.Context().Done():
			return nil
		case <-c.box.ctx.Done():
			return mnsNo(http.StatusServiceUnavailable, "InternalError", "Internal error.")
		}
	}
}

// take gives visible messages out and hides them, or says when to look again.
func (m *mnsQueues) take(ids *idSource, kind string, n int, hidden time.Duration) ([]mnsItem, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	var items []mnsItem
	for _, x := range m.byKind[kind] {
		if len(items) == n || x.visible.After(now) {
			continue
		}
		if x.count == 0 {
			x.first = now
		}
		x.count++
		x.handle, x.visible = "1-"+strconv.FormatUint(ids.number(), 36), now.Add(hidden)
		m.given++
		items = append(items, mnsItem{
			MessageID: x.id, ReceiptHandle: x.handle, MessageBodyMD5: x.sum, MessageBody: x.body,
			EnqueueTime: x.at.UnixMilli(), NextVisibleTime: x.visible.UnixMilli(), FirstDequeueTime: x.first.UnixMilli(), DequeueCount: x.count, Priority: 8,
		})
	}
	return items, m.wake
}

// deleteMNS removes messages by the handles that came with them. A handle is good until its message is given out again.
func (c *carrier) deleteMNS(w http.ResponseWriter, r *http.Request, queue string) *mnsRefusal {
	var in struct {
		Handles []string `xml:"ReceiptHandle"`
	}
	body, err := readText(r)
	if err != nil || xml.Unmarshal([]byte(body), &in) != nil || len(in.Handles) == 0 || len(in.Handles) > 16 {
		return mnsNo(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed.")
	}
	kind, _ := kindOfQueue(queue)
	m := c.queues
	m.mu.Lock()
	before := len(m.byKind[kind])
	m.byKind[kind] = slices.DeleteFunc(m.byKind[kind], func(x *mnsMessage) bool { return slices.Contains(in.Handles, x.handle) })
	gone := before - len(m.byKind[kind])
	m.mu.Unlock()
	if gone < len(in.Handles) {
		return mnsNo(http.StatusNotFound, "ReceiptHandleError", "The receipt handle you provided is not valid.")
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
