package console

import (
	"errors"
	"strings"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// previewView is what a campaign would do now.
type previewView struct {
	notify.Preview
	Channels    []share
	Unreachable []share
	Reached     int64
	Error       string // why there is no forecast: words for staff
}

// previewOf asks whom the campaign would reach. What is wrong with the campaign itself is said in the view.
func (v *visit) previewOf(spec notify.Spec) (*previewView, error) {
	preview, err := v.Forecast.Preview(v.ctx(), v.who, spec)
	if fault := specFault(err); fault != "" {
		return &previewView{Error: fault}, nil
	}
	if err != nil {
		return nil, err
	}
	view := &previewView{Preview: preview}
	for _, channel := range spec.Channels {
		n := preview.Reachable[channel]
		view.Reached += n
		view.Channels = append(view.Channels, share{Key: string(channel), Count: n, Percent: percent(n, preview.Matched)})
	}
	view.Unreachable = countShares(preview.Unreachable)
	templates, err := v.Forecast.ListTemplates(v.ctx())
	view.Samples = v.signed(maskSamples(spec.Template, templates, preview.Samples))
	return view, err
}

// specFault is what is wrong with a campaign's file, in the words that commands print too; empty: the error is
// none of the author's.
func specFault(err error) string {
	var condition *register.ConditionError
	switch {
	case errors.As(err, &condition):
		return condition.Error()
	case errors.Is(err, notify.ErrSpec), errors.Is(err, notify.ErrNoTemplate), errors.Is(err, notify.ErrKind),
		errors.Is(err, notify.ErrNoWay), errors.Is(err, notify.ErrTemplateRefused):
		text := err.Error()
		return strings.TrimPrefix(strings.TrimPrefix(text, "notify: "), "file: ")
	}
	return ""
}

// signed puts the signature in front of SMS texts, as the platform does.
func (c *console) signed(samples []notify.PreviewSample) []notify.PreviewSample {
	for i, sample := range samples {
		if sample.Channel == notify.SMS && c.SignName != "" {
			samples[i].Text = "\u3010" + c.SignName + "\u3011" + sample.Text
		}
	}
	return samples
}
