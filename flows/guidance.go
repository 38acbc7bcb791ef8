package flows

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/lingjuli/lingjuli/internal/hanzi"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/locales"
)

//go:embed guidance
var guidance embed.FS

// planEnded is the year the plan ran to: what nobody has checked since is said to be of the plan.
const planEnded = "2018-12-31"

// Guide is what a measure offers, in plain words, with where it stands.
type Guide struct {
	Topic     string    `yaml:"topic"`
	Flow      string    `yaml:"flow"`   // where a person can act on it
	Clause    string    `yaml:"clause"` // of the source
	Source    string    `yaml:"source"`
	CheckedOn string    `yaml:"checked_on"` // the day somebody last held it against what is in force; "": nobody has
	Verdicts  []Verdict `yaml:"verdicts"`   // whom it is for; the first that holds counts
	Points    []Words   `yaml:"points"`
}

// Verdict says whether it is for a person, and why.
type Verdict struct {
	When    register.Condition `yaml:"when"`
	Verdict string             `yaml:"verdict"` // yes, maybe, no
	Why     Words              `yaml:"why"`
}

// Words is a text in each locale.
type Words map[locales.Locale]string

// Old says that nobody has checked the guide since the plan ended.
func (g Guide) Old() bool { return g.CheckedOn <= planEnded }

// For finds the verdict for a person. ok is false where no rule fits.
func (g Guide) For(r register.Record, today time.Time) (v Verdict, ok bool) {
	for _, v := range g.Verdicts {
		if v.When.Match(r, today) {
			return v, true
		}
	}
	return Verdict{}, false
}

// Guide finds the guide of a topic.
func (b *Book) Guide(topic string) (Guide, bool) {
	i := slices.IndexFunc(b.guides, func(g Guide) bool { return g.Topic == topic })
	if i < 0 {
		return Guide{}, false
	}
	return b.guides[i], true
}

// Guides lists all, in the order of the measures.
func (b *Book) Guides() []Guide { return slices.Clone(b.guides) }

func (b *Book) readGuides(dir fs.FS) error {
	names, err := fs.Glob(dir, "guidance/*.yaml")
	if err != nil {
		return fmt.Errorf("flows: list guidance: %w", err)
	}
	for _, name := range names {
		raw, err := fs.ReadFile(dir, name)
		if err != nil {
			return fmt.Errorf("flows: read %s: %w", name, err)
		}
		var file struct {
			Source string  `yaml:"source"`
			Guides []Guide `yaml:"guides"`
		}
		if err := strict(raw, &file); err != nil {
			return fmt.Errorf("flows: %s: %w", name, err)
		}
		for _, g := range file.Guides {
			if g.Source == "" {
				g.Source = file.Source
			}
			b.guides = append(b.guides, g)
		}
	}
	return nil
}

// guides checks that each guide can be said in every locale, names its clause, and leads somewhere.
func (l *linter) guides() {
	seen := make(map[string]bool)
	for _, g := range l.b.guides {
		where := "guide " + g.Topic
		if g.Topic == "" || seen[g.Topic] {
			l.complain("%s: stands twice, or has no topic", where)
		}
		seen[g.Topic] = true
		if l.b.flows[g.Flow] == nil {
			l.complain("%s: leads to %q, which is no flow", where, g.Flow)
		}
		if g.Clause == "" || g.Source == "" || len(g.Points) == 0 {
			l.complain("%s: want source, clause and points", where)
		}
		if _, err := time.Parse(time.DateOnly, g.CheckedOn); err != nil && g.CheckedOn != "" {
			l.complain("%s: checked_on is no date", where)
		}
		for _, p := range g.Points {
			l.words(where, p)
		}
		for _, v := range g.Verdicts {
			l.words(where, v.Why)
			if !slices.Contains([]string{"yes", "maybe", "no"}, v.Verdict) {
				l.complain("%s: %q is no verdict", where, v.Verdict)
			}
		}
	}
}

func (l *linter) words(where string, w Words) {
	for _, locale := range locales.All() {
		if w[locale] == "" {
			l.complain("%s: a text is missing in %s", where, locale)
		}
	}
	if simple := w[locales.ZhHans]; hanzi.Simplify(simple) != simple {
		l.complain("%s: Traditional characters in zh-Hans: %s", where, simple)
	}
}
