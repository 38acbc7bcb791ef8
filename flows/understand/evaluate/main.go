// Command evaluate measures how well utterances are understood: by cross-validation of our own examples, and on files
// of labelled ones that nothing was learnt from. It prints figures and labels, never an utterance.
package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/flows/understand"
)

const (
	devVariable = "LINGJULI_UNDERSTANDING_DEV"
	devPath     = "../shared/understanding/dev.jsonl" // beside the repository
	blindPaths  = "flows/understand/testdata/blind.jsonl,flows/understand/testdata/blind2.jsonl,flows/understand/testdata/blind3.jsonl"
	folds       = 5
)

func main() {
	if err := run(os.Stdout, os.Getenv(devVariable)); err != nil {
		fmt.Fprintln(os.Stderr, "evaluate:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, path string) error {
	u, err := ready(out)
	if err != nil {
		return err
	}
	judged, err := understand.CrossValidate(folds)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nOur own examples, each judged by a model that has seen nothing like it (%d folds)\n", folds)
	report(out, outcomes(judged))
	if path == "" {
		path = devPath + "," + blindPaths
	}
	for path := range strings.SplitSeq(path, ",") {
		lines, err := readLabelled(path)
		if os.IsNotExist(err) {
			fmt.Fprintf(out, "\n%s is not there; %s may name other labelled files, with commas between.\n", path, devVariable)
			continue
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "\n%s, %d labelled utterances\n", path, len(lines))
		if err := measure(out, u, lines); err != nil {
			return err
		}
	}
	return nil
}

// ready tells what an understander costs: time to start, and memory.
func ready(out io.Writer) (*understand.Understander, error) {
	before := heap()
	begin := time.Now()
	u, err := understand.New()
	if err != nil {
		return nil, err
	}
	took := time.Since(begin)
	fmt.Fprintf(out, "ready in %s, with %.1f MiB of memory\n", took.Round(100*time.Microsecond), float64(heap()-before)/(1<<20))
	return u, nil
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func measure(out io.Writer, u *understand.Understander, lines []labelled) error {
	results := make([]outcome, len(lines))
	texts := make([]string, len(lines))
	for i, l := range lines {
		texts[i] = l.Text
		results[i] = outcomeOf([]string{l.Intent}, l.Also, l.Variant, u.Understand(l.Text))
		results[i].real = l.Real
	}
	long, short, err := understand.Shared(texts)
	if err != nil {
		return err
	}
	report(out, results)
	took := times(u, texts)
	fmt.Fprintf(out, "time of one call: median %s, 99 of 100 within %s\n", took[len(took)/2], took[len(took)*99/100])
	fmt.Fprintf(out, "examples that say the same as one of them: %d, and %d of at most four characters\n", long, short)
	return nil
}

// rounds is how often each utterance is timed: a machine that does something else now and then should not decide.
const rounds = 20

func times(u *understand.Understander, texts []string) []time.Duration {
	took := make([]time.Duration, 0, rounds*len(texts))
	for range rounds {
		for _, text := range texts {
			begin := time.Now()
			u.Understand(text)
			took = append(took, time.Since(begin))
		}
	}
	slices.Sort(took)
	return took
}
