package flows

import (
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lingjuli/lingjuli/locales"
)

// markFlow opens the mark of a choice that starts a flow: it means the same whenever it is tapped.
const markFlow = "m."

// choicesElder is how many flows are offered at once, beside the way to all others and to a person, to whom many are
// too many.
const choicesElder = 3

// question puts a step's question and waits. By SMS only what has a template is asked.
func (r *run) question(f *Frame, s *Step) {
	if s.Choose != nil && s.Choose.Items != nil && f.Items == nil && r.in.Kind != Fed {
		f.Step = s.Choose.Items.From // come back to: what it offered is looked up anew
		return
	}
	if r.unnamed(f, s) || r.saidAlready(f, s) {
		return
	}
	r.rest = true
	if r.in.Env.Channel == SMS && s.SMS == nil {
		r.s.Stack, r.s.Parked = nil, nil
		return
	}
	if n := len(f.Asked); n == 0 || f.Asked[n-1] != s.ID {
		f.Asked = append(f.Asked, s.ID)
	}
	if s.Ask != nil {
		f.Items = nil
		r.say(s.Ask.Prompt, f.Vars, s.SMS)
		return
	}
	f.Items = r.e.kept(s.Choose, f.Items)
	r.say(s.Choose.Prompt, f.Vars, s.SMS)
	r.offerChoices(f, s)
}

func (e *Engine) optionWith(options []Option, said string) int {
	return slices.IndexFunc(options, func(o Option) bool {
		if o.Means == "yes" && e.words.has(wordYes, said) || o.Means == "no" && e.words.has(wordNo, said) {
			return true
		}
		if slices.Contains(e.labels[o.Label], said) {
			return true
		}
		return slices.ContainsFunc(o.Words, func(w string) bool {
			if part, anywhere := strings.CutPrefix(w, "~"); anywhere {
				return strings.Contains(said, normalise(part))
			}
			return normalise(w) == said
		})
	})
}

// saidAlready answers a choice by the words that began the flow: who asks for hospitals near by is not asked what about
// hospitals. It is done once; whoever comes back to the question is asked.
func (r *run) saidAlready(f *Frame, s *Step) bool {
	heard := f.Vars["heard"]
	if s.Choose == nil || !s.Choose.Said || heard == "" || len(f.Asked) > 0 {
		return false
	}
	delete(f.Vars, "heard")
	options := s.Choose.shown(f.Vars)
	i := r.e.optionWith(options, normalise(heard))
	return i >= 0 && r.follow(options[i])
}

// kept is what has to be kept of items so that a number still leads to one of them later.
func (e *Engine) kept(c *Choose, items []map[string]string) []map[string]string {
	if c.Items == nil {
		return nil
	}
	out := make([]map[string]string, 0, len(items))
	for _, item := range items {
		small := map[string]string{"id": item["id"]}
		for _, name := range e.takes[c.Items.Label] {
			for _, n := range [2]string{name, name + "_key"} {
				if value, ok := item[n]; ok {
					small[n] = value
				}
			}
		}
		out = append(out, small)
	}
	return out
}

// offerChoices lists the answers to a choice: its items, then its options.
func (r *run) offerChoices(f *Frame, s *Step) {
	if r.in.Env.Channel == SMS {
		return // the template names the numbers
	}
	c, mark := s.Choose, f.mark()
	labels := make([]Label, 0, len(f.Items)+len(c.Options))
	if c.Items != nil {
		for _, item := range f.Items {
			labels = append(labels, Label{Key: c.Items.Label, Values: item, Mark: mark})
		}
	}
	for _, o := range c.shown(f.Vars) {
		labels = append(labels, Label{Key: o.Label, Mark: mark})
	}
	r.effects = append(r.effects, Offer{Labels: labels})
}

// mark names the question that a frame stands at, with what it lets choose from.
func (f *Frame) mark() string {
	mark := f.Flow + "." + f.Step
	if len(f.Items) == 0 {
		return mark
	}
	sum := fnv.New32a()
	for _, item := range f.Items {
		_, _ = sum.Write([]byte(item["id"] + " ")) // never fails
	}
	return mark + "." + strconv.FormatUint(uint64(sum.Sum32()), 36)
}

// choose takes the n-th answer to a choice.
func (r *run) choose(c *Choose, n int) bool {
	f := r.top()
	options := c.shown(f.Vars)
	items := 0
	if c.Items != nil {
		items = len(f.Items)
	}
	switch {
	case n < 1 || n > items+len(options):
		return false
	case r.away() && r.in.Tap == "" && r.in.Env.Channel != SMS:
		return r.askToResume() // a bare number after a long time may answer anything
	case n > items:
		return r.follow(options[n-items-1])
	}
	r.s.Fails = 0
	if r.in.Env.Channel == SMS {
		r.s.Offer = nil // the numbers were those of people
	}
	f.set(c.Items.Save, f.Items[n-1]["id"])
	f.Step, f.Items = c.Items.Go, nil
	return true
}

// tapped takes a tap on a choice. One that starts a flow does so whenever it is tapped; one of a question counts
// while that question is open, with the same choices, and never answers another.
func (r *run) tapped() bool {
	mark := r.in.Tap
	if flow, isFlow := strings.CutPrefix(mark, markFlow); isFlow {
		if !r.e.book.Offered(flow) {
			flow = flowMenu
		}
		r.begin(flow)
		return true
	}
	if f := r.top(); f != nil && r.waiting() != nil && f.mark() == mark {
		return false
	}
	r.say("tap.old", nil, nil)
	if r.waiting() == nil {
		r.push(flowMenu)
	}
	return true
}

// fewer keeps the first of many flows, the way to the others, and the way to a person. A list without a person is one
// that was asked for: it stays whole.
func fewer(flows []string) []string {
	if len(flows) <= choicesElder+1 || !slices.Contains(flows, flowHuman) {
		return flows
	}
	var short []string
	for i, flow := range flows {
		if i < choicesElder || flow == flowMore || flow == flowHuman {
			short = append(short, flow)
		}
	}
	return short
}

// other puts one flow where another stood: what is on already is offered to be ended.
func other(flows []string, stood, stands string) []string {
	i := slices.Index(flows, stood)
	if i < 0 {
		return flows
	}
	flows = slices.Clone(flows)
	flows[i] = stands
	return flows
}

// storyRunes is how long words are that tell something instead of choosing.
const storyRunes = 5

// inOwnWords takes a sentence where a choice lets people tell it themselves.
func (r *run) inOwnWords(c *Choose) bool {
	if c.Other == nil || r.in.Choice > 0 {
		return false
	}
	least := storyRunes
	if c.Other.Short {
		least = 2
		if g := r.understand(); !r.e.book.settings.namesWork(r.in.Text) && g.Score >= r.e.book.settings.Sure && !r.running(r.e.book.byIntent[g.Intent]) {
			return false // something else, said plainly
		}
		if r.e.book.settings.Search(r.in.Text).String() == "" {
			return false
		}
	}
	if text, ok := r.e.validWords(r.in.Text); !ok || utf8.RuneCountInString(text[""]) < least {
		return false
	}
	if g := r.understand(); g.Intent == "unsubscribe" && g.Score >= r.e.book.settings.Certain {
		return false // whoever wants to be left in peace is not noted down instead
	}
	f := r.top()
	r.s.Fails = 0
	f.set(c.Other.Save, clip(strings.TrimSpace(r.in.Text)))
	f.Step = c.Other.Go
	return true
}

// itemNamed is the number of the one item that was named, 0: none, or several.
func (e *Engine) itemNamed(items []map[string]string, said string) (n int) {
	for i, item := range items {
		if !e.names(item, said) {
			continue
		}
		if n > 0 {
			return 0
		}
		n = i + 1
	}
	return n
}

// names says whether one of the values that an item is told by is what was said.
func (e *Engine) names(item map[string]string, said string) bool {
	for name, value := range item {
		switch {
		case name == "id":
		case !strings.HasSuffix(name, "_key"):
			if normalise(value) == said || normalise(unglossed(value)) == said {
				return true
			}
		default:
			if slices.ContainsFunc(locales.All(), func(l locales.Locale) bool { return normalise(e.catalogue.Localizer(l).Text(value, nil)) == said }) {
				return true
			}
		}
	}
	return false
}
