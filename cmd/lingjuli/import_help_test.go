package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/register/fictional"
)

func TestTheHelpOfImportNamesEveryKind(t *testing.T) {
	files, err := filepath.Glob("../../locales/cli.*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	var kinds []string
	for _, k := range register.Kinds() {
		kinds = append(kinds, string(k))
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var texts map[string]any
		if err := yaml.Unmarshal(raw, &texts); err != nil {
			t.Fatal(err)
		}
		if help, _ := texts["help_import"].(string); !strings.Contains(help, strings.Join(kinds, " ")) {
			t.Errorf("%s: %s", file, help)
		}
	}
}

func TestAnImportTellsWhichRowARowRepeatsWhatItDoubtsAndWhatItDidNotRead(t *testing.T) {
	do := told(t)
	sheet := t.TempDir() + "/people.csv"
	rows := "姓名,身份证号码,手机号,县,致贫原因1\n林一,441881197001010016,138,英德县,缺技术\n林一,441881197001010016,,英德市,\n"
	id := func(i int) string { return fictional.IDNumber("441881", "1980-01-01", i) }
	for i := range 7 {
		rows += "林二," + id(i) + ",0763-2000000,英德市,\n"
	}
	if err := os.WriteFile(sheet, []byte(strings.Replace(rows, "441881197001010016", id(99), 2)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, stderr, code := do("import", "people", sheet)
	for _, want := range []string{
		"row 3 the same as row 2", "Note: the telephone is wrong and was left out: rows 2\n", "Note: a landline, which gets no texts: 7 rows, such as 4, 5, 6, 7, 8;",
		"not read, because nothing here needs them or their names are not known: 致贫原因1\n", "9 rows: 8 new",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("not said: %s", want)
		}
	}
	if t.Failed() || code != exitDone {
		t.Error(code, out, stderr)
	}
}

func TestEveryDoubtOfAnImportHasWords(t *testing.T) {
	for _, lang := range []string{"zh_CN.UTF-8", "en_US.UTF-8"} {
		w := textsFor(lang, "")
		for _, reason := range []register.Reason{
			register.PhoneMissing, register.PhoneInvalid, register.PhoneLandline, register.PhoneShared, register.IDNormalised, register.DateOpen, register.NumberOpen,
			register.AsksForMoney, register.KeptByHand,
		} {
			if text := w.t("doubt." + string(reason)); strings.Contains(text, "doubt.") {
				t.Errorf("%s: %s has no words", lang, reason)
			}
		}
	}
}
