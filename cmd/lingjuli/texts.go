package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"github.com/nicksnyder/go-i18n/v2/i18n"

	"github.com/lingjuli/lingjuli/locales"
)

// errUsage marks an error that ends a command with the code of wrong usage.
var errUsage = errors.New("usage")

// saying is an error whose words are a text of the catalogue.
type saying struct {
	key  string
	data []any
	err  error // what errors.Is may look for; may be nil
}

func say(key string, data ...any) error { return &saying{key: key, data: data} }

func (s *saying) Error() string { return fmt.Sprint(append([]any{s.key}, s.data...)...) }
func (s *saying) Unwrap() error { return s.err }

// texts are the words of one language.
type texts struct {
	loc *i18n.Localizer
	tag string // zh-Hans or en
}

// textsFor picks the language of LANG; LC_ALL wins. Chinese by default.
func textsFor(lang, lcAll string) texts {
	if lcAll != "" {
		lang = lcAll
	}
	tag := "zh-Hans"
	if strings.HasPrefix(strings.ToLower(lang), "en") {
		tag = "en"
	}
	return texts{i18n.NewLocalizer(bundled(), tag), tag}
}

// bundled is parsed once: tests run hundreds of commands in one process.
var bundled = sync.OnceValue(func() *i18n.Bundle {
	bundle, err := locales.CLI()
	if err != nil {
		panic(err) // embedded texts that do not parse are a broken build, caught by any test
	}
	return bundle
})

// t is the text of a key; pairs are names and values of its placeholders.
func (w texts) t(key string, pairs ...any) string {
	data := make(map[string]any, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		data[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	text, err := w.loc.Localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: data})
	if err != nil {
		return key
	}
	return text
}

// word is a code's word among those of its kind: word("state", "paused"). A code without one stays as it is.
func (w texts) word(kind, code string) string {
	if text := w.t(kind + "." + code); text != kind+"."+code {
		return text
	}
	return code
}

// explain turns an error into what a person reads: one line for each thing to mend.
func (a *app) explain(err error) []string {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var lines []string
		for _, e := range joined.Unwrap() {
			lines = append(lines, a.explain(e)...)
		}
		return lines
	}
	w := a.texts
	var setting *settingError
	var said *saying
	var path *fs.PathError
	switch {
	case errors.As(err, &setting):
		text := w.t("bad_setting", "Variable", setting.Variable, "Must", w.t(setting.Must))
		if setting.Detail != "" {
			text += " (" + setting.Detail + ")"
		}
		return []string{text}
	case errors.As(err, &said):
		return []string{w.t(said.key, said.data...)}
	case errors.As(err, &path) && errors.Is(err, fs.ErrNotExist):
		return []string{w.t("no_such_file", "Path", path.Path)}
	}
	if text, ok := w.worded(err); ok {
		return []string{text}
	}
	return []string{w.t("failed", "Reason", w.reason(err))}
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", " ") }
