package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
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
			strings.HasPrefix(key, "menu_") || strings.HasPrefix(key, "warn.") // made of a command's, flag's, flow's or warning's name
		if !made && !strings.Contains(code, `"`+key+`"`) {
			t.Errorf("%s is used nowhere", key)
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
