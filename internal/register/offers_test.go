package register

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMonthsAndPercentagesAreReadInTheShapesPeopleWrite(t *testing.T) {
	for text, want := range map[string]string{
		"2026-11": "2026-11", "202611": "2026-11", "2026年11月": "2026-11", "2026/1/5": "2026-01", "46327": "2026-11", "": "", "11月": "", "2026": "", "2026-13": "",
	} {
		if got, err := parseMonth(text); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for text, want := range map[string]int{
		"75%": 7500, "75.5%": 7550, "0.7": 7000, "1": 10000, "80": 8000, "100%": 10000, "0.5%": 50, "６０％": 6000, "0": 0, "101": -1, "-1": -1, "x": -1, "1e1": -1,
	} {
		got, err := parsePercent(text)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"2026年12月5日至7日": "2026-12-05", "2026-12-05 9:00-11:30": "2026-12-05", "2026.12.5—12.8": "2026-12-05", "12月5日": "", "2026年12月": "", "2026-13-05 9:00": "",
	} {
		if got, err := parseFirstDay(text); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

func TestAPlaceIsFoundByOneText(t *testing.T) {
	for text, want := range map[string]string{
		"清城": "441802000000", "清城区": "441802000000", "清远市清城区": "441802000000", "广东省清远市清城区": "441802000000", "清远": "441800000000", "清远市": "441800000000",
		"广东": "440000000000", "广东省": "440000000000", "东莞市": "441900000000", "441802": "441802000000", "4418": "441800000000", "44": "440000000000",
		"441802000000": "441802000000", "": "", "桃花县": "!", "990000": "!", "441802103": "!",
	} {
		got, err := FindPlace(text)
		if err != nil {
			got = "!"
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestWhatASubsidyIsForIsReadFromItsName(t *testing.T) {
	got := map[string]string{}
	for _, kind := range []string{
		"职业技能培训补贴", "国家助学金", "技工院校免学费", "就业见习补贴", "一次性创业资助", "重度残疾人护理补贴", "求职创业补贴", "公益性岗位补贴", "创业培训补贴", "临时救助",
	} {
		got[kind] = Subsidy{Kind: kind}.About()
	}
	want := map[string]string{
		"职业技能培训补贴": "training", "国家助学金": "school", "技工院校免学费": "school", "就业见习补贴": "internship", "一次性创业资助": "startup",
		"重度残疾人护理补贴": "disability", "求职创业补贴": "work", "公益性岗位补贴": "work", "创业培训补贴": "training", "临时救助": "other",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
}

func TestAPairsCityIsNamedAsPostingsNameIt(t *testing.T) {
	for giver, want := range map[string][2]string{
		"广州市": {"广州", "4401"}, "广东省广州市": {"广州", "4401"}, "广州市天河区": {"广州", "4401"}, "东莞": {"东莞", "441900"}, "南宁市": {"南宁", ""},
	} {
		name, prefix := Pair{Giver: giver}.City()
		if name != want[0] || prefix != want[1] {
			t.Errorf("%s: %s %s", giver, name, prefix)
		}
	}
}
