package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// The times of a claim. A lease is long enough for a slow platform, and short enough that a dead worker's rows are
// looked after within 30 s.
const (
	claimLease    = 15 * time.Second
	tokenPatience = 8 * time.Second  // how long a claim waits for its turn before it lets others try
	settleFor     = 20 * time.Second // how long settling is tried when the database is away
)

// runner carries calls through claim, presentation and settling. Safe for concurrent use.
type runner struct {
	calls   Calls
	keys    MACs
	senders map[Channel]Sender
	limiter Limiter
	qps     map[Channel]int
	rules   Rules
	looks   Looks
	office  func(region string) map[string]string
	owner   string
	lease   time.Duration
	now     func() time.Time
	log     *slog.Logger
	texts   textCache
	pace    pace
}

// textCache keeps the parsed texts of campaigns under way. A campaign's template never changes after submit.
type textCache struct {
	mu    sync.Mutex
	texts map[string]*Texts
}

func (c *textCache) get(of Campaign) (*Texts, error) {
	key := fmt.Sprint(of.ID, "/", of.SubmittedAt.UnixMicro())
	c.mu.Lock()
	defer c.mu.Unlock()
	if t, ok := c.texts[key]; ok {
		return t, nil
	}
	t, err := NewTexts(of.Template)
	if err != nil {
		return nil, err
	}
	t.forCampaign(paramsOf(of.Spec))
	if c.texts == nil || len(c.texts) > 200 {
		c.texts = map[string]*Texts{}
	}
	c.texts[key] = t
	return t, nil
}

// paramsOf are a campaign's parameters as texts read them.
func paramsOf(s Spec) map[string]any {
	params := make(map[string]any, len(s.Params))
	for k, v := range s.Params {
		params[k] = v
	}
	return params
}

// flight is one call on its way.
type flight struct {
	id       int64
	channel  Channel
	campaign Campaign
	members  int
	tries    int
	outs     int64 // what the claim knew of opt-outs
	request  Request
	answer   Answer
	again    bool // the answer is to its second presentation
}

// run takes queued calls of one campaign and channel from claim to settled. Where alive has ended nothing new is begun:
// what was rung for waits in its row.
func (r *runner) run(ctx, alive context.Context, task callTask) error {
	// Others may have been quicker, or the campaign was cancelled: nothing of the rate is spent on what doesn't go.
	waiting, err := r.calls.StillQueued(ctx, task.Calls)
	if err != nil || len(waiting) == 0 {
		return err
	}
	task.Size = task.Size / len(task.Calls) * len(waiting)
	task.Calls = waiting
	turns, err := r.takeTurns(alive, task)
	if err != nil {
		return err
	}
	flights, err := r.begin(ctx, task.Calls[:turns])
	if err != nil || len(flights) == 0 {
		return err
	}
	// From here on the calls are ours: what happens to them is written down even when the worker is stopping.
	return r.present(ctx, alive, flights, func(some []*flight) error { return r.settle(context.WithoutCancel(ctx), some) })
}

// errNoTurn: the rate had no room for so long that the calls were left to wait in their rows.
var errNoTurn = errors.New("no turn within the rate")

// takeTurns waits for the turns of a task's calls: first by the campaign's own rate, then by the share of campaigns, then
// by the account's. It says how many calls got one before its patience ended; the others wait in their rows.
func (r *runner) takeTurns(ctx context.Context, task callTask) (calls int, err error) {
	qps := r.pace.slowed(task.Channel, r.qps[task.Channel], r.now())
	deadline := r.now().Add(tokenPatience)
	calls = len(task.Calls)
	if task.Rate > 0 {
		each := max(1, task.Size/calls)
		recipients, err := r.take(ctx, CampaignBucket(task.CampaignID, Spec{Rate: task.Rate}, task.Channel), task.Size, deadline)
		if calls = recipients / each; err != nil {
			return 0, err
		}
	}
	for _, b := range []Bucket{BulkBucket(string(task.Channel), qps), AccountBucket(string(task.Channel), qps).behind()} {
		if calls, err = r.take(ctx, b, calls, deadline); err != nil {
			return 0, err
		}
	}
	return calls, nil
}

// take takes n tokens, a burst at a time, waiting where it must, or as many as there are before the deadline: one at least.
func (r *runner) take(ctx context.Context, b Bucket, n int, deadline time.Time) (taken int, err error) {
	for taken < n {
		some := min(n-taken, b.Burst)
		wait, err := r.limiter.Take(ctx, b, some)
		if err != nil {
			return 0, err
		}
		if wait == 0 {
			taken += some
			continue
		}
		if r.now().Add(wait).After(deadline) {
			break
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(wait):
		}
	}
	if taken == 0 {
		return 0, errNoTurn
	}
	return taken, nil
}

// begin claims the calls: drops who no longer qualifies, renders and signs, all under the claim's locks.
func (r *runner) begin(ctx context.Context, ids []int64) (map[int64]*flight, error) {
	var flights map[int64]*flight
	q := ClaimQuery{IDs: ids, Owner: r.owner, Lease: r.lease, CapSpan: r.rules.Cap.Longest(), Zone: r.rules.Zone}
	err := r.calls.BeginCalls(ctx, q, func(facts ClaimFacts) ([]Beginning, error) {
		flights = map[int64]*flight{}
		return r.decide(ctx, facts, flights)
	})
	if err != nil {
		return nil, err
	}
	return flights, nil
}

func (r *runner) decide(ctx context.Context, facts ClaimFacts, flights map[int64]*flight) ([]Beginning, error) {
	if len(facts.Calls) == 0 {
		return nil, nil
	}
	c := facts.Campaign
	gate, open := r.rules.gateOf(c, facts.Channel, facts.Now)
	texts, err := r.texts.get(c)
	if err != nil {
		return nil, fmt.Errorf("texts of campaign %d: %w", c.ID, err)
	}
	drafts := make([]draft, len(facts.Calls))
	begun := make(numbersBegun, len(facts.Calls)*facts.Channel.MaxMembers())
	var signing sync.WaitGroup
	for i, call := range facts.Calls {
		d := &drafts[i]
		if !open {
			d.Beginning = Beginning{CallID: call.ID, Wait: &gate.WakeAt}
			continue
		}
		*d = r.decideCall(facts, call, texts, begun)
		if len(d.Begin) > 0 {
			// Beside the others, on a stack of its own: the SDK asks for the whole stack to learn which goroutine it is on.
			signing.Go(func() { d.request, d.err = r.sign(ctx, d.out) })
		}
	}
	signing.Wait()
	out := make([]Beginning, len(drafts))
	for i := range drafts {
		d := &drafts[i]
		if len(d.Begin) > 0 {
			r.signed(c, d, facts, flights)
		}
		out[i] = d.Beginning
	}
	return out, nil
}

// draft is what was decided about one call, and its request.
type draft struct {
	Beginning
	out     Outgoing
	tries   int
	request Request
	err     error
}

// signed puts a call that begins among the flights; one that could not be signed halts its campaign.
func (r *runner) signed(c Campaign, d *draft, facts ClaimFacts, flights map[int64]*flight) {
	if d.err != nil {
		r.log.Error("a call can't be signed; the campaign is halted", "campaign", c.ID, "call", d.CallID, "error", d.err)
		d.Beginning = Beginning{CallID: d.CallID, Wait: &facts.Now, Halt: &Halting{Reason: "halt.request", Detail: d.err.Error()}}
		return
	}
	d.SignedAt, d.Segments = d.request.SignedAt(), r.rules.segmentsOf(d.out)
	flights[d.CallID] = &flight{id: d.CallID, channel: facts.Channel, campaign: c, members: len(d.Begin), tries: d.tries, outs: facts.Outs, request: d.request}
}

// numbersBegun says in which of a claim's calls a number goes out.
type numbersBegun map[register.Phone]int64

// decideCall says who of one call goes, and with which texts.
func (r *runner) decideCall(facts ClaimFacts, call CallFacts, texts *Texts, begun numbersBegun) draft {
	c, channel := facts.Campaign, facts.Channel
	if _, ok := r.senders[channel]; !ok && slices.Index(c.Channels(), channel) > 0 {
		return draft{Beginning: noSender(call)}
	}
	b := Beginning{CallID: call.ID}
	topics := TopicsOf(c.Spec, c.Template)
	out := Outgoing{ID: call.ID, OutID: OutID(r.keys, call.ID, channel), Channel: channel, Kind: c.Spec.Kind, Template: c.Template, Members: make([]Member, 0, len(call.Members))}
	tries, data := 0, Data{}
	for _, f := range call.Members {
		if id, ok := begun[f.Phone]; ok && id != call.ID && channel.Phone() { // that call counts for the cap, though it isn't written yet
			f.NumberSent, f.NumberHad = append(f.NumberSent, facts.Now), append(f.NumberHad, facts.Now)
		}
		if d, drops := r.rules.Drop(c, channel, f, facts.Now); drops {
			b.Drops = append(b.Drops, d)
			continue
		}
		if topics.Lacks(f.About) {
			b.Drops = append(b.Drops, Drop{PersonID: f.PersonID, Event: Skip, Reason: string(NoLongerMatches)})
			continue
		}
		m, d, ok := r.member(c, channel, f, texts, data)
		switch {
		case !ok:
			b.Drops = append(b.Drops, d)
		case channel.Phone() && begun[m.Phone] == call.ID: // they have come to share a number since the call was made
			b.Drops = append(b.Drops, Drop{PersonID: f.PersonID, Event: PutBack, WakeAt: facts.Now.Add(time.Second)})
		default:
			if d, ok := r.rules.afford(facts, m, f.Region, &b); !ok {
				b.Drops = append(b.Drops, d)
				continue
			}
			begun[f.Phone] = call.ID
			out.Members = append(out.Members, m)
			b.Begin = append(b.Begin, f.PersonID)
			b.Route = m.Route
			tries = max(tries, f.Tries)
		}
	}
	return draft{Beginning: b, out: out, tries: tries}
}

// noSender: a further channel that this installation does not have. That is no reason to stop everybody else.
func noSender(call CallFacts) Beginning {
	b := Beginning{CallID: call.ID}
	for _, f := range call.Members {
		d := Drop{PersonID: f.PersonID, Event: Refuse, Reason: "no_sender"}
		if len(f.Later) > 0 {
			d.Event, d.Reason = Fall, ""
		}
		b.Drops = append(b.Drops, d)
	}
	return b
}

func (r *runner) sign(ctx context.Context, out Outgoing) (Request, error) {
	sender, ok := r.senders[out.Channel]
	if !ok {
		return nil, fmt.Errorf("there is no sender for %s", out.Channel)
	}
	return sender.Sign(ctx, out)
}

// member fills in the texts for one person, by data that is made anew. Who has no way, or whose text can't be filled,
// drops out.
func (r *runner) member(c Campaign, channel Channel, f Facts, texts *Texts, data Data) (Member, Drop, bool) {
	m := Member{PersonID: f.PersonID, Phone: f.Phone}
	r.fillIn(data, c, f, texts)
	var err error
	switch channel {
	case SMS:
		m.Params, err = texts.SMS(data)
		m.Extend = c.ReplyCode(f.OnNumber)
	case Voice:
		err = m.spoken(c.Template, f.Language, texts, data)
	case WeChat:
		route, ok := routeOf(c, f.WeChat)
		if !ok {
			d, _ := r.rules.noWay(channel, f)
			return m, d, false
		}
		m.Phone, m.OpenID, m.Route = register.Phone(""), f.WeChat.OpenID, route
		m.Fields, m.Page, m.Text, err = texts.WeChat(data)
	}
	if err == nil {
		return m, Drop{}, true
	}
	r.log.Warn("a text can't be filled", "campaign", c.ID, "person", f.PersonID, "channel", string(channel), "error", err)
	if len(f.Later) > 0 {
		return m, Drop{PersonID: f.PersonID, Event: Fall}, false
	}
	return m, Drop{PersonID: f.PersonID, Event: Refuse, Reason: "text"}, false
}

// fillIn makes of data what the texts may speak of for one person.
func (r *runner) fillIn(data Data, c Campaign, f Facts, texts *Texts) {
	clear(data)
	data["Person"], data["Params"] = NewPersonData(f.Name), texts.params
	if texts.office {
		data["Office"] = r.office(f.Region)
	}
	if texts.check {
		data["Check"] = CheckCode(r.keys, c.ID, f.PersonID)
	}
	f.About.addTo(data)
}

// settleEvery is how long calls that were answered wait for others of their task, to be written down together.
const settleEvery = 200 * time.Millisecond

// present makes the last look and lets the requests go, each until its lease ends. Those that were answered are
// settled together; one that hangs, or is presented again, holds up nobody.
func (r *runner) present(ctx, alive context.Context, flights map[int64]*flight, settle func([]*flight) error) error {
	began := time.Now()
	looking, done := context.WithTimeout(ctx, r.lease)
	defer done()
	looks := &lastLooks{run: r, ctx: looking, alive: alive, flights: flights}
	look := looks.fresh()
	answered := make(chan *flight, len(flights))
	for id, f := range flights {
		if held := look.holds(id); held != "" {
			f.answer = notSent(held)
			answered <- f
			continue
		}
		go func() {
			ctx, cancel := context.WithDeadline(ctx, began.Add(look.Left[id]))
			defer cancel()
			f.answer = looks.presentOne(ctx, f)
			looks.presentAgain(ctx, f)
			answered <- f
		}()
	}
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	var some []*flight
	var errs []error
	for open := len(flights); open > 0 || len(some) > 0; {
		if open > 0 {
			select {
			case f := <-answered:
				some, open = append(some, f), open-1
				if open > 0 {
					continue
				}
			case <-tick.C:
			}
		}
		if len(some) > 0 {
			errs = append(errs, settle(some))
			some = nil
		}
	}
	return errors.Join(errs...)
}

// settle writes down what came of the calls. It tries for a while: an answer that is not written down is a question later.
func (r *runner) settle(ctx context.Context, flights []*flight) error {
	var results []CallResult
	now := r.now()
	for _, f := range flights {
		r.pace.heard(f.channel, f.answer, now)
		res := Presented{
			CallID: f.id, Channel: f.channel, Members: f.members, Tries: f.tries, Spec: f.campaign.Spec,
			Works: r.pace.works(f.channel, now), Down: r.pace.down(f.channel), Answer: f.answer, Again: f.again, Now: now, Looks: r.looks,
		}.Result()
		if res.Event != Accept {
			r.log.Warn("a call was not accepted", "call", f.id, "campaign", f.campaign.ID, "channel", string(f.channel),
				"event", string(res.Event), "code", f.answer.Code, "message", f.answer.Message)
		}
		res.At = now
		results = append(results, res)
	}
	if len(results) == 0 {
		return nil
	}
	slices.SortFunc(results, func(a, b CallResult) int { return cmp.Compare(a.CallID, b.CallID) }) // as everybody locks them
	ctx, cancel := context.WithTimeout(ctx, settleFor)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause *= 2 {
		err := r.calls.SettleCalls(ctx, results)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("settle: %w", err)
		case <-time.After(pause):
		}
	}
}
