package understand

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
)

// sample is one utterance to learn from. Samples of one line share its weight, and are never parted by an evaluation.
type sample struct {
	text    string
	intent  int
	also    []int // other answers that count as right
	variant string
	line    int
	weight  float64

	features []feature // nil before it is read
}

// expansions is how many utterances one line with alternatives gives at most.
const expansions = 12

// loadSamples reads examples/INTENT.txt of every intent. A line is an utterance; [a|b|] in it stands for each of its
// alternatives in turn, and after ~ stand the other intents that a careful reader could answer with as well. A heading
// names the variant of what follows.
func loadSamples(intents []string) ([]sample, error) {
	var out []sample
	line := 0
	for i, intent := range intents {
		file, err := examples.ReadFile("examples/" + intent + ".txt")
		if err != nil {
			return nil, fmt.Errorf("understand: read the examples: %w", err)
		}
		variant := ""
		for text := range strings.Lines(string(file)) {
			text = strings.TrimSpace(text)
			if heading, ok := strings.CutPrefix(text, "## "); ok {
				variant = heading
			}
			if text == "" || text[0] == '#' {
				continue
			}
			text, also, err := cutAlso(text, intents)
			if err != nil {
				return nil, fmt.Errorf("understand: examples of %s: %w", intent, err)
			}
			all, err := expand(text)
			if err != nil {
				return nil, fmt.Errorf("understand: examples of %s: %w", intent, err)
			}
			kept := some(all, expansions)
			for _, text := range kept {
				out = append(out, sample{
					text: text, intent: i, also: also, variant: variant, line: line, weight: lineWeight(len(kept)),
				})
			}
			line++
		}
	}
	return out, nil
}

// cutAlso takes the other right answers off the end of a line.
func cutAlso(line string, intents []string) (text string, also []int, err error) {
	text, names, _ := strings.Cut(line, " ~ ")
	for _, name := range strings.Fields(names) {
		i := slices.Index(intents, name)
		if i < 0 {
			return "", nil, fmt.Errorf("%q is no intent", name)
		}
		also = append(also, i)
	}
	return text, also, nil
}

// lineWeight lets a line with more alternatives count for more, but not for as much as that many lines.
func lineWeight(n int) float64 { return min(1, 4/float64(n)) }

// expand writes out the alternatives of a line.
func expand(pattern string) ([]string, error) {
	before, rest, ok := strings.Cut(pattern, "[")
	if !ok {
		return []string{pattern}, nil
	}
	inside, after, ok := strings.Cut(rest, "]")
	if !ok {
		return nil, fmt.Errorf("a bracket stays open in %q", pattern)
	}
	tails, err := expand(after)
	if err != nil {
		return nil, err
	}
	var out []string
	for choice := range strings.SplitSeq(inside, "|") {
		for _, tail := range tails {
			out = append(out, before+choice+tail)
		}
	}
	return out, nil
}

// some picks n, spread evenly over all, so that every alternative has its share.
func some(all []string, n int) []string {
	if len(all) <= n {
		return all
	}
	out := make([]string, 0, n)
	for i := range n {
		out = append(out, all[(i*len(all)/n+int(textHash(all[i])%uint32(len(all)/n)))%len(all)])
	}
	return out
}

func textHash(s string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s))
	return h.Sum32()
}
