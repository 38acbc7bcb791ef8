package console

import (
	"regexp"
	"slices"
	"strings"

	"github.com/lingjuli/lingjuli/notify"
)

// Samples are texts to real people. A page shows them as they will look, but with the name masked: the template
// tells where in the text the person stands. A text that the template doesn't explain is left out.
func maskSamples(key string, templates []notify.Template, samples []notify.PreviewSample) []notify.PreviewSample {
	at := slices.IndexFunc(templates, func(t notify.Template) bool { return t.Key == key })
	if at < 0 {
		return nil
	}
	var out []notify.PreviewSample
	for _, sample := range samples {
		for _, shape := range shapesOf(templates[at], sample.Channel) {
			if text, ok := shape.mask(sample.Text); ok {
				out = append(out, notify.PreviewSample{Channel: sample.Channel, Text: text})
				break
			}
		}
	}
	return out
}

// shape is a text with holes; secret says which of them hold something of the person.
type shape struct {
	pattern *regexp.Regexp
	secret  []bool
}

// shapesOf gives the shapes that a channel's text may have: its own, or the SMS text's.
func shapesOf(t notify.Template, channel notify.Channel) (shapes []shape) {
	if channel == notify.WeChat && t.WeChat != nil && t.WeChat.Text != "" {
		shapes = append(shapes, newShape(t.WeChat.Text, `\{\{[^}]*\}\}`, func(hole string) string { return hole }))
	}
	if channel == notify.Voice && t.Voice != nil {
		shapes = append(shapes, variableShape(t.Voice.Content, t.Voice.Params))
	}
	if channel != notify.Voice && t.SMS != nil {
		shapes = append(shapes, variableShape(t.SMS.Content, t.SMS.Params))
	}
	return shapes
}

func variableShape(content string, params map[string]string) shape {
	return newShape(content, `\$\{[^}]*\}`, func(hole string) string { return params[hole[2:len(hole)-1]] })
}

// newShape finds the holes in a text; says gives what stands in one.
func newShape(text, hole string, says func(hole string) string) shape {
	var s shape
	var pattern strings.Builder
	pattern.WriteString(`(?s)^`)
	from := 0
	for _, at := range regexp.MustCompile(hole).FindAllStringIndex(text, -1) {
		pattern.WriteString(regexp.QuoteMeta(text[from:at[0]]) + `(.*?)`)
		s.secret = append(s.secret, strings.Contains(says(text[at[0]:at[1]]), ".Person"))
		from = at[1]
	}
	pattern.WriteString(regexp.QuoteMeta(text[from:]) + `$`)
	s.pattern = regexp.MustCompile(pattern.String())
	return s
}

// mask fills the holes anew, those of the person masked; false: the text is not of this shape.
func (s shape) mask(text string) (string, bool) {
	found := s.pattern.FindStringSubmatchIndex(text)
	if found == nil {
		return "", false
	}
	var b strings.Builder
	from := 0
	for i, secret := range s.secret {
		start, end := found[2+2*i], found[3+2*i]
		b.WriteString(text[from:start])
		if secret {
			b.WriteString(maskName(text[start:end]))
		} else {
			b.WriteString(text[start:end])
		}
		from = end
	}
	return b.String() + text[from:], true
}
