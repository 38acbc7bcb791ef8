package console

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

const (
	watchEvery  = time.Second
	watchAtMost = 10 * time.Minute // then the browser asks anew, and shows again that it is logged in
	watchWrite  = 15 * time.Second
)

// watchCampaign sends the campaign's progress as server-sent events: each holds the very block that the page
// holds, rendered anew. The event "end" says that the state is no longer the one that the page shows (the address
// names it), and with it what may be done.
func (v *visit) watchCampaign() error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	shown := notify.CampaignState(v.r.URL.Query().Get("state"))
	if !slices.Contains(notify.CampaignStates(), shown) {
		shown = c.State
	}
	v.w.Header().Set("Content-Type", "text/event-stream")
	v.w.Header().Set("X-Accel-Buffering", "no") // a proxy in front passes each event on at once
	if err := v.stream(shown); err != nil {
		v.Logger.Debug("watching ended", slog.Any("error", err)) // the head is written; the browser asks again
	}
	return nil
}

// stream sends an event whenever something has moved, until the state does, or nobody listens any more.
func (v *visit) stream(shown notify.CampaignState) error {
	out := http.NewResponseController(v.w)
	defer func() { _ = out.SetWriteDeadline(time.Time{}) }() // the connection may be used again
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	until := time.After(watchAtMost)
	for last := ""; ; {
		state, block, err := v.moment()
		if err != nil {
			return err
		}
		event := ": still here\n\n"
		if block != last {
			last, event = block, block+"\n"
		}
		if state != shown {
			event += "event: end\ndata: \n\n"
		}
		if err := send(out, v.w, event); err != nil || state != shown {
			return err
		}
		select {
		case <-v.ctx().Done():
			return nil
		case <-v.Closing:
			return nil
		case <-until:
			return nil
		case <-ticker.C:
		}
	}
}

// moment is the campaign's state and figures now. The state comes fresh: the figures may be a second old.
func (v *visit) moment() (notify.CampaignState, string, error) {
	c, err := v.campaign()
	if err != nil {
		return "", "", err
	}
	p, err := v.progressOf(c)
	if err != nil {
		return "", "", err
	}
	block, err := v.progressBlock(p)
	return c.State, block, err
}

// progressBlock is the page's block as the data of one event.
func (v *visit) progressBlock(p *progress) (string, error) {
	var b bytes.Buffer
	view := progressView{frame: v.frame("campaign.title", "campaigns"), P: p}
	if err := v.pages["campaign"].ExecuteTemplate(&b, "progress", view); err != nil {
		return "", fmt.Errorf("console: render progress: %w", err)
	}
	var event strings.Builder
	for line := range strings.Lines(strings.TrimSpace(b.String())) {
		event.WriteString("data: " + strings.TrimRight(line, "\r\n") + "\n")
	}
	return event.String(), nil
}

// progressView is what the template of the block is given.
type progressView struct {
	frame
	P *progress
}

func send(out *http.ResponseController, w http.ResponseWriter, block string) error {
	if err := out.SetWriteDeadline(time.Now().Add(watchWrite)); err != nil {
		return err
	}
	if _, err := w.Write([]byte(block)); err != nil {
		return err
	}
	return out.Flush()
}

// receiptsCome is how long after its end a campaign's receipts are watched for.
const receiptsCome = time.Hour

// watchable says whether the figures of a campaign still move: receipts come after the last message has gone.
func (c *console) watchable(campaign notify.Campaign) bool {
	switch campaign.State {
	case notify.Approved, notify.Running, notify.Paused, notify.Halted:
		return true
	case notify.Finished:
		return c.Now().Sub(campaign.FinishedAt) < receiptsCome
	default:
		return false
	}
}
