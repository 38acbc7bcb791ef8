package console

import (
	"bytes"
	"fmt"
	"net/http"
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
// holds, rendered anew. The event "end" says that the state has changed, and with it what may be done.
func (v *visit) watchCampaign() error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/event-stream")
	v.w.Header().Set("X-Accel-Buffering", "no") // a proxy in front passes each event on at once
	out := http.NewResponseController(v.w)
	defer func() { _ = out.SetWriteDeadline(time.Time{}) }() // the connection may be used again
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	until := time.After(watchAtMost)
	last := ""
	for {
		p, err := v.progressOf(c)
		if err != nil {
			return nil // the head is written; the browser asks again
		}
		block, err := v.progressBlock(p)
		if err != nil {
			return nil
		}
		if block == last {
			block = ": still here\n\n"
		} else {
			last, block = block, block+"\n"
		}
		if p.State != c.State {
			block += "event: end\ndata: \n\n"
		}
		if err := send(out, v.w, block); err != nil || p.State != c.State {
			return nil
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

// watchable says whether the figures of a campaign still move.
func watchable(c notify.Campaign) bool {
	return c.State == notify.Running || c.State == notify.Approved || c.State == notify.Paused
}
