package understand

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"testing"
)

// blindSets are the labelled files that nothing is learnt from, with a floor each: a point below the share that was
// right when the model was last worked on.
func blindSets() map[string]float64 {
	return map[string]float64{"testdata/blind.jsonl": 0.966, "testdata/blind2.jsonl": 0.971, "testdata/blind3.jsonl": 0.93}
}

type blindLine struct {
	Text   string   `json:"text"`
	Intent string   `json:"intent"`
	Also   []string `json:"also"`
}

func blindLines(t *testing.T, path string) []blindLine {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []blindLine
	in := bufio.NewScanner(f)
	for in.Scan() {
		var l blindLine
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(Intents(), l.Intent) {
			t.Fatalf("line %d has an intent %q", len(out)+1, l.Intent)
		}
		out = append(out, l)
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	if len(out) < 200 {
		t.Fatalf("only %d lines", len(out))
	}
	return out
}

func TestWhatWasWrittenWithoutSightOfTheExamplesIsUnderstood(t *testing.T) {
	u := newForTest(t)
	for path, floor := range blindSets() {
		all := blindLines(t, path)
		right := 0
		for _, l := range all {
			got := u.Understand(l.Text).Intent
			if got == l.Intent || slices.Contains(l.Also, got) {
				right++
			}
		}
		if share := float64(right) / float64(len(all)); share < floor {
			t.Errorf("%s: %d of %d are right, %.1f%%; wanted %.1f%%", path, right, len(all), 100*share, 100*floor)
		}
	}
}

func TestNoExampleIsABlindLine(t *testing.T) {
	for path := range blindSets() {
		var texts []string
		for _, l := range blindLines(t, path) {
			texts = append(texts, l.Text)
		}
		long, _, err := Shared(texts)
		if err != nil {
			t.Fatal(err)
		}
		if long != 0 {
			t.Errorf("%d examples say the same as a line of %s", long, path)
		}
	}
}
