package flows

import "testing"

// Names are put into English word by word; one that no word is known of stays as it is.
func TestAThingOfTheRegisterIsGlossedWordByWord(t *testing.T) {
	s := book(t).Settings()
	for name, want := range map[string]string{
		"缝纫工":         "缝纫工 (sewing worker)",
		"缝纫订单班":       "缝纫订单班 (sewing course with a job)",
		"电子厂普工":       "电子厂普工 (electronics factory general worker)",
		"家政服务员培训":     "家政服务员培训 (housekeeper course)",
		"技工院校国家助学金":   "技工院校国家助学金 (technical school state grant)",
		"某某某":         "某某某",
		"":            "",
		"a 班":         "a 班",
		"一次性求职补贴（样例）": "一次性求职补贴（样例） (one-off job-seeking subsidy)",
	} {
		if got := s.Glossed(name); got != want {
			t.Errorf("%s is glossed %q, want %q", name, got, want)
		}
		if got := unglossed(s.Glossed(name)); got != name {
			t.Errorf("%s comes back as %q", name, got)
		}
	}
}

// A word in letters is as long as two characters: whoever writes English may say as much.
func TestASentenceInLettersIsAsLongAsItIsSpoken(t *testing.T) {
	for said, want := range map[string]int{"怎么入户": 4, "how do i settle in shenzhen": 12, "i don't know": 6, "深圳 hukou": 4, "": 0, "123": 3} {
		if got := spoken(said); got != want {
			t.Errorf("%q is %d long, want %d", said, got, want)
		}
	}
}
