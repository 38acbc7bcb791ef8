package notify

import (
	"strings"
	"testing"
)

func TestLongTextsAreBilledByBeginningSegments(t *testing.T) {
	for _, c := range []struct{ characters, want int }{
		{0, 1}, {70, 1}, {71, 2}, {134, 2}, {135, 3}, {160, 3}, {201, 3}, {202, 4},
	} {
		if got := Segments("", strings.Repeat("字", c.characters)); got != c.want {
			t.Errorf("%d characters: %d segments, want %d", c.characters, got, c.want)
		}
	}
}

func TestTheSignatureCountsWithItsBrackets(t *testing.T) {
	content := strings.Repeat("字", 64)
	if got := Segments("零距离办", content); got != 1 {
		t.Errorf("6 + 64 characters: %d segments", got)
	}
	if got := Segments("零距离办", content+"字"); got != 2 {
		t.Errorf("6 + 65 characters: %d segments", got)
	}
}

func TestVariablesThatCarriersRefuseAreFound(t *testing.T) {
	for _, bad := range []string{
		"陳大文", "张三😀", "【张三】", "〖a〗", "『a』", "「a」", "60m²", "a•b", "①", "★", "※", "→", "❤", "™", "☎️",
		"a\nb", "a\u200bb", "a\x00b", "\xff",
		"http://a.example/x", "www.example", "lingjuli.gov.cn", "A.COM",
		strings.Repeat("字", 36),
	} {
		if err := CheckSMSVariable(bad); err == nil {
			t.Errorf("%q passes", bad)
		} else if strings.Contains(err.Error(), bad) {
			t.Errorf("the error repeats the value %q", bad)
		}
	}
	for _, good := range []string{"", "张三", "阿卜杜拉·买买提", "欧阳喆", "𬭎", "12月31日", "350.5元", "0763-3360000", strings.Repeat("字", 35)} {
		if err := CheckSMSVariable(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

func TestATextMayHaveFiveHundredCharacters(t *testing.T) {
	if err := CheckSMSText(strings.Repeat("字", 500)); err != nil {
		t.Error(err)
	}
	if CheckSMSText(strings.Repeat("字", 501)) == nil {
		t.Error("501 characters pass")
	}
}
