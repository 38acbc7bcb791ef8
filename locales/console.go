package locales

import (
	"embed"
	"errors"
	"fmt"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
	"gopkg.in/yaml.v3"
)

// The console speaks two languages: its files stand apart from the four that people are spoken to in.
//
//go:embed console.zh-Hans.yaml console.en.yaml faults.zh-Hans.yaml faults.en.yaml
var consoleFiles embed.FS

// Console holds the texts of the staff console in Simplified Chinese and English.
type Console struct {
	bundle *i18n.Bundle
}

// The console's languages; the first is the default.
const (
	ConsoleChinese = "zh-Hans"
	ConsoleEnglish = "en"
)

// LoadConsole reads the embedded texts of the console.
func LoadConsole() (*Console, error) {
	bundle := i18n.NewBundle(language.SimplifiedChinese)
	bundle.RegisterUnmarshalFunc("yaml", yaml.Unmarshal)
	for _, lang := range []string{ConsoleChinese, ConsoleEnglish} {
		for _, file := range []string{"console.", "faults."} {
			if _, err := bundle.LoadMessageFileFS(consoleFiles, file+lang+".yaml"); err != nil {
				return nil, fmt.Errorf("locales: console texts in %s: %w", lang, err)
			}
		}
	}
	return &Console{bundle: bundle}, nil
}

// Shared is a text that commands and pages have in common: fault.…, condition.…, code.….
func (c *Console) Shared(lang, key string, data map[string]any) (string, bool) {
	text, err := i18n.NewLocalizer(c.bundle, lang).Localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: data})
	return text, err == nil
}

// Text is the text of a key, filled with data. A key without text is its own text, and false.
func (c *Console) Text(lang, key string, data map[string]any) (string, bool) {
	text, err := i18n.NewLocalizer(c.bundle, lang).Localize(&i18n.LocalizeConfig{MessageID: "console." + key, TemplateData: data})
	var missing *i18n.MessageNotFoundErr
	if err != nil && (errors.As(err, &missing) || text == "") {
		return key, false
	}
	return text, true
}
