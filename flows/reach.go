package flows

import (
	"fmt"
	"slices"
	"strings"
)

// ways lists the steps of a flow that one of its steps may lead to. out says whether the flow may be left there.
func (d *Definition) ways(s *Step) (steps []string, out bool) {
	options := func(all []Option) {
		for _, o := range all {
			if o.Flow != "" || strings.HasPrefix(o.Go, "@") {
				out = true
				continue
			}
			steps = append(steps, o.Go)
		}
	}
	switch {
	case s.End != nil:
		return nil, true
	case s.Choose != nil:
		options(s.Choose.Options)
		if s.Choose.Items != nil {
			steps = append(steps, s.Choose.Items.Go)
		}
		if s.Choose.Other != nil {
			steps = append(steps, s.Choose.Other.Go)
		}
		return steps, out
	case len(s.Decide) > 0:
		for _, b := range s.Decide {
			steps = append(steps, b.Go)
		}
		return steps, false
	case s.Ask != nil:
		options(s.Ask.Branches)
	}
	if next := d.after(s); next != "" {
		return append(steps, next), out
	}
	return steps, true
}

// reach finds steps that nothing leads to, and steps from which the flow never ends.
func (l *linter) reach(d *Definition) {
	reached := d.from(d.Steps[0].ID)
	for _, s := range d.Steps {
		if !reached[s.ID] {
			l.complain("flow %s: step %s is never reached", d.ID, s.ID)
			continue
		}
		ends := false
		for id := range d.from(s.ID) {
			if step := d.step(id); step != nil {
				_, out := d.ways(step)
				ends = ends || out
			}
		}
		if !ends {
			l.complain("flow %s: step %s is a dead end", d.ID, s.ID)
		}
	}
}

// from is every step that can be reached from one, itself included.
func (d *Definition) from(id string) map[string]bool {
	seen := make(map[string]bool)
	queue := []string{id}
	for len(queue) > 0 {
		id, queue = queue[0], queue[1:]
		s := d.step(id)
		if s == nil || seen[id] {
			continue
		}
		seen[id] = true
		next, _ := d.ways(s)
		queue = append(queue, next...)
	}
	return seen
}

// circles finds rounds in which nobody is asked: they would never come to rest.
func (l *linter) circles(d *Definition) {
	const white, grey, black = 0, 1, 2
	colour := make(map[string]int)
	var visit func(id string) bool
	visit = func(id string) bool {
		s := d.step(id)
		if s == nil || s.open() || colour[id] == black {
			return false
		}
		if colour[id] == grey {
			return true
		}
		colour[id] = grey
		next, _ := d.ways(s)
		for _, n := range next {
			if visit(n) {
				return true
			}
		}
		colour[id] = black
		return false
	}
	for _, s := range d.Steps {
		if colour[s.ID] == white && visit(s.ID) {
			l.complain("flow %s: step %s goes in a circle without a question", d.ID, s.ID)
			return
		}
	}
}

// Graph draws the book as a mermaid flowchart: one subgraph a flow, dotted arrows between flows.
func (b *Book) Graph() string {
	var g strings.Builder
	g.WriteString("flowchart TD\n")
	for _, id := range b.order {
		b.flows[id].draw(&g)
	}
	for _, id := range b.order {
		b.flows[id].drawCalls(&g)
	}
	return g.String()
}

// Graphs draws each flow by itself, in Markdown: what fits on a page.
func (b *Book) Graphs() string {
	var g strings.Builder
	for i, id := range b.order {
		if i > 0 {
			g.WriteString("\n")
		}
		fmt.Fprintf(&g, "## %s\n\n```mermaid\nflowchart TD\n", id)
		b.flows[id].draw(&g)
		b.flows[id].drawCalls(&g)
		g.WriteString("```\n")
	}
	return g.String()
}

// Flows lists the flows by name.
func (b *Book) Flows() []string { return slices.Clone(b.order) }

func (d *Definition) draw(g *strings.Builder) {
	fmt.Fprintf(g, "  subgraph %s[\"%s\"]\n", d.ID, d.head())
	for _, s := range d.Steps {
		fmt.Fprintf(g, "    %s_%s%s\n", d.ID, s.ID, s.shape())
	}
	for _, s := range d.Steps {
		next, _ := d.ways(s)
		slices.Sort(next)
		for _, n := range slices.Compact(next) {
			fmt.Fprintf(g, "    %s_%s --> %s_%s\n", d.ID, s.ID, d.ID, n)
		}
	}
	g.WriteString("  end\n")
}

func (d *Definition) head() string {
	head := d.ID
	if len(d.Intents) > 0 {
		head += ": " + strings.Join(d.Intents, ", ")
	}
	if d.Needs != "" {
		head += " (needs " + d.Needs + ")"
	}
	return head
}

func (s *Step) shape() string {
	switch {
	case s.Say != "":
		return fmt.Sprintf("[\"say %s\"]", s.Say)
	case s.Ask != nil:
		return fmt.Sprintf("[/\"ask %s\"/]", s.Ask.Prompt)
	case s.Choose != nil:
		return fmt.Sprintf("[/\"choose %s\"/]", s.Choose.Prompt)
	case s.LookUp != "":
		return fmt.Sprintf("[(\"look up %s\")]", s.LookUp)
	case s.Do != "":
		return fmt.Sprintf("[[\"do %s\"]]", s.Do)
	case len(s.Decide) > 0:
		return "{\"decide\"}"
	case len(s.Set) > 0:
		return "[\"set\"]"
	case s.Call != "":
		return fmt.Sprintf("[[\"call %s\"]]", s.Call)
	case s.HandOver != "":
		return fmt.Sprintf("[[\"hand over %s\"]]", s.HandOver)
	}
	return "([\"end\"])"
}

func (d *Definition) drawCalls(g *strings.Builder) {
	for _, s := range d.Steps {
		var to []string
		if s.Call != "" {
			to = append(to, s.Call)
		}
		if s.End != nil {
			to = append(to, s.End.Offer...)
		}
		if s.Choose != nil {
			for _, o := range s.Choose.Options {
				if o.Flow != "" {
					to = append(to, o.Flow)
				}
			}
		}
		for _, flow := range to {
			fmt.Fprintf(g, "  %s_%s -.-> %s\n", d.ID, s.ID, flow)
		}
	}
}
