package bot

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lingjuli/lingjuli/flows/turn"
)

// The limits of the callback. WeChat cuts the line after 5 s; the largest real post is far below maxBody.
const (
	maxBody         = 64 << 10
	maxDrained      = 8 << 20 // of an oversized body is read and thrown away, so that its sender hears the 403
	maxSkew         = 10 * time.Minute
	defaultBudget   = 4500 * time.Millisecond
	defaultPatience = 30 * time.Second
)

// Account is how WeChat and we know one another.
type Account struct {
	AppID   string
	Token   string
	AESKeys []string // EncodingAESKey of 43 characters: the current one, then the previous one; none: plain mode
	Compat  bool     // with AESKeys: take plain posts as well
}

// CallbackOptions is what a Callback works with. Zero values of all but Turner are good.
type CallbackOptions struct {
	Turner   turn.Turner
	Proofs   Proofs
	Late     Messenger                    // carries answers that missed the reply
	Sorry    func(in turn.Inbound) string // what a person hears whose turn failed; "": nothing
	Log      *slog.Logger
	Metrics  prometheus.Registerer
	Now      func() time.Time
	Rand     io.Reader
	Budget   time.Duration // from the post's arrival to our answer, 4.5 s
	Patience time.Duration // how long a turn may go on after that, 30 s in all
}

// Callback is the http.Handler of /wechat/callback.
type Callback struct {
	account  Account
	keys     [][]byte
	proofs   Proofs
	sorry    func(turn.Inbound) string
	log      *slog.Logger
	meter    *callbackMeter
	now      func() time.Time
	rand     io.Reader
	budget   time.Duration
	patience time.Duration
	flights  *flights

	refusedAt atomic.Int64 // the second of the last refusal
}

// NewCallback checks the account's settings. Its errors name the variable to mend and hold no secret.
func NewCallback(account Account, o CallbackOptions) (*Callback, error) {
	if account.Token == "" {
		return nil, errors.New("LINGJULI_WECHAT_TOKEN is missing")
	}
	if account.AppID == "" {
		return nil, errors.New("LINGJULI_WECHAT_APP_ID is missing")
	}
	keys, err := decodeKeys(account.AESKeys)
	if err != nil {
		return nil, err
	}
	if o.Turner == nil {
		return nil, errors.New("bot: a callback needs a turner")
	}
	c := &Callback{
		account: account, keys: keys, proofs: o.Proofs, sorry: o.Sorry,
		log: o.Log, meter: newCallbackMeter(o.Metrics), now: o.Now, rand: o.Rand,
		budget: o.Budget, patience: o.Patience,
	}
	c.fillDefaults()
	c.flights = newFlights(o.Turner, c.patience)
	c.flights.late = func(f *flight) { c.sendLate(o.Late, f) }
	c.flights.fell = c.logPanic
	return c, nil
}

func (c *Callback) fillDefaults() {
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.rand == nil {
		c.rand = rand.Reader
	}
	if c.budget <= 0 {
		c.budget = defaultBudget
	}
	if c.patience <= 0 {
		c.patience = defaultPatience
	}
}

// decodeKeys reads EncodingAESKeys: 43 characters of base64 for 32 bytes.
func decodeKeys(encoded []string) ([][]byte, error) {
	var keys [][]byte
	for i, text := range encoded {
		text = strings.TrimSpace(text)
		key, err := base64.StdEncoding.DecodeString(text + "=")
		if err != nil || len(text) != 43 || len(key) != 32 {
			return nil, fmt.Errorf("LINGJULI_WECHAT_AES_KEY: key %d is not 43 characters of base64", i+1)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// ServeHTTP takes one post in this order: method and size, URL signature, freshness, mode, msg_signature,
// decryption and appid, parsing, one turn, the answer.
func (c *Callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now() // the budget runs by the real clock; c.now is for what WeChat's clock is compared with
	switch r.Method {
	case http.MethodGet:
		c.serveCheck(w, r)
	case http.MethodPost:
		c.servePost(w, r, arrived)
	default:
		w.Header().Set("Allow", "GET, POST")
		c.refuse(w, r, http.StatusMethodNotAllowed, refusedMethod)
	}
}

// serveCheck answers WeChat's check of the address by its echostr.
func (c *Callback) serveCheck(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if why := c.checkURL(q); why != "" {
		c.refuse(w, r, http.StatusForbidden, why)
		return
	}
	c.meter.posts.WithLabelValues("checked").Inc()
	writeText(w, q.Get("echostr"))
}

func (c *Callback) servePost(w http.ResponseWriter, r *http.Request, arrived time.Time) {
	got, why := c.open(r)
	if why != "" {
		c.refuse(w, r, http.StatusForbidden, why)
		return
	}
	defer func() {
		if v := recover(); v != nil {
			// Authentic, so WeChat must not be told to try again or to show the fault notice.
			c.logPanic(v, debug.Stack())
			c.succeed(w, resultPanic)
		}
	}()
	ev, err := decodeEvent(got.xml)
	switch {
	case errors.Is(err, errDirective) && got.key == nil:
		// No signature covers a plain body, and WeChat sends no DOCTYPE: somebody else wrote this.
		c.refuse(w, r, http.StatusForbidden, refusedMalformed)
		return
	case err != nil:
		c.log.Warn("an authentic post can't be read", "err", err, "bytes", len(got.xml))
		c.succeed(w, resultUnreadable)
		return
	}
	c.meter.events.WithLabelValues(ev.label()).Inc()
	c.act(w, r, got, ev, arrived)
}

// act does what the event asks for and writes the answer.
func (c *Callback) act(w http.ResponseWriter, r *http.Request, got opened, ev event, arrived time.Time) {
	if proofs := ev.proofs(c.now()); len(proofs) > 0 {
		c.takeProofs(w, r, proofs)
		return
	}
	in, ok := ev.inbound(c.now())
	if !ok {
		c.succeed(w, resultIgnored)
		return
	}
	f, landed := c.flights.wait(in, c.budget-time.Since(arrived))
	c.meter.seconds.Observe(time.Since(arrived).Seconds())
	if !landed {
		c.succeed(w, resultLate)
		return
	}
	c.answer(w, got, ev, f)
}

// answer writes what came of a turn.
func (c *Callback) answer(w http.ResponseWriter, got opened, ev event, f *flight) {
	text := f.answer.Text
	switch {
	case errors.Is(f.err, errClosing):
		c.meter.posts.WithLabelValues(resultClosing).Inc()
		http.Error(w, "", http.StatusServiceUnavailable) // WeChat tries again, and finds another process
		return
	case errors.Is(f.err, errPanicked):
		c.succeed(w, resultPanic)
		return
	case f.err != nil && silent(f.in.Kind):
		// Nobody reads an answer to these, and a lost one would leave a consent or an erasure undone.
		c.log.Error("a turn failed", "kind", f.in.Kind, "err", f.err)
		c.meter.posts.WithLabelValues(resultFailed).Inc()
		http.Error(w, "", http.StatusServiceUnavailable)
		return
	case f.err != nil:
		c.log.Error("a turn failed", "kind", f.in.Kind, "err", f.err)
		c.meter.failures.Inc()
		text = c.apology(f.in)
		f.answer.Choices = nil
	}
	body := renderText(text, f.answer.Choices)
	if body == "" || f.in.Kind == turn.Unfollow {
		c.succeed(w, resultSilent)
		return
	}
	reply, err := c.encodeReply(ev, body, got.key)
	if err != nil {
		c.log.Error("a reply can't be encoded", "err", err)
		c.succeed(w, resultPanic)
		return
	}
	c.meter.posts.WithLabelValues(resultReplied).Inc()
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(reply)))
	_, _ = w.Write(reply) // WeChat gone: it comes again and gets the stored reply
}

// logPanic logs where it happened. Of the value it logs what the runtime said; anything else might hold a
// person's words.
func (c *Callback) logPanic(v any, stack []byte) {
	what := fmt.Sprintf("%T", v)
	if fault, ok := v.(runtime.Error); ok {
		what = fault.Error()
	}
	c.log.Error("a post or its turn panicked", "what", what, "stack", string(stack))
}

// silent says that nobody waits for an answer to this kind.
func silent(kind turn.Kind) bool { return kind == turn.Unfollow || kind == turn.ConsentSeen }

func (c *Callback) apology(in turn.Inbound) string {
	if c.sorry == nil || silent(in.Kind) {
		return ""
	}
	return c.sorry(in)
}

// refuse turns a post away. It says nothing about why: the one who asks may be a forger.
func (c *Callback) refuse(w http.ResponseWriter, r *http.Request, status int, why refusal) {
	c.meter.posts.WithLabelValues("refused_" + string(why)).Inc()
	if second := time.Now().Unix(); c.refusedAt.Swap(second) != second { // strangers don't fill the log
		c.log.Info("a post is refused", "why", string(why))
	}
	if why == refusedSize {
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, maxDrained))
	}
	http.Error(w, http.StatusText(status), status)
}

// succeed tells WeChat that the post is taken and that there is nothing to show.
func (c *Callback) succeed(w http.ResponseWriter, result string) {
	c.meter.posts.WithLabelValues(result).Inc()
	writeText(w, "success")
}

func writeText(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = io.WriteString(w, text)
}
