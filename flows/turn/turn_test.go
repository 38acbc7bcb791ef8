package turn

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/locales"
)

func TestFiveWrongCodesLockForAnHour(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	var c Check
	for want := wrongAllowed - 1; want > 0; want-- {
		if c = c.wrong(now); c.locked(now) || c.left(now) != want {
			t.Fatalf("%+v: %d tries left, want %d", c, c.left(now), want)
		}
	}
	if c = c.wrong(now); !c.locked(now) || c.left(now) != 0 {
		t.Fatalf("%+v is not locked", c)
	}
	if !c.locked(now.Add(59*time.Minute)) || c.locked(now.Add(time.Hour)) {
		t.Error("a lock holds for an hour")
	}
	if c = c.wrong(now.Add(61 * time.Minute)); c.locked(now.Add(61*time.Minute)) || c.left(now.Add(61*time.Minute)) != 4 {
		t.Errorf("after the lock counting begins anew: %+v", c)
	}
}

func TestAWrongCodeIsForgottenAfterADayOrARightOne(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	c := Check{}.wrong(now).wrong(now)
	if c.wrong(now.Add(23*time.Hour)).Wrong != 3 || c.wrong(now.Add(25*time.Hour)).Wrong != 1 || c.right().Wrong != 0 {
		t.Error(c)
	}
}

func TestCodesAreSentOnceAMinuteAndFiveTimesAnHour(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	var c Check
	for i := range codesAnHour {
		at := now.Add(time.Duration(i) * 2 * time.Minute)
		if soon, hour := c.maySend(at, betweenCodes, codesAnHour); !soon || !hour {
			t.Fatalf("code %d is held back", i)
		}
		c = c.sent(at)
		if soon, _ := c.maySend(at.Add(59*time.Second), betweenCodes, codesAnHour); soon {
			t.Fatal("two codes in a minute")
		}
	}
	if _, hour := c.maySend(now.Add(30*time.Minute), betweenCodes, codesAnHour); hour {
		t.Error("six codes in an hour")
	}
	if _, hour := c.maySend(now.Add(time.Hour), betweenCodes, codesAnHour); !hour {
		t.Error("the next hour is held back")
	}
}

func TestATranscriptHoldsNoNumberOfFiveDigitsAndMore(t *testing.T) {
	for text, want := range map[string]string{
		"441802195501010015": "*****",
		"验证码123456":          "验证码*****",
		"４４１８０２１９５５０１０１００１５":   "*****",
		"44180219550101001X 好": "***** 好",
		"441802 19550101 001x": "*****",
		"电话138-0000-0001":      "电话*****",
		"2026年度要交400元，请打12393": "2026年度要交400元，请打*****",
		"没有数字":                 "没有数字",
	} {
		if got := mask(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestALanguageIsHeardFromHowPeopleWrite(t *testing.T) {
	book, err := flows.Load()
	if err != nil {
		t.Fatal(err)
	}
	by := signs{characters: "嘅咗唔冇喺哋嚟佢啲咁㗎", cantonese: []string{"点样", "边度"}, mandarin: "的是不没这那吗什么", pinyin: book.Settings().Pinyin}
	for _, c := range []struct{ text, now, want string }{
		{"我的医保有没有参保成功", "", "zh-Hans"},
		{"医保", "", ""},
		{"医保", "yue-Hant", "yue-Hant"},
		{"我的醫保", "", "zh-Hant"},
		{"我嘅醫保", "", "yue-Hant"},
		{"我嘅医保", "zh-Hans", "yue-Hant"},
		{"我的醫保", "yue-Hant", "yue-Hant"},
		{"my insurance", "", "en"},
		{"hello", "", "en"},
		{"hi", "", ""},
		{"human", "", "en"},
		{"Foshan cleaner", "", "en"},
		{"wo xiang zhao gongzuo", "", ""},
		{"shenzhen dianzichang", "zh-Hans", "zh-Hans"},
		{"Dongguan", "en", "en"},
		{"TD", "", ""},
		{"OK", "zh-Hant", "zh-Hant"},
		{"R", "", ""},
		{"123456", "en", "en"},
		{"", "en", "en"},
		{"陈大文", "zh-Hant", "zh-Hant"},
		{"我想问一下今年的医保怎么交", "en", "zh-Hans"},
		{"点样先可以领养老金", "", "yue-Hant"},
		{"阿妈今年六十想领养老金", "yue-Hant", "yue-Hant"},
		{"我想问一下今年的医保怎么交", "yue-Hant", "zh-Hans"},
	} {
		if got := heard(c.text, c.now, by); got != c.want {
			t.Errorf("%q after %q: %q, want %q", c.text, c.now, got, c.want)
		}
	}
}

func TestPagesFitLoseNothingAndEndWithTheHint(t *testing.T) {
	const hint = "（没说完，回复“更多”接着看）"
	rapid.Check(t, func(r *rapid.T) {
		text := strings.Trim(rapid.StringOfN(rapid.RuneFrom([]rune("医保a😀\n补贴。")), 0, 3000, -1).Draw(r, "text"), "\n")
		menu := strings.Trim(rapid.StringOfN(rapid.RuneFrom([]rune("1选项\n")), 0, 700, -1).Draw(r, "menu"), "\n")
		pages := paginate(text, menu, hint)
		if len(pages) > 1 && utf8.RuneCountInString(menu) < pageRunes/2-40 && len(menu) < pageBytes/2-90 {
			if !strings.HasSuffix(pages[0], "\n"+menu) {
				r.Fatal("the choices are not under the first page")
			}
			pages[0], menu = strings.TrimSuffix(pages[0], "\n"+menu), ""
		}
		text += menu
		var whole strings.Builder
		for i, p := range pages {
			if !utf8.ValidString(p) || utf8.RuneCountInString(p) > pageRunes || len(p) > pageBytes {
				r.Fatalf("page %d has %d characters, %d bytes", i, utf8.RuneCountInString(p), len(p))
			}
			body, hinted := strings.CutSuffix(p, "\n"+hint)
			if hinted != (i < len(pages)-1) {
				r.Fatalf("page %d of %d: hint %v", i, len(pages), hinted)
			}
			whole.WriteString(body)
		}
		plain := func(s string) string { return strings.ReplaceAll(s, "\n", "") }
		if plain(whole.String()) != plain(text) {
			r.Fatal("something was lost between the pages")
		}
	})
}

func TestARepliesHoldsNothingThatXMLForbids(t *testing.T) {
	if got := clean("好\x00\x0b\ufffe的\n\t😀"); got != "好的\n\t😀" {
		t.Errorf("%q", got)
	}
}

func TestMoneyIsWrittenInYuan(t *testing.T) {
	for fen, want := range map[int64]string{-1: "", 0: "", 40000: "400", 40050: "400.50", 5: "0.05"} {
		if got := yuan(fen); got != want {
			t.Errorf("%d fen: %q, want %q", fen, got, want)
		}
	}
}

func TestWhatAPersonPaysIsTheirOwnPart(t *testing.T) {
	for _, c := range []struct {
		p    register.Premium
		want int64
	}{
		{register.Premium{DueFen: 400, SelfFen: 100, SubsidyFen: 300}, 100},
		{register.Premium{DueFen: 400, SelfFen: 0, SubsidyFen: 400}, 0},
		{register.Premium{DueFen: 400, SelfFen: -1, SubsidyFen: 150}, 250},
		{register.Premium{DueFen: 400, SelfFen: -1, SubsidyFen: 500}, 0},
		{register.Premium{DueFen: 400, SelfFen: -1, SubsidyFen: -1}, 400},
	} {
		if got := toPay(c.p); got != c.want {
			t.Errorf("%+v: %d", c.p, got)
		}
	}
}

func TestTheNextDeadlineComesFirstAndALateOneLast(t *testing.T) {
	premiums := []register.Premium{
		{Year: 2026, DueFen: 1, Deadline: "2026-10-31"},
		{Year: 2026, DueFen: 2},
		{Year: 2027, DueFen: 3, Deadline: "2026-12-31"},
		{Year: 2025, DueFen: 4, Deadline: "2026-12-01"},
		{Year: 2026, DueFen: 5, Deadline: "2026-12-01", State: register.Paid},
	}
	for i := range premiums {
		premiums[i].SelfFen = -1
	}
	for _, want := range []int64{3, 2, 1} {
		p, ok := pressing(premiums, "", "2026-11-23")
		if !ok || p.DueFen != want {
			t.Fatalf("pressing is %+v, want %d", p, want)
		}
		for i := range premiums {
			if premiums[i].DueFen == want {
				premiums[i].State = register.Paid
			}
		}
	}
	if _, ok := pressing(premiums, "", "2026-11-23"); ok {
		t.Error("something presses though all is paid")
	}
}

func TestACivilDateIsWrittenAsPeopleDo(t *testing.T) {
	texts, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		locale     locales.Locale
		value, out string
	}{
		{locales.ZhHans, "2026-12-31", "2026年12月31日"},
		{locales.English, "2026-12-05", "5 December 2026"},
		{locales.ZhHans, "2026-10", "2026年10月"},
		{locales.English, "2026-10", "October 2026"},
		{locales.ZhHans, "2026-13-31", "2026-13-31"},
		{locales.ZhHans, "0763-30000", "0763-30000"},
		{locales.ZhHans, "待定", "待定"},
	} {
		if got := inWords(texts.Localizer(c.locale), c.value); got != c.out {
			t.Errorf("%s: %s", c.value, got)
		}
	}
}
