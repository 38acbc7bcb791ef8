package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/lingjuli/lingjuli/notify"
)

func catalogue(t *testing.T, lang string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "locales", "cli."+lang+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	if err := yaml.Unmarshal(raw, &texts); err != nil {
		t.Fatal(err)
	}
	return texts
}

func TestTheCommandsTextsAreTheSameInBothLanguagesAndAllUsed(t *testing.T) {
	zh, en := catalogue(t, "zh-Hans"), catalogue(t, "en")
	holes := regexp.MustCompile(`\{\{\.\w+\}\}`)
	for key, text := range zh {
		a, b := holes.FindAllString(text, -1), holes.FindAllString(en[key], -1)
		slices.Sort(a)
		slices.Sort(b)
		if en[key] == "" || !slices.Equal(slices.Compact(a), slices.Compact(b)) {
			t.Errorf("%s: %q and %q have not the same placeholders", key, text, en[key])
		}
	}
	for key := range en {
		if zh[key] == "" {
			t.Errorf("%s is in English alone", key)
		}
	}
	code := source(t)
	for key := range zh {
		made := strings.HasPrefix(key, "help_") || strings.HasPrefix(key, "flag_") || strings.HasPrefix(key, "var_") ||
			strings.HasPrefix(key, "menu_") || slices.ContainsFunc(families(), func(f string) bool { return strings.HasPrefix(key, f+".") }) // made of a command's, flag's or flow's name, or of a code
		if !made && !strings.Contains(code, `"`+key+`"`) {
			t.Errorf("%s is used nowhere", key)
		}
	}
}

// families are the kinds of codes that have words.
func families() []string { return []string{"warn", "state", "halt"} }

func TestEveryCampaignStateAndHaltHasWords(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		w := textsFor(lang, "")
		for _, s := range notify.CampaignStates() {
			if w.t("state."+string(s)) == "state."+string(s) {
				t.Errorf("%s: state %s has no word", lang, s)
			}
		}
		for _, why := range []string{"content", "failures", "numbers", "refused", "outage", "request"} {
			if w.t("halt."+why) == "halt."+why {
				t.Errorf("%s: halt %s has no words", lang, why)
			}
		}
	}
}

func source(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(raw)
	}
	return all.String()
}
