package locales

import (
	"embed"
	"fmt"
	"io/fs"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
	"gopkg.in/yaml.v3"
)

//go:embed cli.*.yaml faults.*.yaml
var cliFiles embed.FS

// CLI is the bundle of the commands' texts, in Chinese (the default) and English.
func CLI() (*i18n.Bundle, error) {
	bundle := i18n.NewBundle(language.SimplifiedChinese)
	bundle.RegisterUnmarshalFunc("yaml", yaml.Unmarshal)
	files, err := fs.Glob(cliFiles, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("locales: list the commands' texts: %w", err)
	}
	for _, name := range files {
		if _, err := bundle.LoadMessageFileFS(cliFiles, name); err != nil {
			return nil, fmt.Errorf("locales: %s: %w", name, err)
		}
	}
	return bundle, nil
}
