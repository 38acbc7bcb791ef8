package understand

import (
	"slices"
	"strings"
	"testing"
)

// What people send from cheap phones: slips of ear and finger, two languages in a line, hardly anything.
func TestWhatPeopleSendFromCheapPhonesIsUnderstood(t *testing.T) {
	u := newForTest(t)
	for want, texts := range map[string][]string{
		"check_medical":   {"衣保查下", "check下医保", "2024年医保交了吗", "医 保 查 下"},
		"check_pension":   {"养老斤到了没", "我想check下我份pension", "wo de yang lao jin", "pension?"},
		"check_subsidy":   {"补铁到了没", "butie", "钱呢", "subsidie money where"},                          //nolint:misspell // as they come
		"jobs":            {"找公作", "zhao gong zuo", "有冇job", "i wnat a job", "me want work factory"}, //nolint:misspell // the same
		"medical_remote":  {"暴晓多少", "I go hospital Guangzhou, money back?", "reimbursment how much"},
		"policy_general":  {"低宝怎么申请", "apply低保", "没钱"},
		"human":           {"转人功", "call返我啦唔该", "救命"},
		"unsubscribe":     {"退丁", "send少啲message啦", "STOP MSG"},
		"bind_identity":   {"18812345678这个号码绑不了", "verify code收唔到"},
		"language":        {"english pls", "englsh please", "no understand", "grandma no read"},
		"graduate":        {"son finish university no work"},
		"thanks":          {"OK", "好滴", "👍", "[强]", "[抱拳]", "谢谢[玫瑰][玫瑰]", "xie xie", "ok thx"},
		"greeting":        {"HELLO", "在？", "nihao", "u there?"},
		OutOfScope:        {"😭😭", "[流泪]", "boss no give salary", "123456"},
		"serious_illness": {"大病旧助", "papa cancer, money gone"},
	} {
		for _, text := range texts {
			if got := u.Understand(text); got.Intent != want {
				t.Errorf("%q: %s %.2f, want %s", text, got.Intent, got.Score, want)
			}
		}
	}
}

func TestWhatMeansLittleIsAskedAboutNotGuessed(t *testing.T) {
	u := newForTest(t)
	for _, text := range []string{"怎么办", "点算", "是的", "那个", "insurence jop"} { //nolint:misspell // the same
		if got := u.Understand(text); got.Score >= Sure && got.Intent != OutOfScope {
			t.Errorf("%q: %s with a score of %.2f", text, got.Intent, got.Score)
		}
	}
}

func TestASlipInAnEnglishWordIsMended(t *testing.T) {
	e := readerForTest(t).english
	for slip, want := range map[string]string{
		"hospitl":    "hospital", // too few
		"insurrance": "insurance",
		"medicel":    "medical",
		"pensoin":    "pension",
		"pension":    "pension",
		"yibao":      "yibao",
		"jop":        "jop", // too short to tell
		"xylophone":  "xylophone",
		"brown":      "brown",
	} {
		if got := e.mend(slip); got != want {
			t.Errorf("%q is taken for %q, want %q", slip, got, want)
		}
	}
}

func TestSyllablesApartSoundAsSyllablesTogether(t *testing.T) {
	s := readerForTest(t).sounds
	if a, b := s.of([]rune("yang lao jin")), s.of([]rune("养老金")); !slices.Equal(a, b) {
		t.Errorf("%v and %v", a, b)
	}
	if a, b := s.of([]rune("vpn vpn")), s.of([]rune("vpnvpn")); slices.Equal(a, b) {
		t.Error("two words that spell nothing sound like one")
	}
}

func TestATextOfTwoThousandCharactersIsUnderstoodByItsEnd(t *testing.T) {
	u := newForTest(t)
	story := strings.Repeat("我屋企嘅事讲起嚟好长，", 180)
	for want, end := range map[string]string{
		"check_pension": "我就想问我份养老金今个月点解冇到账",
		"human":         "麻烦你叫个真人同我讲，转人工",
	} {
		if got := u.Understand(story + end); got.Intent != want {
			t.Errorf("%s: %s %.2f, want %s", end, got.Intent, got.Score, want)
		}
	}
}
