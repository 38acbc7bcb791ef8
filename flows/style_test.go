package flows

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/lingjuli/lingjuli/locales"
)

// The longest sentence that people with little schooling are asked to read: characters, in English words.
const (
	longestSentence = 36
	longestEnglish  = 28
)

// jargon is what offices say to one another.
func jargon() []string {
	return []string{
		"贫困", "貧困", "扶贫", "扶貧", "建档立卡", "建檔立卡", "脱贫", "脫貧", "低收入户", "弱势", "弱勢", "劳动力", "勞動力",
		"予以", "给予", "給予", "办理", "辦理", "受理", "缴纳", "繳納", "申领", "申領", "趸缴", "躉繳", "统筹", "統籌", "经办", "經辦",
		"关系接续", "關係接續", "转移接续", "轉移接續", "异地就医", "異地就醫", "参保人", "參保人", "服务对象", "服務對象", "帮扶对象",
		"根据", "根據", "依据", "依據", "按照规定", "相关规定", "相關規定", "有关部门", "有關部門", "贵方", "本平台", "系统提示", "请知悉", "特此",
	}
}

// placed are texts that name a thing by the name it has on the sign, or on the bill.
var placed = map[string][]string{"subsidy.line": {"经办", "經辦"}, "subsidy.ask_more": {"经办", "經辦"}}

var (
	slots  = regexp.MustCompile(`\{\{[^}]*\}\}|\$\{[^}]*\}`)
	parts  = regexp.MustCompile(`[。！？；!?;\n]|\. `)
	clause = regexp.MustCompile(`\{\{(?:if|else|end)[^}]*\}\}`)
)

// everyText is all that people are told in conversations, by key.
func everyText(t *testing.T, l locales.Locale) map[string]string {
	t.Helper()
	all := make(map[string]string)
	texts, b := catalogue(t).Localizer(l), book(t)
	for _, id := range texts.IDs() {
		all[id] = texts.Source(id)
	}
	for _, g := range b.Guides() {
		for _, p := range g.Points {
			all["guide "+g.Topic+": "+p[l]] = p[l]
		}
		for _, v := range g.Verdicts {
			all["guide "+g.Topic+": "+v.Why[l]] = v.Why[l]
		}
	}
	for key, reply := range b.replies {
		if l == locales.ZhHans {
			all["reply "+key] = reply.SMS.Content
		}
	}
	return all
}

func TestSentencesAreShort(t *testing.T) {
	for _, l := range locales.All() {
		for id, text := range everyText(t, l) {
			text = clause.ReplaceAllString(text, "；") // what may be left out is read as a sentence of its own
			for _, sentence := range parts.Split(slots.ReplaceAllString(text, "123"), -1) {
				length, most := utf8.RuneCountInString(strings.TrimSpace(sentence)), longestSentence
				if l == locales.English {
					length, most = len(strings.FieldsFunc(sentence, unicode.IsSpace)), longestEnglish
				}
				if length > most {
					t.Errorf("%s in %s: %d, at most %d: %s", id, l, length, most, sentence)
				}
			}
		}
	}
}

func TestNoOfficeLanguage(t *testing.T) {
	for _, l := range locales.All() {
		for id, text := range everyText(t, l) {
			for _, word := range jargon() {
				allowed := false
				for _, w := range placed[id] {
					allowed = allowed || w == word
				}
				if strings.Contains(text, word) && !allowed {
					t.Errorf("%s in %s says %s: %s", id, l, word, text)
				}
			}
		}
	}
}

func TestWhatIsNotOnFileNamesATelephone(t *testing.T) {
	for id, text := range everyText(t, locales.ZhHans) {
		_, name, _ := strings.Cut(id, ".")
		dead := strings.HasPrefix(name, "no_") || name == "none" || name == "unknown" || id == "jobs.wanted" || name == "applied"
		if dead && !strings.Contains(text, "{{.Tel") && id != "more.none" && id != "training.mine_none" {
			t.Errorf("%s leaves people without a telephone: %s", id, text)
		}
	}
}
