package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/lingjuli/lingjuli/internal/register"
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
