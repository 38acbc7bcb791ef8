package hanzi

import (
	"strings"
	"testing"
)

func TestTraditionalIsWrittenInSimplified(t *testing.T) {
	for text, want := range map[string]string{
		"醫療保險繳費紀錄": "医疗保险缴费纪录",
		"我係邊個":     "我系边个",
		"":         "",
		"abc，😀𬭎":   "abc，😀𬭎",
		"已经是简体":    "已经是简体",
	} {
		if got := Simplify(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestTheTableIsInOrderAndComplete(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(simplified, "\n"), "\n")
	for i, line := range lines {
		if len(line) != record-1 {
			t.Fatalf("line %d is %d bytes long", i+1, len(line))
		}
		if i > 0 && lines[i-1][:3] >= line[:3] {
			t.Fatalf("line %d is out of order", i+1)
		}
		from, to := []rune(line)[0], []rune(line)[1]
		if simplify(from) != to {
			t.Fatalf("line %d is not found", i+1)
		}
		if Traditional(to) {
			t.Errorf("line %d leads to another Traditional character", i+1)
		}
	}
}

func TestCharactersOfNamesAreNotTraditional(t *testing.T) {
	for _, r := range "乾徵著堃喆玥婳镕" {
		if Traditional(r) {
			t.Errorf("%c is called Traditional", r)
		}
	}
}
