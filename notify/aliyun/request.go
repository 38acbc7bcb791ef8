package aliyun

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/dysmsapi"

	"github.com/lingjuli/lingjuli/notify"
)

const (
	answerWithin    = 10 * time.Second
	answerLimit     = 1 << 20
	timestampLayout = "2006-01-02T15:04:05Z"
)

// newHTTPClient follows nothing and keeps idle connections shorter than the gateway does, which resets them
// after about 10 s. HTTP/1.1 alone: over it "the headers were never written" proves that nothing was sent.
func newHTTPClient() *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Client{
		Timeout:       answerWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			Protocols:              protocols,
			MaxIdleConnsPerHost:    32,
			MaxConnsPerHost:        64,
			IdleConnTimeout:        5 * time.Second,
			TLSHandshakeTimeout:    5 * time.Second,
			ResponseHeaderTimeout:  8 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}
}

// gate is one product's endpoint with an account's key: it signs, carries and asks. Safe for concurrent use.
type gate struct {
	sdk    *sdk.Client // after it was made it is only read: it builds and signs, and carries nothing
	client *http.Client
	scheme string
	domain string
	now    func() time.Time
}

// wire is a signed request as the bytes that go out.
type wire struct {
	method, url string
	header      http.Header
	body        []byte
	signedAt    time.Time
}

// sign lets the SDK fill in domain, nonce, Timestamp and Signature, and keeps the bytes.
func (g *gate) sign(r requests.AcsRequest) (w wire, err error) {
	defer func() {
		if recover() != nil {
			w, err = wire{}, errors.New("aliyun: the SDK panicked while signing")
		}
	}()
	r.SetDomain(g.domain)
	r.SetScheme(g.scheme)
	// The SDK's error may hold the URL, and that phones and names: it isn't wrapped.
	if err := g.sdk.BuildRequestWithSigner(r, nil); err != nil {
		return wire{}, errors.New("aliyun: the SDK could not sign")
	}
	body, err := readAll(r.GetBodyReader(), -1)
	if err != nil {
		return wire{}, errors.New("aliyun: the SDK gave no body")
	}
	signedAt, err := time.Parse(timestampLayout, r.GetQueryParams()["Timestamp"])
	if err != nil {
		return wire{}, errors.New("aliyun: the SDK signed no Timestamp")
	}
	w = wire{method: r.GetMethod(), url: r.BuildUrl(), header: http.Header{}, body: body, signedAt: signedAt}
	for k, v := range r.GetHeaders() {
		w.header.Set(k, v)
	}
	return w, nil
}

// carry writes the bytes once and lets the SDK parse the answer. written is false only where it is certain
// that no request reached the network. The error may hold a URL: it is looked at, never shown.
func (w wire) carry(ctx context.Context, client *http.Client, into responses.AcsResponse) (written bool, err error) {
	var wrote atomic.Bool
	defer func() {
		if p := recover(); p != nil { // on {"Code":502}, for one
			written, err = wrote.Load(), errors.New("aliyun: the SDK panicked on the answer")
		}
	}()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:              func(got httptrace.GotConnInfo) { notify.BeforeFirstByte(ctx, got.Conn) },
		WroteHeaders:         func() { wrote.Store(true) },
		GotFirstResponseByte: func() { wrote.Store(true) },
	})
	r, err := http.NewRequestWithContext(ctx, w.method, w.url, bytes.NewReader(w.body))
	if err != nil {
		return false, err
	}
	r.Header = w.header.Clone()
	answer, err := client.Do(r) //nolint:bodyclose // the SDK closes it in Unmarshal
	if err != nil {
		return wrote.Load(), err
	}
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(answer.Body, answerLimit), answer.Body}
	return true, responses.Unmarshal(into, answer, "JSON")
}

// reply is what every action answers, as far as a send looks at it.
type reply struct{ code, message, requestID, id string }

// request is one signed send.
type request struct {
	wire       wire
	gate       *gate
	repeatable bool
	judge      judgment
	answer     func() (responses.AcsResponse, func() reply) // an empty answer of the action, and how to read it
}

func (r *request) SignedAt() time.Time { return r.wire.signedAt }

func (r *request) Repeatable() bool { return r.repeatable }

// Present sends the bytes and judges the answer.
func (r *request) Present(ctx context.Context) notify.Answer {
	response, read := r.answer()
	written, err := r.wire.carry(ctx, r.gate.client, response)
	var refused *sdkerrors.ServerError
	switch {
	case err == nil:
		got := read()
		answer := r.judge.of(http.StatusOK, got.code, got.message, r.gate.now())
		answer.RequestID = plainID(got.requestID)
		if answer.Outcome == notify.Accepted {
			answer.ID = plainID(got.id)
		}
		return answer
	case errors.As(err, &refused):
		answer := r.judge.of(refused.HttpStatus(), refused.ErrorCode(), refused.Message(), r.gate.now())
		answer.RequestID = plainID(refused.RequestId())
		return answer
	case !written:
		return notify.Answer{
			Outcome: notify.NotSent, Verdict: notify.RetryLater, RetryAfter: retrySoon,
			Message: "nothing was sent: " + plainFault(err),
		}
	}
	return notify.Answer{Outcome: notify.Unknown, Message: "no usable answer: " + plainFault(err)}
}

// smsReply reads what SendSms and SendBatchSms answer in the same shape.
func smsReply() (responses.AcsResponse, func() reply) {
	r := dysmsapi.CreateSendBatchSmsResponse()
	return r, func() reply { return reply{r.Code, r.Message, r.RequestId, r.BizId} }
}

// plainFault names a fault of the network in words that hold no address.
func plainFault(err error) string {
	var dns *net.DNSError
	var network net.Error
	var op *net.OpError
	switch {
	case errors.As(err, &dns):
		return "the platform's name is not found"
	case errors.Is(err, context.Canceled):
		return "we stopped"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "out of time"
	case errors.As(err, &op) && op.Op == "dial":
		return "no connection"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &op):
		return "the connection broke"
	}
	return "unreadable or broken off"
}

// plainID keeps an id of the vendor's only where it looks like one.
func plainID(id string) string {
	if len(id) > 128 {
		return ""
	}
	for _, r := range id {
		if r <= ' ' || r > '~' {
			return ""
		}
	}
	return id
}

// APIError is a refusal, or a missing answer, to a question that sends nothing.
type APIError struct {
	Action    string
	Code      string // the platform's, or empty where it gave none
	RequestID string
	Reason    string // plain words, no secret
}

func (e *APIError) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("aliyun %s: %s", e.Action, e.Reason)
	}
	return fmt.Sprintf("aliyun %s: %s: %s (request %s)", e.Action, e.Code, e.Reason, e.RequestID)
}

// ask signs and carries a question. *APIError where there is no answer to read.
func (g *gate) ask(ctx context.Context, question requests.AcsRequest, answer responses.AcsResponse) error {
	signed, err := g.sign(question)
	if err != nil {
		return err
	}
	_, err = signed.carry(ctx, g.client, answer)
	if err == nil {
		return nil
	}
	action := question.GetActionName()
	var refused *sdkerrors.ServerError
	if errors.As(err, &refused) {
		return g.refusal(action, refused.HttpStatus(), refused.ErrorCode(), refused.RequestId())
	}
	return &APIError{Action: action, Reason: plainFault(err)}
}

func (g *gate) refusal(action string, status int, code, requestID string) *APIError {
	judged := judge(status, code, "", g.now())
	return &APIError{Action: action, Code: judged.Code, RequestID: plainID(requestID), Reason: judged.Message}
}
