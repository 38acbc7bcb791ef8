package console

import (
	"maps"
	"sync"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// previewView is what a campaign would do now.
type previewView struct {
	notify.Preview
	Channels    []share
	Unreachable []share
	Reached     int64
	Fault       *specFault // why there is no forecast
}

// previewOf asks whom what stands in the form would reach. It reaches as far as its author's region, whoever looks at it:
// scope is that.
func (v *visit) previewOf(spec notify.Spec, scope register.Scope) (*previewView, error) {
	author := v.who
	author.Region = scope.Prefix
	preview, err := v.Forecast.Preview(v.ctx(), author, spec)
	return v.viewPreview(spec.Channels, preview, err)
}

// viewPreview shows a preview. Where there is none because of the campaign itself, it says what is wrong with it.
func (v *visit) viewPreview(channels []notify.Channel, preview notify.Preview, err error) (*previewView, error) {
	if fault := faultOf(err); fault != nil {
		return &previewView{Fault: fault}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := v.namePlaces(preview.Warnings); err != nil {
		return nil, err
	}
	view := &previewView{Preview: preview}
	for _, channel := range channels {
		n := preview.Reachable[channel]
		view.Reached += n
		view.Channels = append(view.Channels, share{Key: string(channel), Count: n, Percent: percent(n, preview.Matched)})
	}
	view.Unreachable = countShares(preview.Unreachable)
	view.Samples = v.signed(preview.Samples)
	return view, nil
}

// namePlaces puts names where warnings have the codes of regions.
func (v *visit) namePlaces(warnings []notify.Warning) error {
	for i, w := range warnings {
		if w.Data["region"] == "" {
			continue
		}
		name, err := v.place(fullCode(w.Data["region"]))
		if err != nil {
			return err
		}
		data := maps.Clone(w.Data)
		data["region"] = name
		warnings[i].Data = data
	}
	return nil
}

// forecastCache spares the register and the platform a question each time somebody opens the same draft. What is
// kept holds masked texts and counts alone.
type forecastCache struct {
	mu   sync.Mutex
	held map[int64]heldForecast
}

type heldForecast struct {
	view    *previewView
	changed time.Time // the campaign, when it was asked
	at      time.Time
}

const forecastFresh = 20 * time.Second

// of gives the forecast of a campaign as it stands, at most some seconds old.
func (f *forecastCache) of(c notify.Campaign, now time.Time, ask func() (*previewView, error)) (*previewView, error) {
	f.mu.Lock()
	held, ok := f.held[c.ID]
	f.mu.Unlock()
	if ok && held.changed.Equal(c.UpdatedAt) && now.Sub(held.at) < forecastFresh {
		return held.view, nil
	}
	view, err := ask()
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.held) > 200 {
		clear(f.held)
	}
	f.held[c.ID] = heldForecast{view, c.UpdatedAt, now}
	return view, nil
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
