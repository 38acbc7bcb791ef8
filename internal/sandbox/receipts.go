package sandbox

import (
	"bytes"
	"container/heap"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Receipts says what becomes of accepted messages and where the carrier tells it.
type Receipts struct {
	// Bases are the callers' addresses up to the secret: http://127.0.0.1:8080/aliyun/SECRET. Several stand for the
	// machines behind one name and are taken in turn. Without any nothing is pushed, yet QuerySendDetails knows.
	Bases []string `json:"bases"`

	// Queued: receipts and replies wait in queues to be pulled, instead of being pushed. A message that was given out stays
	// away for QueueHiddenSeconds (30), a token lasts QueueTokenSeconds (3600).
	Queued             bool    `json:"queued"`
	QueueHiddenSeconds float64 `json:"queue_hidden_seconds"`
	QueueTokenSeconds  float64 `json:"queue_token_seconds"`

	DelaySeconds  float64 `json:"delay_seconds"`  // from acceptance to the receipt; 0
	JitterSeconds float64 `json:"jitter_seconds"` // and up to so much more, by call
	Batch         int     `json:"batch"`          // items a push; 100
	// RetryScale stretches the pauses of 1, 5 and 10 minutes between pushes; 1.
	RetryScale     float64 `json:"retry_scale"`
	TimeoutSeconds float64 `json:"timeout_seconds"` // 0.7

	FailPercent      float64           `json:"fail_percent"`      // of the messages
	FailCode         string            `json:"fail_code"`         // MOBILE_NOT_ON_SERVICE
	PhoneCodes       map[string]string `json:"phone_codes"`       // err_code by phone; digits are a status_code for voice calls
	DuplicatePercent float64           `json:"duplicate_percent"` // of the pushes are made twice
	LostPercent      float64           `json:"lost_percent"`      // of the messages get no push at all
	Shuffle          bool              `json:"shuffle"`           // items of several calls come mixed and out of order

	// VoiceCodes are status codes by phone, of several after commas one for each call; "200001:4" is hung up after 4 s.
	VoiceCodes        map[string]string `json:"voice_codes"`
	UnansweredPercent float64           `json:"unanswered_percent"` // of the voice calls
}

func (r Receipts) withDefaults() Receipts {
	if r.Batch <= 0 {
		r.Batch = 100
	}
	if r.RetryScale <= 0 {
		r.RetryScale = 1
	}
	if r.TimeoutSeconds <= 0 {
		r.TimeoutSeconds = 0.7
	}
	if r.QueueHiddenSeconds <= 0 {
		r.QueueHiddenSeconds = 30
	}
	if r.QueueTokenSeconds <= 0 {
		r.QueueTokenSeconds = 3600
	}
	if r.FailCode == "" {
		r.FailCode = "MOBILE_NOT_ON_SERVICE"
	}
	return r
}

// told says whether receipts go anywhere.
func (r Receipts) told() bool { return r.Queued || len(r.Bases) > 0 }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// SetReceipts changes what becomes of messages from now on.
func (s *Sandbox) SetReceipts(r Receipts) {
	p := s.carrier.receipts
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cfg = r.withDefaults()
}

// receiptItem is one object of an sms-report push.
type receiptItem struct {
	PhoneNumber string `json:"phone_number"`
	SendTime    string `json:"send_time"`
	ReportTime  string `json:"report_time"`
	Success     bool   `json:"success"`
	ErrCode     string `json:"err_code"`
	ErrMsg      string `json:"err_msg"`
	SmsSize     string `json:"sms_size"`
	BizID       string `json:"biz_id"`
	OutID       string `json:"out_id,omitempty"`
}

// push is one body on its way to one of the callers' paths.
type push struct {
	path    string
	body    []byte
	attempt int
}

// due is a call whose receipts are to be made, a call by telephone that ends, or a push whose time has come.
type due struct {
	at   time.Time
	call int
	dial *dialEnd
	push *push
}

type dueHeap []due

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(x any)        { *h = append(*h, x.(due)) }
func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}

// PushStats counts what was pushed to the callers.
type PushStats struct {
	Pushes  int `json:"pushes"`
	Failed  int `json:"failed"`   // attempts that were not taken
	GivenUp int `json:"given_up"` // pushes lost for good
	Waiting int `json:"waiting"`
}

// receiptPump makes receipts when they are due and pushes them. Its clock is the real one: a test's own clock tells
// what times the items carry, not when they come.
type receiptPump struct {
	carrier *carrier
	wake    chan struct{}
	slots   chan struct{}

	mu    sync.Mutex
	cfg   Receipts
	queue dueHeap
	next  int // of Bases
	stats PushStats
	era   int // a reset drops what belongs to an older one
}

func newReceiptPump(c *carrier) *receiptPump {
	return &receiptPump{carrier: c, cfg: c.cfg.Receipts, wake: make(chan struct{}, 1), slots: make(chan struct{}, 4)}
}

func (p *receiptPump) settings() Receipts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cfg
}

func (p *receiptPump) add(d due) {
	p.mu.Lock()
	heap.Push(&p.queue, d)
	first := p.queue[0].at.Equal(d.at)
	p.mu.Unlock()
	if !first {
		return
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// schedule makes the receipts of a call due.
func (p *receiptPump) schedule(call int, _ time.Time) {
	p.mu.Lock()
	wait := seconds(p.cfg.DelaySeconds + p.cfg.JitterSeconds*fraction(p.carrier.box.cfg.Seed, uint64(call)))
	p.mu.Unlock()
	p.add(due{at: time.Now().Add(wait), call: call})
}

func (p *receiptPump) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue, p.stats = nil, PushStats{}
	p.era++
}

// run works until ctx ends.
func (p *receiptPump) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		ready, wait := p.take(time.Now())
		p.settle(ctx, ready)
		if len(ready) > 0 {
			continue
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		case <-timer.C:
		}
	}
}

// take gives what is due, at most a thousand things, and how long the next one has to wait.
func (p *receiptPump) take(now time.Time) ([]due, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var ready []due
	for len(p.queue) > 0 && len(ready) < 1000 && !p.queue[0].at.After(now) {
		ready = append(ready, heap.Pop(&p.queue).(due))
	}
	if len(p.queue) == 0 {
		return ready, time.Hour
	}
	return ready, time.Until(p.queue[0].at)
}

func (p *receiptPump) settle(ctx context.Context, ready []due) {
	p.mu.Lock()
	cfg := p.cfg
	p.mu.Unlock()
	var items []receiptItem
	for _, d := range ready {
		switch {
		case d.dial != nil:
			if body, err := p.carrier.endCall(*d.dial); err == nil {
				p.start(ctx, &push{path: voiceReportPath, body: body})
			}
			continue
		case d.push != nil:
			p.start(ctx, d.push)
			continue
		}
		items = append(items, p.carrier.report(d.call, cfg)...)
	}
	if cfg.Shuffle {
		rand.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	}
	if !cfg.told() {
		return
	}
	for len(items) > 0 {
		n := min(cfg.Batch, len(items))
		p.pushJSON(ctx, "sms-report", items[:n])
		items = items[n:]
	}
}

// pushJSON sends a list to one of the callers' paths, now and then twice.
func (p *receiptPump) pushJSON(ctx context.Context, path string, list any) {
	body, err := json.Marshal(list)
	if err != nil {
		p.carrier.box.cfg.Log.Error("sandbox push", "path", path, "error", err)
		return
	}
	p.mu.Lock()
	twice := rand.Float64()*100 < p.cfg.DuplicatePercent
	p.mu.Unlock()
	p.start(ctx, &push{path: path, body: body})
	if twice {
		p.start(ctx, &push{path: path, body: body})
	}
}

// start carries a push out on one of a few slots; it waits for a slot, so a slow receiver slows the pushes.
func (p *receiptPump) start(ctx context.Context, job *push) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return
	}
	p.carrier.box.begin(func(ctx context.Context) {
		defer func() { <-p.slots }()
		p.deliver(ctx, job)
	})
}

func (p *receiptPump) deliver(ctx context.Context, job *push) {
	p.mu.Lock()
	cfg, era := p.cfg, p.era
	if cfg.Queued {
		p.stats.Pushes++
		p.mu.Unlock()
		p.carrier.queues.put(p.carrier.box.ids, job.path, job.body)
		return
	}
	if len(cfg.Bases) == 0 {
		p.mu.Unlock()
		return
	}
	base := cfg.Bases[p.next%len(cfg.Bases)]
	p.next++
	p.stats.Pushes++
	p.mu.Unlock()
	if p.post(ctx, strings.TrimSuffix(base, "/")+"/"+job.path, job.body, seconds(cfg.TimeoutSeconds)) {
		return
	}
	pauses := []time.Duration{time.Minute, 5 * time.Minute, 10 * time.Minute}
	p.mu.Lock()
	p.stats.Failed++
	again := era == p.era && job.attempt < len(pauses)
	if !again {
		p.stats.GivenUp++
	}
	p.mu.Unlock()
	if again {
		wait := time.Duration(float64(pauses[job.attempt]) * cfg.RetryScale)
		p.add(due{at: time.Now().Add(wait), push: &push{path: job.path, body: job.body, attempt: job.attempt + 1}})
	}
}

// post is one attempt. It was taken if the answer is 200 and its JSON has a number as code: that is all that is checked.
func (p *receiptPump) post(ctx context.Context, address string, body []byte, timeout time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json;charset=UTF-8")
	resp, err := p.carrier.box.cfg.Client.Do(req)
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	var said struct {
		Code *float64 `json:"code"`
	}
	return err == nil && resp.StatusCode == http.StatusOK && json.Unmarshal(answer, &said) == nil && said.Code != nil
}

// report settles a call's messages and makes their receipts.
func (c *carrier) report(id int, cfg Receipts) []receiptItem {
	now := c.box.cfg.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if id >= len(c.outbox.calls) {
		return nil
	}
	call := c.outbox.calls[id]
	items := make([]receiptItem, 0, call.n)
	codes := make([]string, 0, call.n)
	common := itemOf(call, now)
	for i := call.first; i < call.first+call.n; i++ {
		code := c.fate(call, c.outbox.messages[i].phone, cfg)
		codes = append(codes, code)
		c.outbox.settle(i, code, now)
		c.box.watchers.wake(phoneText(c.outbox.messages[i].phone))
		if cfg.told() && fraction(c.box.cfg.Seed+1, uint64(i))*100 >= cfg.LostPercent {
			items = append(items, c.item(i, call, code, common))
		}
	}
	c.box.note(entry{Kind: entryReceipt, At: now, Receipt: &receiptEntry{First: call.first, Codes: codes}})
	return items
}

func (c *carrier) fate(call *smsCall, phone uint64, cfg Receipts) string {
	if code := cfg.PhoneCodes[phoneText(phone)]; code != "" {
		return code
	}
	if cfg.FailPercent > 0 && fraction(c.box.cfg.Seed+2, phone^hashText(call.outID))*100 < cfg.FailPercent {
		return cfg.FailCode
	}
	return "DELIVERED"
}

// itemOf is what the receipts of a call have in common: texts of times are made once for all of it.
func itemOf(call *smsCall, now time.Time) receiptItem {
	zone := beijing()
	return receiptItem{
		SendTime: call.at.In(zone).Format(wireTime), ReportTime: now.In(zone).Format(wireTime), SmsSize: "1", BizID: call.bizID, OutID: call.outID,
	}
}

func (c *carrier) item(i int32, call *smsCall, code string, item receiptItem) receiptItem {
	if len(call.params) > 0 {
		item.SmsSize = strconv.Itoa(segments(c.outbox.show(i).Text))
	}
	item.PhoneNumber, item.Success, item.ErrCode = phoneText(c.outbox.messages[i].phone), code == "DELIVERED", code
	item.ErrMsg = c.texts.message("receipt." + code)
	return item
}

func (c *carrier) replayReceipt(e *receiptEntry, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, code := range e.Codes {
		if k := int(e.First) + i; k < len(c.outbox.messages) {
			c.outbox.settle(int32(k), code, at)
		}
	}
}

// resume makes the receipts due that a restart has left open.
func (c *carrier) resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, call := range c.outbox.calls {
		if call.n > 0 && c.outbox.messages[call.first].state == stateWaiting {
			c.receipts.schedule(id, call.at)
		}
	}
	for _, d := range c.dials {
		if d.Status == "" {
			c.expectEnd(d)
		}
	}
}
