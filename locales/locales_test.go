package locales

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/lingjuli/lingjuli/internal/hanzi"
)

func loaded(t *testing.T) *Bundle {
	t.Helper()
	b, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// catalogues are what people are told in conversations, and what stands on pages.
func catalogues(t *testing.T) []*Bundle {
	t.Helper()
	pages, err := LoadPages()
	if err != nil {
		t.Fatal(err)
	}
	return []*Bundle{loaded(t), pages}
}

func TestEveryTextExistsInEveryLocale(t *testing.T) {
	for _, b := range catalogues(t) {
		want := b.Localizer(ZhHans).IDs()
		for _, l := range All() {
			have := b.Localizer(l).IDs()
			for _, id := range want {
				if !slices.Contains(have, id) {
					t.Errorf("%s is missing in %s", id, l)
				}
			}
			for _, id := range have {
				if !slices.Contains(want, id) {
					t.Errorf("%s stands in %s alone", id, l)
				}
			}
		}
	}
}

func TestPlaceholdersAreEqualInEveryLocale(t *testing.T) {
	for _, b := range catalogues(t) {
		for _, id := range b.Localizer(ZhHans).IDs() {
			want := b.Localizer(ZhHans).Placeholders(id)
			for _, l := range All()[1:] {
				if b.Localizer(l).Has(id) && !slices.Equal(want, b.Localizer(l).Placeholders(id)) {
					t.Errorf("%s in %s takes %v, in zh-Hans %v", id, l, b.Localizer(l).Placeholders(id), want)
				}
			}
		}
	}
}

func TestScriptsAreNotMixed(t *testing.T) {
	for _, b := range catalogues(t) {
		bilingual := []string{"title.language"} // the door to other languages
		for _, id := range b.Localizer(ZhHans).IDs() {
			if text := b.Localizer(ZhHans).sources[id]; hanzi.Simplify(text) != text && !strings.HasPrefix(id, "language.") {
				t.Errorf("%s in zh-Hans has Traditional characters: %s", id, text)
			}
			for _, r := range b.Localizer(English).sources[id] {
				if r >= 0x4e00 && r < 0xa000 && !slices.Contains(bilingual, id) && !strings.HasPrefix(id, "language.") {
					t.Errorf("%s in en has Han characters: %s", id, b.Localizer(English).sources[id])
					break
				}
			}
		}
	}
}

func TestNobodyIsCalledPoor(t *testing.T) {
	for _, b := range catalogues(t) {
		for _, l := range All() {
			for id, text := range b.Localizer(l).sources {
				for _, word := range []string{"贫困户", "貧困戶", "建档立卡", "poor household"} {
					if strings.Contains(text, word) {
						t.Errorf("%s in %s says %s to a person's face", id, l, word)
					}
				}
			}
		}
	}
}

func TestTheNearestLocaleIsPicked(t *testing.T) {
	for wanted, want := range map[string]Locale{
		"":                        ZhHans,
		"C":                       ZhHans,
		"zh_CN.UTF-8":             ZhHans,
		"zh_TW.UTF-8":             ZhHant,
		"zh-HK":                   ZhHant,
		"en_GB.UTF-8":             English,
		"en-US,en;q=0.9,zh;q=0.8": English,
		"yue-Hant":                YueHant,
		"fr-FR":                   ZhHans,
	} {
		if got := Match(wanted); got != want {
			t.Errorf("Match(%q) = %s, want %s", wanted, got, want)
		}
	}
}

func TestAFileThatIsNoCatalogueIsRefused(t *testing.T) {
	for name, body := range map[string]string{
		"flows.fr.yaml":      "a: b",
		"flows.zh-Hans.yaml": "a: [1]",
		"flows.en.yaml":      "\t:",
	} {
		if _, err := load(fstest.MapFS{name: {Data: []byte(body)}}); err == nil {
			t.Errorf("%s with %q was taken", name, body)
		}
	}
	if _, err := load(fstest.MapFS{"flows.en.yaml": {Data: []byte("x: 1a")}, "more.en.yaml": {Data: []byte("x: 2b")}}); err == nil {
		t.Error("the same id in two files was taken")
	}
}

func TestAMissingTextComesOutAsItsID(t *testing.T) {
	b := loaded(t)
	if got := b.Localizer(English).Text("no.such.text", nil); got != "no.such.text" {
		t.Error(got)
	}
}
