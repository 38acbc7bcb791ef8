package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/lingjuli/lingjuli/notify"
)

// DefaultAPIBase is where WeChat's API lives.
const DefaultAPIBase = "https://api.weixin.qq.com"

const (
	callTimeout = 8 * time.Second
	maxAnswer   = 1 << 20
	connsKept   = 256 // a worker has up to 240 messages under way; a connection that isn't kept costs a handshake
)

// ClientOptions is what a Client works with. APIBase, Redis, HTTP, Log, Metrics and Now may be left out.
type ClientOptions struct {
	APIBase string
	AppID   string
	Secret  string
	Redis   Redis        // shares the token between processes; nil: this process keeps its own
	HTTP    *http.Client // nil: one of our own, with timeouts and without redirects
	Log     *slog.Logger
	Metrics prometheus.Registerer
	Now     func() time.Time
}

// Client calls WeChat's API. Every error of it is an *APIError, a *TransportError or the caller's own mistake,
// and none holds a token, a secret or an openid.
type Client struct {
	wire   *wire
	tokens *TokenSource
	ticket *shared // of the JS-SDK
	log    *slog.Logger
	now    func() time.Time
}

// NewClient checks the settings; its errors name the variable to mend.
func NewClient(o ClientOptions) (*Client, error) {
	if o.AppID == "" {
		return nil, errors.New("LINGJULI_WECHAT_APP_ID is missing")
	}
	if o.Secret == "" {
		return nil, errors.New("LINGJULI_WECHAT_APP_SECRET is missing")
	}
	if o.APIBase == "" {
		o.APIBase = DefaultAPIBase
	}
	base, err := url.Parse(o.APIBase)
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" || base.RawQuery != "" {
		return nil, errors.New("LINGJULI_WECHAT_API_BASE is no http(s) address")
	}
	if o.HTTP == nil {
		o.HTTP = newHTTPClient()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	w := &wire{base: strings.TrimSuffix(base.String(), "/"), http: o.HTTP, meter: newClientMeter(o.Metrics)}
	c := &Client{wire: w, tokens: newTokenSource(w, o), ticket: newShared("ticket", "ticket-lock", ticketPath, o), log: o.Log, now: o.Now}
	c.ticket.fetch = c.askTicket
	return c, nil
}

// Tokens is the client's token source, which the library's calls can be given as well.
func (c *Client) Tokens() *TokenSource { return c.tokens }

func newHTTPClient() *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // one request a connection at a time, so that "nothing was written" can be known
	return &http.Client{
		Timeout:       callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			Protocols:           protocols,
			MaxIdleConns:        connsKept,
			MaxIdleConnsPerHost: connsKept,
			IdleConnTimeout:     30 * time.Second,
			TLSHandshakeTimeout: 5 * time.Second,
		},
	}
}

// APIError is WeChat's no.
type APIError struct {
	Path string
	Code int64  // errcode
	Msg  string // errmsg without the rid
	Rid  string // WeChat's id of the request, for asking what went wrong
}

// Error names call, code and WeChat's words.
func (e *APIError) Error() string {
	return fmt.Sprintf("wechat %s: errcode %d: %s (rid %s)", e.Path, e.Code, e.Msg, e.Rid)
}

// TransportError is a call without WeChat's answer.
type TransportError struct {
	Path    string
	Written bool // some of the request may have been written: WeChat may have taken it
	Status  int  // the HTTP status where there was one
	Err     error
}

// Error names the call and what went wrong. The address, which holds the token, is left out.
func (e *TransportError) Error() string { return fmt.Sprintf("wechat %s: %v", e.Path, e.Err) }

// Unwrap gives the cause, which never holds an address with a token.
func (e *TransportError) Unwrap() error { return e.Err }

// Code is the errcode of an error, and whether it has one.
func Code(err error) (int64, bool) {
	var api *APIError
	if errors.As(err, &api) {
		return api.Code, true
	}
	return 0, false
}

// call makes one call with a token. A token that WeChat calls bad is dropped, and the call made once more
// with another: such a refusal says that nothing was done.
func (c *Client) call(ctx context.Context, method, path string, body []byte, out any) error {
	return c.callWith(ctx, method, path, url.Values{}, body, out)
}

// callWith is call with more in the query than the token.
func (c *Client) callWith(ctx context.Context, method, path string, query url.Values, body []byte, out any) error {
	for try := 0; ; try++ {
		token, err := c.tokens.GetAccessTokenContext(ctx)
		if err != nil {
			return err
		}
		query.Set("access_token", token)
		err = c.wire.do(ctx, method, path, query, body, out)
		if try > 0 || !badToken(err) {
			return err
		}
		c.log.Info("wechat calls the token bad, another is fetched", "path", path, "err", err)
		c.tokens.Invalidate(ctx, token)
	}
}

func (c *Client) post(ctx context.Context, path string, body, out any) error {
	encoded, err := encodeJSON(body)
	if err != nil {
		return fmt.Errorf("wechat %s: %w", path, err)
	}
	return c.call(ctx, http.MethodPost, path, encoded, out)
}

func badToken(err error) bool {
	switch code, _ := Code(err); code {
	case 40001, 40014, 42001:
		return true
	}
	return false
}

// encodeJSON writes JSON as WeChat reads it: & < > as they are, or people see six characters for one.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// wire makes calls without knowing of tokens.
type wire struct {
	base  string
	http  *http.Client
	meter *clientMeter
}

// do makes one call and decodes a good answer into out.
func (w *wire) do(ctx context.Context, method, path string, query url.Values, body []byte, out any) error {
	err := w.exchange(ctx, method, path, query, body, out)
	w.meter.calls.WithLabelValues(path, outcomeLabel(err)).Inc()
	return err
}

func (w *wire) exchange(ctx context.Context, method, path string, query url.Values, body []byte, out any) error {
	var written atomic.Bool
	// The transport asks for another connection only where the first took nothing.
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { written.Store(false) },
		GotConn: func(got httptrace.GotConnInfo) {
			notify.BeforeFirstByte(ctx, got.Conn)
			written.Store(true)
		},
	})
	address := w.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	fail := func(status int, err error) error {
		return &TransportError{Path: path, Written: written.Load(), Status: status, Err: withoutAddress(err)}
	}
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return fail(0, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	res, err := w.http.Do(req)
	if err != nil {
		return fail(0, err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return fail(res.StatusCode, err)
	case len(answer) > maxAnswer:
		return fail(res.StatusCode, errors.New("an answer beyond all measure"))
	case res.StatusCode != http.StatusOK:
		return fail(res.StatusCode, fmt.Errorf("http status %d", res.StatusCode))
	}
	if err := decodeAnswer(path, answer, out); err != nil {
		if _, ok := Code(err); ok {
			return err
		}
		return fail(res.StatusCode, err)
	}
	return nil
}

// withoutAddress takes the address, which holds the token, out of an error of net/http's.
func withoutAddress(err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		return fmt.Errorf("%s: %w", strings.ToLower(at.Op), at.Err)
	}
	return err
}

// decodeAnswer reads an answer. Of a call that has no other fields than errcode, errcode must be there: an
// empty object is no yes.
func decodeAnswer(path string, answer []byte, out any) error {
	var status struct {
		Code *int64 `json:"errcode"`
		Msg  string `json:"errmsg"`
	}
	if err := json.Unmarshal(answer, &status); err != nil {
		return errors.New("the answer is no JSON object")
	}
	if status.Code != nil && *status.Code != 0 {
		msg, rid := splitRid(status.Msg)
		return &APIError{Path: path, Code: *status.Code, Msg: msg, Rid: rid}
	}
	if s, ok := out.(needsStatus); ok && s.needsStatus() && status.Code == nil {
		return errors.New("the answer has no errcode")
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return errors.New("the answer has other fields than documented")
	}
	return nil
}

// needsStatus marks answers that are a yes only with errcode 0 in them.
type needsStatus interface{ needsStatus() bool }

// splitRid parts "invalid openid hint: [x] rid: 64-ab-cd" at the rid. The hint goes as well: it may quote
// what was sent.
func splitRid(msg string) (text, rid string) {
	text, rid, _ = strings.Cut(msg, "rid:")
	text, _, _ = strings.Cut(text, "hint:")
	rid, _, _ = strings.Cut(strings.TrimSpace(rid), " ")
	return redactText(strings.TrimSpace(text)), rid
}

// clientMeter counts calls.
type clientMeter struct{ calls *prometheus.CounterVec }

func newClientMeter(registry prometheus.Registerer) *clientMeter {
	return &clientMeter{calls: promauto.With(registry).NewCounterVec(prometheus.CounterOpts{
		Name: "lingjuli_wechat_calls_total", Help: "Calls to WeChat's API by path and errcode; unsent and unknown where there was none.",
	}, []string{"path", "code"})}
}

func outcomeLabel(err error) string {
	if err == nil {
		return "0"
	}
	if code, ok := Code(err); ok {
		return strconv.FormatInt(code, 10)
	}
	var lost *TransportError
	if errors.As(err, &lost) && !lost.Written {
		return "unsent"
	}
	return "unknown"
}
