package fictional

import (
	"bytes"
	"encoding/csv"
	"testing"
	"time"
)

func TestTheSameSeedGivesTheSameCountyWithoutAnIDTwice(t *testing.T) {
	c := County{Seed: 1, People: 60000, Today: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)}
	for _, kind := range Kinds() {
		var a, b bytes.Buffer
		if err := c.WriteCSV(&a, kind); err != nil {
			t.Fatal(err)
		}
		if err := c.WriteCSV(&b, kind); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("%s: two runs differ", kind)
		}
		rows, err := csv.NewReader(&a).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if kind != "people" {
			continue
		}
		seen := map[string]bool{}
		for _, row := range rows[1:] {
			if seen[row[1]] {
				t.Errorf("ID %s twice", row[1])
			}
			seen[row[1]] = true
		}
		if len(seen) != c.People {
			t.Errorf("%d people, want %d", len(seen), c.People)
		}
	}
}

func TestAnUnknownSheetIsAnError(t *testing.T) {
	if err := (County{}).WriteCSV(new(bytes.Buffer), "nothing"); err == nil {
		t.Error("no error")
	}
}

func TestTheChecksumIsTheStandards(t *testing.T) {
	// The example of GB 11643-1999: 11010519491231002X.
	if got := IDNumber("110105", "1949-12-31", 2); got != "11010519491231002X" {
		t.Errorf("got %s", got)
	}
}
