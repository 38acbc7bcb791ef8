package flows

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lingjuli/lingjuli/locales"
)

// Lint checks the sense of the whole book: unreachable steps, dead ends, circles without a question, texts missing
// in a locale or taking values that nobody gives, requests the host doesn't know, intents without a flow, and SMS
// templates that are missing, too long, or lack a variable. No findings: the book may serve.
func (b *Book) Lint(catalogue *locales.Bundle) []string {
	l := &linter{b: b, catalogue: catalogue, used: make(map[string]bool)}
	for _, key := range hostTexts() {
		l.text("the engine", key, []string{"year", "month", "day", "title", "text", "who", "name", "relation", "several", "ends", "sign"})
	}
	for _, id := range b.order {
		l.flow(b.flows[id])
	}
	l.builtIn()
	l.intents()
	l.templates()
	l.guides()
	l.unused()
	slices.Sort(l.found)
	return l.found
}

type linter struct {
	b         *Book
	catalogue *locales.Bundle
	used      map[string]bool
	found     []string
}

func (l *linter) complain(format string, args ...any) {
	l.found = append(l.found, fmt.Sprintf(format, args...))
}

func (l *linter) builtIn() {
	for _, id := range []string{
		flowMenu, flowBind, flowHuman, flowOptOut, flowOptIn, flowResume, flowStuck, flowUnnamed, flowUnclear, flowUnclear2, flowNoMore, flowSMS, flowWordless, flowNobody,
		flowMenuSMS, flowWhose, flowInvited, flowElder, flowPlain, flowMore, flowUpset, flowCheck, flowOf, flowProxy, flowJobs,
	} {
		if l.b.flows[id] == nil {
			l.complain("flow %s is missing: the engine starts it", id)
		}
	}
	for _, topic := range []string{"medical", "paying", "work", "fraud", "other"} {
		if l.b.settings.Lines[topic] == "" {
			l.complain("settings: no telephone for %s", topic)
		}
	}
	if s := l.b.settings; s.Sure <= 0 || s.Certain < s.Sure || s.Maybe > s.Sure {
		l.complain("settings: want maybe <= sure <= certain, all above 0")
	}
	if utf8.RuneCountInString(l.b.settings.Numerals) != 9 {
		l.complain("settings: want nine numerals")
	}
}

func (l *linter) intents() {
	for _, intent := range Intents() {
		if l.b.byIntent[intent] == "" {
			l.complain("intent %s starts no flow", intent)
		}
	}
	for intent, flow := range l.b.byIntent {
		if !slices.Contains(Intents(), intent) {
			l.complain("flow %s: %s is no intent", flow, intent)
		}
	}
}

func (l *linter) flow(d *Definition) {
	if other := l.b.flows[d.OnSMS]; d.OnSMS != "" && (other == nil || !other.SMS) {
		l.complain("flow %s: %s does not answer by SMS", d.ID, d.OnSMS)
	}
	if d.Needs != "" && d.Needs != needsBound {
		l.complain("flow %s: needs %q is unknown", d.ID, d.Needs)
	}
	vars := l.vars(d)
	l.text("flow "+d.ID, d.Title, nil)
	for _, s := range d.Steps {
		l.step(d, s, vars)
	}
	l.startWords(d)
	l.reach(d)
	l.ways(d)
	l.circles(d)
}

// startWords checks that what starts a flow starts no other one, and is none of the words that hold everywhere.
func (l *linter) startWords(d *Definition) {
	global := newGlobalWords(l.b.settings)
	all := l.b.startWords()
	for _, w := range all {
		if w.flow != d.ID {
			continue
		}
		if w.word == "" || len(global[w.word]) > 0 {
			l.complain("flow %s: %q does not start it: it is empty, or holds everywhere", d.ID, w.word)
		}
		for _, other := range all {
			if other.flow != d.ID && other.sms == w.sms && other.in(w.word) {
				l.complain("flow %s: %q starts %s too", d.ID, w.word, other.flow)
			}
		}
	}
}

// vars is everything that some step of the flow may set.
func (l *linter) vars(d *Definition) []string {
	vars := append([]string{"heard", "title_key", "answer", "relation"}, l.given(d)...)
	for _, s := range d.Steps {
		switch {
		case len(s.Set) > 0:
			vars = slices.AppendSeq(vars, maps.Keys(s.Set))
		case s.Ask != nil:
			vars = append(vars, s.Ask.Save)
			if s.Ask.As == "name" || s.Ask.As == "id_number" {
				vars = append(vars, "name", "id_number")
			}
		case s.Choose != nil:
			for _, o := range s.Choose.Options {
				vars = slices.AppendSeq(vars, maps.Keys(o.Set))
			}
			if s.Choose.Items != nil {
				vars = append(vars, s.Choose.Items.Save)
			}
			if s.Choose.Other != nil {
				vars = append(vars, s.Choose.Other.Save)
			}
		case s.HandOver != "":
			vars = append(vars, "open", "date")
		case s.request() != "":
			if k, ok := requestKind(s.request()); ok {
				vars = append(vars, k.Gives...)
			}
		}
	}
	return vars
}

// given is what callers hand to a flow.
func (l *linter) given(d *Definition) (vars []string) {
	for _, id := range l.b.order {
		for _, s := range l.b.flows[id].Steps {
			if s.Call == d.ID {
				vars = slices.AppendSeq(vars, maps.Keys(s.With))
			}
		}
	}
	return vars
}

func (l *linter) arguments(where string, with map[string]string, vars []string) {
	for _, value := range with {
		l.variable(where, value, vars)
	}
}

// items is what an each-step may say of one item: what any request of its flow gives.
func (l *linter) items(d *Definition) []string {
	var items []string
	for _, s := range d.Steps {
		if k, ok := requestKind(s.request()); ok {
			items = append(items, k.Items...)
		}
	}
	return items
}

func (l *linter) step(d *Definition, s *Step, vars []string) {
	where := "flow " + d.ID + ": step " + s.ID
	switch {
	case s.Say != "":
		have := vars
		if s.Each {
			if have = append(slices.Clone(vars), l.items(d)...); len(l.items(d)) == 0 {
				l.complain("%s: each, but nothing gives items", where)
			}
		}
		l.text(where, s.Say, have)
		l.sms(d, where, s, vars)
	case s.Ask != nil:
		l.ask(d, where, s.Ask, vars)
	case s.Choose != nil:
		l.text(where, s.Choose.Prompt, vars)
		l.sms(d, where, s, vars)
		l.choices(d, where, s.Choose)
		l.options(d, where, s.Choose.Options, vars, true)
	case s.request() != "":
		l.request(where, s, vars)
	case len(s.Decide) > 0:
		l.branches(d, where, s.Decide, vars)
	case s.Call != "":
		if l.b.flows[s.Call] == nil {
			l.complain("%s: calls %s, which is no flow", where, s.Call)
		}
		l.arguments(where, s.With, vars)
	case len(s.Set) > 0:
		l.arguments(where, s.Set, vars)
	case s.End != nil:
		for _, flow := range s.End.Offer {
			if l.b.flows[flow] == nil {
				l.complain("%s: offers %s, which is no flow", where, flow)
			}
		}
	}
	if s.Go != "" && d.step(s.Go) == nil {
		l.complain("%s: goes to %s, which is no step", where, s.Go)
	}
}

// choices checks how many there are: what can be tapped and said by a single digit.
func (l *linter) choices(d *Definition, where string, c *Choose) {
	least, most := 2, 9
	if c.Items != nil {
		least, most = 1, 9-itemsOffered
		l.text(where, c.Items.Label, l.items(d))
		for _, id := range []string{c.Items.Go, c.Items.From} {
			if d.step(id) == nil {
				l.complain("%s: the items lead to %q, which is no step", where, id)
			}
		}
		if s := d.step(c.Items.From); s != nil && s.LookUp == "" {
			l.complain("%s: the items come from %s, which looks nothing up", where, c.Items.From)
		}
	}
	if c.Other != nil && d.step(c.Other.Go) == nil {
		l.complain("%s: leads to %s, which is no step", where, c.Other.Go)
	}
	if len(c.Options) < least || len(c.Options) > most {
		l.complain("%s: want %d to %d choices", where, least, most)
	}
}

// itemsOffered is how many items of a look-up a choice lists at most.
const itemsOffered = 4

func (l *linter) ask(d *Definition, where string, a *Ask, vars []string) {
	l.text(where, a.Prompt, vars)
	l.text(where, a.Retry, vars)
	if !slices.Contains(validators(), a.As) {
		l.complain("%s: %q is no validator", where, a.As)
	}
	if a.Save == "" {
		l.complain("%s: the answer is saved nowhere", where)
	}
	for i := range a.Branches {
		if len(a.Branches[i].Words) == 0 {
			l.complain("%s: a way out without words", where)
		}
	}
	l.options(d, where, a.Branches, vars, false)
}

func (l *linter) options(d *Definition, where string, options []Option, vars []string, labelled bool) {
	words := make(map[string]int)
	for i, o := range options {
		for name := range o.When {
			if !slices.Contains(vars, name) {
				l.complain("%s: shows a choice by %s, which nothing sets", where, name)
			}
		}
		if o.Label != "" {
			l.text(where, o.Label, nil)
		} else if labelled {
			l.complain("%s: a choice without a label", where)
		}
		if !slices.Contains([]string{"", "yes", "no"}, o.Means) {
			l.complain("%s: %q means neither yes nor no", where, o.Means)
		}
		special := slices.Contains([]string{goAgain, goMenu, goResume, goDrop}, o.Go)
		switch {
		case (o.Go == "") == (o.Flow == ""):
			l.complain("%s: a choice leads to a step or to a flow", where)
		case o.Flow != "" && l.b.flows[o.Flow] == nil:
			l.complain("%s: leads to %s, which is no flow", where, o.Flow)
		case o.Go != "" && !special && d.step(o.Go) == nil:
			l.complain("%s: leads to %s, which is no step", where, o.Go)
		}
		for _, w := range o.Words {
			if n := words[normalise(w)]; n > 0 && n != i+1 {
				l.complain("%s: the word %q leads two ways", where, w)
			}
			words[normalise(w)] = i + 1
		}
	}
}

func (l *linter) request(where string, s *Step, vars []string) {
	k, ok := requestKind(s.request())
	if !ok {
		l.complain("%s: the host knows no %s", where, s.request())
		return
	}
	for name, value := range s.With {
		if !slices.Contains(k.Takes, name) {
			l.complain("%s: %s takes no %s", where, k.Name, name)
		}
		l.variable(where, value, vars)
	}
	for _, name := range k.Takes {
		if _, given := s.With[name]; !given {
			l.complain("%s: %s needs %s", where, k.Name, name)
		}
	}
}

func (l *linter) branches(d *Definition, where string, branches []Branch, vars []string) {
	for i, b := range branches {
		if d.step(b.Go) == nil {
			l.complain("%s: goes to %s, which is no step", where, b.Go)
		}
		if last := i == len(branches)-1; last != (len(b.When) == 0) {
			l.complain("%s: the last way out, and it alone, is without a condition", where)
		}
		for name := range b.When {
			if !slices.Contains(vars, name) {
				l.complain("%s: decides by %s, which nothing sets", where, name)
			}
		}
	}
}

func (l *linter) variable(where, value string, vars []string) {
	if name, ok := strings.CutPrefix(value, "$"); ok && !slices.Contains(vars, name) {
		l.complain("%s: takes $%s, which nothing sets", where, name)
	}
}

// text checks one text in every locale, and that its values are given.
func (l *linter) text(where, key string, vars []string) {
	l.used[key] = true
	for _, locale := range locales.All() {
		if !l.catalogue.Localizer(locale).Has(key) {
			l.complain("%s: text %q is missing in %s", where, key, locale)
		}
	}
	if vars == nil {
		vars = []string{}
	}
	short := key + ElderWording
	for _, name := range l.catalogue.Localizer(locales.ZhHans).Placeholders(short) {
		if !slices.Contains(l.catalogue.Localizer(locales.ZhHans).Placeholders(key), name) {
			l.complain("%s: text %q takes %s, which %q does not", where, short, name, key)
		}
	}
	l.used[short] = true
	for _, name := range l.catalogue.Localizer(locales.ZhHans).Placeholders(key) {
		if !slices.Contains(vars, name) && !slices.Contains(vars, name+"_key") && !slices.Contains(standing(), name) {
			l.complain("%s: text %q takes %s, which nothing sets", where, key, name)
		}
	}
}

func (l *linter) unused() {
	for _, key := range l.catalogue.Localizer(locales.ZhHans).IDs() {
		if !l.used[key] {
			l.complain("text %q is used nowhere", key)
		}
	}
}

// sms checks that a step that may run on SMS either speaks there by a template or is silent after one that does.
func (l *linter) sms(d *Definition, where string, s *Step, vars []string) {
	if s.SMS == nil {
		return
	}
	if !d.SMS {
		l.complain("%s: names a template, but the flow never runs on SMS", where)
	}
	t, ok := l.b.replies[s.SMS.Template]
	if !ok || t.Kind != "reply" {
		l.complain("%s: %s is no reply template", where, s.SMS.Template)
		return
	}
	for name, value := range s.SMS.Params {
		if _, takes := t.SMS.Params[name]; !takes {
			l.complain("%s: template %s takes no %s", where, t.Key, name)
		}
		l.variable(where, value, vars)
	}
	for name := range t.SMS.Params {
		if _, given := s.SMS.Params[name]; !given {
			l.complain("%s: template %s needs %s", where, t.Key, name)
		}
	}
}
