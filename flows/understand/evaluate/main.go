// Command evaluate measures how well utterances are understood, on a file of labelled ones that is no part of the
// project (LINGJULI_UNDERSTANDING_DEV) and by cross-validation of our own examples. It prints figures and labels,
// never an utterance.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
	"time"

	"github.com/lingjuli/lingjuli/flows/understand"
)

const devVariable = "LINGJULI_UNDERSTANDING_DEV"

func main() {
	if err := run(os.Stdout, os.Getenv(devVariable)); err != nil {
		fmt.Fprintln(os.Stderr, "evaluate:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, path string) error {
	begin := time.Now()
	u, err := understand.New()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "ready in %d ms\n", time.Since(begin).Milliseconds())
	if path == "" {
		fmt.Fprintf(out, "%s is not set: no labelled file is measured\n", devVariable)
	} else if err := measure(out, u, path); err != nil {
		return err
	}
	judged, err := understand.CrossValidate(5)
	if err != nil {
		return err
	}
	right := 0
	for _, j := range judged {
		if j.Want == j.Got {
			right++
		}
	}
	fmt.Fprintf(out, "cross-validation of the examples: %s\n", share(right, len(judged)))
	scores(out, judged)
	confusions(out, judged)
	return nil
}

// labelled is one line of a labelled file.
type labelled struct {
	Text    string   `json:"text"`
	Intent  string   `json:"intent"`
	Variant string   `json:"variant"`
	Also    []string `json:"also"`
	Real    bool     `json:"real"`
}

func measure(out io.Writer, u *understand.Understander, path string) error {
	lines, err := readLabelled(path)
	if err != nil {
		return err
	}
	tally := map[string]*[2]int{}
	count := func(key string, right bool) {
		if tally[key] == nil {
			tally[key] = &[2]int{}
		}
		tally[key][1]++
		if right {
			tally[key][0]++
		}
	}
	var judged []understand.Judged
	var took []time.Duration
	for _, l := range lines {
		begin := time.Now()
		got := u.Understand(l.Text)
		took = append(took, time.Since(begin))
		right := got.Intent == l.Intent || slices.Contains(l.Also, got.Intent)
		count("overall", right)
		count("overall, first label alone", got.Intent == l.Intent)
		count("variant "+l.Variant, right)
		count("intent  "+l.Intent, right)
		if l.Real {
			count("real", right)
		}
		j := understand.Judged{Want: l.Intent, Got: got.Intent, Score: got.Score}
		if right {
			j.Want = got.Intent
		}
		judged = append(judged, j)
		outOfScope(count, l, got.Intent)
	}
	table(out, tally)
	slices.Sort(took)
	fmt.Fprintf(out, "time an utterance: median %s, 99 of 100 within %s\n", took[len(took)/2], took[len(took)*99/100])
	scores(out, judged)
	confusions(out, judged)
	return nil
}

func outOfScope(count func(string, bool), l labelled, got string) {
	const oos = understand.OutOfScope
	if l.Intent == oos {
		count("recall of out_of_scope", got == oos || slices.Contains(l.Also, got))
	}
	if got == oos {
		count("precision of out_of_scope", l.Intent == oos || slices.Contains(l.Also, oos))
	}
}

func readLabelled(path string) ([]labelled, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var lines []labelled
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var l labelled
		if err := json.Unmarshal(scanner.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", path, len(lines)+1, err)
		}
		lines = append(lines, l)
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("%s holds no labelled utterance", path)
	}
	return lines, scanner.Err()
}

func table(out io.Writer, tally map[string]*[2]int) {
	keys := make([]string, 0, len(tally))
	for k := range tally {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		fmt.Fprintf(out, "%-36s %s\n", k, share(tally[k][0], tally[k][1]))
	}
}

// scores compares the scores given with the share that was right.
func scores(out io.Writer, judged []understand.Judged) {
	var n, right [5]int
	var sum [5]float64
	for _, j := range judged {
		b := min(4, int(j.Score*5))
		n[b]++
		sum[b] += j.Score
		if j.Want == j.Got {
			right[b]++
		}
	}
	for b := range n {
		if n[b] > 0 {
			fmt.Fprintf(out, "scores from %.1f: mean %.2f, right %s\n", float64(b)/5, sum[b]/float64(n[b]), share(right[b], n[b]))
		}
	}
}

// confusions lists which intents are taken for which, the commonest first.
func confusions(out io.Writer, judged []understand.Judged) {
	pairs := map[string]int{}
	for _, j := range judged {
		if j.Want != j.Got {
			pairs[j.Want+" taken for "+j.Got]++
		}
	}
	keys := make([]string, 0, len(pairs))
	for k := range pairs {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool {
		if pairs[keys[i]] != pairs[keys[j]] {
			return pairs[keys[i]] > pairs[keys[j]]
		}
		return keys[i] < keys[j]
	})
	for _, k := range keys[:min(len(keys), 40)] {
		fmt.Fprintf(out, "%4d  %s\n", pairs[k], k)
	}
}

func share(n, of int) string {
	return fmt.Sprintf("%d of %d (%.1f%%)", n, of, 100*float64(n)/float64(max(of, 1)))
}
