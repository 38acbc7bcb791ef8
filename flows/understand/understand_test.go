package understand

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
)

func newForTest(t testing.TB) *Understander {
	t.Helper()
	u, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestEveryIntentIsUnderstoodInPlainWords(t *testing.T) {
	u := newForTest(t)
	for text, want := range map[string]string{
		"我今年的医保到底缴上了没":   "check_medical",
		"我每个月能领几多养老金":    "check_pension",
		"我报的补助审核通过没":     "check_subsidy",
		"合作医疗一个人要交多少":    "premium_pay",
		"镇上有厂子招工不":       "jobs",
		"我想报名当护林员":       "public_job",
		"哪里可以免费学电焊":      "training",
		"孩子读技校学费能不能免":    "technical_school",
		"想开个小店能贷款吗":      "startup",
		"应届毕业生求职补贴怎么领":   "graduate",
		"得了癌症二次报销能报几成":   "serious_illness",
		"在广州住院回老家怎么报销":   "medical_remote",
		"以前在深圳交的社保怎么转回家": "pension_transfer",
		"二级残疾交养老保险政府代缴吗": "disability_premium",
		"低保要怎么申请":        "policy_general",
		"我要绑定我妈的身份证":     "bind_identity",
		"以后不要再给我发短信":     "unsubscribe",
		"转接人工客服":         "human",
		"我要投诉村干部克扣":      "report_problem",
		"讲广东话得唔得":        "language",
		"您好，有人吗":         "greeting",
		"好的谢谢你们":         "thanks",
		"明天广州会不会下雨":      "out_of_scope",
		"老板欠我三个月工资不给":    "out_of_scope",
		"ＴＤ":             "unsubscribe",
		"":               "out_of_scope",
		" \n ！？。":        "out_of_scope",
		"\x00\xff\xfe":   "out_of_scope",
	} {
		if got := u.Understand(text); got.Intent != want {
			t.Errorf("%q: %s %.2f, want %s", text, got.Intent, got.Score, want)
		}
	}
}

func TestTheWayOfWritingDoesNotChangeTheMeaning(t *testing.T) {
	u := newForTest(t)
	for want, texts := range map[string][]string{
		"check_medical":    {"我的医保交了没有", "我的醫保交了沒有", "我嘅醫保交咗未", "我的医保交了没有？？？", "我 的 医保 交了 没有", "我的衣保交了没有"},
		"jobs":             {"附近有没有厂招工", "附近有沒有廠招工", "附近有冇廠請人", "附近有没有厂招公"},
		"check_pension":    {"养老金什么时候发", "養老金什麼時候發", "養老金幾時出", "养老今什么时候发"},
		"technical_school": {"读技校要学费吗", "讀技校要學費嗎", "讀技校使唔使學費", "读计校要学费吗"},
	} {
		for _, text := range texts {
			if got := u.Understand(text); got.Intent != want {
				t.Errorf("%q: %s %.2f, want %s", text, got.Intent, got.Score, want)
			}
		}
	}
}

func TestAResultIsWhatTheCommandPrints(t *testing.T) {
	u := newForTest(t)
	for _, text := range []string{"医保", "", "你好", strings.Repeat("我想问一下补贴", 500), "<&>\u2028"} {
		r := u.Understand(text)
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(b, &fields); err != nil || len(fields) != 4 {
			t.Errorf("%q: %s", text, b)
		}
		if r.Text != text || r.Candidates[0] != (Candidate{r.Intent, r.Score}) {
			t.Errorf("%q: %+v", text, r)
		}
		last := 1.0
		for _, c := range r.Candidates {
			if c.Score < 0 || c.Score > last || math.IsNaN(c.Score) || !slices.Contains(Intents(), c.Intent) {
				t.Errorf("%q: %+v", text, r.Candidates)
			}
			last = c.Score
		}
	}
}

func TestEnglishIsUnderstood(t *testing.T) {
	u := newForTest(t)
	for text, want := range map[string]string{
		"Could you check if my health insurance was paid": "check_medical",
		"Why is there no pension on my bank card":         "check_pension",
		"What do I pay for the medical insurance?":        "premium_pay",
		"Are there jobs in a factory close by":            "jobs",
		"my daughter graduated and has no job yet":        "graduate",
		"Treated in a Shenzhen hospital, reimbursement?":  "medical_remote",
		"I would like to speak to a person":               "human",
		"Please don't send me any more messages":          "unsubscribe",
		"My employer owes me two months of wages":         "out_of_scope",
		"Will it rain in Guangzhou on Sunday":             "out_of_scope",
	} {
		if got := u.Understand(text); got.Intent != want {
			t.Errorf("%q: %s %.2f, want %s", text, got.Intent, got.Score, want)
		}
	}
}

func TestTwoUnderstandersAgree(t *testing.T) {
	a := newForTest(t)
	b, err := New()
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for _, text := range []string{"医保", "我想找份工", "帮我查一下", "残疾人", "贷款养猪"} {
				x, y := a.Understand(text), b.Understand(text)
				if !slices.Equal(x.Candidates, y.Candidates) {
					t.Errorf("%q: %v and %v", text, x, y)
				}
			}
		})
	}
	all.Wait()
}

func TestWhateverComesHasAnAnswer(t *testing.T) {
	u := newForTest(t)
	story := strings.Repeat("我家里的情况说来话长，", 100) + strings.Repeat("大儿子在外面，小女儿嫁了，", 70)
	for name, text := range map[string]string{
		"empty":                     "",
		"blanks":                    " \t\r\n\u3000",
		"emoji alone":               "😀😭🐷🎉",
		"a thumb":                   "👍🏽",
		"digits alone":              "13800000000",
		"one digit":                 "7",
		"control characters":        "\x00\x01\x02\x1b[31m\x7f\u0085",
		"control characters within": "养\x00老\u200b金\x07没\ufeff到",
		"bytes that are no text":    "\xff\xfe\xfd养老金\xc0",
		"two thousand characters":   string([]rune(story)[:1975]) + "，我就想问问我的养老金这个月怎么没有发到卡上",
		"one character, often":      strings.Repeat("啊", 2000),
		"many marks":                "e" + strings.Repeat("\u0301", 5000),
		"a link":                    "https://example.com/a?b=c#d",
		"mark-up":                   "<script>alert(1)</script>",
		"letters that spell":        strings.Repeat("xian", 500),
		"other scripts":             "ไม่เข้าใจ Привет مرحبا",
	} {
		r := u.Understand(text)
		if r.Text != text || len(r.Candidates) != candidateCount && len(r.Candidates) != 1 {
			t.Errorf("%s: %+v", name, r)
		}
		sum := 0.0
		for _, c := range r.Candidates {
			sum += c.Score
		}
		if !(r.Score >= 0 && sum <= 1.001) {
			t.Errorf("%s: scores %+v", name, r.Candidates)
		}
	}
	for _, number := range []string{"1", "２", "0", "12.5", "3、", "13800000000"} {
		if got := u.Understand(number); got.Intent != OutOfScope {
			t.Errorf("%q alone: %s %.2f", number, got.Intent, got.Score)
		}
	}
	for text, want := range map[string]string{
		"养\x00老\u200b金\x07没\ufeff到": "check_pension",
		"yanglaojin":                "check_pension", "ＹＩＢＡＯ ｃｈａｘｕｎ": "check_medical",
	} {
		if got := u.Understand(text); got.Intent != want {
			t.Errorf("%.20q: %s %.2f, want %s", text, got.Intent, got.Score, want)
		}
	}
}

func longStory() string {
	return strings.Repeat("同志你好我今年七十了腿不好，想问一下我的养老金这个月怎么还没有到账，", 60)
}

func TestOfALongTextBothEndsAloneAreReadSoItsCostIsBounded(t *testing.T) {
	u, text := newForTest(t), longStory()
	short := ends(text)
	if n := len([]rune(short)); n != 2*endLength {
		t.Errorf("%d characters are read, want %d", n, 2*endLength)
	}
	if whole := string([]rune(text)[:textLimit]); ends(whole) != whole {
		t.Error("a text that is not too long is not read whole")
	}
	if long := u.Understand(text); !slices.Equal(long.Candidates, u.Understand(short).Candidates) {
		t.Errorf("more than both ends counts: %+v", long.Candidates)
	}
}

func FuzzUnderstand(f *testing.F) {
	u := newForTest(f)
	f.Add("我想问下医保")
	f.Add("①②③ 𠊎 👍🏽 \u200d")
	f.Fuzz(func(t *testing.T, text string) {
		r := u.Understand(text)
		if r.Text != text || r.Score < 0 || r.Score > 1 || len(r.Candidates) == 0 {
			t.Errorf("%q: %+v", text, r)
		}
	})
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if _, err := New(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnderstand(b *testing.B) {
	u := newForTest(b)
	for b.Loop() {
		u.Understand("同志你好我今年七十了腿不好，想问一下我的养老金这个月怎么还没有到账")
	}
}

func BenchmarkUnderstandALongText(b *testing.B) {
	u, text := newForTest(b), longStory()
	for b.Loop() {
		u.Understand(text)
	}
}
