// Package locales holds every text that people read, in four locales: zh-Hans, zh-Hant, yue-Hant, en.
//
// What people are told in conversations stands in flows.LOCALE.yaml in all four, with keys nested by topic
// ("medical.enrolled"); what staff read stands in cli and console files, in Simplified Chinese and English. A text
// is a text/template over a map; it holds no logic beyond a condition on an empty value. Tests hold the catalogue
// complete, free of unused texts, and equal in its placeholders.
package locales

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
	"gopkg.in/yaml.v3"
)

//go:embed flows*.yaml
var files embed.FS

// Locale is one of the languages the system speaks.
type Locale string

// The locales.
const (
	ZhHans  Locale = "zh-Hans"
	ZhHant  Locale = "zh-Hant"
	YueHant Locale = "yue-Hant"
	English Locale = "en"
)

// All lists the locales, the default first.
func All() []Locale { return []Locale{ZhHans, ZhHant, YueHant, English} }

// Parse reads a locale's exact name; ok is false for any other word.
func Parse(name string) (l Locale, ok bool) {
	l = Locale(name)
	return l, slices.Contains(All(), l)
}

// Match picks the locale nearest to an Accept-Language header or a LANG variable ("zh_TW.UTF-8").
// Where nothing fits it is zh-Hans.
func Match(wanted string) Locale {
	wanted, _, _ = strings.Cut(wanted, ".")
	wanted = strings.ReplaceAll(wanted, "_", "-")
	tags, _, err := language.ParseAcceptLanguage(wanted)
	if err != nil {
		return ZhHans
	}
	var have []language.Tag
	for _, l := range All() {
		have = append(have, language.MustParse(string(l)))
	}
	_, i, confidence := language.NewMatcher(have).Match(tags...)
	if confidence == language.No {
		return ZhHans
	}
	return All()[i]
}

// Bundle is the catalogue of conversations. Safe for concurrent use once loaded.
type Bundle struct {
	localizers map[Locale]*Localizer
}

// Load reads the embedded catalogue.
func Load() (*Bundle, error) { return load(files) }

func load(dir fs.FS) (*Bundle, error) {
	b := &Bundle{localizers: make(map[Locale]*Localizer)}
	for _, l := range All() {
		b.localizers[l] = &Localizer{locale: l, sources: make(map[string]string)}
	}
	names, err := fs.Glob(dir, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("locales: list: %w", err)
	}
	for _, name := range names {
		if err := b.read(dir, name); err != nil {
			return nil, err
		}
	}
	for _, l := range b.localizers {
		if err := l.build(); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *Bundle) read(dir fs.FS, name string) error {
	_, rest, _ := strings.Cut(path.Base(name), ".")
	locale, ok := Parse(strings.TrimSuffix(rest, ".yaml"))
	if !ok {
		return fmt.Errorf("locales: %s: want flows.LOCALE.yaml", name)
	}
	raw, err := fs.ReadFile(dir, name)
	if err != nil {
		return fmt.Errorf("locales: read %s: %w", name, err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(raw, &tree); err != nil {
		return fmt.Errorf("locales: read %s: %w", name, err)
	}
	return b.localizers[locale].add(name, "", tree)
}

// Localizer is one locale's texts.
func (b *Bundle) Localizer(l Locale) *Localizer {
	if found, ok := b.localizers[l]; ok {
		return found
	}
	return b.localizers[ZhHans]
}

// Localizer gives texts of one locale.
type Localizer struct {
	locale    Locale
	sources   map[string]string // id → template
	localizer *i18n.Localizer
}

func (l *Localizer) add(file, prefix string, tree map[string]any) error {
	for key, value := range tree {
		id := key
		if prefix != "" {
			id = prefix + "." + key
		}
		switch v := value.(type) {
		case string:
			if _, twice := l.sources[id]; twice {
				return fmt.Errorf("locales: %s: %s stands twice", file, id)
			}
			l.sources[id] = strings.TrimRight(v, "\n")
		case map[string]any:
			if err := l.add(file, id, v); err != nil {
				return err
			}
		default:
			return fmt.Errorf("locales: %s: %s is no text", file, id)
		}
	}
	return nil
}

// build gives each locale a bundle of its own, so that no text of a neighbouring language is ever taken for a
// missing one: a gap is a gap.
func (l *Localizer) build() error {
	tag := language.MustParse(string(l.locale))
	bundle := i18n.NewBundle(tag)
	messages := make([]*i18n.Message, 0, len(l.sources))
	for id, source := range l.sources {
		messages = append(messages, &i18n.Message{ID: id, Other: source})
	}
	if err := bundle.AddMessages(tag, messages...); err != nil {
		return fmt.Errorf("locales: %s: %w", l.locale, err)
	}
	l.localizer = i18n.NewLocalizer(bundle, string(l.locale))
	return nil
}

// Locale says which locale this is.
func (l *Localizer) Locale() Locale { return l.locale }

// Text fills one text. A text that is missing or does not fit its data comes out as its id: the catalogue
// tests and `flows lint` keep that from happening, and a person still sees something they can quote.
func (l *Localizer) Text(id string, values any) string {
	text, err := l.localizer.Localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: values})
	if err != nil {
		return id
	}
	return text
}

// Has says whether a text exists.
func (l *Localizer) Has(id string) bool {
	_, ok := l.sources[id]
	return ok
}

// Source is a text as it is written, with its conditions; empty where there is none.
func (l *Localizer) Source(id string) string { return l.sources[id] }

// IDs lists all texts, sorted.
func (l *Localizer) IDs() []string { return slices.Sorted(maps.Keys(l.sources)) }

// What stands between double braces, and the fields of the data in it.
var (
	action = regexp.MustCompile(`\{\{[^}]*?\}\}`)
	field  = regexp.MustCompile(`\.[A-Za-z_][A-Za-z0-9_.]*`)
)

// Placeholders lists the names a text takes from its data, sorted, each once.
func (l *Localizer) Placeholders(id string) []string {
	var names []string
	for _, act := range action.FindAllString(l.sources[id], -1) {
		for _, name := range field.FindAllString(act, -1) {
			if name = name[1:]; !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}
