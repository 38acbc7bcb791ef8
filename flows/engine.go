package flows

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/locales"
)

// Names of the flows that the engine starts by itself.
const (
	flowMenu     = "main_menu"
	flowBind     = "bind_identity"
	flowHuman    = "human"
	flowOptOut   = "opt_out"
	flowOptIn    = "opt_in"
	flowResume   = "resume"
	flowStuck    = "stuck"
	flowUnnamed  = "unnamed"
	flowUnclear  = "not_understood"
	flowUnclear2 = "not_understood_again"
	flowNoMore   = "nothing_more"
	flowSMS      = "sms_office"
	flowWordless = "sms_wordless"
	flowNobody   = "sms_unknown"
	flowMenuSMS  = "sms_menu"
	flowWhose    = "sms_whose"
	flowInvited  = "sms_answer"
	flowElder    = "elder"
	flowPlain    = "plain"
	flowMore     = "more_menu"
	flowUpset    = "upset"
	flowCheck    = "check_text"
	flowOf       = "whose"
	flowProxy    = "proxy_ask"
	flowJobs     = "jobs"
)

// ElderWording ends the key of a text's shorter wording, for whom short words were asked for. It takes no value that the
// text itself does not take.
const ElderWording = "_elder"

// Bounds of the engine.
const (
	maxSteps     = 64               // of one call of Step
	halfway      = 30 * time.Minute // away so long, a person is asked whether to go on
	halfwayElder = 3 * time.Hour    // who is slow is no other person
	triesInARow  = 2                // not understood so often, numbers and a person are offered
	triesElder   = 3
	choicesShown = 3 // when asking what was meant
	remindedMost = 2 // how often somebody is asked about what they left; it waits all the same
)

// Errors of Step.
var (
	// ErrEndless: the definitions run in a circle. Lint finds those that can be found.
	ErrEndless = errors.New("flows: a conversation does not come to rest")
	// ErrNotAsked: facts were fed that nothing waits for.
	ErrNotAsked = errors.New("flows: facts that were not asked for")
)

// Engine steps conversations. Safe for concurrent use.
type Engine struct {
	book       *Book
	understand Understander
	catalogue  *locales.Bundle
	takes      map[string][]string // text key → the values it takes
	words      globalWords
	starts     []startWord
	titles     map[string]string   // a flow's name, in any locale → the flow
	labels     map[string][]string // the label of an option → its words in all locales
}

// New makes an engine of a book. The catalogue tells which values each text takes.
func New(book *Book, catalogue *locales.Bundle, understand Understander) *Engine {
	e := &Engine{book: book, understand: understand, catalogue: catalogue, takes: make(map[string][]string), words: newGlobalWords(book.settings), starts: book.startWords()}
	texts := catalogue.Localizer(locales.ZhHans)
	for _, id := range texts.IDs() {
		e.takes[id] = texts.Placeholders(id)
	}
	e.nameChoices(catalogue)
	return e
}

// Book is the engine's book.
func (e *Engine) Book() *Book { return e.book }

// Step reacts to one input. The session handed in is not changed. If the last effect is a Request, the host
// performs it and steps on with what it found (Fed); else the turn is over.
func (e *Engine) Step(s Session, in Input) (Session, []Effect, error) {
	r := &run{e: e, s: s.clone(), in: in, said: in.Kind == Fed}
	if err := r.take(); err != nil {
		return s, nil, err
	}
	if err := r.proceed(); err != nil {
		return s, nil, err
	}
	return r.s, r.effects, nil
}

// run is one call of Step.
type run struct {
	e       *Engine
	s       Session
	in      Input
	effects []Effect
	items   []map[string]string // of the look-up just made
	offer   []string            // what numbers lead to when everything has ended
	said    bool                // something was said in this turn: Last is being filled
	rest    bool                // nothing is to be run on
	named   bool                // this turn has said whose matter it is
	guess   *Guess
}

func (r *run) take() error {
	switch r.in.Kind {
	case Said:
		r.hear()
	case Begun:
		r.begin(r.in.Flow)
	case Unreadable:
		r.beside(r.in.Flow)
	case Fed:
		return r.feed()
	default:
		return fmt.Errorf("flows: input of kind %d", r.in.Kind)
	}
	return nil
}

func (r *run) feed() error {
	f := r.top()
	if f == nil {
		return ErrNotAsked
	}
	d := r.e.book.flows[f.Flow]
	s := d.step(f.Step)
	if s.LookUp == "" && s.Do == "" && s.HandOver == "" {
		return ErrNotAsked
	}
	if r.in.Facts.Instead != "" {
		r.leave(r.in.Facts.Instead)
		return nil
	}
	for name, value := range r.in.Facts.Vars {
		f.set(name, value)
	}
	if whose, settled := r.in.Facts.Vars["whose"]; settled && r.in.Env.Channel == WeChat {
		r.s.Whose = whose
	}
	r.items = r.in.Facts.Items
	f.Items = r.items
	r.next(d, f, s)
	return nil
}

// proceed runs steps until one waits, or everything has ended.
func (r *run) proceed() error {
	for range maxSteps {
		if r.rest {
			return nil
		}
		f := r.top()
		if f == nil {
			r.settle()
			continue
		}
		d := r.e.book.flows[f.Flow]
		if err := r.perform(d, f, d.step(f.Step)); err != nil {
			return err
		}
	}
	return ErrEndless
}

// settle is reached when nothing runs: offer the suspended flow, else numbers to go on with.
func (r *run) settle() {
	if len(r.s.Parked) > 0 && r.in.Env.Channel != SMS && r.s.Reminded < remindedMost {
		r.s.Reminded++
		r.push(flowResume)
		r.top().set("title_key", r.e.book.flows[r.s.Parked[0].Flow].Title)
		return
	}
	r.rest = true
	if r.in.Env.Channel == SMS {
		return // what a menu's numbers lead to stays
	}
	r.s.Offer = r.offer
	r.showOffer()
}

func (r *run) showOffer() {
	if len(r.s.Offer) == 0 || r.in.Env.Channel == SMS {
		return
	}
	if r.in.Env.Elder {
		r.s.Offer = other(fewer(r.s.Offer), flowElder, flowPlain)
	}
	labels := make([]Label, 0, len(r.s.Offer))
	for _, flow := range r.s.Offer {
		labels = append(labels, Label{Key: r.e.book.flows[flow].Title, Mark: markFlow + flow})
	}
	r.effects = append(r.effects, Offer{Labels: labels})
}

func (r *run) perform(d *Definition, f *Frame, s *Step) error {
	for _, name := range s.Forget {
		delete(f.Vars, name)
	}
	switch s.is {
	case kindSay:
		r.sayStep(f, s)
		r.next(d, f, s)
	case kindAsk, kindChoose:
		r.question(f, s)
	case kindRequest:
		if r.whoseFirst(s) {
			return nil
		}
		r.request(Request{Name: s.request(), With: resolve(s.With, f.Vars)})
	case kindHandOver:
		r.request(Request{Name: "hand_over", With: map[string]string{"topic": s.HandOver, "words": f.Vars["words"]}})
	case kindDecide:
		return r.decide(d, f, s)
	case kindCall:
		given := resolve(s.With, f.Vars)
		r.next(d, f, s)
		r.push(s.Call)
		for name, value := range given {
			r.top().set(name, value)
		}
	case kindSet:
		for name, value := range resolve(s.Set, f.Vars) {
			f.set(name, value)
		}
		r.next(d, f, s)
	case kindEnd:
		r.end(s.End)
	}
	return nil
}

func (r *run) request(q Request) {
	r.effects = append(r.effects, q)
	r.rest = true
}

func (r *run) decide(d *Definition, f *Frame, s *Step) error {
	for _, b := range s.Decide {
		if b.holds(f.Vars) {
			f.Step = b.Go
			return nil
		}
	}
	return fmt.Errorf("flows: flow %s: step %s has no way out", d.ID, s.ID)
}

// next moves a frame on; a flow that has no more steps has ended.
func (r *run) next(d *Definition, f *Frame, s *Step) {
	if id := d.after(s); id != "" {
		f.Step = id
		return
	}
	r.pop()
}

func (r *run) end(e *End) {
	if e.Failed {
		r.s.Stack, r.s.Parked = nil, nil // what waits behind it would fail the same way
	} else {
		r.pop()
	}
	if len(r.s.Stack) == 0 {
		r.offer = e.Offer
	}
}

func (r *run) sayStep(f *Frame, s *Step) {
	if !s.Each {
		r.say(s.Say, f.Vars, s.SMS)
		return
	}
	for _, item := range r.items {
		values := maps.Clone(item)
		for name, value := range f.Vars {
			if _, own := values[name]; !own {
				values[name] = value
			}
		}
		r.say(s.Say, values, s.SMS)
	}
}

// say emits a text with the values it takes and remembers it for "repeat".
func (r *run) say(key string, vars map[string]string, sms *SMSText) {
	said := Say{Key: key}
	for _, name := range r.e.takes[key] {
		for _, n := range [2]string{name, name + "_key"} {
			if value, ok := vars[n]; ok {
				if said.Values == nil {
					said.Values = make(map[string]string, 4)
				}
				said.Values[n] = value
			}
		}
	}
	if sms != nil {
		said.SMS = &SMSText{Template: sms.Template, Params: resolve(sms.Params, vars)}
	}
	if !r.said {
		r.said = true
		r.s.Last = nil
	}
	r.s.Last = append(slices.Clip(r.s.Last), said)
	r.effects = append(r.effects, said)
}

// resolve fills "$name" arguments from the variables.
func resolve(with, vars map[string]string) map[string]string {
	if len(with) == 0 {
		return nil
	}
	out := make(map[string]string, len(with))
	for name, value := range with {
		if ref, ok := strings.CutPrefix(value, "$"); ok {
			value = vars[ref]
		}
		out[name] = value
	}
	return out
}

func (r *run) top() *Frame {
	if len(r.s.Stack) == 0 {
		return nil
	}
	return &r.s.Stack[len(r.s.Stack)-1]
}

func (r *run) push(flow string) {
	d := r.e.book.flows[flow]
	r.s.Stack = append(r.s.Stack, Frame{Flow: flow, Step: d.Steps[0].ID, Version: d.Version})
}

func (r *run) pop() { r.s.Stack = r.s.Stack[:len(r.s.Stack)-1] }

// waiting is the open question on top, nil where nothing is asked.
func (r *run) waiting() *Step {
	f := r.top()
	if f == nil {
		return nil
	}
	if s := r.e.book.flows[f.Flow].step(f.Step); s.open() {
		return s
	}
	return nil
}
