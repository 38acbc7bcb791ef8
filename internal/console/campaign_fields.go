package console

import (
	"regexp"
	"slices"
	"strings"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// formPage is the form of a campaign.
type formPage struct {
	frame
	Form      campaignForm
	Action    string
	Problems  []problem
	Preview   *previewView
	Channels  []notify.Channel
	Templates []templateGroup
	Chosen    templateView
	Rules     []ruleView
	Blank     ruleView   // a new row, for the script
	Blanks    []ruleView // the controls of each field, for the script
	places    []choice
}

// templateGroup is the templates of one kind.
type templateGroup struct {
	Kind      notify.Kind
	Templates []templateView
}

// templateView is a template to choose, with the values that it asks for.
type templateView struct {
	frame
	Key     string
	Says    string // beginning of its text
	Content string
	Params  []paramRow
}

// fillTemplates groups the templates that campaigns may use by kind.
func (p *formPage) fillTemplates(list []notify.Template) {
	p.Chosen = templateView{frame: p.frame}
	for _, kind := range notify.CampaignKinds() {
		group := templateGroup{Kind: kind}
		for _, t := range list {
			if t.Kind != kind {
				continue
			}
			view := templateView{frame: p.frame, Key: t.Key, Content: p.spoken(templateText(t))}
			view.Says = shortened(view.Content, 24)
			for _, name := range templateParams(t) {
				view.Params = append(view.Params, paramRow{Name: name})
			}
			if t.Key == p.Form.Template {
				p.Chosen = view
				p.Chosen.Params = withValues(view.Params, p.Form.Params)
			}
			group.Templates = append(group.Templates, view)
		}
		if len(group.Templates) > 0 {
			p.Templates = append(p.Templates, group)
		}
	}
}

var placeholder = regexp.MustCompile(`\$\{(\w+)\}`)

// spoken names what a template leaves open in words: 〔deadline〕 where the platform writes ${deadline}.
func (p *formPage) spoken(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		return "\u3014" + p.Word("param", found[2:len(found)-1]) + "\u3015"
	})
}

// templateText is the text by which staff know a template.
func templateText(t notify.Template) string {
	switch {
	case t.SMS != nil:
		return t.SMS.Content
	case t.Voice != nil:
		return t.Voice.Content
	case t.WeChat != nil:
		return t.WeChat.Text
	}
	return ""
}

// templateParams lists the names of .Params that a template's texts speak of.
func templateParams(t notify.Template) []string {
	var texts []string
	collect := func(m map[string]string) {
		for _, text := range m {
			texts = append(texts, text)
		}
	}
	if t.SMS != nil {
		collect(t.SMS.Params)
	}
	if t.Voice != nil {
		collect(t.Voice.Params)
	}
	if t.WeChat != nil {
		collect(t.WeChat.Fields)
		texts = append(texts, t.WeChat.Page, t.WeChat.Text)
	}
	var names []string
	for _, m := range regexp.MustCompile(`\.Params\.([A-Za-z0-9_]+)`).FindAllStringSubmatch(strings.Join(texts, "\n"), -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// withValues keeps what was typed, for names that the template asks for.
func withValues(wanted, typed []paramRow) []paramRow {
	out := slices.Clone(wanted)
	for i := range out {
		for _, row := range typed {
			if row.Name == out[i].Name {
				out[i].Value = row.Value
			}
		}
	}
	return out
}

// ruleView is one row of the audience with the controls that suit its field.
type ruleView struct {
	frame
	I      string // its number in the form
	Row    conditionRow
	Field  *fieldView // nil: none chosen
	Groups []fieldGroup
	places []choice
}

// fieldGroup is a heading in the list of fields.
type fieldGroup struct {
	Name   string
	Fields []string
}

// fieldView is a field with the operators and values that it takes.
type fieldView struct {
	Name    string
	Control string // choices, yesno, region, number, date or text
	Ops     []register.Operator
	Words   []choice
}

// Places are the regions to choose from; one that is not among them, but was set before, stays.
func (r ruleView) Places(current string) []choice {
	if current == "" || slices.ContainsFunc(r.places, func(c choice) bool { return c.Code == current }) {
		return r.places
	}
	return append([]choice{{current, current}}, r.places...)
}

func shortened(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + "…"
}
