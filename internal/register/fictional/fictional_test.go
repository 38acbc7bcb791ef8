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

func TestTheSheetsOfThePeopleDoNotContradictEachOther(t *testing.T) {
	today := time.Date(2027, 1, 4, 0, 0, 0, 0, time.UTC) // what happened this year happened by now
	c := County{Seed: 1, People: 4000, Today: today}
	sheet := func(kind string) (rows []map[string]string) {
		t.Helper()
		var b bytes.Buffer
		if err := c.WriteCSV(&b, kind); err != nil {
			t.Fatal(err)
		}
		all, err := csv.NewReader(&b).ReadAll()
		if err != nil || len(all) < 100 {
			t.Fatalf("%s: %d rows, %v", kind, len(all), err)
		}
		for _, row := range all[1:] {
			m := map[string]string{}
			for i, name := range all[0] {
				m[name] = row[i]
			}
			rows = append(rows, m)
		}
		return rows
	}
	past := func(kind, on string) {
		t.Helper()
		if on > today.Format(time.DateOnly) {
			t.Errorf("%s: %s has not come yet", kind, on)
		}
	}
	people := map[string]map[string]string{}
	dead := 0
	for _, p := range sheet("people") {
		people[p["身份证号"]] = p
		if p["人员状态"] == "死亡" {
			dead++
		}
		if born := p["身份证号"][6:10]; born >= "2022" && (p["在校生状况"] != "非在校生" || p["文化程度"] == "小学") {
			t.Errorf("born in %s and at school: %v", born, p)
		}
	}
	if dead == 0 {
		t.Fatal("nobody died: the rest proves nothing of the dead")
	}
	cover := map[string]string{}
	for _, r := range sheet("cover") {
		cover[r["身份证号"]+r["险种"]] = r["参保状态"]
		past("cover", r["参保日期"])
		on := r["参保状态"] != "未参保"
		if (r["参保日期"] != "") != on || (r["参保地"] != "") != on || !on && r["待遇状态"] != "" {
			t.Errorf("not enrolled, and yet: %v", r)
		}
		if people[r["身份证号"]]["人员状态"] == "死亡" && r["参保状态"] == "已参保" {
			t.Errorf("the dead are covered: %v", r)
		}
	}
	for _, r := range sheet("premiums") {
		past("premiums", r["缴费日期"])
		if paid := r["缴费状态"] == "已缴"; paid != (cover[r["身份证号"]+r["险种"]] == "已参保") || paid != (r["缴费日期"] != "") {
			t.Errorf("premium and cover differ: %v", r)
		}
	}
	for _, kind := range []string{"premiums", "subsidies", "benefits", "placements"} {
		for _, r := range sheet(kind) {
			p := people[r["身份证号"]]
			if p["人员状态"] == "死亡" {
				t.Errorf("%s of the dead: %v", kind, r)
			}
			if kind == "placements" && p["就业状态"] != "已就业" {
				t.Errorf("at work, and yet: %v", p)
			}
		}
	}
	for _, r := range sheet("benefits") {
		past("benefits", r["发放日期"])
	}
}
