package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/lingjuli/lingjuli/flows/understand"
)

// outcome is one utterance judged.
type outcome struct {
	want    []string // the label, then what else counts as right
	got     string
	score   float64
	choices []string // what a person would be asked to choose from, were it not sure
	variant string
	real    bool
}

// What the clarifying question offers, as flows/definitions/settings.yaml has it.
const (
	maybe        = 0.12
	choicesShown = 3
)

func outcomeOf(want, also []string, variant string, got understand.Result) outcome {
	o := outcome{want: slices.Concat(want, also), got: got.Intent, score: got.Score, variant: variant}
	for _, c := range got.Candidates {
		if c.Score >= maybe && c.Intent != understand.OutOfScope && len(o.choices) < choicesShown {
			o.choices = append(o.choices, c.Intent)
		}
	}
	return o
}

func outcomes(judged []understand.Judged) []outcome {
	out := make([]outcome, len(judged))
	for i, j := range judged {
		out[i] = outcomeOf([]string{j.Want}, j.Also, j.Variant, j.Got)
	}
	return out
}

func (o outcome) right() bool { return slices.Contains(o.want, o.got) }

// helped tells whether the question's choices hold a right one.
func (o outcome) helped() bool {
	return slices.ContainsFunc(o.choices, func(c string) bool { return slices.Contains(o.want, c) })
}

func (o outcome) first() bool { return o.want[0] == o.got }

func report(out io.Writer, all []outcome) {
	row := func(name string, of func(outcome) bool, right func(outcome) bool) {
		if n, ok := count(all, of), count(all, func(o outcome) bool { return of(o) && right(o) }); n > 0 {
			fmt.Fprintf(out, "  %-28s %5d of %5d  %5.1f%%\n", name, ok, n, 100*float64(ok)/float64(n))
		}
	}
	row("overall", func(outcome) bool { return true }, outcome.right)
	row("as labelled first", func(outcome) bool { return true }, outcome.first)
	row("real", func(o outcome) bool { return o.real }, outcome.right)
	for _, v := range keys(all, func(o outcome) string { return o.variant }) {
		row(v, func(o outcome) bool { return o.variant == v }, outcome.right)
	}
	const oos = understand.OutOfScope
	isOut := func(o outcome) bool { return o.want[0] == oos }
	row("recall of out_of_scope", isOut, outcome.right)
	row("precision of out_of_scope", func(o outcome) bool { return o.got == oos }, outcome.right)
	sure := func(o outcome) bool { return o.score >= understand.Sure }
	row("sure", func(outcome) bool { return true }, sure)
	row("right where sure", sure, outcome.right)
	row("not sure: a choice is right", func(o outcome) bool { return !sure(o) && !isOut(o) }, outcome.helped)
	row("not sure: out_of_scope", func(o outcome) bool { return !sure(o) }, isOut)
	for _, i := range keys(all, func(o outcome) string { return o.want[0] }) {
		row(i, func(o outcome) bool { return o.want[0] == i }, outcome.right)
	}
	scores(out, all)
	confusions(out, all)
}

func count(all []outcome, of func(outcome) bool) int {
	n := 0
	for _, o := range all {
		if of(o) {
			n++
		}
	}
	return n
}

func keys(all []outcome, of func(outcome) string) []string {
	seen := map[string]bool{}
	for _, o := range all {
		seen[of(o)] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// scores compares the scores given with the share that was right.
func scores(out io.Writer, all []outcome) {
	const bins = 10
	var n, right [bins]int
	var sum [bins]float64
	for _, o := range all {
		b := min(bins-1, int(o.score*bins))
		n[b]++
		sum[b] += o.score
		if o.right() {
			right[b]++
		}
	}
	fmt.Fprintln(out, "  a score of on average / was right in")
	for b := range n {
		if n[b] > 0 {
			fmt.Fprintf(out, "    %4.2f  %5.1f%% of %d\n", sum[b]/float64(n[b]), 100*float64(right[b])/float64(n[b]), n[b])
		}
	}
}

// confusions lists which intents are taken for which, the commonest first.
func confusions(out io.Writer, all []outcome) {
	pairs := map[string]int{}
	for _, o := range all {
		if !o.right() {
			pairs[o.want[0]+" taken for "+o.got]++
		}
	}
	const most = 25
	order := slices.SortedFunc(maps.Keys(pairs), func(a, b string) int {
		return cmp.Or(cmp.Compare(pairs[b], pairs[a]), cmp.Compare(a, b))
	})
	fmt.Fprintln(out, "  confusions")
	for _, pair := range order[:min(most, len(order))] {
		fmt.Fprintf(out, "    %4d  %s\n", pairs[pair], pair)
	}
}
